#include "base/json.h"
#include "engine/group.h"
#include "platform/clock.h"
#include "platform/thread.h"

#define BEHIND_LOG_US (60 * US_PER_S)

static void log_clock_behind(struct group *group, int16_t shard, int64_t behind_us)
{
    struct engine *engine = group->engine;
    const int64_t mono = clock_mono().us;
    mutex_take(&engine->lock);
    const bool due =
        engine->clock_behind_logged == 0 || mono - engine->clock_behind_logged >= BEHIND_LOG_US;
    if (due) {
        engine->clock_behind_logged = mono;
        engine->figures.clock_behind++;
    }
    mutex_give(&engine->lock);
    if (!due) {
        return;
    }
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    buf_init(&text, 1024);
    json_begin(&w, &text);
    json_put_object(&w);
    JSON_INT(&w, "behind_ms", behind_us / US_PER_MS);
    JSON_INT(&w, "shard", shard);
    json_put_object_end(&w);
    node_log(engine, "clock_behind", buf_get(&text));
}

/* The clock is behind what the shard has seen: time goes on at the rate of CLOCK_BOOTTIME. */
static int64_t time_behind(struct group *group, struct shard_state *state, struct shard_row *row)
{
    const int64_t mono = clock_mono().us;
    if (state->anchor_mono == 0) {
        state->anchor_last = row->last_at;
        state->anchor_mono = mono;
    }
    int64_t now = state->anchor_last + (mono - state->anchor_mono);
    if (now < row->last_at) { /* Another node's time went on faster. */
        state->anchor_last = row->last_at;
        state->anchor_mono = mono;
        now = row->last_at;
    }
    log_clock_behind(group, row->shard, row->last_at - group->facts.clock);
    return now;
}

int64_t tick_time(struct group *group, struct shard_state *state, struct shard_row *row)
{
    const int64_t clock = group->facts.clock;
    int64_t now = clock;
    if (clock < row->last_at) {
        now = time_behind(group, state, row);
    } else {
        state->anchor_mono = 0;
    }
    /* Workers could not renew while nobody served: no lease lapses until a full ttl from now. */
    const bool gap = row->last_at > 0 && row->last_at < group->ready_since &&
                     now - row->last_at > group->engine->config.gap_us;
    if (gap) {
        row->available_since = now;
        facts_change(&group->facts, &row->row);
    }
    return now;
}
