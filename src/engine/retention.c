#include "engine/retention.h"

#include "base/json.h"
#include "engine/node.h"
#include "platform/clock.h"
#include "platform/thread.h"

#define QUERY_BYTES_MAX ((size_t)1 << 20)

struct tenant_place {
    struct tenant_id tenant;
    int16_t shard;
};

/* One run. */
struct run {
    struct engine *engine;
    struct arena arena;
    VEC(struct tenant_place) tenants;
    bool answered; /* Of the command under way; the node's lock. */
    uint64_t keys, requests, payloads, blobs;
    struct err err;
};

static bool is_running(struct engine *engine)
{
    mutex_take(&engine->lock);
    const bool running = engine->stage == NODE_RUNNING;
    mutex_give(&engine->lock);
    return running;
}

/* ---- Tenants ---- */

static void list_tenants(struct run *run)
{
    struct engine *engine = run->engine;
    VEC_PUSH(&run->arena, &run->tenants, ((struct tenant_place){{TENANT_SYSTEM}, SHARD_SYSTEM}));
    mutex_take(&engine->lock);
    for (size_t i = 0; i < engine->summary.tenants.n; i++) {
        const struct tenant_summary *t = engine->summary.tenants.entries[i].value;
        if (t->known) {
            VEC_PUSH(&run->arena, &run->tenants, ((struct tenant_place){t->tenant, t->shard}));
        }
    }
    mutex_give(&engine->lock);
}

static void answered(struct engine_request *request)
{
    struct run *run = request->ctx;
    mutex_take(&run->engine->lock);
    run->answered = true;
    wake_all(&run->engine->retention);
    mutex_give(&run->engine->lock);
}

/* One tick. */
static enum err_code retain_once(struct run *run, struct command *command)
{
    struct engine *engine = run->engine;
    struct engine_request request = {
        .queue = QUEUE_CONTROL, .commands = command, .count = 1, .done = answered, .ctx = run};
    run->answered = false;
    TRY(engine_submit(engine, &request, &run->err));
    mutex_take(&engine->lock);
    while (!run->answered) {
        wake_wait(&engine->retention, &engine->lock);
    }
    mutex_give(&engine->lock);
    run->err = command->err;
    return command->err.code;
}

static enum err_code retain_tenant(struct run *run, const struct tenant_place *place)
{
    bool more = true;
    while (more && is_running(run->engine)) {
        struct arena arena;
        arena_init(&arena, QUERY_BYTES_MAX);
        struct command command = {.kind = COMMAND_RETAIN,
                                  .shard = place->shard,
                                  .tenant = place->tenant,
                                  .actor = STR("retention"),
                                  .arena = &arena};
        const enum err_code code = retain_once(run, &command);
        arena_fini(&arena);
        TRY(code);
        run->keys += (uint64_t)command.retain.keys;
        run->requests += (uint64_t)command.retain.request_keys;
        run->payloads += (uint64_t)command.retain.payloads;
        more = command.retain.more;
    }
    return ERR_OK;
}

/* ---- Blobs ---- */

/* Of one tenant. */
struct sweep {
    struct run *run;
    struct tenant_place place;
    int64_t before;
};

/* An artifact names it. */
static enum err_code is_registered(struct sweep *sweep, const struct sha256 *digest, bool *out)
{
    struct run *run = sweep->run;
    struct arena arena;
    struct query_result found;
    arena_init(&arena, QUERY_BYTES_MAX);
    struct query query = {
        .name = "artifact_is_known", .tenant = sweep->place.tenant, .arena = &arena};
    query_arg_int(&query, sweep->place.shard);
    query_arg_int(&query, sweep->place.tenant.v);
    query_arg_bytes(&query, (struct str){(const char *)digest->bytes, SHA256_SIZE});
    const enum err_code code =
        reader_query(run->engine->retention_reader, &query, &found, &run->err);
    *out = code != ERR_OK || found.rows > 0;
    arena_fini(&arena);
    return code;
}

/* Whoever is about to register the blob has looked for it just now, which made it young: looking
 * at the artifacts first and at its age last leaves no gap between the two. */
static bool sweep_one(void *ctx, const struct sha256 *digest)
{
    struct sweep *sweep = ctx;
    struct run *run = sweep->run;
    struct blobs *blobs = run->engine->blobs;
    bool registered = true;
    bool removed = false;
    if (is_registered(sweep, digest, &registered) != ERR_OK) {
        return false;
    }
    if (!registered && blobs->remove_old(blobs, sweep->place.tenant, digest, sweep->before,
                                         &removed, &run->err) != ERR_OK) {
        return false;
    }
    run->blobs += removed;
    return is_running(run->engine);
}

static enum err_code sweep_blobs(struct run *run, const struct tenant_place *place)
{
    struct blobs *blobs = run->engine->blobs;
    struct sweep sweep = {
        .run = run, .place = *place, .before = clock_wall().us - run->engine->config.orphan_us};
    if (blobs == NULL || place->tenant.v == TENANT_SYSTEM) {
        return ERR_OK;
    }
    run->err.code = ERR_OK;
    TRY(blobs->each_old(blobs, place->tenant, sweep.before, sweep_one, &sweep, &run->err));
    return run->err.code;
}

/* ---- Runs ---- */

static enum err_code run_all(struct run *run)
{
    for (size_t i = 0; i < run->tenants.n; i++) {
        TRY(retain_tenant(run, &run->tenants.v[i]));
        TRY(sweep_blobs(run, &run->tenants.v[i]));
    }
    return ERR_OK;
}

static void log_run(struct engine *engine, const struct run *run, enum err_code code, int64_t us)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    buf_init(&text, 4096);
    json_begin(&w, &text);
    json_put_object(&w);
    JSON_INT(&w, "blobs", (int64_t)run->blobs);
    JSON_STR(&w, "code", str_from(err_info(code)->name));
    JSON_INT(&w, "keys", (int64_t)run->keys);
    JSON_INT(&w, "ms", us / US_PER_MS);
    JSON_INT(&w, "payloads", (int64_t)run->payloads);
    JSON_INT(&w, "requests", (int64_t)run->requests);
    json_put_object_end(&w);
    node_log(engine, "retention", buf_get(&text));
}

static void note_run(struct engine *engine, const struct run *run, enum err_code code, int64_t us)
{
    struct engine_figures *figures = &engine->figures;
    mutex_take(&engine->lock);
    figures->retained_keys += run->keys;
    figures->retained_requests += run->requests;
    figures->erased_payloads += run->payloads;
    figures->swept_blobs += run->blobs;
    if (code == ERR_OK && engine->stage == NODE_RUNNING) {
        figures->retain_runs++;
        figures->retain_last_at = clock_wall().us;
        figures->retain_last_us = us;
    } else {
        figures->retain_failed++;
    }
    mutex_give(&engine->lock);
    if (code != ERR_OK || run->keys + run->requests + run->payloads + run->blobs > 0) {
        log_run(engine, run, code, us);
    }
}

static void run_once(struct engine *engine)
{
    const int64_t begun = clock_mono().us;
    struct run run = {.engine = engine};
    arena_init(&run.arena, (size_t)1 << 30);
    list_tenants(&run);
    const enum err_code code = run_all(&run);
    note_run(engine, &run, code, clock_mono().us - begun);
    arena_fini(&run.arena);
}

void *retention_run(void *ctx)
{
    struct engine *engine = ctx;
    int64_t next = clock_mono().us + engine->config.retain_us;
    mutex_take(&engine->lock);
    while (engine->stage == NODE_RUNNING) {
        const int64_t left = next - clock_mono().us;
        if (left > 0) {
            wake_wait_for(&engine->retention, &engine->lock, left);
            continue;
        }
        mutex_give(&engine->lock);
        run_once(engine);
        next = clock_mono().us + engine->config.retain_us;
        mutex_take(&engine->lock);
    }
    mutex_give(&engine->lock);
    return NULL;
}
