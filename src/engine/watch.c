#include "engine/watch.h"
#include "engine/ask.h"
#include "engine/hints.h"

#include "platform/clock.h"
#include "platform/thread.h"

#define WATCH_BYTES_MAX ((size_t)2 << 30)

enum { WATCH_REST = 10 };

/* What one shard's row says. */
struct seen_shard {
    int16_t shard;
    int64_t tick;
    int64_t next_due_at;
};

static enum err_code read_shards(struct engine *engine, struct arena *arena,
                                 struct seen_shard seen[SHARD_COUNT], size_t *out_count,
                                 struct err *err)
{
    struct query query = {.name = "dump_shards", .arena = arena};
    struct query_result result;
    TRY(reader_query(engine->watch_reader, &query, &result, err));
    *out_count = 0;
    for (size_t i = 0; i < result.rows && i < SHARD_COUNT; i++) {
        const struct query_value *row = &result.values[i * result.columns];
        seen[(*out_count)++] = (struct seen_shard){
            .shard = (int16_t)row[0].number, .tick = row[1].number, .next_due_at = row[3].number};
    }
    return ERR_OK;
}

/* Columns of tenants in the order of core/tables.c. */
static struct tenant_row tenant_of(const struct query_value *v)
{
    return (struct tenant_row){.shard = (int16_t)v[0].number,
                               .tenant = (int32_t)v[1].number,
                               .name = v[2].text,
                               .weight = (int32_t)v[4].number,
                               .max_inflight = (int32_t)v[5].number,
                               .version = (int32_t)v[7].number,
                               .config_version = (int32_t)v[8].number,
                               .key_generation = (int32_t)v[18].number,
                               .key_oldest = (int32_t)v[19].number,
                               .head_seq = v[9].number,
                               .charged = v[13].number,
                               .lift = v[14].number,
                               .waiting = v[15].number,
                               .inflight = v[16].number,
                               .quota_group = (int32_t)v[23].number};
}

/* Columns of lanes_of_shard. */
static struct lane_row lane_of(int16_t shard, const struct query_value *v)
{
    return (struct lane_row){.shard = shard,
                             .tenant = (int32_t)v[0].number,
                             .lane = (int32_t)v[1].number,
                             .job_type = v[2].text,
                             .source = v[3].text,
                             .waiting = v[4].number,
                             .inflight = v[5].number,
                             .open_at = v[7].number};
}

static enum err_code ask(struct engine *engine, const char *name, int16_t shard,
                         struct arena *arena, struct query_result *out, struct err *err)
{
    struct query query = {.name = name, .arena = arena};
    query_arg_int(&query, shard);
    return reader_query(engine->watch_reader, &query, out, err);
}

/* Lock held. Learns the tenants; returns by tenant whether its lanes are to be learned too. */
static void learn_tenants(struct engine *engine, const struct query_result *tenants,
                          struct arena *arena, struct map *fresh)
{
    for (size_t i = 0; i < tenants->rows; i++) {
        const struct tenant_row row = tenant_of(&tenants->values[i * tenants->columns]);
        struct tenant_summary *t =
            summary_tenant(&engine->summary, row.shard, (struct tenant_id){row.tenant});
        if (row.tenant == TENANT_SYSTEM) {
            ask_see_system(engine, row.config_version);
        }
        if (row.tenant == TENANT_SYSTEM || (t->known && row.head_seq < t->head_seq)) {
            continue;
        }
        (void)summary_learn_tenant(&engine->summary, &row);
        map_put(arena, fresh, (uint64_t)row.tenant, t);
    }
}

/* Lock held. Returns the leases. */
static int64_t learn_lanes(struct engine *engine, int16_t shard, const struct query_result *lanes,
                           const struct map *fresh)
{
    const int64_t now = node_ledger_now(engine);
    int64_t inflight = 0;
    summary_begin_listing(&engine->summary);
    for (size_t i = 0; i < lanes->rows; i++) {
        const struct lane_row row = lane_of(shard, &lanes->values[i * lanes->columns]);
        if (map_find(fresh, (uint64_t)row.tenant) != NULL) {
            (void)summary_learn_lane(&engine->summary, &row, now);
            inflight += row.inflight;
        }
    }
    for (size_t i = 0; i < fresh->n; i++) {
        summary_forget_lanes(&engine->summary, fresh->entries[i].value);
    }
    return inflight;
}

/* Of the tenants of the shared shard. */
static int64_t head_seq_of_system(const struct query_result *tenants)
{
    for (size_t i = 0; i < tenants->rows; i++) {
        const struct tenant_row row = tenant_of(&tenants->values[i * tenants->columns]);
        if (row.tenant == TENANT_SYSTEM) {
            return row.head_seq;
        }
    }
    return 0;
}

/* Lock held. What was committed here meanwhile is newer. */
static void learn_shared_rows(struct engine *engine, int64_t head_seq,
                              const struct query_result *groups, const struct query_result *members,
                              struct arena *arena)
{
    struct summary *summary = &engine->summary;
    if (head_seq < summary->shared_seq) {
        return;
    }
    VEC(struct group_summary *) freed = {0};
    for (size_t i = 0; i < groups->rows; i++) {
        const struct row *row = query_row(groups, i, TABLE_QUOTA_GROUPS, arena);
        struct group_summary *group =
            summary_learn_group(summary, (const struct quota_group_row *)row);
        if (group != NULL) {
            VEC_PUSH(arena, &freed, group);
        }
    }
    for (size_t i = 0; i < members->rows; i++) {
        const struct row *row = query_row(members, i, TABLE_QUOTA_MEMBERS, arena);
        summary_learn_member(summary, (const struct quota_member_row *)row);
    }
    summary->shared_seq = head_seq;
    for (size_t i = 0; i < freed.n; i++) {
        ask_wake_group(engine, freed.v[i]);
    }
}

/* Reads one shard anew; returns its leases. Tenants are read before lanes, so that lanes are never
 * older than the history that was compared. */
static enum err_code learn_shard(struct engine *engine, const struct seen_shard *seen,
                                 int64_t *out_inflight, struct err *err)
{
    struct arena arena;
    struct query_result tenants;
    struct query_result lanes;
    arena_init(&arena, WATCH_BYTES_MAX);
    enum err_code code = ask(engine, "tenants_of_shard", seen->shard, &arena, &tenants, err);
    if (code == ERR_OK) {
        code = ask(engine, "lanes_of_shard", seen->shard, &arena, &lanes, err);
    }
    if (code == ERR_OK) {
        for (size_t i = 0; i < tenants.rows; i++) {
            const struct tenant_row row = tenant_of(&tenants.values[i * tenants.columns]);
            directory_add(&engine->directory, (struct tenant_id){row.tenant}, row.shard, row.name);
        }
        struct map fresh = {0};
        mutex_take(&engine->lock);
        learn_tenants(engine, &tenants, &arena, &fresh);
        *out_inflight += learn_lanes(engine, seen->shard, &lanes, &fresh);
        struct shard_state *state = &engine->shards[seen->shard];
        state->stale = state->tick > seen->tick;
        if (!state->stale) {
            state->tick = seen->tick;
        }
        for (size_t i = 0; i < fresh.n; i++) {
            ask_wake(engine, fresh.entries[i].value);
        }
        park_hand_over(engine);
        mutex_give(&engine->lock);
    }
    arena_fini(&arena);
    return code;
}

/* Reads what tenants share, after their rows: so it is not older than what they say of it. */
static enum err_code learn_shares(struct engine *engine, struct err *err)
{
    struct arena arena;
    struct query_result system;
    struct query_result groups;
    struct query_result members;
    arena_init(&arena, WATCH_BYTES_MAX);
    struct query all_groups = {.name = "dump_quota_groups", .arena = &arena};
    struct query all_members = {.name = "dump_quota_members", .arena = &arena};
    enum err_code code = ask(engine, "tenants_of_shard", SHARD_SYSTEM, &arena, &system, err);
    if (code == ERR_OK) {
        code = reader_query(engine->watch_reader, &all_groups, &groups, err);
    }
    if (code == ERR_OK) {
        code = reader_query(engine->watch_reader, &all_members, &members, err);
    }
    if (code == ERR_OK) {
        mutex_take(&engine->lock);
        learn_shared_rows(engine, head_seq_of_system(&system), &groups, &members, &arena);
        park_hand_over(engine);
        mutex_give(&engine->lock);
    }
    arena_fini(&arena);
    return code;
}

/* Takes over the timers; true when the shard's tenants are to be read again. */
static bool see_shard(struct engine *engine, const struct seen_shard *seen)
{
    struct shard_state *state = &engine->shards[seen->shard];
    mutex_take(&engine->lock);
    const bool newer = seen->tick > state->tick;
    if (newer && !state->busy) {
        state->next_due_at = seen->next_due_at;
    }
    const bool again = newer || state->stale;
    mutex_give(&engine->lock);
    return again;
}

static enum err_code look(struct engine *engine, bool all, int64_t *out_inflight, struct err *err)
{
    struct seen_shard seen[SHARD_COUNT];
    size_t count = 0;
    struct arena arena;
    arena_init(&arena, (size_t)16 << 20);
    enum err_code code = read_shards(engine, &arena, seen, &count, err);
    arena_fini(&arena);
    bool any = false;
    for (size_t i = 0; i < count && code == ERR_OK; i++) {
        if (see_shard(engine, &seen[i]) || all) {
            any = true;
            code = learn_shard(engine, &seen[i], out_inflight, err);
        }
    }
    return code == ERR_OK && any ? learn_shares(engine, err) : code;
}

enum err_code watch_load(struct engine *engine, struct err *err)
{
    int64_t inflight = 0;
    TRY(look(engine, true, &inflight, err));
    if (inflight > 0) {
        /* Claims that were answered before this start may be repeated. */
        engine->look_up_claims_until = clock_mono().us + engine->config.look_up_us;
    }
    return ERR_OK;
}

/* Lock held: how long until the next look. Hints bring it on, but a look rests for WATCH_REST times
 * what it took: two busy nodes do not spend their time reading each other's shards. */
static int64_t time_to_look(const struct engine *engine, int64_t ended, int64_t took)
{
    const int64_t rest = WATCH_REST * took;
    const int64_t step =
        hints_are_urgent(engine) && rest < engine->config.look_us ? rest : engine->config.look_us;
    return ended + step - clock_mono().us;
}

void *watch_run(void *ctx)
{
    struct engine *engine = ctx;
    int64_t ended = clock_mono().us;
    int64_t took = 0;
    mutex_take(&engine->lock);
    while (engine->stage != NODE_STOPPED) {
        const int64_t left = time_to_look(engine, ended, took);
        if (left > 0) {
            wake_wait_for(&engine->watch, &engine->lock, left);
            continue;
        }
        engine->hints.heard = 0;
        const bool is_ready = engine->ready;
        mutex_give(&engine->lock);
        const int64_t began = clock_mono().us;
        int64_t inflight = 0;
        struct err err = {0};
        if (is_ready) {
            /* A failure is the committers' to notice; the next look tries again. */
            (void)look(engine, false, &inflight, &err);
        }
        ended = clock_mono().us;
        took = ended - began;
        mutex_take(&engine->lock);
    }
    mutex_give(&engine->lock);
    return NULL;
}
