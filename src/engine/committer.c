#include "engine/group.h"
#include "platform/clock.h"
#include "platform/random.h"
#include "platform/thread.h"

/* Times a group is decided before its failure is believed: a lost connection or a deadlock is
 * gone at the second try. */
enum { RUNS_MAX = 3 };

#define BACKOFF_LEAST_US (50 * US_PER_MS)
#define BACKOFF_MOST_US  (5 * US_PER_S)

/* Doubles, with jitter, so that nodes do not come back in step. */
struct backoff {
    int64_t us;
};

static int64_t backoff_next(struct backoff *backoff)
{
    backoff->us = backoff->us == 0 ? BACKOFF_LEAST_US : backoff->us * 2;
    backoff->us = backoff->us > BACKOFF_MOST_US ? BACKOFF_MOST_US : backoff->us;
    return backoff->us / 2 + random_below(backoff->us / 2 + 1);
}

/* Waits a while; false when the engine gives up on what is open. */
static bool pause_for(struct engine *engine, int64_t us)
{
    mutex_take(&engine->lock);
    if (engine->stage != NODE_STOPPED) {
        wake_wait_for(&engine->retry, &engine->lock, us);
    }
    const bool go_on = engine->stage != NODE_STOPPED;
    mutex_give(&engine->lock);
    return go_on;
}

/* Asks until the ledger says what became of the group. ERR_OK: committed; ERR_CONFLICT: not. */
static enum err_code settle_unknown(struct committer *committer)
{
    struct engine *engine = committer->engine;
    struct group *group = committer->group;
    struct backoff backoff = {0};
    mutex_take(&engine->lock);
    engine->figures.unknown_commits++;
    mutex_give(&engine->lock);
    node_log(engine, "commit_unknown", STR("{}"));
    for (;;) {
        bool committed = false;
        struct err err = {0};
        enum err_code code = ledger_was_committed(committer->ledger, group->shards,
                                                  group->shard_count, group->id, &committed, &err);
        if (code == ERR_OK && !committed) {
            return ERR_CONFLICT;
        }
        if (code == ERR_OK) {
            code = group_reload(group, &err);
        }
        if (code == ERR_OK) {
            return ERR_OK;
        }
        group_refuse_waiting(engine);
        if (!pause_for(engine, backoff_next(&backoff))) {
            return ERR_COMMIT_UNKNOWN;
        }
    }
}

/* Lock held. Only now, with its answers sent, another group may be begun for the little that
 * waits: those who were answered are about to ask again. */
static void end_group(struct engine *engine)
{
    engine->busy_committers--;
    if (engine->stage == NODE_DRAINING) {
        wake_all(&engine->idle);
    }
}

static void run_group(struct committer *committer)
{
    struct group *group = committer->group;
    struct engine *engine = committer->engine;
    enum err_code code = ERR_OK;
    struct err err = {0};
    for (int runs = 0; runs < RUNS_MAX; runs++) {
        code = group_run(group, &err);
        if (code == ERR_COMMIT_UNKNOWN) {
            code = settle_unknown(committer);
            if (code != ERR_OK) {
                group_restore(group);
            }
        }
        if (code == ERR_OK) {
            group_answer(group);
            return;
        }
        if (code == ERR_COMMIT_UNKNOWN) {
            break;
        }
        mutex_take(&engine->lock);
        engine->figures.decided_anew++;
        mutex_give(&engine->lock);
    }
    node_log_failure(engine, "ledger_lost", &err);
    group_fail(group, code == ERR_COMMIT_UNKNOWN ? ERR_INTERNAL : ERR_LEDGER_UNAVAILABLE);
}

enum err_code committer_probe(struct committer *committer, struct err *err)
{
    struct engine *engine = committer->engine;
    const int16_t shard = SHARD_SYSTEM;
    struct arena arena;
    struct facts facts;
    arena_init(&arena, (size_t)16 << 20);
    facts_init(&facts, &arena, engine->seed, 0);
    const enum err_code code = ledger_begin(committer->ledger, &shard, 1, &facts, err);
    if (code == ERR_OK) {
        ledger_rollback(committer->ledger);
        mutex_take(&engine->lock);
        node_see_clock(engine, facts.clock);
        const bool is_back = !engine->ready && engine->figures.outages > 0;
        node_set_ready(engine, true, facts.clock);
        mutex_give(&engine->lock);
        if (is_back) {
            node_log(engine, "ledger_back", STR("{}"));
        }
    }
    facts_fini(&facts);
    arena_fini(&arena);
    return code;
}

/* The first committer looks whether the ledger is back; the others wait for it. */
static void wait_for_ledger(struct committer *committer)
{
    struct engine *engine = committer->engine;
    struct backoff backoff = {0};
    for (;;) {
        struct err err = {0};
        if (!pause_for(engine, backoff_next(&backoff)) ||
            committer_probe(committer, &err) == ERR_OK) {
            return;
        }
    }
}

bool committer_step(struct committer *committer)
{
    struct engine *engine = committer->engine;
    mutex_take(&engine->lock);
    const bool taken = group_take(committer->group);
    mutex_give(&engine->lock);
    if (taken) {
        run_group(committer);
        mutex_take(&engine->lock);
        end_group(engine);
        mutex_give(&engine->lock);
    }
    return taken;
}

void *committer_run(void *ctx)
{
    struct committer *committer = ctx;
    struct engine *engine = committer->engine;
    mutex_take(&engine->lock);
    while (engine->stage != NODE_STOPPED) {
        if (!engine->ready && committer == &engine->committers[0]) {
            mutex_give(&engine->lock);
            wait_for_ledger(committer);
            mutex_take(&engine->lock);
        } else if (group_take(committer->group)) {
            if (engine->idle_committers > 0 && node_has_group(engine)) {
                wake_one(&engine->work);
            }
            mutex_give(&engine->lock);
            run_group(committer);
            mutex_take(&engine->lock);
            end_group(engine);
        } else {
            engine->idle_committers++;
            wake_wait(&engine->work, &engine->lock);
            engine->idle_committers--;
        }
    }
    mutex_give(&engine->lock);
    return NULL;
}
