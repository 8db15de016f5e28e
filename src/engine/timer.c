#include "engine/timer.h"
#include "engine/ask.h"

#include "engine/group.h"
#include "platform/clock.h"
#include "platform/thread.h"

/* The longest the timer sleeps; it also notices by that when the process stood still. */
#define NAP_US (1 * US_PER_S)

/* Lock held: shards whose time has come; the earliest of the others. */
static int64_t look_at_shards(struct engine *engine, int64_t now, int64_t mono)
{
    int64_t wait = NAP_US;
    bool any = false;
    for (int16_t i = 0; i < SHARD_COUNT; i++) {
        struct shard_state *shard = &engine->shards[i];
        if (shard->due || shard->busy || shard->next_due_at == INT64_MAX) {
            continue;
        }
        int64_t left = shard->next_due_at - now;
        if (left < shard->due_not_before - mono) {
            left = shard->due_not_before - mono;
        }
        if (left <= 0) {
            shard->due = true;
            any = true;
        } else {
            wait = left < wait ? left : wait;
        }
    }
    if (any && engine->ready) {
        wake_all(&engine->work);
    }
    return wait;
}

/* Lock held: held lanes that may be asked again. */
static int64_t look_at_lanes(struct engine *engine, int64_t now)
{
    struct tenant_summary *tenant = summary_open_next(&engine->summary, now);
    while (tenant != NULL) {
        ask_wake(engine, tenant);
        tenant = summary_open_next(&engine->summary, now);
    }
    const int64_t next = summary_next_opening(&engine->summary);
    return next == INT64_MAX ? NAP_US : next - now;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Lock held. */
static int64_t look_at_claims(struct engine *engine, int64_t mono)
{
    park_expire(engine, mono, engine->stage != NODE_RUNNING);
    return engine->park.next_until == INT64_MAX ? NAP_US : engine->park.next_until - mono;
}

/* Lock held: nobody served while the process (or the machine) stood still. */
static void notice_stall(struct engine *engine, int64_t slept, int64_t meant)
{
    if (slept - meant > engine->config.gap_us) {
        engine->ready_since = node_ledger_now(engine);
    }
}

void *timer_run(void *ctx)
{
    struct engine *engine = ctx;
    mutex_take(&engine->lock);
    while (engine->stage != NODE_STOPPED || engine->park.active > 0 ||
           engine->park.finished != NULL) {
        const int64_t mono = clock_mono().us;
        int64_t wait = look_at_claims(engine, mono);
        const int64_t now = node_ledger_now(engine);
        wait = least(wait, look_at_shards(engine, now, mono));
        wait = least(wait, look_at_lanes(engine, now));
        struct claiming *finished = park_take_finished(engine);
        if (finished != NULL) {
            mutex_give(&engine->lock);
            park_answer(engine, finished);
            mutex_take(&engine->lock);
            continue;
        }
        if (wait > 0) {
            engine->timer_sleeps_until = mono + wait;
            wake_wait_for(&engine->timer, &engine->lock, wait);
            notice_stall(engine, clock_mono().us - mono, wait);
        }
    }
    mutex_give(&engine->lock);
    return NULL;
}
