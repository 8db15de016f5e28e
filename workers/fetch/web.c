/* Documents over HTTP: one attempt; retries are the orchestrator's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/time.h"
#include "platform/clock.h"
#include "workers/fetch/parts.h"

enum { CONNECT_TIMEOUT_MS = 10000, HEADER_LINE = FETCH_ETAG + 32 };

struct visit {
    struct fetch *fetch;
    struct fetch_result *out;
    char etag[FETCH_ETAG];     /* Of the last answer. */
    struct rate_fields fields; /* Of the last answer, too. */
    bool has_answer;           /* Whose header lines go to the trail. */
    bool refused_address;
    bool refused_host;
    bool too_large;
};

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct visit *visit = context;
    (void)purpose;
    if (!visit->fetch->config.allow_private && !address_is_public(&address->addr)) {
        visit->refused_address = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Whether a redirect from where we are to `location` stays at the host. */
static bool stays(struct visit *visit, struct str location)
{
    const char *from = NULL;
    char *host = NULL;
    char target[FETCH_URL];
    (void)curl_easy_getinfo(visit->fetch->easy, CURLINFO_EFFECTIVE_URL, &from);
    (void)snprintf(target, sizeof(target), "%.*s", STR_ARG(location));
    CURLU *url = curl_url();
    CHECK(url != NULL);
    const bool same = curl_url_set(url, CURLUPART_URL, from, 0) == CURLUE_OK &&
                      curl_url_set(url, CURLUPART_URL, target, 0) == CURLUE_OK &&
                      curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                      str_eq_nocase(str_from(host), str_from(visit->fetch->only_host));
    curl_free(host);
    curl_url_cleanup(url);
    return same;
}

/* What is no printable ASCII may be anything; it is told and never believed. */
static void put_printable(char *out, size_t size, struct str value)
{
    size_t n = 0;
    for (; n < value.len && n + 1 < size; n++) {
        out[n] = value.ptr[n];
        if (out[n] < ' ' || out[n] > '~') {
            out[n] = '?';
        }
    }
    out[n] = '\0';
}

static void show_url(CURL *easy, char out[FETCH_SHOWN])
{
    static const CURLUPart hidden[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                                       CURLUPART_QUERY, CURLUPART_FRAGMENT};
    const char *asked = NULL;
    char *text = NULL;
    CURLU *url = curl_url();
    CHECK(url != NULL);
    (void)curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &asked);
    out[0] = '\0';
    if (asked != NULL && curl_url_set(url, CURLUPART_URL, asked, 0) == CURLUE_OK) {
        for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++) {
            (void)curl_url_set(url, hidden[i], NULL, 0);
        }
        if (curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK) {
            put_printable(out, FETCH_SHOWN, str_from(text));
            curl_free(text);
        }
    }
    curl_url_cleanup(url);
}

/* The value of a header line, when it is of that name ("etag:"). */
static bool is_header(struct str line, const char *name, struct str *out_value)
{
    const struct str wanted = str_from(name);
    if (line.len <= wanted.len || !str_eq_nocase(str_slice(line, 0, wanted.len), wanted)) {
        return false;
    }
    *out_value = str_trim(str_slice(line, wanted.len, line.len));
    return true;
}

/* "HTTP/1.1 200 OK": 200. */
static int status_of(struct str line)
{
    int64_t status = 0;
    const size_t from = str_find(line, ' ') + 1;
    const bool known = str_parse_i64(str_slice(line, from, from + 3), &status);
    return known && status >= 100 && status <= 999 ? (int)status : 0;
}

static void keep_trail(struct visit *visit, struct str line)
{
    struct fetch_trail *trail = visit->fetch->config.trail;
    struct str value;
    if (trail == NULL) {
        return;
    }
    if (str_starts(line, STR("HTTP/"))) {
        const int status = status_of(line);
        visit->has_answer = status >= 200 && trail->n <= FETCH_REDIRECTS_MAX;
        if (visit->has_answer) {
            struct fetch_answer *answer = &trail->v[trail->n++];
            *answer = (struct fetch_answer){.status = status};
            show_url(visit->fetch->easy, answer->url);
        }
        return;
    }
    if (!visit->has_answer) {
        return; /* Of 100 Continue and its kin. */
    }
    struct fetch_answer *answer = &trail->v[trail->n - 1];
    if (is_header(line, "content-type:", &value)) {
        put_printable(answer->type, FETCH_TYPE, value);
    }
    answer->has_etag = answer->has_etag || is_header(line, "etag:", &value);
    answer->has_last_modified =
        answer->has_last_modified || is_header(line, "last-modified:", &value);
}

static size_t take_header(char *bytes, size_t size, size_t n, void *context)
{
    struct visit *visit = context;
    const struct str line = {bytes, size * n};
    if (str_starts(line, STR("HTTP/"))) {
        visit->etag[0] = '\0'; /* A new answer, perhaps after a redirect. */
        rate_fields_clear(&visit->fields);
    }
    keep_trail(visit, line);
    const size_t colon = str_find(line, ':');
    if (colon < line.len) {
        rate_fields_take(&visit->fields, str_slice(line, 0, colon),
                         str_slice(line, colon + 1, line.len));
    }
    struct str value;
    if (is_header(line, "etag:", &value) && value.len < FETCH_ETAG) {
        (void)snprintf(visit->etag, FETCH_ETAG, "%.*s", STR_ARG(value));
    }
    if (visit->fetch->only_host[0] != '\0' && is_header(line, "location:", &value) &&
        !stays(visit, value)) {
        visit->refused_host = true;
        return 0;
    }
    return size * n;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
    struct visit *visit = context;
    buf_put(&visit->out->body, bytes, size * n);
    visit->too_large = visit->out->body.len > visit->fetch->config.max_bytes;
    return visit->too_large ? 0 : size * n;
}

static void prepare(struct visit *visit, const char *url)
{
    CURL *easy = visit->fetch->easy;
    const long timeout_ms = (long)visit->fetch->config.timeout_ms;
    const bool tls = str_starts(str_from(url), STR("https://"));
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "stella-fetch/1");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, tls ? "https" : "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)FETCH_REDIRECTS_MAX);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, timeout_ms / 5000 + 1);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)visit->fetch->config.max_bytes);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, visit);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, visit);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, visit);
}

static void keep_host(struct visit *visit, const char *asked)
{
    const char *last = NULL;
    char *host = NULL;
    (void)curl_easy_getinfo(visit->fetch->easy, CURLINFO_EFFECTIVE_URL, &last);
    CURLU *url = curl_url();
    CHECK(url != NULL);
    if (curl_url_set(url, CURLUPART_URL, last != NULL ? last : asked, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        (void)snprintf(visit->out->host, FETCH_HOST, "%s", host);
        curl_free(host);
    }
    curl_url_cleanup(url);
}

/* No whole answer. */
static void transport_failed(struct visit *visit, CURLcode result)
{
    struct fetch_result *out = visit->out;
    if (visit->refused_address) {
        fetch_fail(out, "refused_address", true, "%s is not a public address", out->host);
        return;
    }
    if (visit->refused_host) {
        fetch_fail(out, "refused_redirect", true,
                   "%s redirects to another host, whose pace is not known", out->host);
        return;
    }
    if (visit->too_large || result == CURLE_FILESIZE_EXCEEDED) {
        fetch_fail(out, "too_large", true, "larger than %zu bytes", visit->fetch->config.max_bytes);
        return;
    }

    static const struct {
        CURLcode code;
        const char *error_class;
        bool permanent;
    } known[] = {
        {CURLE_OPERATION_TIMEDOUT, "timeout", false},
        {CURLE_PARTIAL_FILE, "truncated", false},
        {CURLE_RECV_ERROR, "truncated", false},
        {CURLE_GOT_NOTHING, "truncated", false},
        {CURLE_WEIRD_SERVER_REPLY, "bad_answer", false},
        {CURLE_COULDNT_RESOLVE_HOST, "unresolved_host", false},
        {CURLE_COULDNT_CONNECT, "unreachable", false},
        {CURLE_PEER_FAILED_VERIFICATION, "bad_certificate", false},
        {CURLE_TOO_MANY_REDIRECTS, "too_many_redirects", true},
        {CURLE_UNSUPPORTED_PROTOCOL, "refused_redirect", true},
        {CURLE_URL_MALFORMAT, "bad_source", true},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (known[i].code == result) {
            fetch_fail(out, known[i].error_class, known[i].permanent, "%s: %s", out->host,
                       curl_easy_strerror(result));
            return;
        }
    }
    fetch_fail(out, "transport", false, "%s: %s", out->host, curl_easy_strerror(result));
}

/* A whole answer that is not the document. */
static void status_failed(struct visit *visit, long status)
{
    struct fetch_result *out = visit->out;
    curl_off_t retry_after_s = 0;
    (void)curl_easy_getinfo(visit->fetch->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    if (status == 429 || (status == 503 && retry_after_s > 0)) {
        out->verdict = FETCH_THROTTLED;
        out->error_class = "throttled";
        out->retry_after_ms = (retry_after_s > 86400 ? 86400 : (int64_t)retry_after_s) * 1000;
        if (retry_after_s <= 0 && out->has_limit && out->limit.remaining == 0) {
            out->retry_after_ms = out->limit.reset_ms;
        }
        (void)snprintf(out->message, sizeof(out->message), "%s: HTTP %ld", out->host, status);
        return;
    }
    out->is_overloaded = status == 503;
    const bool gone = status == 404 || status == 410;
    const bool server = status >= 500;
    fetch_fail(out,
               gone     ? "not_found"
               : server ? "http_5xx"
                        : "http_4xx",
               !server, "%s: HTTP %ld", out->host, status);
}

static void answered(struct visit *visit, const char *url, long status)
{
    struct fetch *fetch = visit->fetch;
    struct fetch_result *out = visit->out;
    if (status == 304 && fetch->cache_fd >= 0) {
        out->from_cache = cache_body(fetch->cache_fd, url, &out->body);
        if (!out->from_cache) {
            fetch_fail(out, "cache", false, "the cached document is gone");
        }
        return;
    }
    if (status != 200) {
        status_failed(visit, status);
        return;
    }
    if (fetch->cache_fd >= 0 && visit->etag[0] != '\0') {
        cache_put(fetch->cache_fd, url, visit->etag, buf_get(&out->body));
    }
}

void fetch_web(struct fetch *fetch, const char *url, struct fetch_result *out)
{
    struct visit visit = {.fetch = fetch, .out = out};
    rate_fields_clear(&visit.fields);
    struct curl_slist *headers = NULL;
    char etag[FETCH_ETAG];
    char line[HEADER_LINE];
    prepare(&visit, url);
    if (fetch->cache_fd >= 0 && cache_etag(fetch->cache_fd, url, etag)) {
        (void)snprintf(line, sizeof(line), "If-None-Match: %s", etag);
        headers = curl_slist_append(headers, line);
        curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, headers);
    }
    const CURLcode result = curl_easy_perform(fetch->easy);
    out->has_limit = rate_fields_get(&visit.fields, clock_wall().us / US_PER_S, &out->limit);
    long status = 0;
    (void)curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    keep_host(&visit, url);
    long redirects = 0;
    (void)curl_easy_getinfo(fetch->easy, CURLINFO_REDIRECT_COUNT, &redirects);
    out->requests = (uint32_t)redirects + 1;
    if (result != CURLE_OK) {
        transport_failed(&visit, result);
    } else {
        answered(&visit, url, status);
    }
    curl_slist_free_all(headers);
}
