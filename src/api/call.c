#include "api/call.h"

#include <stdatomic.h>
#include <string.h>

#include "api/events.h"
#include "api/flight.h"
#include "api/lease_access.h"
#include "api/manners.h"
#include "api/uploads.h"
#include "auth/token.h"
#include "base/check.h"
#include "core/state.h"
#include "http/uri.h"
#include "platform/clock.h"

enum { TICKET_MAX = 200, IDEMPOTENCY_KEY_MAX = 200 };

static struct call *call_of(struct http_exchange *exchange)
{
    return exchange->ctx;
}

/* ---- Waiting ---- */

static void go_on(struct http_exchange *exchange)
{
    struct call *call = call_of(exchange);
    call_step *then = call->then;
    CHECK(then != NULL);
    call->then = NULL;
    then(call);
}

void call_wait(struct call *call, call_step *then)
{
    call->then = then;
    call->exchange->next = go_on;
}

static void on_done(struct engine_request *request)
{
    const struct call *call = request->ctx;
    http_wake(call->exchange);
}

struct command *call_command(struct call *call, enum command_kind kind)
{
    struct command *command = arena_new(call->arena, struct command);
    command->kind = kind;
    command->shard = call->shard;
    command->tenant = call->tenant;
    command->actor = call->actor;
    command->reason = call->reason;
    command->ticket = call->ticket;
    command->arena = call->arena;
    return command;
}

void call_engine(struct call *call, enum engine_queue queue, struct command *commands, size_t count,
                 call_step *then)
{
    call->request = (struct engine_request){
        .queue = queue,
        .commands = commands,
        .count = count,
        .done = on_done,
        .ctx = call,
    };
    call_wait(call, then);
    if (engine_submit(call->api->engine, &call->request, &call->err) != ERR_OK) {
        call_fail(call);
    }
}

static void on_read(void *ctx, struct reader *reader)
{
    struct call *call = ctx;
    call->read(call, reader);
    http_wake(call->exchange);
}

static void after_read(struct http_exchange *exchange)
{
    struct call *call = call_of(exchange);
    if (call->err.code != ERR_OK) {
        call_fail(call);
        return;
    }
    go_on(exchange);
}

void call_read(struct call *call, void (*read)(struct call *call, struct reader *reader),
               call_step *then)
{
    call->read = read;
    call->err = (struct err){0};
    call_wait(call, then);
    call->exchange->next = after_read;
    if (engine_read(call->api->engine, on_read, call, &call->err) != ERR_OK) {
        call_fail(call);
    }
}

/* ---- Input ---- */

struct query_walk {
    struct call *call;
    const struct query_param *params;
    size_t count;
    uint32_t seen;
    bool sound;
};

static bool on_param(void *ctx, struct str name, struct str value)
{
    struct query_walk *walk = ctx;
    for (size_t i = 0; i < walk->count; i++) {
        if (str_eq(str_from(walk->params[i].name), name)) {
            walk->sound = (walk->seen & 1u << i) == 0 &&
                          uri_decode(walk->call->arena, value, walk->params[i].out);
            walk->seen |= 1u << i;
            return walk->sound;
        }
    }
    walk->sound = false;
    return false;
}

bool call_query(struct call *call, const struct query_param *params, size_t count)
{
    struct query_walk walk = {call, params, count, 0, true};
    http_query(call->exchange, on_param, &walk);
    if (!walk.sound) {
        call_refuse(call, ERR_INVALID_REQUEST,
                    "a query parameter is unknown, there twice, or not well encoded");
    }
    return walk.sound;
}

bool call_number(struct call *call, const char *name, struct str text, int64_t min, int64_t max,
                 int64_t *out)
{
    if (text.len == 0) {
        return true;
    }
    if (!str_parse_i64(text, out) || *out < min || *out > max) {
        (void)err_set(&call->err, ERR_INVALID_REQUEST, "%s must be a number from %lld to %lld",
                      name, (long long)min, (long long)max);
        call_fail(call);
        return false;
    }
    return true;
}

struct sha256 call_digest(const struct call *call)
{
    struct sha256_stream *stream = sha256_stream_new();
    sha256_stream_add(stream, str_from(call->route->name));
    sha256_stream_add(stream, STR("\n"));
    sha256_stream_add(stream, call->exchange->path);
    sha256_stream_add(stream, STR("\n"));
    sha256_stream_add(stream, call->exchange->body);
    const struct sha256 digest = sha256_stream_finish(stream);
    sha256_stream_free(stream);
    return digest;
}

bool call_find_tenant(struct call *call, struct str name)
{
    if (str_eq(name, STR(SYSTEM_NAME))) {
        call->tenant.v = TENANT_SYSTEM;
        call->shard = SHARD_SYSTEM;
        call->tenant_name = name;
        return true;
    }
    if (engine_tenant_by_name(call->api->engine, name, &call->tenant, &call->shard, &call->err) !=
        ERR_OK) {
        if (call->err.code == ERR_NOT_FOUND) {
            call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        } else {
            call_fail(call);
        }
        return false;
    }
    call->tenant_name = arena_str(call->arena, name);
    return true;
}

/* ---- From the headers to the resource ---- */

/* Visible ASCII, at most `max`. */
static bool is_visible(struct str text, size_t max)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x21 || text.ptr[i] > 0x7e) {
            return false;
        }
    }
    return text.len > 0 && text.len <= max;
}

static size_t body_max(const struct call *call)
{
    const struct settings *settings = call->api->settings;
    switch (call->route->body) {
    case BODY_NONE: return 0;
    case BODY_BODY_BYTES: return (size_t)settings->body_bytes;
    case BODY_JOBS_BODY_BYTES: return (size_t)settings->jobs_body_bytes;
    case BODY_REPORTS_BODY_BYTES: return (size_t)settings->reports_body_bytes;
    case BODY_ARTIFACT_BYTES: return (size_t)settings->artifact_bytes;
    }
    UNREACHABLE();
}

static bool body_is_json(const struct call *call)
{
    const struct str type = http_request_header(call->exchange, "Content-Type");
    const struct str media = str_trim(str_slice(type, 0, str_find(type, ';')));
    return str_eq_nocase(media, STR("application/json"));
}

static bool scope_is_held(struct call *call)
{
    const struct route *route = call->route;
    /* Tenants, tokens and the figures of all are the installation's business. */
    const bool is_above =
        call->who.for_tenant != 0 && route->tenant == TENANT_NONE &&
        (route->scope == SCOPE_ADMIN || route->scope == SCOPE_QUOTA || route->scope == 0);
    if (!is_above &&
        (scope_allows(call->who.scopes, call->scope) ||
         (route->other_scope != 0 && scope_allows(call->who.scopes, route->other_scope)))) {
        return true;
    }
    event_denied(call);
    call_refuse(call, ERR_FORBIDDEN, err_info(ERR_FORBIDDEN)->title);
    return false;
}

/* Which tenant is meant. An unknown one and another's give the same answer. */
static bool choose_tenant(struct call *call)
{
    const struct str named = http_request_header(call->exchange, "X-Stella-Tenant");
    const enum tenant_mode mode = call->route->tenant;
    if (lease_access_is_needed(call)) {
        return true; /* The lease names it. */
    }
    if (call->who.for_tenant == 0) {
        if (named.ptr != NULL && mode != TENANT_NONE) {
            return call_find_tenant(call, named);
        }
        if (mode == TENANT_REQUIRED) {
            call_refuse(call, ERR_TENANT_REQUIRED, err_info(ERR_TENANT_REQUIRED)->title);
            return false;
        }
        return true;
    }
    call->tenant.v = call->who.for_tenant;
    if (engine_tenant_name(call->api->engine, call->tenant, call->arena, &call->tenant_name,
                           &call->shard, &call->err) != ERR_OK) {
        call_fail(call);
        return false;
    }
    if (named.ptr != NULL && !str_eq(named, call->tenant_name)) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return false;
    }
    return true;
}

/* The system tenant's history can be read by administrators; it has no jobs. */
static bool tenant_is_usable(struct call *call)
{
    if (call->tenant.v != TENANT_SYSTEM ||
        (call->route->id == ROUTE_WATCH_HISTORY && (call->who.scopes & SCOPE_ADMIN) != 0)) {
        return true;
    }
    call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
    return false;
}

/* Text of a header that people wrote. */
static bool is_text(struct str text, size_t max)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f) {
            return false;
        }
    }
    return text.len <= max && str_is_utf8(text);
}

static bool take_reason(struct call *call)
{
    call->reason = str_trim(http_request_header(call->exchange, "X-Stella-Reason"));
    call->ticket = str_trim(http_request_header(call->exchange, "X-Stella-Ticket"));
    /* History keeps them for good. */
    call->reason = redact_copy(&call->api->rules, call->arena, call->reason);
    call->ticket = redact_copy(&call->api->rules, call->arena, call->ticket);
    if (call->route->needs_reason && call->reason.len == 0) {
        call_refuse(call, ERR_REASON_REQUIRED, err_info(ERR_REASON_REQUIRED)->title);
        return false;
    }
    if (!is_text(call->reason, REASON_MAX) || !is_text(call->ticket, TICKET_MAX)) {
        call_refuse(call, ERR_INVALID_REQUEST,
                    "X-Stella-Reason or X-Stella-Ticket is too long, or not text");
        return false;
    }
    return true;
}

/* The key bare or as a quoted string. */
static bool take_request_key(struct call *call)
{
    struct str key = str_trim(http_request_header(call->exchange, "Idempotency-Key"));
    if (key.ptr == NULL || !call->route->is_idempotent) {
        return true;
    }
    if (key.len >= 2 && key.ptr[0] == '"' && key.ptr[key.len - 1] == '"') {
        key = str_slice(key, 1, key.len - 1);
    }
    if (!is_visible(key, IDEMPOTENCY_KEY_MAX)) {
        call_refuse(call, ERR_INVALID_REQUEST,
                    "Idempotency-Key must be 1 to 200 visible ASCII characters");
        return false;
    }
    if (!flight_enter(call->api->flight, call->tenant, key)) {
        call_refuse(call, ERR_IDEMPOTENCY_IN_FLIGHT, err_info(ERR_IDEMPOTENCY_IN_FLIGHT)->title);
        return false;
    }
    call->request_key = key;
    call->in_flight = true;
    return true;
}

void call_leave_flight(struct call *call)
{
    if (call->in_flight) {
        call->in_flight = false;
        flight_leave(call->api->flight, call->tenant, call->request_key);
    }
}

static void step_resource(struct call *call)
{
    call->actor = arena_format(call->arena, "token:tok-%lld", (long long)call->who.token);
    if (scope_is_held(call) && choose_tenant(call) && tenant_is_usable(call) && take_reason(call) &&
        take_request_key(call)) {
        call->route->handle(call);
    }
}

/* Names of a JSON array, each ended by '\n'. */
static struct str names_of(struct arena *arena, struct str text)
{
    json_t *names = NULL;
    struct err err;
    if (text.len == 0 || json_read(text, &names, &err) != ERR_OK) {
        return STR("");
    }
    struct buf out;
    buf_init(&out, 64 * 1024);
    for (size_t i = 0; i < json_array_size(names); i++) {
        buf_str(&out, json_text(json_array_get(names, i)));
        buf_char(&out, '\n');
    }
    const struct str made = arena_str(arena, buf_get(&out));
    buf_fini(&out);
    json_decref(names);
    return made;
}

static void read_principal(struct call *call, struct reader *reader)
{
    struct query_result found;
    struct query q = {.name = "token_by_hash", .arena = call->arena};
    query_arg_bytes(&q, (struct str){(const char *)call->token_hash.bytes, SHA256_SIZE});
    if (reader_query(reader, &q, &found, &call->err) != ERR_OK) {
        return;
    }
    if (found.rows > 0) {
        const struct token_row *row =
            (const struct token_row *)query_row(&found, 0, TABLE_TOKENS, call->arena);
        call->who = (struct principal){
            .token = row->revoked_at == 0 ? row->token : 0,
            .name = row->name,
            .for_tenant = row->for_tenant,
            .scopes = row->scopes,
            .job_types = names_of(call->arena, row->job_types),
        };
    }
    principals_put(call->api->principals, &call->token_hash, clock_mono(), &call->who);
}

/* The body is there. */
static void step_body(struct http_exchange *exchange)
{
    struct call *call = call_of(exchange);
    if (call->scope == 0) {
        call->route->handle(call);
    } else {
        step_resource(call);
    }
}

/* Says what becomes of the body. */
static void take_body(struct call *call)
{
    const enum body_mode body = call->route->body;
    call->exchange->body_max = body_max(call);
    if (body == BODY_ARTIFACT_BYTES) {
        upload_begin(call);
    } else if (body != BODY_NONE && !body_is_json(call)) {
        call_refuse(call, ERR_UNSUPPORTED_MEDIA_TYPE, err_info(ERR_UNSUPPORTED_MEDIA_TYPE)->title);
    }
}

static void principal_is_read(struct http_exchange *exchange)
{
    struct call *call = call_of(exchange);
    if (call->err.code != ERR_OK) {
        call_fail(call);
    } else if (call->who.token == 0) {
        call_refuse(call, ERR_UNAUTHENTICATED, err_info(ERR_UNAUTHENTICATED)->title);
    } else {
        take_body(call);
    }
}

/* Nobody's body is taken before it is known who sends it. */
static void identify(struct call *call)
{
    call->read = read_principal;
    call->exchange->head = principal_is_read;
    if (engine_read(call->api->engine, on_read, call, &call->err) != ERR_OK) {
        call->exchange->head = NULL;
        call_fail(call);
    }
}

/* True when it is known who asks; false when that is being looked up, or the call refused. */
static bool find_token(struct call *call)
{
    struct str token;
    const struct str header = http_request_header(call->exchange, "Authorization");
    if (!token_of_header(header, &token)) {
        call_refuse(call, ERR_UNAUTHENTICATED, err_info(ERR_UNAUTHENTICATED)->title);
        return false;
    }
    call->token_hash = token_hash(token);
    if (!principals_find(call->api->principals, &call->token_hash, clock_mono(), call->arena,
                         &call->who)) {
        identify(call);
        return false;
    }
    if (call->who.token == 0) {
        call_refuse(call, ERR_UNAUTHENTICATED, err_info(ERR_UNAUTHENTICATED)->title);
        return false;
    }
    return true;
}

static bool find_route(struct call *call)
{
    struct str allow = STR("");
    const enum err_code code = route_find(call->arena, call->exchange->method, call->exchange->path,
                                          &call->route, call->args, &allow);
    if (code == ERR_OK) {
        manners_begin(call);
        return true;
    }
    call->route = NULL;
    if (manners_options(call, code, allow)) {
        return false;
    }
    if (code == ERR_METHOD_NOT_ALLOWED) {
        http_header(call->exchange, "Allow", allow);
    }
    call_refuse(call, code, err_info(code)->title);
    return false;
}

/* The route's, and of /metrics what the setting says: they name every tenant's job types. */
static int32_t scope_of(const struct call *call)
{
    const struct str access = call->api->settings->metrics_access;
    if (call->route->id != ROUTE_GET_METRICS || str_eq(access, STR("open"))) {
        return call->route->scope;
    }
    return str_eq(access, STR("local")) && http_is_local(call->exchange) ? 0 : SCOPE_READ;
}

void call_on_begin(void *ctx, struct http_exchange *exchange)
{
    struct call *call = arena_new(&exchange->arena, struct call);
    call->exchange = exchange;
    call->api = ctx;
    call->arena = &exchange->arena;
    call->started_us = clock_mono().us;
    exchange->ctx = call;
    exchange->next = step_body;
    event_name_request(call);
    http_header(exchange, "Cache-Control", STR("no-store"));
    http_header(exchange, "X-Content-Type-Options", STR("nosniff"));
    if (!find_route(call)) {
        return;
    }
    if (atomic_load(&call->api->stopping) && call->route->id != ROUTE_GET_LIVEZ) {
        call_refuse(call, ERR_SHUTTING_DOWN, err_info(ERR_SHUTTING_DOWN)->title);
        return;
    }
    call->scope = scope_of(call);
    if (call->scope != 0 && !find_token(call)) {
        return;
    }
    take_body(call);
}

void call_on_refuse(void *ctx, struct http_exchange *exchange, enum err_code code,
                    const char *detail)
{
    (void)ctx;
    call_refuse(call_of(exchange), code, detail);
}

void call_on_end(void *ctx, struct http_exchange *exchange)
{
    struct api *api = ctx;
    struct call *call = call_of(exchange);
    call_leave_flight(call);
    if (call->abandon != NULL) {
        call->abandon(call);
    }
    json_decref(call->document);
    const int64_t duration_us = clock_mono().us - call->started_us;
    metrics_request(api->metrics, call->route == NULL ? ROUTE_COUNT : call->route->id,
                    exchange->status, duration_us);
    event_request(call, duration_us);
}
