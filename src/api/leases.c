/* api/leases - workers register and claim. */
#include <string.h>

#include "api/call.h"
#include "api/decode.h"
#include "api/roster.h"
#include "api/scan.h"
#include "core/config.h"
#include "core/lease.h"

enum { WAIT_MAX_MS = 20000, CLAIM_TYPES_MAX = 100, CLAIM_ID_MAX = 200 };

/* ---- Register ---- */

struct registration {
    struct str worker;
    struct str version;
    int64_t slots;
    struct str job_types;
    int64_t clock_ms;
};

/* Names that are each ended by '\n', as a JSON array. */
static struct str json_names(struct arena *arena, struct str names)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    struct str name;
    buf_init(&text, CLAIM_TYPES_MAX * (NAME_MAX_LEN + 4) + 2);
    json_begin(&w, &text);
    json_put_array(&w);
    while (str_split(&names, '\n', &name)) {
        if (name.len > 0) {
            json_put_str(&w, name);
        }
    }
    json_put_array_end(&w);
    return arena_str(arena, buf_get(&text));
}

static void worker_is_registered(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        call_fail(call);
        return;
    }
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_INT(&w, "heartbeat_ms", call->api->settings->heartbeat_ms);
    JSON_INT(&w, "poll_ms", WAIT_MAX_MS);
    JSON_STR(&w, "worker", command->worker.name);
    JSON_STR(&w, "worker_state",
             str_from(worker_state_name((enum worker_state)command->worker.state)));
    json_put_object_end(&w);
    call_answer(call, 200);
}

void api_register_worker(struct call *call)
{
    static const struct field fields[] = {
        {"worker", FIELD_NAME, .required = true, .max = NAME_MAX_LEN,
         .offset = offsetof(struct registration, worker)},
        {"version", FIELD_TEXT, .required = true, .max = 64,
         .offset = offsetof(struct registration, version)},
        {"slots", FIELD_INT, .required = true, .min = 1, .max = 10000,
         .offset = offsetof(struct registration, slots)},
        {"job_types", FIELD_NAMES, .required = true, .min = 1, .max = CLAIM_TYPES_MAX,
         .offset = offsetof(struct registration, job_types)},
        {"clock_ms", FIELD_INT, .max = (INT64_C(1) << 53) - 1,
         .offset = offsetof(struct registration, clock_ms)},
    };
    struct registration asked = {0};
    if (decode_body(call->arena, call->exchange->body, fields, sizeof(fields) / sizeof(fields[0]),
                    &asked, &call->document, &call->err) != ERR_OK) {
        call_fail(call);
        return;
    }
    struct command *command = call_command(call, COMMAND_WORKER_SEEN);
    if (call->who.for_tenant == 0) {
        command->tenant.v = TENANT_SYSTEM;
        command->shard = SHARD_SYSTEM;
    }
    command->actor = arena_format(call->arena, "worker:%.*s", STR_ARG(asked.worker));
    command->worker = (struct worker_change){
        .name = asked.worker,
        .version = asked.version,
        .slots = (int32_t)asked.slots,
        .job_types = json_names(call->arena, asked.job_types),
        .clock_ms = asked.clock_ms,
        .registers = true,
    };
    roster_registers(call, asked.worker);
    call_engine(call, QUEUE_CONTROL, command, 1, worker_is_registered);
}

/* ---- Claim ---- */

struct claim_body {
    struct str claim_id;
    struct str worker;
    VEC(struct str) types;
    int64_t max;
    int64_t wait_ms;
};

static void take_types(struct claim_body *body, struct scan *scan)
{
    scan_array(scan);
    while (scan_item(scan)) {
        const struct str type = scan_text(scan);
        if (!scan_failed(scan) &&
            (!name_is_valid(type, NAME_MAX_LEN) || body->types.n == CLAIM_TYPES_MAX)) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "must be 1 to 100 names of job types");
        }
        VEC_PUSH(scan->arena, &body->types, type);
    }
}

static void take_claim_member(struct claim_body *body, struct scan *scan, struct str key)
{
    if (str_eq(key, STR("claim_id"))) {
        body->claim_id = scan_text(scan);
        if (body->claim_id.len == 0 || body->claim_id.len > CLAIM_ID_MAX) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "must have 1 to 200 bytes");
        }
    } else if (str_eq(key, STR("worker"))) {
        body->worker = scan_text(scan);
        if (!name_is_valid(body->worker, NAME_MAX_LEN)) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "must be a name");
        }
    } else if (str_eq(key, STR("job_types"))) {
        take_types(body, scan);
    } else if (str_eq(key, STR("max"))) {
        body->max = scan_bounded(scan, 1, CLAIM_MAX);
    } else if (str_eq(key, STR("wait_ms"))) {
        body->wait_ms = scan_bounded(scan, 0, WAIT_MAX_MS);
    } else {
        scan_refuse(scan, ERR_UNPROCESSABLE, "there is no such member");
    }
}

static enum err_code read_claim(struct call *call, struct claim_body *body)
{
    struct scan scan;
    struct str key;
    scan_begin(&scan, call->exchange->body, call->arena);
    scan_object(&scan);
    while (scan_member(&scan, &key)) {
        take_claim_member(body, &scan, key);
    }
    TRY(scan_end(&scan, &call->err));
    const char *missing = body->claim_id.len == 0 ? "/claim_id"
                          : body->worker.len == 0 ? "/worker"
                          : body->types.n == 0    ? "/job_types"
                          : body->max == 0        ? "/max"
                                                  : NULL;
    if (missing != NULL) {
        return err_at(&call->err, ERR_UNPROCESSABLE, missing, "is missing");
    }
    for (size_t i = 0; i < body->types.n; i++) {
        if (!principal_may_claim(&call->who, body->types.v[i])) {
            return err_at(&call->err, ERR_FORBIDDEN, "/job_types",
                          "the token may not claim one of these job types");
        }
    }
    return ERR_OK;
}

static bool claim_is_connected(struct engine_claim *claim)
{
    const struct call *call = claim->ctx;
    return http_is_connected(call->exchange);
}

static void claim_is_done(struct engine_claim *claim)
{
    const struct call *call = claim->ctx;
    http_wake(call->exchange);
}

static struct str join_types(struct arena *arena, const struct claim_body *body)
{
    struct buf joined;
    buf_init(&joined, CLAIM_TYPES_MAX * (NAME_MAX_LEN + 1));
    for (size_t i = 0; i < body->types.n; i++) {
        buf_str(&joined, body->types.v[i]);
        buf_char(&joined, '\n');
    }
    const struct str out = arena_str(arena, buf_get(&joined));
    buf_fini(&joined);
    return out;
}

/* The same token, worker and claim id are the same claim; never 0. */
static int64_t claim_hash(const struct call *call, const struct claim_body *body)
{
    const struct str text =
        arena_format(call->arena, "%lld\n%.*s\n%.*s", (long long)call->who.token,
                     STR_ARG(body->worker), STR_ARG(body->claim_id));
    const int64_t hash = (int64_t)hash_keyed(&call->api->seed, text);
    return hash == 0 ? 1 : hash;
}

static void put_lease_head(struct json_writer *w, const struct lease_grant *grant)
{
    const struct leased_row *lease = grant->lease;
    const bool has_host = grant->source != NULL && grant->source->host.len > 0;
    JSON_INT(w, "attempt", lease->carry.spent + 1);
    JSON_INT(w, "grant", lease->carry.grant);
    JSON_KEY(w, "host");
    if (has_host) {
        json_put_str(w, grant->source->host);
    } else {
        json_put_null(w);
    }
}

static void put_lease_tail(struct json_writer *w, const struct lease_grant *grant,
                           struct str tenant)
{
    const struct leased_row *lease = grant->lease;
    char run[ID_TEXT];
    JSON_KEY(w, "requests_allowed");
    if (lease->requests > 0) {
        json_put_int(w, lease->requests);
    } else {
        json_put_null(w);
    }
    if (lease->carry.run > 0) {
        run_id_format((struct run_id){lease->carry.run}, run);
        JSON_STR(w, "run", str_from(run));
    }
    if (grant->source != NULL) {
        JSON_STR(w, "source", grant->source->name);
        JSON_RAW(w, "source_config", grant->source->body);
    }
    JSON_STR(w, "tenant", tenant);
    if (grant->job->traceparent.len > 0) {
        JSON_STR(w, "traceparent", grant->job->traceparent);
    }
    JSON_INT(w, "ttl_ms", lease->ttl_ms);
    JSON_STR(w, "type", grant->lane->job_type);
}

/* "tenant/job-7/grant" */
static struct str idempotency_key(const struct claim_part *part, const char job[ID_TEXT],
                                  int64_t grant, struct arena *arena)
{
    const struct str tenant = part->tenant_name;
    const size_t job_len = strlen(job);
    char *key = arena_bytes(arena, tenant.len + ID_TEXT + ID_TEXT);
    char *at = key;
    at = mempcpy(at, tenant.ptr, tenant.len);
    *at++ = '/';
    at = mempcpy(at, job, job_len);
    *at++ = '/';
    at = str_put_i64(at, grant);
    return (struct str){key, (size_t)(at - key)};
}

static void put_lease(struct json_writer *w, const struct claim_part *part,
                      const struct lease_grant *grant, struct arena *arena)
{
    const struct leased_row *lease = grant->lease;
    char id[LEASE_TEXT];
    char job[ID_TEXT];
    job_id_format((struct job_id){lease->job}, job);
    lease_id_format((struct lease_id){part->tenant, {lease->job}, lease->carry.lane}, id);
    json_put_object(w);
    put_lease_head(w, grant);
    JSON_STR(w, "idempotency_key", idempotency_key(part, job, lease->carry.grant, arena));
    JSON_STR(w, "job", str_from(job));
    JSON_STR(w, "lease", str_from(id));
    JSON_INT(w, "max_attempts", grant->type->max_attempts);
    if (grant->job->name.len > 0) {
        JSON_STR(w, "name", grant->job->name);
    }
    JSON_STR(w, "on_lost_contact",
             grant->type->stop_on_lost_contact ? STR("stop") : STR("continue"));
    JSON_RAW(w, "payload", grant->job->payload);
    put_lease_tail(w, grant, part->tenant_name);
    json_put_object_end(w);
}

static void answer_claim(struct call *call)
{
    const struct engine_claim *claim = call->state;
    if (claim->err.code != ERR_OK) {
        call->err = claim->err;
        call_fail(call);
        return;
    }
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_KEY(&w, "leases");
    json_put_array(&w);
    for (size_t i = 0; i < claim->parts.n; i++) {
        const struct claim_part *part = &claim->parts.v[i];
        for (size_t k = 0; k < part->count; k++) {
            put_lease(&w, part, &part->grants[k], call->arena);
        }
    }
    json_put_array_end(&w);
    JSON_STR(&w, "worker_state", str_from(worker_state_name(claim->worker_state)));
    json_put_object_end(&w);
    call_answer(call, 200);
}

void api_claim_leases(struct call *call)
{
    struct claim_body body = {0};
    if (read_claim(call, &body) != ERR_OK) {
        call_fail(call);
        return;
    }
    struct engine_claim *claim = arena_new(call->arena, struct engine_claim);
    *claim = (struct engine_claim){
        .tenant = {call->who.for_tenant},
        .worker = body.worker,
        .actor = arena_format(call->arena, "worker:%.*s", STR_ARG(body.worker)),
        .credential = call->actor,
        .claim = claim_hash(call, &body),
        .types = join_types(call->arena, &body),
        .max = (int32_t)body.max,
        .wait_us = body.wait_ms * US_PER_MS,
        .is_connected = claim_is_connected,
        .done = claim_is_done,
        .ctx = call,
        .arena = call->arena,
    };
    roster_saw(call, body.worker, json_names(call->arena, claim->types));
    call->state = claim;
    call_wait(call, answer_claim);
    if (engine_claim(call->api->engine, claim, &call->err) != ERR_OK) {
        call_fail(call);
    }
}
