/* api/reports - how leases ended: completed, failed, throttled, released. */
#include "api/batch.h"
#include "api/pool.h"

enum {
    CLASS_MAX = 64,
    MESSAGE_MAX = 8192,
    ARTIFACT_NAME_MAX = 200,
    MEDIA_TYPE_MAX = 128,
};

#define RETRY_MAX_MS INT64_C(31536000000)
#define SIZE_LIMIT   ((INT64_C(1) << 53) - 1)

/* ---- Reading ---- */

static void take_result(struct scan *scan, struct batch_item *item)
{
    item->report.result = scan_raw(scan);
    if (item->report.result.len > RESULT_MAX) {
        scan_refuse(scan, ERR_UNPROCESSABLE, "must have at most %d bytes", RESULT_MAX);
    }
}

static struct str take_text(struct scan *scan, size_t max)
{
    const struct str text = scan_text(scan);
    if (text.len == 0 || text.len > max) {
        scan_refuse(scan, ERR_UNPROCESSABLE, "must have 1 to %zu bytes", max);
    }
    return text;
}

static bool take_artifact_member(struct scan *scan, struct report_artifact *artifact,
                                 struct str key)
{
    if (str_eq(key, STR("name"))) {
        artifact->name = take_text(scan, ARTIFACT_NAME_MAX);
    } else if (str_eq(key, STR("sha256"))) {
        if (!sha256_parse(scan_text(scan), &artifact->sha256)) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "must be 64 lower-case hexadecimal digits");
        }
    } else if (str_eq(key, STR("size"))) {
        artifact->size = scan_bounded(scan, 0, SIZE_LIMIT);
    } else if (str_eq(key, STR("media_type"))) {
        artifact->media_type = take_text(scan, MEDIA_TYPE_MAX);
    } else if (str_eq(key, STR("role"))) {
        const struct str role = scan_text(scan);
        artifact->role = str_eq(role, STR("input")) ? ARTIFACT_INPUT : ARTIFACT_OUTPUT;
        if (artifact->role == ARTIFACT_OUTPUT && !str_eq(role, STR("output"))) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "must be output or input");
        }
    } else {
        return false;
    }
    return true;
}

static void take_artifacts(struct scan *scan, struct batch_item *item)
{
    struct str key;
    scan_array(scan);
    while (scan_item(scan)) {
        if (item->artifacts.n == BATCH_ARTIFACTS_MAX) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "too many artifacts");
            return;
        }
        struct report_artifact *artifact = VEC_ADD(scan->arena, &item->artifacts);
        *artifact =
            (struct report_artifact){.size = -1, .media_type = STR("application/octet-stream")};
        bool has_digest = false;
        scan_object(scan);
        while (scan_member(scan, &key)) {
            has_digest |= str_eq(key, STR("sha256"));
            if (!take_artifact_member(scan, artifact, key)) {
                scan_refuse(scan, ERR_UNPROCESSABLE, "there is no such member");
            }
        }
        if (artifact->name.len == 0 || artifact->size < 0 || !has_digest) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "needs name, sha256 and size");
        }
        for (size_t i = 0; i + 1 < item->artifacts.n; i++) {
            const struct report_artifact *other = &item->artifacts.v[i];
            if (other->role == artifact->role && str_eq(other->name, artifact->name)) {
                scan_refuse(scan, ERR_UNPROCESSABLE, "two artifacts have the same name");
            }
        }
    }
}

static bool take_complete(struct scan *scan, struct batch_item *item, struct str key)
{
    if (str_eq(key, STR("result"))) {
        take_result(scan, item);
    } else if (str_eq(key, STR("artifacts"))) {
        take_artifacts(scan, item);
    } else {
        return false;
    }
    return true;
}

/* The message as a JSON string. */
static struct str quoted(struct arena *arena, struct str text)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, text.len * 6 + 2);
    json_begin(&w, &out);
    json_put_str(&w, text);
    const struct str made = arena_str(arena, buf_get(&out));
    buf_fini(&out);
    return made;
}

/* A class with a secret in it is none that anything can be grouped by. */
static struct str redacted_class(struct arena *arena, const struct batch_item *item)
{
    const struct str class = item->report.class;
    return redact_copy(item->rules, arena, class).ptr == class.ptr ? class : STR("redacted");
}

static bool take_fail(struct scan *scan, struct batch_item *item, struct str key)
{
    if (str_eq(key, STR("class"))) {
        item->report.class = scan_text(scan);
        if (!name_is_valid(item->report.class, CLASS_MAX)) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "must be a name of at most %d bytes", CLASS_MAX);
        }
        item->report.class = redacted_class(scan->arena, item);
    } else if (str_eq(key, STR("message"))) {
        const struct str message = scan_text(scan);
        if (message.len > MESSAGE_MAX) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "must have at most %d bytes", MESSAGE_MAX);
        }
        item->report.result = quoted(scan->arena, redact_copy(item->rules, scan->arena, message));
    } else if (str_eq(key, STR("permanent"))) {
        item->report.permanent = scan_flag(scan);
    } else if (str_eq(key, STR("retry_after_ms"))) {
        item->report.retry_after_us = scan_bounded(scan, 0, RETRY_MAX_MS) * US_PER_MS;
    } else {
        return false;
    }
    return true;
}

static bool take_throttled(struct scan *scan, struct batch_item *item, struct str key)
{
    if (str_eq(key, STR("retry_after_ms"))) {
        item->report.retry_after_us = scan_bounded(scan, 0, RETRY_MAX_MS) * US_PER_MS;
    } else if (str_eq(key, STR("host"))) {
        if (!name_is_valid(scan_text(scan), 253)) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "must be a host");
        }
    } else {
        return false;
    }
    return true;
}

static bool take_release(struct scan *scan, struct batch_item *item, struct str key)
{
    (void)scan;
    (void)item;
    (void)key;
    return false;
}

/* ---- The digest by which a repeated report is known ---- */

static void put_int(struct buf *out, int64_t value)
{
    buf_put(out, &value, sizeof(value));
}

static void put_str(struct buf *out, struct str text)
{
    put_int(out, (int64_t)text.len);
    buf_str(out, text);
}

static void put_report(struct buf *out, const struct batch_item *item)
{
    const struct report_item *report = &item->report;
    put_int(out, report->kind);
    put_str(out, report->result);
    put_str(out, report->class);
    put_int(out, report->permanent);
    put_int(out, report->retry_after_us);
    put_int(out, report->requests_used);
    for (size_t i = 0; i < item->artifacts.n; i++) {
        const struct report_artifact *artifact = &item->artifacts.v[i];
        put_str(out, artifact->name);
        put_str(out, (struct str){(const char *)artifact->sha256.bytes, SHA256_SIZE});
        put_int(out, artifact->size);
        put_str(out, artifact->media_type);
        put_int(out, artifact->role);
    }
}

static void set_digests(struct batch *batch)
{
    CLEANUP(buf_fini) struct buf text;
    struct sha256_stream *stream = sha256_stream_new();
    buf_init(&text, SIZE_MAX); /* An item is at most as large as the body. */
    for (size_t i = 0; i < batch->items.n; i++) {
        struct batch_item *item = &batch->items.v[i];
        buf_reset(&text);
        put_report(&text, item);
        sha256_stream_add(stream, buf_get(&text));
        item->report.digest = sha256_stream_finish(stream);
    }
    sha256_stream_free(stream);
}

/* ---- Answering ---- */

static void answer(struct call *call)
{
    const struct batch *batch = call->state;
    if (batch_failed(call, batch)) {
        return;
    }
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_KEY(&w, "results");
    json_put_array(&w);
    for (size_t i = 0; i < batch->items.n; i++) {
        const struct batch_item *item = &batch->items.v[i];
        const struct report_item *report =
            item->code == ERR_OK ? &batch->commands[item->command].report.items[item->place] : NULL;
        const enum err_code code = report != NULL ? report->code : item->code;
        json_put_object(&w);
        JSON_STR(&w, "code", str_from(err_info(code)->name));
        JSON_STR(&w, "lease", item->lease_text);
        if (report != NULL && report->state != JOB_NONE) {
            JSON_STR(&w, "state", str_from(job_state_name(report->state)));
        }
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_object_end(&w);
    call_answer(call, 200);
}

static void send(struct call *call)
{
    struct batch *batch = call->state;
    if (call->err.code != ERR_OK) {
        call_fail(call);
        return;
    }
    batch_split(call, batch, COMMAND_REPORT);
    batch_send(call, batch, answer);
}

/* ---- Artifacts must be there before they are reported ---- */

static enum err_code check_artifacts(struct call *call, struct batch_item *item)
{
    struct blobs *blobs = call->api->blobs;
    for (size_t i = 0; i < item->artifacts.n && item->code == ERR_OK; i++) {
        const struct report_artifact *artifact = &item->artifacts.v[i];
        bool has = false;
        int64_t size = 0;
        TRY(blobs->has(blobs, item->lease.tenant, &artifact->sha256, &has, &size, &call->err));
        if (!has || size != artifact->size) {
            item->code = ERR_UNKNOWN_ARTIFACT;
        }
    }
    return ERR_OK;
}

static void look_for_artifacts(struct call *call)
{
    struct batch *batch = call->state;
    for (size_t i = 0; i < batch->items.n; i++) {
        if (check_artifacts(call, &batch->items.v[i]) != ERR_OK) {
            return;
        }
    }
}

static void report(struct call *call, enum report_kind kind,
                   bool (*member)(struct scan *scan, struct batch_item *item, struct str key))
{
    struct batch *batch = arena_new(call->arena, struct batch);
    bool has_artifacts = false;
    batch->kind = kind;
    call->state = batch;
    if (batch_scan(call, batch, "reports", member) != ERR_OK) {
        call_fail(call);
        return;
    }
    for (size_t i = 0; i < batch->items.n; i++) {
        struct batch_item *item = &batch->items.v[i];
        if (kind == REPORT_FAIL && (item->report.class.len == 0 || item->report.result.len == 0)) {
            const struct str at = arena_format(call->arena, "/reports/%zu", i);
            (void)err_at(&call->err, ERR_UNPROCESSABLE, at.ptr, "needs class and message");
            call_fail(call);
            return;
        }
        has_artifacts |= item->artifacts.n > 0;
    }
    set_digests(batch);
    if (has_artifacts) {
        pool_run(call, look_for_artifacts, send);
    } else {
        send(call);
    }
}

void api_complete_leases(struct call *call)
{
    report(call, REPORT_COMPLETE, take_complete);
}

void api_fail_leases(struct call *call)
{
    report(call, REPORT_FAIL, take_fail);
}

void api_throttle_leases(struct call *call)
{
    report(call, REPORT_THROTTLED, take_throttled);
}

void api_release_leases(struct call *call)
{
    report(call, REPORT_RELEASE, take_release);
}
