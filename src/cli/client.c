#include "cli/client.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "cli/failure.h"
#include "cli/print.h"
#include "cli/progress.h"

enum {
    BODY_MAX = 64 * 1024 * 1024,
    TOKEN_MAX = 512,
    TIMEOUT_S = 60,
    CONNECT_S = 5,
    SENDS_MAX = 3,
};

struct cli_client {
    CURL *curl;
    struct buf body;
    char token[TOKEN_MAX];
};

struct exchange {
    struct cli_call *call;
    struct cli_client *client;
    const struct cli_request *request;
    struct cli_reply *reply;
};

/* Option, then the context when it was asked for, then variable, then the context in use. */
static const char *choose(const struct cli_call *call, const char *option, const char *variable,
                          const char *of_context)
{
    const char *given = cli_value(call, option);
    if (given == NULL && !call->context.is_explicit) {
        given = getenv(variable);
    }
    return given != NULL && given[0] != '\0' ? given : of_context;
}

struct str cli_server(struct cli_call *call)
{
    const char *given = choose(call, "server", "STELLA_SERVER", call->context.server);
    struct str server = str_from(given != NULL ? given : "http://127.0.0.1:8700");
    while (str_ends(server, STR("/"))) {
        server.len--;
    }
    return arena_str(&call->arena, server);
}

const char *cli_tenant(const struct cli_call *call)
{
    return choose(call, "tenant", "STELLA_TENANT", call->context.tenant);
}

const char *cli_token_file(const struct cli_call *call)
{
    static const char *const places[] = {".stella/data/admin.token", ".stella/admin.token",
                                         "data/admin.token"};
    const char *given = choose(call, "token-file", "STELLA_TOKEN_FILE", call->context.token_file);
    if (given != NULL || call->context.name != NULL) {
        return given; /* A token that lies here is not for another server. */
    }
    for (size_t i = 0; i < CLI_COUNT(places); i++) {
        if (access(places[i], R_OK) == 0) {
            return places[i];
        }
    }
    return NULL;
}

static int read_token(struct cli_call *call, struct cli_client *client)
{
    const char *path = cli_token_file(call);
    if (path == NULL) {
        return cli_fail(call, CLI_DENIED, "unauthenticated",
                        "name the file with --token-file, STELLA_TOKEN_FILE or in a context; "
                        "`./run` and `serve` write admin.token into the data folder",
                        "no token file was found");
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return cli_fail(call, CLI_DENIED, "unauthenticated",
                        "check --token-file or STELLA_TOKEN_FILE and its permissions",
                        "the token file %s cannot be read", path);
    }
    const size_t n = fread(client->token, 1, sizeof(client->token) - 1, file);
    (void)fclose(file);
    const struct str token = str_trim((struct str){client->token, n});
    memmove(client->token, token.ptr, token.len);
    client->token[token.len] = '\0';
    if (token.len == 0 || strpbrk(client->token, "\r\n") != NULL) {
        return cli_fail(call, CLI_DENIED, "unauthenticated", "it must hold one line, the token",
                        "the token file %s holds no token", path);
    }
    return CLI_OK;
}

static struct cli_client *client_get(struct cli_call *call)
{
    if (call->client == NULL) {
        call->client = calloc(1, sizeof(*call->client));
        CHECK(call->client != NULL);
        buf_init(&call->client->body, BODY_MAX);
        CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
        call->client->curl = curl_easy_init();
        CHECK(call->client->curl != NULL);
    }
    return call->client;
}

void cli_client_close(struct cli_client *client)
{
    if (client == NULL) {
        return;
    }
    curl_easy_cleanup(client->curl);
    curl_global_cleanup();
    buf_fini(&client->body);
    explicit_bzero(client->token, sizeof(client->token));
    free(client);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    const struct exchange *exchange = ctx;
    long status = 0;
    (void)curl_easy_getinfo(exchange->client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (exchange->request->download != NULL && status >= 200 && status < 300) {
        return fwrite(bytes, size, count, exchange->request->download);
    }
    buf_put(&exchange->client->body, bytes, size * count);
    return exchange->client->body.overflow ? 0 : count;
}

static void keep_header(struct str line, const char *name, char *out, size_t out_size)
{
    const size_t len = strlen(name);
    if (line.len <= len || !str_eq_nocase(str_slice(line, 0, len), str_from(name)) ||
        line.ptr[len] != ':') {
        return;
    }
    const struct str value = str_trim(str_slice(line, len + 1, line.len));
    const size_t n = value.len < out_size ? value.len : out_size - 1;
    memcpy(out, value.ptr, n);
    out[n] = '\0';
}

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct cli_reply *reply = ((const struct exchange *)ctx)->reply;
    const struct str line = {bytes, size * count};
    keep_header(line, "etag", reply->etag, sizeof(reply->etag));
    keep_header(line, "date", reply->date, sizeof(reply->date));
    keep_header(line, "x-request-id", reply->request_id, sizeof(reply->request_id));
    keep_header(line, "retry-after", reply->retry_after, sizeof(reply->retry_after));
    return count;
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    struct exchange *exchange = ctx;
    const bool is_upload = exchange->request->upload != NULL;
    cli_progress(exchange->call, is_upload ? "bytes sent" : "bytes received",
                 (int64_t)(is_upload ? up : down), (int64_t)(is_upload ? up_total : down_total));
    return 0;
}

static size_t on_upload(char *bytes, size_t size, size_t count, void *ctx)
{
    return fread(bytes, size, count, ((const struct exchange *)ctx)->request->upload);
}

static struct curl_slist *header(struct cli_call *call, struct curl_slist *list, const char *name,
                                 const char *value)
{
    if (value == NULL) {
        return list;
    }
    struct curl_slist *longer =
        curl_slist_append(list, arena_format(&call->arena, "%s: %s", name, value).ptr);
    CHECK(longer != NULL);
    return longer;
}

static const char *new_key(struct cli_call *call)
{
    unsigned char bytes[16];
    CHECK(getrandom(bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes));
    struct buf hex;
    buf_init(&hex, 64);
    buf_str(&hex, STR("cli-"));
    buf_hex(&hex, bytes, sizeof(bytes));
    const char *key = arena_cstr(&call->arena, buf_get(&hex));
    buf_fini(&hex);
    return key;
}

static struct curl_slist *headers(struct cli_call *call, const struct cli_request *request)
{
    struct curl_slist *list = NULL;
    const bool has_body = request->body.len > 0 || request->upload != NULL;
    const char *media = request->media_type != NULL ? request->media_type : "application/json";
    list = header(call, list, "Content-Type", has_body ? media : NULL);
    list = header(call, list, "Expect", "");
    list = header(call, list, "If-Match", request->if_match);
    list = header(call, list, "Idempotency-Key", request->creates ? new_key(call) : NULL);
    list = header(call, list, "Prefer",
                  request->wait_s > 0
                      ? arena_format(&call->arena, "wait=%lld", (long long)request->wait_s).ptr
                      : NULL);
    list = header(call, list, "X-Stella-Reason", cli_value(call, "reason"));
    list = header(call, list, "X-Stella-Ticket", cli_value(call, "ticket"));
    if (!request->anonymous) {
        list = header(call, list, "Authorization",
                      arena_format(&call->arena, "Bearer %s", call->client->token).ptr);
        list =
            header(call, list, "X-Stella-Tenant", request->installation ? NULL : cli_tenant(call));
    }
    return list;
}

static void set_body(CURL *curl, struct exchange *exchange)
{
    const struct cli_request *request = exchange->request;
    if (request->upload != NULL) {
        rewind(request->upload);
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_upload);
        curl_easy_setopt(curl, CURLOPT_READDATA, exchange);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->upload_size);
    } else if (strcmp(request->method, "GET") != 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.len > 0 ? request->body.ptr : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_options(struct cli_call *call, struct exchange *exchange, int64_t timeout_s)
{
    CURL *curl = call->client->curl;
    const struct str url =
        arena_format(&call->arena, "%.*s%s%.*s", STR_ARG(cli_server(call)),
                     exchange->request->root ? "" : "/api/v1", STR_ARG(exchange->request->path));
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url.ptr);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)timeout_s);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "stella/" STELLA_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    if (exchange->request->upload != NULL || exchange->request->download != NULL) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, exchange);
    }
    set_body(curl, exchange);
}

/* The request may have arrived although no answer came back. */
static bool answer_was_lost(CURLcode code)
{
    return code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_PARTIAL_FILE ||
           code == CURLE_SEND_ERROR;
}

static int unreachable(struct cli_call *call, CURLcode code)
{
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
        return cli_fail(call, CLI_USAGE, "usage", "a server looks like http://127.0.0.1:8700",
                        "\"%.*s\" is not a server's URL", STR_ARG(cli_server(call)));
    }
    const int status =
        cli_fail(call, CLI_UNREACHABLE, "unreachable",
                 "is it running? `./run` starts one; --server or STELLA_SERVER "
                 "names another; `stella orchestrator doctor` looks closer",
                 "no answer from %.*s: %s", STR_ARG(cli_server(call)), curl_easy_strerror(code));
    call->failure.retryable = true;
    return status;
}

static void read_reply(struct cli_call *call, struct cli_reply *reply)
{
    CURL *curl = call->client->curl;
    long http = 0;
    curl_off_t elapsed = 0;
    const char *type = NULL;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
    (void)curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &elapsed);
    (void)curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    reply->status = (int)http;
    reply->elapsed_us = (int64_t)elapsed;
    reply->body = arena_str(&call->arena, buf_get(&call->client->body));
    struct err ignored = {0}; /* A body that is no JSON is judged by its status alone. */
    if (type != NULL && strstr(type, "json") != NULL &&
        json_read(reply->body, &reply->json, &ignored) != ERR_OK) {
        reply->json = NULL;
    }
}

/* --dry-run: the request, as it would go out. */
static int show_request(struct cli_call *call, const struct cli_request *request)
{
    static const struct cli_shape shape = {"path", NULL, 0};
    json_t *shown =
        json_pack("{s:s,s:o,s:s*,s:s*,s:s*,s:s*}", "method", request->method, "path",
                  json_stringn(request->path.ptr, request->path.len), "if_match", request->if_match,
                  "reason", cli_value(call, "reason"), "ticket", cli_value(call, "ticket"),
                  "tenant", request->installation ? NULL : cli_tenant(call));
    json_t *body = NULL;
    struct err ignored = {0}; /* A body that is no JSON is told by its size alone. */
    CHECK(shown != NULL);
    if (request->body.len > 0 && json_read(request->body, &body, &ignored) == ERR_OK) {
        (void)json_object_set_new(shown, "body", body);
    } else if (request->upload != NULL) {
        (void)json_object_set_new(shown, "body_bytes", json_integer(request->upload_size));
    }
    cli_show(call, shown, &shape);
    cli_note(call, "Nothing was sent.");
    json_decref(shown);
    return CLI_SHOWN;
}

static int refuse_change(struct cli_call *call)
{
    return cli_fail(call, CLI_USAGE, "usage", "leave --watch away",
                    "--watch is for lists and single objects; %s %s changes something",
                    call->noun->name, call->command->verb);
}

int cli_send(struct cli_call *call, const struct cli_request *request, struct cli_reply *reply)
{
    int64_t timeout_s = TIMEOUT_S;
    int status = cli_number(call, "timeout", 1, 86400, &timeout_s);
    struct cli_client *client = client_get(call);
    if (status == CLI_OK && !request->anonymous && client->token[0] == '\0') {
        status = read_token(call, client);
    }
    if (status != CLI_OK) {
        return status;
    }
    const bool is_read = strcmp(request->method, "GET") == 0;
    if (!is_read && call->reads_only) {
        return refuse_change(call);
    }
    if (!is_read && !request->changes_nothing && cli_flag(call, "dry-run")) {
        return show_request(call, request);
    }
    const bool repeatable = request->creates || is_read;
    struct exchange exchange = {call, client, request, reply};
    struct curl_slist *list = headers(call, request);
    CURLcode code = CURLE_OK;
    for (int sends = 0; sends < SENDS_MAX; sends++) {
        *reply = (struct cli_reply){0};
        buf_reset(&client->body);
        set_options(call, &exchange, timeout_s);
        curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, list);
        code = curl_easy_perform(client->curl);
        if (!repeatable || request->download != NULL || !answer_was_lost(code)) {
            break;
        }
    }
    curl_slist_free_all(list);
    cli_progress_end(call);
    if (code != CURLE_OK) {
        return unreachable(call, code);
    }
    read_reply(call, reply);
    if (reply->status < 300 || (request->absent_is_ok && reply->status == 404)) {
        return CLI_OK;
    }
    status = cli_failure_from(call, reply);
    json_decref(reply->json);
    reply->json = NULL;
    return status;
}

int cli_get(struct cli_call *call, struct str path, struct cli_reply *reply)
{
    const int status = cli_send(call, &(struct cli_request){.method = "GET", .path = path}, reply);
    if (status == CLI_OK && reply->json == NULL) {
        return cli_fail(call, CLI_FAILED, "internal", "is this the right --server?",
                        "the server's answer is not JSON");
    }
    return status;
}

static void encode(struct buf *out, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (const char *c = text; *c != '\0'; c++) {
        if (strchr(plain, *c) != NULL) {
            buf_char(out, *c);
        } else {
            buf_format(out, "%%%02X", (unsigned)(unsigned char)*c);
        }
    }
}

struct str cli_path(struct cli_call *call, const char *format, ...)
{
    struct buf out;
    buf_init(&out, 16 * 1024);
    va_list args;
    va_start(args, format);
    for (const char *c = format; *c != '\0'; c++) {
        if (c[0] == '%' && c[1] == 's') {
            encode(&out, va_arg(args, const char *));
            c++;
        } else {
            buf_char(&out, *c);
        }
    }
    va_end(args);
    const struct str path = arena_str(&call->arena, buf_get(&out));
    buf_fini(&out);
    return path;
}

struct str cli_query(struct cli_call *call, struct str path, const char *name, const char *value)
{
    if (value == NULL) {
        return path;
    }
    struct buf out;
    buf_init(&out, 64 * 1024);
    buf_str(&out, path);
    buf_char(&out, str_find(path, '?') < path.len ? '&' : '?');
    encode(&out, name);
    buf_char(&out, '=');
    encode(&out, value);
    const struct str longer = arena_str(&call->arena, buf_get(&out));
    buf_fini(&out);
    return longer;
}
