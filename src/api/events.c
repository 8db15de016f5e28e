#include "api/events.h"

#include <stdatomic.h>

enum { REQUEST_ID_MAX = 64, TRACE_DIGITS = 32, TRACEPARENT_BYTES = 55 };

/* Visible ASCII. */
static bool is_request_id(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x21 || text.ptr[i] > 0x7e) {
            return false;
        }
    }
    return text.len > 0 && text.len <= REQUEST_ID_MAX;
}

/* "00-<32 digits>-<16 digits>-<2 digits>"; empty when it is none. */
static struct str trace_of(const struct call *call)
{
    const struct str text = http_request_header(call->exchange, "traceparent");
    if (text.ptr == NULL || text.len != TRACEPARENT_BYTES || !str_starts(text, STR("00-"))) {
        return STR("");
    }
    bool zero = true;
    for (size_t i = 3; i < text.len; i++) {
        const char c = text.ptr[i];
        const bool is_dash = i == 35 || i == 52;
        const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (is_dash ? c != '-' : !is_hex) {
            return STR("");
        }
        zero = zero && (i >= 3 + TRACE_DIGITS || c == '0');
    }
    return zero ? STR("") : str_slice(text, 3, 3 + TRACE_DIGITS);
}

void event_name_request(struct call *call)
{
    const struct str sent = http_request_header(call->exchange, "X-Request-Id");
    call->trace = trace_of(call);
    if (sent.ptr != NULL && is_request_id(sent)) {
        call->request_id = sent;
    } else if (call->trace.len > 0) {
        call->request_id = call->trace;
    } else {
        /* A number that tells nothing of other requests. */
        const uint64_t number = atomic_fetch_add(&call->api->requests, 1);
        const uint64_t id =
            hash_keyed(&call->api->salt, (struct str){(const char *)&number, sizeof(number)});
        call->request_id = arena_format(call->arena, "req-%016llx", (unsigned long long)id);
    }
    http_header(call->exchange, "X-Request-Id", call->request_id);
}

static void put_text(struct json_writer *w, const char *name, struct str text)
{
    if (text.len > 0) {
        json_put_key(w, str_from(name));
        json_put_str(w, text);
    }
}

static void put_job(struct json_writer *w, const struct call *call)
{
    if (str_starts(call->args[0], STR("job-"))) {
        put_text(w, "job", call->args[0]);
    }
}

static struct str operation(const struct call *call)
{
    return str_from(call->route != NULL ? call->route->name : "none");
}

void event_denied(struct call *call)
{
    struct log_line line;
    struct json_writer *w = log_begin(&line, LOG_DENIED);
    JSON_STR(w, "operation", operation(call));
    JSON_STR(w, "request", call->request_id);
    put_text(w, "tenant", call->tenant_name);
    JSON_INT(w, "token", call->who.token);
    put_text(w, "trace", call->trace);
    log_end(&line);
}

void event_failed(struct call *call)
{
    struct log_line line;
    struct json_writer *w = log_begin(&line, LOG_FAILED);
    JSON_STR(w, "code", str_from(err_info(call->err.code)->name));
    put_job(w, call);
    const struct str message = str_from(call->err.message);
    put_text(w, "message", str_is_utf8(message) ? message : STR(""));
    JSON_STR(w, "operation", operation(call));
    JSON_STR(w, "request", call->request_id);
    put_text(w, "tenant", call->tenant_name);
    put_text(w, "trace", call->trace);
    log_end(&line);
}

void event_request(struct call *call, int64_t duration_us)
{
    struct log_line line;
    if (!log_is_on(LOG_REQUEST)) {
        return;
    }
    struct json_writer *w = log_begin(&line, LOG_REQUEST);
    JSON_INT(w, "duration_us", duration_us);
    put_job(w, call);
    JSON_STR(w, "operation", operation(call));
    JSON_STR(w, "request", call->request_id);
    JSON_INT(w, "status", call->exchange->status);
    put_text(w, "tenant", call->tenant_name);
    put_text(w, "trace", call->trace);
    log_end(&line);
}
