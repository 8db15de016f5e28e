#include "worker/wire.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "worker/scan.h"

static void put_types(struct json_writer *w, const struct wire_worker *worker)
{
    JSON_KEY(w, "job_types");
    json_put_array(w);
    for (size_t i = 0; i < worker->types_n; i++) {
        json_put_str(w, worker->types[i]);
    }
    json_put_array_end(w);
}

void wire_put_register(struct buf *out, const struct wire_worker *worker, int64_t clock_ms)
{
    struct json_writer w;
    json_begin(&w, out);
    json_put_object(&w);
    if (clock_ms > 0) {
        JSON_INT(&w, "clock_ms", clock_ms);
    }
    put_types(&w, worker);
    JSON_INT(&w, "slots", worker->slots);
    JSON_STR(&w, "version", worker->version);
    JSON_STR(&w, "worker", worker->name);
    json_put_object_end(&w);
}

void wire_put_claim(struct buf *out, const struct wire_worker *worker,
                    const struct wire_claim *claim)
{
    struct json_writer w;
    json_begin(&w, out);
    json_put_object(&w);
    JSON_STR(&w, "claim_id", claim->claim_id);
    put_types(&w, worker);
    JSON_INT(&w, "max", claim->max);
    JSON_INT(&w, "wait_ms", claim->wait_ms);
    JSON_STR(&w, "worker", worker->name);
    json_put_object_end(&w);
}

/* What the job's host said of its limits: an interval, not a time, since clocks differ. */
static void put_upstream(struct json_writer *w, const struct lease *lease, struct mono_time now)
{
    const bool told = lease->has_told && lease->told_reset.us > now.us;
    if (!told && !lease->overloaded) {
        return;
    }
    json_put_key(w, STR("upstream"));
    json_put_object(w);
    if (lease->overloaded) {
        JSON_BOOL(w, "overloaded", true);
    }
    if (told) {
        JSON_INT(w, "remaining", lease->told_remaining);
        JSON_INT(w, "reset_ms", (lease->told_reset.us - now.us + US_PER_MS - 1) / US_PER_MS);
    }
    json_put_object_end(w);
}

/* Unless it is said, all that were granted count as used. */
static void put_used(struct json_writer *w, const struct lease *lease)
{
    if (lease->requests_counted) {
        JSON_INT(w, "requests_used", lease->requests_used);
    }
}

static void put_beat(struct json_writer *w, const struct lease *lease, struct mono_time now)
{
    json_put_object(w);
    JSON_INT(w, "grant", lease->is.grant);
    JSON_STR(w, "lease", lease->is.lease);
    log_buffer_put(&lease->log, w, lease->log_through, now);
    if (lease->has_progress) {
        JSON_KEY(w, "progress");
        json_put_object(w);
        JSON_INT(w, "done", (int64_t)lease->done);
        if (lease->progress_text[0] != '\0') {
            JSON_STR(w, "text", str_from(lease->progress_text));
        }
        JSON_INT(w, "total", (int64_t)lease->total);
        json_put_object_end(w);
    }
    if (lease->requests_stale) {
        JSON_INT(w, "requests_used", lease->requests_used);
    }
    if (lease->requests_wanted > 0) {
        JSON_INT(w, "requests_wanted", lease->requests_wanted);
    }
    put_upstream(w, lease, now);
    json_put_object_end(w);
}

void wire_put_heartbeat(struct buf *out, struct str worker, struct lease *const *leases, size_t n,
                        struct mono_time now)
{
    struct json_writer w;
    json_begin(&w, out);
    json_put_object(&w);
    JSON_KEY(&w, "leases");
    json_put_array(&w);
    for (size_t i = 0; i < n; i++) {
        put_beat(&w, leases[i], now);
    }
    json_put_array_end(&w);
    JSON_STR(&w, "worker", worker);
    json_put_object_end(&w);
}

static void put_artifacts(struct json_writer *w, const struct lease_report *report)
{
    if (report->artifacts_n == 0) {
        return;
    }
    JSON_KEY(w, "artifacts");
    json_put_array(w);
    for (size_t i = 0; i < report->artifacts_n; i++) {
        const struct lease_artifact *artifact = &report->artifacts[i];
        json_put_object(w);
        if (artifact->media_type.len > 0) {
            JSON_STR(w, "media_type", artifact->media_type);
        }
        JSON_STR(w, "name", artifact->name);
        JSON_STR(w, "role", artifact->input ? STR("input") : STR("output"));
        JSON_STR(w, "sha256", str_from(artifact->sha256));
        JSON_INT(w, "size", (int64_t)artifact->size);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

/* The lease's name, and what its handler logged: the next member after it. */
static void put_lease(struct json_writer *w, const struct lease *lease, struct mono_time now)
{
    JSON_STR(w, "lease", lease->is.lease);
    log_buffer_put(&lease->log, w, lease->log_through, now);
}

static void put_complete(struct json_writer *w, const struct lease *lease, struct mono_time now)
{
    put_artifacts(w, &lease->report);
    JSON_INT(w, "grant", lease->is.grant);
    put_lease(w, lease, now);
    put_used(w, lease);
    if (lease->report.result.len > 0) {
        JSON_RAW(w, "result", lease->report.result);
    }
    put_upstream(w, lease, now);
}

static void put_fail(struct json_writer *w, const struct lease *lease, struct mono_time now)
{
    JSON_STR(w, "class", lease->report.error_class);
    JSON_INT(w, "grant", lease->is.grant);
    put_lease(w, lease, now);
    JSON_STR(w, "message", lease->report.message);
    if (lease->report.permanent) {
        JSON_BOOL(w, "permanent", true);
    }
    put_used(w, lease);
    if (lease->report.retry_after_ms > 0) {
        JSON_INT(w, "retry_after_ms", lease->report.retry_after_ms);
    }
    put_upstream(w, lease, now);
}

static void put_throttled(struct json_writer *w, const struct lease *lease, struct mono_time now)
{
    JSON_INT(w, "grant", lease->is.grant);
    if (lease->report.host.len > 0) {
        JSON_STR(w, "host", lease->report.host);
    }
    put_lease(w, lease, now);
    put_used(w, lease);
    if (lease->report.retry_after_ms > 0) {
        JSON_INT(w, "retry_after_ms", lease->report.retry_after_ms);
    }
    put_upstream(w, lease, now);
}

static void put_release(struct json_writer *w, const struct lease *lease, struct mono_time now)
{
    JSON_INT(w, "grant", lease->is.grant);
    put_lease(w, lease, now);
    put_used(w, lease);
    put_upstream(w, lease, now);
}

void wire_put_reports(struct buf *out, enum report_kind kind, struct str worker,
                      struct lease *const *leases, size_t n, struct mono_time now)
{
    static void (*const put[REPORT_KINDS])(struct json_writer *, const struct lease *,
                                           struct mono_time) = {
        [REPORT_COMPLETE] = put_complete,
        [REPORT_FAIL] = put_fail,
        [REPORT_THROTTLED] = put_throttled,
        [REPORT_RELEASE] = put_release,
    };
    struct json_writer w;
    json_begin(&w, out);
    json_put_object(&w);
    JSON_KEY(&w, "reports");
    json_put_array(&w);
    for (size_t i = 0; i < n; i++) {
        json_put_object(&w);
        put[kind](&w, leases[i], now);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    JSON_STR(&w, "worker", worker);
    json_put_object_end(&w);
}

static json_t *read_object(struct str body)
{
    json_t *root = NULL;
    struct err ignored;
    if (json_read(body, &root, &ignored) != ERR_OK) {
        return NULL;
    }
    if (!json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    return root;
}

static void get_int(const json_t *object, const char *key, int64_t *out)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
    }
}

bool wire_get_register(struct str body, int64_t *heartbeat_ms, int64_t *poll_ms)
{
    json_t *root = read_object(body);
    if (root == NULL) {
        return false;
    }
    get_int(root, "heartbeat_ms", heartbeat_ms);
    get_int(root, "poll_ms", poll_ms);
    json_decref(root);
    return true;
}

bool wire_get_leases(struct str body, struct str *out_list)
{
    struct scan scan;
    struct str key, value;
    bool found = false;
    (void)scan_object(&scan, body); /* A broken start ends the loop below. */
    while (scan_member(&scan, &key, &value)) {
        if (str_eq(key, STR("leases"))) {
            *out_list = value;
            found = true;
        }
    }
    return found && !scan.broken;
}

bool wire_says_hold(struct str body)
{
    struct scan scan;
    struct str key, value;
    bool holds = false;
    (void)scan_object(&scan, body); /* A broken start ends the loop below. */
    while (scan_member(&scan, &key, &value)) {
        holds |= str_eq(key, STR("worker_state")) &&
                 (str_eq(value, STR("\"draining\"")) || str_eq(value, STR("\"quarantined\"")));
    }
    return holds && !scan.broken;
}

/* Where a text member of a lease goes. */
struct text_member {
    const char *key;
    size_t offset;
    bool raw; /* The bytes as they stand. */
};

struct int_member {
    const char *key;
    size_t offset;
};

#define GRANT_AT(member) offsetof(struct lease_grant, member)

static const struct text_member text_members[] = {
    {"lease", GRANT_AT(lease), false},
    {"job", GRANT_AT(job), false},
    {"type", GRANT_AT(type), false},
    {"tenant", GRANT_AT(tenant), false},
    {"name", GRANT_AT(name), false},
    {"run", GRANT_AT(run), false},
    {"source", GRANT_AT(source), false},
    {"host", GRANT_AT(host), false},
    {"idempotency_key", GRANT_AT(idempotency_key), false},
    {"traceparent", GRANT_AT(traceparent), false},
    {"payload", GRANT_AT(payload), true},
    {"source_config", GRANT_AT(source_config), true},
};

static const struct int_member int_members[] = {
    {"grant", GRANT_AT(grant)},
    {"attempt", GRANT_AT(attempt)},
    {"max_attempts", GRANT_AT(max_attempts)},
    {"ttl_ms", GRANT_AT(ttl_us)},
    {"requests_allowed", GRANT_AT(requests_allowed)},
};

static bool is_null(struct str span)
{
    return str_eq(span, STR("null"));
}

/* Copies a JSON string's text; null counts as absent. */
static bool copy_text(struct str span, struct arena *arena, struct str *out)
{
    if (is_null(span)) {
        return true;
    }
    json_t *value = NULL;
    struct err ignored;
    if (json_read(span, &value, &ignored) != ERR_OK) {
        return false;
    }
    const bool is_text = json_is_string(value);
    if (is_text) {
        *out = arena_str(arena, json_text(value));
    }
    json_decref(value);
    return is_text;
}

static bool get_member(struct str key, struct str span, struct arena *arena,
                       struct lease_grant *grant)
{
    for (size_t i = 0; i < sizeof(text_members) / sizeof(*text_members); i++) {
        const struct text_member *member = &text_members[i];
        struct str *out = (struct str *)(void *)((char *)grant + member->offset);
        if (!str_eq(key, str_from(member->key))) {
            continue;
        }
        if (!member->raw) {
            return copy_text(span, arena, out);
        }
        *out = arena_str(arena, span);
        return true;
    }
    for (size_t i = 0; i < sizeof(int_members) / sizeof(*int_members); i++) {
        int64_t *out = (int64_t *)(void *)((char *)grant + int_members[i].offset);
        if (str_eq(key, str_from(int_members[i].key))) {
            return is_null(span) || str_parse_i64(span, out);
        }
    }
    if (str_eq(key, STR("on_lost_contact"))) {
        grant->stop_on_lost_contact = str_eq(span, STR("\"stop\""));
    }
    return true;
}

bool wire_get_lease(struct str text, struct arena *arena, struct lease_grant *out_grant)
{
    struct scan scan;
    struct str key, value;
    *out_grant = (struct lease_grant){.requests_allowed = -1, .attempt = 1, .max_attempts = 1};
    if (!scan_object(&scan, text) || text.len > LEASE_TEXT_CAP / 2) {
        return false;
    }
    while (scan_member(&scan, &key, &value)) {
        if (!get_member(key, value, arena, out_grant)) {
            return false;
        }
    }
    const bool lasts = out_grant->ttl_us > 0 && out_grant->ttl_us <= WIRE_TTL_MAX_MS;
    out_grant->ttl_us *= lasts ? US_PER_MS : 0;
    return !scan.broken && out_grant->lease.len > 0 && out_grant->lease.len < WIRE_CODE_MAX &&
           out_grant->job.len > 0 && out_grant->type.len > 0 && lasts;
}

static void copy_code(char out[WIRE_CODE_MAX], const json_t *value)
{
    (void)snprintf(out, WIRE_CODE_MAX, "%.*s", STR_ARG(json_text(value)));
}

static void get_result(const json_t *item, struct wire_result *out)
{
    memset(out, 0, sizeof(*out));
    copy_code(out->lease, json_object_get(item, "lease"));
    copy_code(out->code, json_object_get(item, "code"));
    out->cancel = json_is_true(json_object_get(item, "cancel"));
    out->drain = json_is_true(json_object_get(item, "drain"));
    get_int(item, "ttl_ms", &out->ttl_ms);
    out->ttl_ms = out->ttl_ms > 0 && out->ttl_ms <= WIRE_TTL_MAX_MS ? out->ttl_ms : 0;
    const json_t *allowed = json_object_get(item, "requests_allowed");
    out->has_requests_allowed = allowed != NULL;
    out->requests_allowed = -1;
    get_int(item, "requests_allowed", &out->requests_allowed);
    get_int(item, "requests_granted", &out->requests_granted);
    get_int(item, "requests_after_ms", &out->requests_after_ms);
}

bool wire_get_results(struct str body, struct wire_result *results, size_t n)
{
    json_t *root = read_object(body);
    const json_t *list = root == NULL ? NULL : json_object_get(root, "results");
    const bool fits = json_is_array(list) && json_array_size(list) == n;
    for (size_t i = 0; fits && i < n; i++) {
        get_result(json_array_get(list, i), &results[i]);
    }
    json_decref(root);
    return fits;
}

void wire_get_problem(struct str body, struct wire_problem *out_problem)
{
    memset(out_problem, 0, sizeof(*out_problem));
    json_t *root = read_object(body);
    if (root == NULL) {
        return;
    }
    copy_code(out_problem->code, json_object_get(root, "code"));
    (void)snprintf(out_problem->detail, sizeof(out_problem->detail), "%.*s",
                   STR_ARG(json_text(json_object_get(root, "detail"))));
    json_decref(root);
}
