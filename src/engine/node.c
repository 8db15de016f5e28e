#include "engine/node.h"
#include "engine/ask.h"

#include "base/json.h"
#include "platform/clock.h"
#include "platform/thread.h"

void node_log(struct engine *engine, const char *event, struct str fields)
{
    if (engine->config.log != NULL) {
        engine->config.log(engine->config.log_ctx, event, fields);
    }
}

void node_log_failure(struct engine *engine, const char *event, const struct err *err)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    buf_init(&text, 4096);
    json_begin(&w, &text);
    json_put_object(&w);
    JSON_STR(&w, "code", str_from(err_info(err->code)->name));
    JSON_STR(&w, "detail", str_from(err->message));
    json_put_object_end(&w);
    node_log(engine, event, buf_get(&text));
}

int64_t node_ledger_now(const struct engine *engine)
{
    return clock_wall().us + engine->clock_offset;
}

void node_see_clock(struct engine *engine, int64_t clock)
{
    const int64_t mono = clock_mono().us;
    if (engine->clock_seen != 0 &&
        clock - engine->clock_seen > mono - engine->mono_seen + engine->config.gap_us) {
        engine->ready_since = clock;
    }
    engine->clock_seen = clock;
    engine->mono_seen = mono;
    engine->clock_offset = clock - clock_wall().us;
}

static struct shard_state *count_in(struct engine *engine, struct task *task)
{
    const int16_t shard = task->command->shard;
    CHECK(shard >= 0 && shard < SHARD_COUNT);
    task->units = task_units(task, engine->config.limits.submit_cap);
    engine->shards[shard].units += task->units;
    return &engine->shards[shard];
}

void node_enqueue(struct engine *engine, struct task *task)
{
    struct shard_state *shard = count_in(engine, task);
    task->arrived = ++engine->arrivals;
    task_list_push(&shard->waiting[task->queue], task);
    if (engine->idle_committers > 0 && node_has_group(engine)) {
        wake_one(&engine->work);
    }
}

void node_put_back(struct engine *engine, struct task *task)
{
    struct shard_state *shard = count_in(engine, task);
    task_list_push_front(&shard->waiting[task->queue], task);
}

struct task *node_dequeue(struct engine *engine, int16_t shard, enum engine_queue queue)
{
    struct task *task = task_list_pop(&engine->shards[shard].waiting[queue]);
    if (task != NULL) {
        engine->shards[shard].units -= task->units;
    }
    return task;
}

bool node_has_group(const struct engine *engine)
{
    if (engine->busy_committers == 0) {
        return true;
    }
    int64_t units = 0;
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
        units += engine->shards[shard].busy ? 0 : engine->shards[shard].units;
    }
    return units >= engine->config.group_units / 2;
}

void node_due_at(struct engine *engine, int64_t mono)
{
    if (mono < engine->timer_sleeps_until) {
        engine->timer_sleeps_until = mono;
        wake_one(&engine->timer);
    }
}

void node_set_ready(struct engine *engine, bool ready, int64_t ledger_now)
{
    if (engine->ready == ready) {
        return;
    }
    engine->ready = ready;
    if (ready) {
        engine->ready_since = ledger_now;
        for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
            engine->shards[shard].stale = true; /* Others may have gone on meanwhile. */
        }
        ask_wake_all(engine);
    } else {
        engine->figures.outages++;
    }
    park_hand_over(engine);
    wake_all(&engine->work);
    engine->hints.heard = UINT64_MAX;
    wake_all(&engine->watch);
}

bool engine_is_ready(struct engine *engine)
{
    mutex_take(&engine->lock);
    const bool is_ready = engine->ready && engine->stage == NODE_RUNNING;
    mutex_give(&engine->lock);
    return is_ready;
}

void engine_figures(struct engine *engine, struct engine_figures *out)
{
    mutex_take(&engine->lock);
    *out = engine->figures;
    for (int queue = 0; queue < QUEUE_COUNT; queue++) {
        out->queued[queue] = engine->queued[queue];
    }
    out->parked = engine->park.parked;
    mutex_give(&engine->lock);
}
