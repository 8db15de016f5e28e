/* api/heartbeats - leases renewed; progress up, commands down. */
#include <stdatomic.h>

#include "api/batch.h"
#include "api/roster.h"

enum { PROGRESS_TEXT_MAX = 500, REQUESTS_MAX = 1000000 };

#define COUNT_MAX ((INT64_C(1) << 53) - 1)

/* {"done","total","text"}, kept as it was sent but for secrets. */
static struct str take_progress(struct scan *scan, const struct redact_rules *rules)
{
    struct str key;
    const size_t from = scan->at;
    scan_object(scan);
    while (scan_member(scan, &key)) {
        if (str_eq(key, STR("done")) || str_eq(key, STR("total"))) {
            (void)scan_bounded(scan, 0, COUNT_MAX);
        } else if (str_eq(key, STR("text"))) {
            if (scan_text(scan).len > PROGRESS_TEXT_MAX) {
                scan_refuse(scan, ERR_UNPROCESSABLE, "must have at most %d bytes",
                            PROGRESS_TEXT_MAX);
            }
        } else {
            scan_refuse(scan, ERR_UNPROCESSABLE, "there is no such member");
        }
    }
    return redact_json_copy(rules, scan->arena, str_trim(str_slice(scan->text, from, scan->at)));
}

static bool take_member(struct scan *scan, struct batch_item *item, struct str key)
{
    if (str_eq(key, STR("progress"))) {
        item->beat.progress = take_progress(scan, item->rules);
    } else if (str_eq(key, STR("requests_wanted"))) {
        item->beat.requests_wanted = scan_bounded(scan, 0, REQUESTS_MAX);
    } else {
        return false;
    }
    return true;
}

static void put_result(struct json_writer *w, const struct batch_item *item,
                       const struct heartbeat_item *beat, bool drain)
{
    json_put_object(w);
    JSON_BOOL(w, "cancel", beat->cancel);
    JSON_STR(w, "code", str_from(err_info(beat->code)->name));
    JSON_BOOL(w, "drain", drain);
    JSON_STR(w, "lease", item->lease_text);
    if (beat->code == ERR_OK && beat->requests_allowed >= 0) {
        if (beat->requests_after_us > 0) {
            JSON_INT(w, "requests_after_ms", (beat->requests_after_us + 999) / 1000);
        }
        JSON_INT(w, "requests_allowed", beat->requests_allowed);
        if (beat->requests_granted > 0) {
            JSON_INT(w, "requests_granted", beat->requests_granted);
        }
    }
    JSON_INT(w, "ttl_ms", beat->ttl_ms);
    json_put_object_end(w);
}

/* Of all commands: they are decided one after another, and the worst is the newest. */
static enum worker_state state_of(const struct batch *batch)
{
    enum worker_state state = WORKER_ACTIVE;
    for (size_t i = 0; i < batch->command_count; i++) {
        const enum worker_state told = batch->commands[i].heartbeat.worker_state;
        state = told > state ? told : state;
    }
    return state;
}

static void answer(struct call *call)
{
    const struct batch *batch = call->state;
    const struct heartbeat_item lost = {.code = ERR_LEASE_LOST};
    const bool drain = atomic_load(&call->api->stopping);
    if (batch_failed(call, batch)) {
        return;
    }
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_KEY(&w, "results");
    json_put_array(&w);
    for (size_t i = 0; i < batch->items.n; i++) {
        const struct batch_item *item = &batch->items.v[i];
        const bool sent = item->code == ERR_OK;
        put_result(&w, item,
                   sent ? &batch->commands[item->command].heartbeat.items[item->place] : &lost,
                   drain);
    }
    json_put_array_end(&w);
    JSON_STR(&w, "worker_state", str_from(worker_state_name(state_of(batch))));
    json_put_object_end(&w);
    call_answer(call, 200);
}

void api_heartbeat_leases(struct call *call)
{
    struct batch *batch = arena_new(call->arena, struct batch);
    batch->is_beat = true;
    call->state = batch;
    if (batch_scan(call, batch, "leases", take_member) != ERR_OK) {
        call_fail(call);
        return;
    }
    roster_saw(call, batch->worker, STR(""));
    batch_split(call, batch, COMMAND_HEARTBEAT);
    batch_send(call, batch, answer);
}
