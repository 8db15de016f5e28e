#include "http/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "platform/clock.h"
#include "platform/thread.h"

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"GET", HTTP_GET},     {"HEAD", HTTP_HEAD},     {"POST", HTTP_POST},       {"PUT", HTTP_PUT},
    {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS},
};

static enum http_method method_of(const char *name)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(methods[i].name, name) == 0) {
            return methods[i].method;
        }
    }
    return HTTP_OTHER;
}

static struct http_connection *connection_of(const struct http_exchange *exchange)
{
    return (struct http_connection *)(uintptr_t)exchange;
}

/* Suspends until http_wake(). */
static void park(struct http_connection *c)
{
    MHD_suspend_connection(c->mhd);
    int expected = WAKE_RUNNING;
    if (!atomic_compare_exchange_strong(&c->wake, &expected, WAKE_PARKED)) {
        MHD_resume_connection(c->mhd);
    }
}

void http_wake(struct http_exchange *exchange)
{
    struct http_connection *c = connection_of(exchange);
    if (atomic_exchange(&c->wake, WAKE_WOKEN) == WAKE_PARKED) {
        MHD_resume_connection(c->mhd);
    }
}

bool http_is_connected(const struct http_exchange *exchange)
{
    char byte = 0;
    const ssize_t got =
        recv(connection_of(exchange)->fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

bool http_is_local(const struct http_exchange *exchange)
{
    static const char *const of_proxies[] = {"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection_of(exchange)->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    for (size_t i = 0; i < sizeof(of_proxies) / sizeof(of_proxies[0]); i++) {
        if (http_request_header(exchange, of_proxies[i]).ptr != NULL) {
            return false;
        }
    }
    return info != NULL && address_is_loopback(info->client_addr);
}

struct str http_request_header(const struct http_exchange *exchange, const char *name)
{
    return str_from(
        MHD_lookup_connection_value(connection_of(exchange)->mhd, MHD_HEADER_KIND, name));
}

struct query_walk {
    bool (*each)(void *ctx, struct str name, struct str value);
    void *ctx;
};

static enum MHD_Result on_argument(void *cls, enum MHD_ValueKind kind, const char *key,
                                   size_t key_size, const char *value, size_t value_size)
{
    const struct query_walk *walk = cls;
    (void)kind;
    return walk->each(walk->ctx, (struct str){key, key_size}, (struct str){value, value_size})
               ? MHD_YES
               : MHD_NO;
}

void http_query(const struct http_exchange *exchange,
                bool (*each)(void *ctx, struct str name, struct str value), void *ctx)
{
    struct query_walk walk = {each, ctx};
    (void)MHD_get_connection_values_n(connection_of(exchange)->mhd, MHD_GET_ARGUMENT_KIND,
                                      on_argument, &walk);
}

int64_t http_content_length(const struct http_exchange *exchange)
{
    const struct str text = http_request_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int64_t length = 0;
    if (http_request_header(exchange, MHD_HTTP_HEADER_TRANSFER_ENCODING).ptr != NULL) {
        return -1;
    }
    if (text.ptr == NULL) {
        return 0;
    }
    return str_parse_i64(text, &length) && length >= 0 ? length : INT64_MAX;
}

void http_header(struct http_exchange *exchange, const char *name, struct str value)
{
    struct http_connection *c = connection_of(exchange);
    struct reply_header *header = arena_new(&exchange->arena, struct reply_header);
    header->name = name;
    header->value = arena_cstr(&exchange->arena, value);
    header->next = c->headers;
    c->headers = header;
}

void http_answer(struct http_exchange *exchange, int status, const char *content_type)
{
    CHECK(exchange->status == 0 && status >= 200);
    exchange->status = status;
    connection_of(exchange)->content_type = content_type;
}

void http_answer_stream(struct http_exchange *exchange, int status, uint64_t size,
                        http_source *source)
{
    struct http_connection *c = connection_of(exchange);
    http_answer(exchange, status, NULL);
    c->source = source;
    c->source_size = size;
}

static ssize_t on_read(void *cls, uint64_t position, char *out, size_t max)
{
    struct http_connection *c = cls;
    atomic_store(&c->wake, WAKE_RUNNING);
    const ssize_t got = c->source(&c->exchange, position, out, max);
    if (got < 0) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (got == 0) {
        park(c);
    }
    return got;
}

static struct MHD_Response *response_new(struct http_connection *c)
{
    struct buf *reply = &c->exchange.reply;
    if (c->source != NULL) {
        return MHD_create_response_from_callback(c->source_size, 64 * 1024, on_read, c, NULL);
    }
    /* The exchange outlives the response, so its bytes need no copy. */
    return MHD_create_response_from_buffer(reply->len, reply->ptr, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_answer(struct http_connection *c)
{
    CHECK(!c->exchange.reply.overflow);
    struct MHD_Response *response = response_new(c);
    if (response == NULL) {
        return MHD_NO;
    }
    if (c->content_type != NULL) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, c->content_type);
    }
    for (const struct reply_header *h = c->headers; h != NULL; h = h->next) {
        (void)MHD_add_response_header(response, h->name, h->value);
    }
    if (c->fault != NULL || atomic_load(&c->server->quiesced)) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    const enum MHD_Result queued =
        MHD_queue_response(c->mhd, (unsigned int)c->exchange.status, response);
    MHD_destroy_response(response);
    return queued;
}

static void refuse(struct http_connection *c, enum err_code code, const char *detail)
{
    const struct http_handler *handler = &c->server->config.handler;
    handler->refuse(handler->ctx, &c->exchange, code, detail);
    CHECK(c->exchange.status != 0);
}

/* What decides where a request ends and whom it is for; and whether a name is none. */
struct head {
    int hosts;
    int lengths;
    int encodings;
    bool is_chunked;
    bool has_bad_name;
};

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                 size_t key_size, const char *value, size_t value_size)
{
    struct head *head = cls;
    const struct str name = {key, key_size};
    const struct str text = {value, value_size};
    (void)kind;
    head->hosts += str_eq_nocase(name, STR("Host"));
    head->lengths += str_eq_nocase(name, STR("Content-Length"));
    if (str_eq_nocase(name, STR("Transfer-Encoding"))) {
        head->encodings++;
        head->is_chunked = str_eq_nocase(text, STR("chunked"));
    }
    head->has_bad_name = head->has_bad_name || name.len == 0 || !str_eq(str_trim(name), name);
    return MHD_YES;
}

/* What libmicrohttpd lets pass and RFC 9112 does not (sections 3.2, 5.1, 6.1, 6.3): a proxy in
 * between could read it otherwise. Null: nothing is wrong. */
static const char *fault_of_head(const struct http_connection *c, const char *version)
{
    struct head head = {0};
    (void)MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, on_header, &head);
    if (head.hosts > 1 || (head.hosts == 0 && strcmp(version, MHD_HTTP_VERSION_1_1) == 0)) {
        return "the request must have one Host";
    }
    if (head.encodings > 0 && head.lengths > 0) {
        return "Content-Length and Transfer-Encoding exclude each other";
    }
    if (head.lengths > 1) {
        return "Content-Length is there more than once";
    }
    if (head.encodings > 1 || (head.encodings == 1 && !head.is_chunked)) {
        return "a Transfer-Encoding other than chunked is not read";
    }
    if (str_find(c->exchange.path, ' ') < c->exchange.path.len) {
        return "the path holds a space that is not escaped";
    }
    return head.has_bad_name ? "a header's name is empty or ends with a space" : NULL;
}

/* Waits when begin or the step after it said so; else it is known what becomes of the body. */
static enum MHD_Result take_head(struct http_connection *c)
{
    struct http_exchange *x = &c->exchange;
    const int64_t length = http_content_length(x);
    if (x->status == 0 && x->head != NULL) {
        park(c);
        return MHD_YES;
    }
    if (c->fault != NULL) {
        if (x->status == 0) {
            refuse(c, ERR_INVALID_REQUEST, c->fault);
        }
        return send_answer(c);
    }
    if (x->status == 0 && x->sink == NULL && length > (int64_t)x->body_max) {
        refuse(c, ERR_PAYLOAD_TOO_LARGE, "the body is larger than this operation takes");
    }
    /* Answering before the body was read closes the connection: right only when it is not worth
     * reading. */
    return x->status != 0 && length > DISCARD_MAX ? send_answer(c) : MHD_YES;
}

static enum MHD_Result on_headers(struct http_connection *c, struct MHD_Connection *mhd,
                                  const char *url, const char *method, const char *version)
{
    struct http_exchange *x = &c->exchange;
    const struct http_handler *handler = &c->server->config.handler;
    c->mhd = mhd;
    c->active = true;
    (void)atomic_fetch_add(&c->server->active, 1);
    x->method = method_of(method);
    x->path = arena_str(&x->arena, str_from(url));
    handler->begin(handler->ctx, x);
    c->fault = fault_of_head(c, version);
    return take_head(c);
}

/* The connection is resumed where the headers were handed over. */
static enum MHD_Result on_head_woken(struct http_connection *c)
{
    http_step *step = c->exchange.head;
    c->exchange.head = NULL;
    step(&c->exchange);
    return take_head(c);
}

/* Counts what the body needs beside all others; a known length at once. */
static bool count_body(struct http_connection *c, size_t need)
{
    const int64_t length = http_content_length(&c->exchange);
    if (need <= c->body_counted) {
        return true;
    }
    if (length > (int64_t)need) {
        need = (size_t)length;
    }
    const int64_t more = (int64_t)(need - c->body_counted);
    c->body_counted = need;
    return atomic_fetch_add(&c->server->bodies, more) + more <= c->server->config.bodies_max;
}

static void keep_body(struct http_connection *c, struct str bytes)
{
    struct http_exchange *x = &c->exchange;
    if (bytes.len > x->body_max - c->body.len) {
        refuse(c, ERR_PAYLOAD_TOO_LARGE, "the body is larger than this operation takes");
        return;
    }
    if (!count_body(c, c->body.len + bytes.len)) {
        refuse(c, ERR_OVERLOADED, "too many bytes of request bodies are held already");
        return;
    }
    c->body.max = x->body_max;
    CHECK(buf_reserve(&c->body, c->body_counted - c->body.len) != NULL);
    buf_str(&c->body, bytes);
}

static enum MHD_Result on_body(struct http_connection *c, const char *data, size_t *size)
{
    struct http_exchange *x = &c->exchange;
    const struct str bytes = {data, *size};
    if (x->status == 0 && x->sink != NULL) {
        const size_t took = x->sink(x, bytes);
        *size -= took;
        atomic_store(&c->quiet_us, clock_mono().us);
        if (took < bytes.len && x->status == 0) {
            park(c);
            return MHD_YES;
        }
        if (x->status == 0) {
            return MHD_YES;
        }
    } else if (x->status == 0) {
        keep_body(c, bytes);
    } else {
        c->discarded += bytes.len;
        if (c->discarded > DISCARD_MAX) {
            return MHD_NO;
        }
    }
    *size = 0;
    return MHD_YES;
}

/* Runs steps until there is an answer, or nothing to do but wait. */
static enum MHD_Result on_step(struct http_connection *c)
{
    struct http_exchange *x = &c->exchange;
    atomic_store(&c->quiet_us, 0);
    x->body = buf_get(&c->body);
    while (x->status == 0) {
        http_step *step = x->next;
        CHECK(step != NULL);
        x->next = NULL;
        step(x);
        if (x->status != 0) {
            break;
        }
        int expected = WAKE_WOKEN;
        if (!atomic_compare_exchange_strong(&c->wake, &expected, WAKE_RUNNING)) {
            park(c);
            return MHD_YES;
        }
    }
    return send_answer(c);
}

enum MHD_Result connection_on_access(void *cls, struct MHD_Connection *mhd, const char *url,
                                     const char *method, const char *version,
                                     const char *upload_data, size_t *upload_size, void **context)
{
    (void)cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_connection *c = info->socket_context;
    if (*context == NULL) {
        *context = c;
        return on_headers(c, mhd, url, method, version);
    }
    atomic_store(&c->wake, WAKE_RUNNING);
    if (c->exchange.head != NULL) {
        return on_head_woken(c);
    }
    return *upload_size > 0 ? on_body(c, upload_data, upload_size) : on_step(c);
}

static void exchange_reset(struct http_connection *c)
{
    struct http_exchange *x = &c->exchange;
    (void)atomic_fetch_sub(&c->server->bodies, (int64_t)c->body_counted);
    c->body_counted = 0;
    /* A connection that idles keeps little. */
    if (c->body.cap > KEEP_BODY) {
        buf_fini(&c->body);
    }
    if (x->reply.cap > KEEP_BODY) {
        buf_fini(&x->reply);
    }
    buf_reset(&c->body);
    buf_reset(&x->reply);
    if (arena_used(&x->arena) > KEEP_BODY) {
        arena_fini(&x->arena);
    } else {
        arena_reset(&x->arena);
    }
    x->head = NULL;
    x->sink = NULL;
    x->next = NULL;
    x->ctx = NULL;
    x->status = 0;
    x->body = (struct str){NULL, 0};
    x->body_max = 0;
    c->discarded = 0;
    c->content_type = NULL;
    c->headers = NULL;
    c->source = NULL;
}

void connection_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                             enum MHD_RequestTerminationCode code)
{
    struct http_connection *c = *context;
    (void)cls;
    (void)mhd;
    (void)code;
    if (c == NULL || !c->active) {
        return;
    }
    struct http_server *server = c->server;
    server->config.handler.end(server->config.handler.ctx, &c->exchange);
    exchange_reset(c);
    c->active = false;
    atomic_store(&c->wake, WAKE_RUNNING);
    atomic_store(&c->quiet_us, clock_mono().us);
    *context = NULL;
    if (atomic_fetch_sub(&server->active, 1) == 1 && atomic_load(&server->quiesced)) {
        mutex_take(&server->lock);
        wake_all(&server->ended);
        mutex_give(&server->lock);
    }
}

static void connection_open(struct http_server *server, struct MHD_Connection *mhd,
                            void **socket_context)
{
    struct http_connection *c = calloc(1, sizeof(*c));
    CHECK(c != NULL);
    c->server = server;
    c->mhd = mhd;
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    arena_init(&c->exchange.arena, SIZE_MAX);
    buf_init(&c->exchange.reply, SIZE_MAX);
    buf_init(&c->body, SIZE_MAX);
    atomic_store(&c->quiet_us, clock_mono().us);
    *socket_context = c;
    mutex_take(&server->lock);
    c->next = server->connections;
    if (c->next != NULL) {
        c->next->previous = c;
    }
    server->connections = c;
    mutex_give(&server->lock);
    (void)atomic_fetch_add(&server->open, 1);
}

static void connection_close(struct http_server *server, struct http_connection *c)
{
    CHECK(!c->active);
    mutex_take(&server->lock);
    if (c->previous != NULL) {
        c->previous->next = c->next;
    } else {
        server->connections = c->next;
    }
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    mutex_give(&server->lock);
    (void)atomic_fetch_sub(&server->open, 1);
    arena_fini(&c->exchange.arena);
    buf_fini(&c->exchange.reply);
    buf_fini(&c->body);
    free(c);
}

void connection_on_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_open(server, mhd, socket_context);
    } else {
        connection_close(server, *socket_context);
    }
}
