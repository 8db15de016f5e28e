/* api/answer - JSON answers and problem documents. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "api/events.h"
#include "api/manners.h"
#include "base/check.h"

#define JSON_TYPE    "application/json"
#define PROBLEM_TYPE "application/problem+json"

struct json_writer call_json(struct call *call)
{
    struct json_writer w;
    buf_reset(&call->exchange->reply);
    json_begin(&w, &call->exchange->reply);
    return w;
}

void call_answer(struct call *call, int status)
{
    struct http_exchange *x = call->exchange;
    call_leave_flight(call);
    if (status == 200 && call->route->schema != NULL && call->route->method == HTTP_GET) {
        http_header(x, "Link", str_from(call->route->schema));
    }
    http_answer(x, status, x->reply.len > 0 ? JSON_TYPE : NULL);
}

void call_put_etag(struct call *call, int32_t version)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "\"%d\"", version);
    http_header(call->exchange, "ETag", str_from(text));
}

/* Codes that have no HTTP status happen inside; a client learns only that it was not its fault. */
static enum err_code outward(enum err_code code)
{
    if (code == ERR_COMMIT_UNKNOWN || code == ERR_LEDGER_LOCKED || code == ERR_LEDGER_OUTDATED) {
        return ERR_LEDGER_UNAVAILABLE;
    }
    if (code == ERR_OUT_OF_BOUNDS) {
        return ERR_UNPROCESSABLE;
    }
    return err_info(code)->status == 0 ? ERR_INTERNAL : code;
}

/* A text that was cut may end inside a character. */
static struct str whole_utf8(const char *text)
{
    struct str s = str_from(text);
    for (int i = 0; i < 4 && !str_is_utf8(s) && s.len > 0; i++) {
        s.len--;
    }
    return str_is_utf8(s) ? s : STR("");
}

/* When to come again, in ms; 0 when that is not the point. Clients that were refused together are
 * told times that lie apart: a fifth more or less. */
static int64_t retry_after_ms(struct call *call, enum err_code code)
{
    const int status = err_info(code)->status;
    if (status != 429 && status != 503 && code != ERR_IDEMPOTENCY_IN_FLIGHT) {
        return 0;
    }
    const int64_t ms = call->err.retry_after_ms > 0 ? call->err.retry_after_ms : 1000;
    const uint64_t number = atomic_fetch_add(&call->api->requests, 1);
    const uint64_t hash =
        hash_keyed(&call->api->salt, (struct str){(const char *)&number, sizeof(number)});
    const int64_t spread = ms * 2 / 5;
    return ms - spread / 2 + (spread > 0 ? (int64_t)(hash % (uint64_t)spread) : 0);
}

/* What a message quotes of the request may hold a secret. */
static struct str shown(struct call *call, const char *text)
{
    return redact_copy(&call->api->rules, call->arena, whole_utf8(text));
}

static void put_errors(struct call *call, struct json_writer *w, const struct call_error *errors,
                       size_t count)
{
    JSON_KEY(w, "errors");
    json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        json_put_object(w);
        JSON_STR(w, "code", str_from(err_info(errors[i].code)->name));
        JSON_STR(w, "detail", redact_copy(&call->api->rules, call->arena, errors[i].detail));
        JSON_STR(w, "pointer", redact_copy(&call->api->rules, call->arena, errors[i].pointer));
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

void call_fail_with(struct call *call, const struct call_error *errors, size_t count)
{
    CHECK(call->err.code != ERR_OK);
    const enum err_code code = outward(call->err.code);
    const struct err_info *info = err_info(code);
    const bool is_ours = code == ERR_INTERNAL || code != call->err.code;
    if (is_ours) {
        event_failed(call);
    }
    const struct str detail = is_ours ? str_from(info->title) : shown(call, call->err.message);
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_STR(&w, "code", str_from(info->name));
    JSON_STR(&w, "detail", detail);
    if (count > 0) {
        put_errors(call, &w, errors, count);
    }
    if (call->err.pointer[0] != 0) {
        JSON_STR(&w, "pointer", shown(call, call->err.pointer));
    }
    JSON_STR(&w, "request_id", call->request_id);
    const int64_t wait_ms = retry_after_ms(call, code);
    if (wait_ms > 0) {
        JSON_INT(&w, "retry_after_ms", wait_ms);
        http_header(call->exchange, "Retry-After",
                    arena_format(call->arena, "%lld", (long long)((wait_ms + 999) / 1000)));
    }
    JSON_INT(&w, "status", info->status);
    JSON_STR(&w, "title", str_from(info->title));
    JSON_KEY(&w, "type");
    json_put_str(&w, arena_format(call->arena, "urn:stella:error:%s", info->name));
    const char *policy = manners_refused(call, code, wait_ms);
    if (policy != NULL) {
        JSON_KEY(&w, "violated-policies");
        json_put_array(&w);
        json_put_str(&w, str_from(policy));
        json_put_array_end(&w);
    }
    json_put_object_end(&w);
    if (info->status == 401) {
        http_header(call->exchange, "WWW-Authenticate", STR("Bearer"));
    }
    call_leave_flight(call);
    http_answer(call->exchange, info->status, PROBLEM_TYPE);
}

void call_fail(struct call *call)
{
    call_fail_with(call, NULL, 0);
}

void call_refuse(struct call *call, enum err_code code, const char *detail)
{
    (void)err_set(&call->err, code, "%s", detail);
    call_fail(call);
}
