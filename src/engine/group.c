#include "engine/group.h"

#include <string.h>

#include "core/tables.h"
#include "platform/clock.h"
#include "platform/thread.h"

/* A working set holds at most the rows of some thousand jobs with their payloads. */
#define GROUP_BYTES_MAX ((size_t)2 << 30)

/* Rounds of asking before a decision; a program that needs more asks in circles. */
enum { ROUNDS_MAX = 32 };

void group_init(struct group *group, struct engine *engine)
{
    memset(group, 0, sizeof(*group));
    group->engine = engine;
    arena_init(&group->arena, GROUP_BYTES_MAX);
}

/* What the last run left behind; the tasks stay. */
static void clear(struct group *group)
{
    for (size_t i = 0; i < group->pins.n; i++) {
        config_cache_unpin(&group->engine->configs, group->pins.v[i]);
    }
    for (size_t i = 0; i < group->kept_jobs.n; i++) {
        job_cache_free(group->kept_jobs.v[i]);
    }
    facts_fini(&group->facts);
    memset(&group->facts, 0, sizeof(group->facts));
    memset(&group->pins, 0, sizeof(group->pins));
    memset(&group->kept_jobs, 0, sizeof(group->kept_jobs));
    memset(&group->befores, 0, sizeof(group->befores));
    memset(&group->freed, 0, sizeof(group->freed));
    arena_reset(&group->arena);
}

void group_fini(struct group *group)
{
    clear(group);
    arena_fini(&group->arena);
}

/* ---- Asking ---- */

/* Wants of a claim that is answered with the leases it was given before. */
static bool want_repeats(struct group *group, const struct claim_ask *ask)
{
    struct facts *facts = &group->facts;
    struct tenant_facts *t = facts_tenant(facts, ask->command.shard, ask->command.tenant);
    bool known = true;
    for (size_t i = 0; i < ask->repeat_count; i++) {
        known &= want(facts, t, WANT_LEASED, ask->repeats[i].job.v);
        known &= want(facts, t, WANT_JOB, ask->repeats[i].job.v);
        known &= want(facts, t, WANT_LANE, ask->repeats[i].lane);
    }
    return known;
}

static struct claim_ask *ask_of(const struct task *task)
{
    return (struct claim_ask *)((char *)task - offsetof(struct claim_ask, task));
}

static bool want_task(struct group *group, const struct task *task)
{
    bool known = command_want(task->command, &group->facts, &group->engine->config.limits);
    if (task->claiming != NULL && ask_of(task)->repeat_count > 0) {
        known &= want_repeats(group, ask_of(task));
    }
    return known;
}

/* Claims of one tenant and the same types share one answer: it must have heads for all of them,
 * spread over the lanes that are open. */
static void want_heads(struct group *group, const struct tick *tick)
{
    enum { LANE_SHARE_LEAST = 16, HEADS_MOST = 2 * CLAIM_MAX };

    for (const struct task *task = tick->tasks[PHASE_CONTROL].first; task != NULL;
         task = task->next) {
        if (task->claiming == NULL) {
            continue;
        }
        const struct command *command = task->command;
        int64_t jobs = 0;
        for (const struct task *other = task; other != NULL; other = other->next) {
            if (other->claiming != NULL && other->command->tenant.v == command->tenant.v &&
                str_eq(other->command->claim.types, command->claim.types)) {
                jobs += other->command->claim.max;
            }
        }
        const int64_t lanes = ask_of(task)->offer.lanes;
        int64_t heads = lanes > 1 ? 2 * jobs / lanes : jobs;
        heads = heads < LANE_SHARE_LEAST ? LANE_SHARE_LEAST : heads;
        heads = heads > jobs ? jobs : heads;
        heads = heads < HEADS_LEAST ? HEADS_LEAST : heads > HEADS_MOST ? HEADS_MOST : heads;
        struct tenant_facts *t = facts_tenant(&group->facts, command->shard, command->tenant);
        (void)want_open_lanes(&group->facts, t, command->claim.types, group->facts.now,
                              (int32_t)heads);
    }
}

/* All tasks ask, each with its shard's time. True when all have what they need. */
static bool want_all(struct group *group, bool first)
{
    bool known = true;
    for (size_t i = 0; i < group->shard_count; i++) {
        struct tick *tick = &group->ticks[group->shards[i]];
        group->facts.now = tick->now;
        if (first) {
            want_heads(group, tick);
        }
        for (int phase = 0; phase < PHASE_COUNT; phase++) {
            for (const struct task *task = tick->tasks[phase].first; task != NULL;
                 task = task->next) {
                known &= want_task(group, task);
            }
        }
    }
    return known;
}

static struct row_span rows_of(struct group *group, const struct tenant_facts *t)
{
    const struct map *types = &t->by_text[TABLE_JOB_TYPES];
    const struct map *sources = &t->by_text[TABLE_SOURCES];
    const struct map *workers = &t->by_text[TABLE_WORKERS];
    const struct map *installation = &t->by_key[TABLE_INSTALLATION];
    struct row **rows = arena_array(&group->arena, struct row *,
                                    types->n + sources->n + workers->n + installation->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < types->n; i++) {
        rows[n++] = types->entries[i].value;
    }
    for (size_t i = 0; i < sources->n; i++) {
        rows[n++] = sources->entries[i].value;
    }
    for (size_t i = 0; i < workers->n; i++) {
        rows[n++] = workers->entries[i].value;
    }
    for (size_t i = 0; i < installation->n; i++) {
        rows[n++] = installation->entries[i].value;
    }
    return (struct row_span){rows, n};
}

/* Gives tenants their configuration from the cache, or puts there what was just loaded. Called
 * before the first decision only: later the rows are no longer as committed. */
static void set_configs(struct group *group)
{
    struct facts *facts = &group->facts;
    struct config_cache *cache = &group->engine->configs;
    const struct tenant_facts *system = map_find(&facts->tenants, TENANT_SYSTEM);
    if (system == NULL || system->row == NULL) {
        return;
    }
    const int32_t system_version = system->row->config_version;
    for (size_t i = 0; i < facts->tenants.n; i++) {
        struct tenant_facts *t = facts->tenants.entries[i].value;
        if (t->row == NULL || t->config != NULL) {
            continue;
        }
        const int32_t version = t->row->config_version;
        struct config_entry *entry = config_cache_get(cache, t->id, version, system_version);
        if (entry == NULL && t->config_known && system->config_known) {
            const struct row_span none = {NULL, 0};
            entry =
                config_cache_put(cache, t->id, rows_of(group, system),
                                 t == system ? none : rows_of(group, t), version, system_version);
        }
        if (entry != NULL) {
            t->config = entry->config;
            VEC_PUSH(&group->arena, &group->pins, entry);
        }
    }
}

static enum err_code load(struct group *group, struct err *err)
{
    group->loads++;
    const enum err_code code = ledger_load(group->ledger, &group->facts, err);
    group->open = code == ERR_OK;
    return code;
}

static enum err_code load_all(struct group *group, struct err *err)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        set_configs(group);
        if (want_all(group, false)) {
            return ERR_OK;
        }
        if (group->facts.wants_shared) {
            return ERR_CONFLICT;
        }
        CHECK(group->facts.wants.total > 0);
        TRY(load(group, err));
    }
    UNREACHABLE();
}

/* ---- Deciding ---- */

/* The leases that the same claim was given before and still holds. */
static void decide_repeats(struct group *group, struct claim_ask *ask)
{
    struct facts *facts = &group->facts;
    struct command *command = &ask->command;
    const struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    for (size_t i = 0; i < ask->repeat_count; i++) {
        const struct leased_row *lease =
            (const struct leased_row *)facts_find(t, TABLE_LEASED, ask->repeats[i].job.v);
        const struct lane_row *lane =
            (const struct lane_row *)facts_find(t, TABLE_LANES, ask->repeats[i].lane);
        const struct job_row *job =
            (const struct job_row *)facts_find(t, TABLE_JOBS, ask->repeats[i].job.v);
        if (lease == NULL || lane == NULL || job == NULL || lease->claim != command->claim.claim ||
            !str_eq(lease->worker, command->claim.worker) || t->config == NULL ||
            !config_grant_holds(t->config, lease->carry.grant)) {
            continue;
        }
        const struct job_type *type = config_job_type(t->config, lane->job_type);
        if (type != NULL) {
            VEC_PUSH(
                &group->arena, &command->claim.grants,
                ((struct lease_grant){.lease = lease,
                                      .job = job,
                                      .lane = lane,
                                      .type = type,
                                      .source = lane->source.len == 0
                                                    ? NULL
                                                    : config_source(t->config, lane->source)}));
        }
    }
}

static enum err_code decide_task(struct group *group, struct task *task, struct err *err)
{
    struct command *command = task->command;
    VEC_PUSH(&group->arena, &group->befores, ((struct before){command, *command}));
    command->floor = group->floor;
    command->quota_floors = group->quota_floors;
    if (task->claiming != NULL || task->request == NULL) {
        command->arena = &group->arena;
    }
    for (int round = 0; !want_task(group, task); round++) {
        /* What was decided before it in this tick made it need more. */
        if (group->facts.wants_shared) {
            return ERR_CONFLICT;
        }
        CHECK(round < ROUNDS_MAX && group->facts.wants.total > 0);
        TRY(load(group, err));
    }
    if (task->claiming != NULL && ask_of(task)->repeat_count > 0) {
        decide_repeats(group, ask_of(task));
    } else {
        command_decide(command, &group->facts, &group->engine->config.limits);
    }
    return ERR_OK;
}

static enum err_code decide_shard(struct group *group, int16_t shard, struct err *err)
{
    struct tick *tick = &group->ticks[shard];
    group->facts.now = tick->now;
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        for (struct task *task = tick->tasks[phase].first; task != NULL; task = task->next) {
            TRY(decide_task(group, task, err));
        }
    }
    return ERR_OK;
}

static struct shard_row *shard_row_of(struct group *group, int16_t shard)
{
    struct shard_row *row = facts_shard(&group->facts, shard)->row;
    CHECK(row != NULL);
    return row;
}

static enum err_code decide_all(struct group *group, struct err *err)
{
    for (size_t i = 0; i < group->shard_count; i++) {
        struct shard_row *row = shard_row_of(group, group->shards[i]);
        row->tick++;
        row->last_at = group->ticks[group->shards[i]].now;
    }
    for (size_t i = 0; i < group->shard_count; i++) {
        TRY(decide_shard(group, group->shards[i], err));
    }
    return ERR_OK;
}

/* ---- Running ---- */

/* A tick that only looked (an empty claim, timers that were not due) is not written. */
static bool has_changes(const struct group *group)
{
    for (int table = 0; table < TABLE_COUNT; table++) {
        if (group->facts.touched[table].n > 0) {
            return true;
        }
    }
    return false;
}

/* The jobs rows that the answers need, as far as this node kept them; the ledger gives the others. */
static void use_kept_jobs(struct group *group)
{
    struct facts *facts = &group->facts;
    for (size_t i = 0; i < facts->fetch_jobs.n; i++) {
        const struct leased_row *lease = (const struct leased_row *)facts->fetch_jobs.v[i];
        struct job_row *row =
            job_cache_take(&group->engine->jobs, lease->tenant, lease->job, lease->carry.rank);
        if (row != NULL) {
            VEC_PUSH(&group->arena, &group->kept_jobs, row);
            facts_index(facts, facts_tenant(facts, lease->shard, (struct tenant_id){lease->tenant}),
                        &row->row);
        }
    }
}

static enum err_code commit(struct group *group, struct err *err)
{
    if (!has_changes(group) && group->facts.fetch_jobs.n == 0) {
        ledger_rollback(group->ledger);
        return ERR_OK;
    }
    for (size_t i = 0; i < group->shard_count; i++) {
        facts_change(&group->facts, &shard_row_of(group, group->shards[i])->row);
    }
    use_kept_jobs(group);
    const struct plan plan = plan_from_facts(&group->facts);
    group->written = true;
    return ledger_commit(group->ledger, &plan, &group->facts, err);
}

/* Lock held. So that the keys of submits are asked for together with the tenants' rows. */
static void remember_generations(struct group *group)
{
    for (size_t i = 0; i < group->shard_count; i++) {
        const struct task *task = group->ticks[group->shards[i]].tasks[PHASE_SUBMITS].first;
        for (; task != NULL; task = task->next) {
            const struct command *command = task->command;
            const struct tenant_summary *known =
                summary_tenant(&group->engine->summary, command->shard, command->tenant);
            struct tenant_facts *t = facts_tenant(&group->facts, command->shard, command->tenant);
            t->key_oldest = known->key_oldest;
            t->key_newest = known->key_newest;
        }
    }
}

static enum err_code begin(struct group *group, struct err *err)
{
    struct engine *engine = group->engine;
    group->written = false;
    group->loads = 0;
    facts_init(&group->facts, &group->arena, engine->seed, group->id);
    const int64_t expected = clock_wall().us + group->clock_offset;
    for (size_t i = 0; i < group->shard_count; i++) {
        group->ticks[group->shards[i]].now = expected;
    }
    mutex_take(&engine->lock);
    remember_generations(group);
    mutex_give(&engine->lock);
    (void)want_all(group, true);
    TRY(ledger_begin(group->ledger, group->shards, group->shard_count, &group->facts, err));
    group->open = true;
    group->facts.wants_shared = false; /* Asked before any lock was held; asked again if need be. */
    mutex_take(&engine->lock);
    node_see_clock(engine, group->facts.clock);
    group->ready_since = engine->ready_since;
    mutex_give(&engine->lock);
    for (size_t i = 0; i < group->shard_count; i++) {
        const int16_t shard = group->shards[i];
        group->ticks[shard].now =
            tick_time(group, &engine->shards[shard], shard_row_of(group, shard));
    }
    return ERR_OK;
}

static enum err_code decide(struct group *group, struct err *err)
{
    TRY(load_all(group, err));
    return decide_all(group, err);
}

/* Up to the commit; the transaction is open when it went well. */
static enum err_code prepare(struct group *group, struct err *err)
{
    clear(group);
    TRY(begin(group, err));
    const enum err_code code = decide(group, err);
    if (code != ERR_OK) {
        if (group->open) {
            ledger_rollback(group->ledger);
        }
        group_restore(group);
    }
    return code;
}

enum err_code group_run(struct group *group, struct err *err)
{
    enum err_code code = prepare(group, err);
    if (code != ERR_OK && group->facts.wants_shared) {
        group_take_shared(group);
        code = prepare(group, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    group->open = false;
    const enum err_code committed = commit(group, err);
    if (committed != ERR_OK && committed != ERR_COMMIT_UNKNOWN) {
        group_restore(group);
    }
    return committed;
}

enum err_code group_reload(struct group *group, struct err *err)
{
    struct facts facts;
    facts_init(&facts, &group->arena, group->engine->seed, group->id);
    for (size_t i = 0; i < group->facts.fetch_jobs.n; i++) {
        const struct leased_row *lease = (const struct leased_row *)group->facts.fetch_jobs.v[i];
        struct tenant_facts *t =
            facts_tenant(&facts, lease->shard, (struct tenant_id){lease->tenant});
        (void)want(&facts, t, WANT_JOB, lease->job);
    }
    if (facts.wants.total == 0) {
        return ERR_OK;
    }
    TRY(ledger_begin(group->ledger, group->shards, group->shard_count, &facts, err));
    ledger_rollback(group->ledger);
    for (size_t i = 0; i < facts.tenants.n; i++) {
        const struct tenant_facts *from = facts.tenants.entries[i].value;
        struct tenant_facts *to = facts_tenant(&group->facts, from->shard, from->id);
        for (size_t k = 0; k < from->by_key[TABLE_JOBS].n; k++) {
            struct row *row = from->by_key[TABLE_JOBS].entries[k].value;
            facts_index(&group->facts, to, row);
        }
    }
    facts_fini(&facts);
    return ERR_OK;
}

void group_restore(struct group *group)
{
    for (size_t i = group->befores.n; i > 0; i--) {
        *group->befores.v[i - 1].command = group->befores.v[i - 1].was;
    }
    group->befores.n = 0;
}
