#include <stdlib.h>
#include <string.h>

#include "engine/group.h"
#include "engine/hints.h"
#include "engine/retention.h"
#include "engine/timer.h"
#include "engine/watch.h"
#include "platform/clock.h"
#include "platform/random.h"
#include "platform/thread.h"

struct engine_config engine_config_default(struct ledger_target target)
{
    return (struct engine_config){
        .target = target,
        .limits = limits_default(),
        .committers = 2,
        .group_units = 256,
        .queue_max = 4096,
        .parked_max = 1024,
        .park_max_us = 20 * US_PER_S,
        .stop_us = 20 * US_PER_S,
        .gap_us = 1 * US_PER_S,
        .worker_seen_us = 60 * US_PER_S,
        .look_up_us = 60 * US_PER_S,
        .read_threads = 2,
        .job_cache_bytes = (size_t)32 << 20,
        .hints = true,
        .look_us = 1 * US_PER_S,
        .retain_us = 600 * US_PER_S,
        .orphan_us = 24 * 3600 * US_PER_S,
    };
}

/* ---- Opening ---- */

static enum err_code open_committers(struct engine *engine, struct err *err)
{
    const struct ledger_backend *backend = NULL;
    TRY(ledger_backend_for(engine->config.target.url, &backend, err));
    if (backend->single_writer) {
        engine->config.committers = 1;
    }
    CHECK(engine->config.committers >= 1 && engine->config.committers <= COMMITTERS_MAX);
    engine->submit_cap = backend->submit_cap;
    if (engine->config.limits.submit_cap > engine->submit_cap) {
        engine->config.limits.submit_cap = engine->submit_cap;
    }
    while (engine->committer_count < engine->config.committers) {
        struct committer *committer = &engine->committers[engine->committer_count];
        TRY(ledger_open(&engine->config.target, &committer->ledger, err));
        committer->engine = engine;
        committer->group = calloc(1, sizeof(*committer->group));
        CHECK(committer->group != NULL);
        group_init(committer->group, engine);
        committer->group->ledger = committer->ledger;
        engine->committer_count++;
    }
    engine->seed = ledger_seed(engine->committers[0].ledger);
    TRY(reader_open(&engine->config.target, &engine->watch_reader, err));
    TRY(reader_open(&engine->config.target, &engine->retention_reader, err));
    return directory_open(&engine->directory, &engine->config.target, err);
}

enum err_code engine_open(const struct engine_config *config, struct engine **out, struct err *err)
{
    struct engine *engine = calloc(1, sizeof(*engine));
    CHECK(engine != NULL);
    engine->config = *config;
    mutex_init(&engine->lock);
    wake_init(&engine->work);
    wake_init(&engine->timer);
    wake_init(&engine->idle);
    wake_init(&engine->shared);
    wake_init(&engine->retry);
    wake_init(&engine->watch);
    wake_init(&engine->retention);
    config_cache_init(&engine->configs);
    directory_init(&engine->directory);
    read_pool_init(&engine->reads);
    job_cache_init(&engine->jobs, engine->config.job_cache_bytes);
    summary_init(&engine->summary);
    park_init(&engine->park);
    engine->asked.since = clock_mono().us;
    random_bytes(&engine->group_base, sizeof(engine->group_base));
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
        engine->shards[shard].next_due_at = INT64_MAX;
    }
    hints_init(engine);
    const enum err_code code = open_committers(engine, err);
    if (code != ERR_OK) {
        engine_free(engine);
        return code;
    }
    *out = engine;
    return ERR_OK;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL) {
        return;
    }
    CHECK(engine->stage == NODE_OPEN || engine->stage == NODE_STOPPED);
    for (int32_t i = 0; i < engine->committer_count; i++) {
        group_fini(engine->committers[i].group);
        free(engine->committers[i].group);
        ledger_close(engine->committers[i].ledger);
    }
    reader_close(engine->watch_reader);
    reader_close(engine->retention_reader);
    hints_fini(engine);
    park_fini(&engine->park);
    summary_fini(&engine->summary);
    read_pool_fini(&engine->reads);
    job_cache_fini(&engine->jobs);
    directory_fini(&engine->directory);
    config_cache_fini(&engine->configs);
    wake_fini(&engine->retention);
    wake_fini(&engine->watch);
    wake_fini(&engine->retry);
    wake_fini(&engine->shared);
    wake_fini(&engine->idle);
    wake_fini(&engine->timer);
    wake_fini(&engine->work);
    mutex_fini(&engine->lock);
    free(engine);
}

static enum err_code start_threads(struct engine *engine, struct err *err)
{
    TRY(read_pool_start(&engine->reads, &engine->config.target, engine->config.read_threads, err));
    for (int32_t i = 0; i < engine->committer_count; i++) {
        struct committer *committer = &engine->committers[i];
        TRY(thread_start(&committer->thread, "committer", committer_run, committer, err));
        committer->started = true;
    }
    TRY(thread_start(&engine->timer_thread, "timer", timer_run, engine, err));
    engine->timer_started = true;
    TRY(thread_start(&engine->watch_thread, "watch", watch_run, engine, err));
    engine->watch_started = true;
    if (engine->hints.ledger != NULL) {
        TRY(thread_start(&engine->hints_thread, "hints", hints_run, engine, err));
        engine->hints_started = true;
    }
    if (engine->config.retain_us > 0) {
        TRY(thread_start(&engine->retention_thread, "retention", retention_run, engine, err));
        engine->retention_started = true;
    }
    return ERR_OK;
}

static void opened(struct engine_request *request)
{
    (void)request;
}

/* The installation's defaults live with the system tenant: a new ledger gets it now. */
static enum err_code open_system_tenant(struct engine *engine, struct err *err)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    struct command command = {
        .kind = COMMAND_TENANT_OPEN,
        .shard = SHARD_SYSTEM,
        .tenant = {TENANT_SYSTEM},
        .actor = STR("system"),
        .arena = &arena,
        .tenant_change = {.name = STR("system"), .weight = -1, .max_inflight = -1, .max_live = -1},
    };
    command.tenant_change.made = command.tenant;
    struct engine_request request = {
        .queue = QUEUE_CONTROL, .commands = &command, .count = 1, .done = opened};
    engine->stage = NODE_RUNNING;
    enum err_code code = engine_submit(engine, &request, err);
    if (code == ERR_OK) {
        committer_step(&engine->committers[0]);
        *err = command.err;
        code = err->code;
    }
    engine->stage = NODE_OPEN;
    arena_fini(&arena);
    return code;
}

enum err_code engine_start(struct engine *engine, struct err *err)
{
    CHECK(engine->stage == NODE_OPEN);
    TRY(committer_probe(&engine->committers[0], err));
    TRY(open_system_tenant(engine, err));
    TRY(watch_load(engine, err));
    mutex_take(&engine->lock);
    engine->stage = NODE_RUNNING;
    mutex_give(&engine->lock);
    const enum err_code code = start_threads(engine, err);
    if (code != ERR_OK) {
        engine_stop(engine);
    }
    return code;
}

void engine_sweep(struct engine *engine, struct blobs *blobs)
{
    CHECK(engine->stage == NODE_OPEN);
    engine->blobs = blobs;
}

/* ---- Stopping ---- */

/* Lock held: everything that was accepted has been answered. */
static bool is_drained(const struct engine *engine)
{
    for (int queue = 0; queue < QUEUE_COUNT; queue++) {
        if (engine->queued[queue] > 0) {
            return false;
        }
    }
    return engine->busy_committers == 0 && engine->park.active == 0;
}

static void drain(struct engine *engine)
{
    struct answers answers = {.end = &answers.first};
    mutex_take(&engine->lock);
    engine->stage = NODE_DRAINING;
    const int64_t until = clock_mono().us + engine->config.stop_us;
    park_expire(engine, 0, true);
    wake_all(&engine->work);
    wake_all(&engine->timer);
    while (!is_drained(engine)) {
        const int64_t left = until - clock_mono().us;
        if (left <= 0) {
            break;
        }
        wake_wait_for(&engine->idle, &engine->lock, left < US_PER_S ? left : US_PER_S);
    }
    engine->stage = NODE_STOPPED;
    fail_waiting(engine, ERR_SHUTTING_DOWN, &answers);
    wake_all(&engine->work);
    wake_all(&engine->timer);
    wake_all(&engine->retry);
    wake_all(&engine->watch);
    hints_wake(engine);
    wake_all(&engine->retention);
    mutex_give(&engine->lock);
    answers_send(&answers);
}

void engine_stop(struct engine *engine)
{
    if (engine->stage != NODE_RUNNING) {
        return;
    }
    drain(engine);
    for (int32_t i = 0; i < engine->committer_count; i++) {
        if (engine->committers[i].started) {
            thread_join(engine->committers[i].thread);
        }
    }
    read_pool_stop(&engine->reads); /* Claims that are being looked up end here. */
    /* A group that was running at the deadline may have put something back. */
    struct answers answers = {.end = &answers.first};
    mutex_take(&engine->lock);
    fail_waiting(engine, ERR_SHUTTING_DOWN, &answers);
    wake_all(&engine->timer);
    mutex_give(&engine->lock);
    answers_send(&answers);
    if (engine->timer_started) {
        thread_join(engine->timer_thread);
    }
    if (engine->watch_started) {
        thread_join(engine->watch_thread);
    }
    if (engine->hints_started) {
        thread_join(engine->hints_thread);
    }
    if (engine->retention_started) {
        thread_join(engine->retention_thread);
    }
}

/* ---- Requests ---- */

static enum err_code accept(struct engine *engine, enum engine_queue queue, struct err *err)
{
    if (engine->stage != NODE_RUNNING) {
        return err_set(err, ERR_SHUTTING_DOWN, "this node is stopping");
    }
    if (!engine->ready) {
        err->retry_after_ms = 1000;
        return err_set(err, ERR_LEDGER_UNAVAILABLE, "the ledger does not answer");
    }
    if (engine->queued[queue] >= engine->config.queue_max) {
        engine->figures.refused++;
        err->retry_after_ms = 1000;
        return err_set(err, ERR_OVERLOADED, "%d requests wait", engine->config.queue_max);
    }
    return ERR_OK;
}

enum err_code engine_submit(struct engine *engine, struct engine_request *request, struct err *err)
{
    CHECK(request->count > 0);
    struct task *tasks = calloc(request->count, sizeof(*tasks));
    CHECK(tasks != NULL);
    for (size_t i = 0; i < request->count; i++) {
        task_init(&tasks[i], &request->commands[i], request->queue);
        tasks[i].request = request;
    }
    request->state = tasks;
    request->left = request->count;
    mutex_take(&engine->lock);
    const enum err_code code = accept(engine, request->queue, err);
    if (code == ERR_OK) {
        engine->queued[request->queue]++;
        for (size_t i = 0; i < request->count; i++) {
            node_enqueue(engine, &tasks[i]);
        }
    }
    mutex_give(&engine->lock);
    if (code != ERR_OK) {
        request->state = NULL;
        free(tasks);
    }
    return code;
}

enum err_code engine_tenant_by_name(struct engine *engine, struct str name,
                                    struct tenant_id *out_tenant, int16_t *out_shard,
                                    struct err *err)
{
    struct directory_entry entry;
    TRY(directory_by_name(&engine->directory, name, &entry, err));
    *out_tenant = entry.tenant;
    *out_shard = entry.shard;
    return ERR_OK;
}

enum err_code engine_tenant_name(struct engine *engine, struct tenant_id tenant,
                                 struct arena *arena, struct str *out_name, int16_t *out_shard,
                                 struct err *err)
{
    struct directory_entry entry;
    TRY(directory_by_id(&engine->directory, tenant, &entry, err));
    *out_name = arena_str(arena, entry.name);
    *out_shard = entry.shard;
    return ERR_OK;
}

void engine_workers_of(struct engine *engine, struct tenant_id tenant, struct str job_type,
                       struct explain_worker *out)
{
    const uint64_t type = type_hash(job_type);
    mutex_take(&engine->lock);
    const int64_t mono = clock_mono().us;
    const int64_t asked = asked_at(&engine->asked, tenant, type);
    const int64_t watched = mono - engine->asked.since;
    out->asked_at = asked == 0 ? 0 : node_ledger_now(engine) - (mono - asked);
    out->serves = asked != 0 ? mono - asked <= engine->config.worker_seen_us
                             : watched <= engine->config.worker_seen_us;
    mutex_give(&engine->lock);
}

enum err_code engine_read(struct engine *engine, void (*read)(void *ctx, struct reader *reader),
                          void *ctx, struct err *err)
{
    return read_pool_add(&engine->reads, (struct waiting_read){.read = read, .ctx = ctx}, err);
}
