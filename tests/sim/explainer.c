#include "sim/explainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/time.h"
#include "core/breaker.h"
#include "core/explain.h"
#include "core/tables.h"

enum { WATCHES_MAX = 512, TRY_EVERY = 25, MICRO = 1000000 };

/* A job that waits and was told not to start before a time. */
struct watch {
    int16_t shard;
    int32_t tenant;
    int64_t job;
    int64_t not_before;
    int64_t due_at;   /* What of that no operator takes back; 0 for nothing. */
    int64_t operated; /* When it was told. */
};

struct explainer {
    uint64_t random;
    int64_t steps;
    struct watch watches[WATCHES_MAX];
    size_t watch_count;
    int64_t lifted[EXPLAIN_GATES];
};

struct explainer *explainer_new(uint64_t seed)
{
    struct explainer *explainer = calloc(1, sizeof(*explainer));
    CHECK(explainer != NULL);
    explainer->random = seed;
    return explainer;
}

void explainer_free(struct explainer *explainer)
{
    free(explainer);
}

void explainer_print(const struct explainer *explainer)
{
    (void)printf("  explained and lifted:");
    for (int gate = 0; gate < EXPLAIN_GATES; gate++) {
        (void)printf(" %s %lld", explain_gate_name((enum explain_gate_id)gate),
                     (long long)explainer->lifted[gate]);
    }
    (void)printf("\n");
}

/* Its own numbers: looking must not change the world's. */
static uint64_t draw(struct explainer *explainer, uint64_t bound)
{
    explainer->random = explainer->random * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (explainer->random >> 33) % bound;
}

/* ---- A copy of the ledger ---- */

static struct memory_ledger *copy_of(const struct memory_ledger *ledger)
{
    struct memory_ledger *copy = calloc(1, sizeof(*copy));
    CHECK(copy != NULL);
    row_set_init(&copy->set);
    copy->seed = ledger->seed;
    copy->groups = ledger->groups;
    for (int table = 0; table < TABLE_COUNT; table++) {
        for (size_t i = 0; i < ledger->set.tables[table].n; i++) {
            (void)row_set_insert(&copy->set, ledger->set.tables[table].rows[i]);
        }
    }
    copy->history_count = ledger->history_count;
    for (size_t i = 0; i < ledger->history_count; i++) {
        copy->history[i].shard = ledger->history[i].shard;
        copy->history[i].tenant = ledger->history[i].tenant;
        copy->history[i].count = ledger->history[i].count;
        buf_init(&copy->history[i].lines, 1 << 24);
    }
    return copy;
}

/* A row of the copy by shard, tenant and number; to be changed in place. */
static struct row *row_of(struct memory_ledger *ledger, enum table_id table, int16_t shard,
                          int32_t tenant, int64_t key)
{
    const struct column *columns = table_get(table)->columns;
    const struct row_table *rows = &ledger->set.tables[table];
    for (size_t i = 0; i < rows->n; i++) {
        if (column_int(&columns[0], rows->rows[i]) == shard &&
            column_int(&columns[1], rows->rows[i]) == tenant &&
            (table == TABLE_TENANTS || column_int(&columns[2], rows->rows[i]) == key)) {
            return rows->rows[i];
        }
    }
    return NULL;
}

static struct row *row_named(struct memory_ledger *ledger, enum table_id table, int32_t tenant,
                             struct str name)
{
    const struct column *columns = table_get(table)->columns;
    const struct row_table *rows = &ledger->set.tables[table];
    for (size_t i = 0; i < rows->n; i++) {
        if (column_int(&columns[1], rows->rows[i]) == tenant &&
            str_eq(column_str(&columns[2], rows->rows[i]), name)) {
            return rows->rows[i];
        }
    }
    return NULL;
}

/* The row of the installation; made when nothing was said of it. */
static struct installation_row *installation_of(struct memory_ledger *ledger)
{
    const struct installation_row like = {
        .row = {.table = TABLE_INSTALLATION}, .shard = SHARD_SYSTEM, .tenant = TENANT_SYSTEM};
    if (row_set_find(&ledger->set, &like.row) == NULL) {
        (void)row_set_insert(&ledger->set, &like.row);
    }
    return (struct installation_row *)row_set_find(&ledger->set, &like.row);
}

/* Sets a member of a flat body. */
static struct str body_with(struct memory_ledger *ledger, struct str body, const char *member,
                            const char *value)
{
    struct arena *arena = &ledger->set.arena;
    const char *key = arena_cstr(arena, arena_format(arena, "\"%s\":", member));
    const char *text = arena_cstr(arena, body);
    const char *at = strstr(text, key);
    if (at == NULL) {
        return arena_format(arena, "{%s%s,%s", key, value, text + 1);
    }
    at += strlen(key);
    const char *end = at + strcspn(at, ",}");
    return arena_format(arena, "%.*s%s%s", (int)(at - text), text, value, end);
}

/* ---- Looking ---- */

/* One waiting job of a ledger. */
struct subject {
    int16_t shard;
    int32_t tenant;
    int64_t job;
    int64_t now;
    bool served;
};

struct look {
    struct arena arena;
    struct facts facts;
    struct explanation told;
};

static void look(struct look *out, struct memory_ledger *ledger, const struct subject *subject,
                 enum explain_depth depth)
{
    const struct explain_worker worker = {.serves = subject->served};
    const struct job_id job = {subject->job};
    arena_init(&out->arena, SIZE_MAX / 2);
    facts_init(&out->facts, &out->arena, ledger->seed, 0);
    out->facts.now = subject->now;
    struct tenant_facts *t =
        facts_tenant(&out->facts, subject->shard, (struct tenant_id){subject->tenant});
    while (!explain_want(&out->facts, t, job, depth)) {
        CHECK(out->facts.wants.total > 0);
        memory_ledger_load(ledger, &out->facts);
    }
    explain_job(&out->facts, t, job, depth, &worker, &out->told);
}

static void look_fini(struct look *look)
{
    facts_fini(&look->facts);
    arena_fini(&look->arena);
}

static void fail(const struct subject *subject, const struct explanation *told, const char *what)
{
    (void)fprintf(stderr, "\njob-%lld of tenant %d: %s\n", (long long)subject->job,
                  (int)subject->tenant, what);
    for (size_t i = 0; i < told->gate_count; i++) {
        const struct explain_gate *gate = &told->gates[i];
        (void)fprintf(stderr, "  %-12s %-16s free %s %lld\n", explain_gate_name(gate->id),
                      hold_name(gate->hold), gate->free.name == NULL ? "-" : gate->free.name,
                      (long long)gate->free.value);
    }
    abort();
}

/* ---- Making it harder ---- */

static void perturb(struct explainer *explainer, struct memory_ledger *ledger,
                    const struct subject *subject, const struct lane_row *lane)
{
    struct tenant_row *tenant =
        (struct tenant_row *)row_of(ledger, TABLE_TENANTS, subject->shard, subject->tenant, 0);
    struct job_type_row *type =
        (struct job_type_row *)row_named(ledger, TABLE_JOB_TYPES, TENANT_SYSTEM, lane->job_type);
    struct source_row *source =
        (struct source_row *)row_named(ledger, TABLE_SOURCES, subject->tenant, lane->source);
    if (draw(explainer, 4) == 0) {
        installation_of(ledger)->pause.since = subject->now;
    }
    if (draw(explainer, 3) == 0) {
        tenant->max_inflight = 1 + (int32_t)draw(explainer, 6);
    }
    if (draw(explainer, 3) == 0) {
        type->body = body_with(ledger, type->body, "max_inflight", "1");
    }
    if (source != NULL && draw(explainer, 3) == 0) {
        source->body = body_with(ledger, source->body, "enabled", "false");
    }
    struct throttle_row *bucket = (struct throttle_row *)row_named(
        ledger, TABLE_THROTTLES, subject->tenant, STR("slow.example.org"));
    if (bucket != NULL && draw(explainer, 3) == 0) {
        bucket->blocked_until = subject->now + 5 * US_PER_S;
    }
    if (bucket != NULL && draw(explainer, 3) == 0) {
        bucket->level_micro = 0;
        bucket->refilled_at = subject->now;
    }
    if (draw(explainer, 4) == 0) {
        struct lane_row *held = (struct lane_row *)row_of(ledger, TABLE_LANES, subject->shard,
                                                          subject->tenant, lane->lane);
        held->open_at = subject->now + 3 * US_PER_S;
        held->hold = HOLD_NO_TOKENS;
    }
}

/* ---- Lifting ---- */

/* Of every source of the host: the strictest counts. */
static void set_bursts(struct memory_ledger *ledger, const struct subject *subject, struct str host,
                       int64_t burst)
{
    const struct row_table *sources = &ledger->set.tables[TABLE_SOURCES];
    char number[24];
    (void)snprintf(number, sizeof(number), "%lld", (long long)burst);
    for (size_t i = 0; i < sources->n; i++) {
        struct source_row *source = (struct source_row *)sources->rows[i];
        if (source->tenant == subject->tenant &&
            memmem(source->body.ptr, source->body.len, host.ptr, host.len) != NULL) {
            source->body = body_with(ledger, source->body, "burst", number);
        }
    }
}

static void lift_tokens(struct memory_ledger *ledger, const struct subject *subject,
                        const struct explanation *told, int64_t tokens)
{
    struct throttle_row *bucket = (struct throttle_row *)row_named(
        ledger, TABLE_THROTTLES, subject->tenant, told->source->host);
    if (tokens > told->source->pace->burst) {
        set_bursts(ledger, subject, told->source->host, tokens);
    }
    if (bucket != NULL) {
        bucket->burst = tokens > bucket->burst ? tokens : bucket->burst;
        if (bucket->set_burst > 0 && bucket->set_burst < tokens) {
            bucket->set_burst = tokens; /* An operator's word goes before the source's. */
        }
        bucket->level_micro = tokens * MICRO;
        bucket->refilled_at = subject->now;
    }
}

/* Whoever has blocked it: an upstream, or an operator. */
static void lift_host(struct memory_ledger *ledger, const struct subject *subject,
                      const struct explanation *told, int64_t until)
{
    struct throttle_row *bucket = (struct throttle_row *)row_named(
        ledger, TABLE_THROTTLES, subject->tenant, told->source->host);
    bucket->blocked_until = until;
    if (bucket->set_block_until > until) {
        bucket->set_block_until = until;
    }
}

/* An operator says that its breakers hold nobody. */
static void lift_services(struct memory_ledger *ledger, const struct explanation *told)
{
    const struct row_table *breakers = &ledger->set.tables[TABLE_BREAKERS];
    (void)told;
    for (size_t i = 0; i < breakers->n; i++) {
        struct breaker_row *breaker = (struct breaker_row *)breakers->rows[i];
        breaker->mode = BREAKER_DISABLED;
        breaker->mode_until = 0;
    }
}

/* What the job waits for has happened: it is ready. */
static void lift_blocked(struct memory_ledger *ledger, const struct subject *subject)
{
    const struct blocked_row *blocked = (const struct blocked_row *)row_of(
        ledger, TABLE_BLOCKED, subject->shard, subject->tenant, subject->job);
    struct ready_row ready = {
        .row = {.table = TABLE_READY},
        .shard = subject->shard,
        .tenant = subject->tenant,
        .job = subject->job,
        .carry = blocked->carry,
        .eligible_at = subject->now,
    };
    struct lane_row *lane = (struct lane_row *)row_of(ledger, TABLE_LANES, subject->shard,
                                                      subject->tenant, ready.carry.lane);
    struct tenant_row *tenant =
        (struct tenant_row *)row_of(ledger, TABLE_TENANTS, subject->shard, subject->tenant, 0);
    lane->rank =
        lane->waiting == 0 || ready.carry.rank < lane->rank ? ready.carry.rank : lane->rank;
    lane->waiting++;
    tenant->waiting++;
    row_set_delete(&ledger->set, &blocked->row);
    (void)row_set_insert(&ledger->set, &ready.row);
}

static void run_due(struct memory_ledger *ledger, const struct world *world,
                    const struct subject *subject)
{
    for (int i = 0; i < 50; i++) {
        struct tick tick;
        struct command command = {
            .kind = COMMAND_DUE, .shard = subject->shard, .actor = STR("timer")};
        struct command *commands[] = {&command};
        tick_run(&tick, ledger, commands, 1, &world->limits, subject->now, TICK_COMMITS);
        tick_fini(&tick);
        if (!command.again) {
            return;
        }
    }
}

/* Slots enough, whichever of its bounds it was. */
static void lift_quota(struct memory_ledger *ledger, const struct subject *subject)
{
    struct quota_member_row *member = (struct quota_member_row *)row_of(
        ledger, TABLE_QUOTA_MEMBERS, SHARD_SYSTEM, TENANT_SYSTEM, subject->tenant);
    struct quota_group_row *group = (struct quota_group_row *)row_of(
        ledger, TABLE_QUOTA_GROUPS, SHARD_SYSTEM, TENANT_SYSTEM, member->quota_group);
    member->hard_max = QUOTA_ANY;
    member->borrow_limit = QUOTA_ANY;
    group->capacity = QUOTA_MOST;
}

static void lift(struct memory_ledger *ledger, const struct subject *subject,
                 const struct explanation *told, const struct explain_gate *gate)
{
    char number[24];
    struct row *row = NULL;
    (void)snprintf(number, sizeof(number), "%lld", (long long)gate->free.value);
    switch (gate->id) {
    case EXPLAIN_PAUSE: installation_of(ledger)->pause.since = 0; break;
    case EXPLAIN_SOURCE:
        row = row_named(ledger, TABLE_SOURCES, subject->tenant, told->source->name);
        ((struct source_row *)row)->body =
            body_with(ledger, ((struct source_row *)row)->body, "enabled", "true");
        break;
    case EXPLAIN_TENANT:
        row = row_of(ledger, TABLE_TENANTS, subject->shard, subject->tenant, 0);
        ((struct tenant_row *)row)->max_inflight = (int32_t)gate->free.value;
        break;
    case EXPLAIN_QUOTA: lift_quota(ledger, subject); break;
    case EXPLAIN_TYPE:
        row = row_named(ledger, TABLE_JOB_TYPES, TENANT_SYSTEM, told->lane->job_type);
        ((struct job_type_row *)row)->body =
            body_with(ledger, ((struct job_type_row *)row)->body, "max_inflight", number);
        break;
    case EXPLAIN_SERVICE: lift_services(ledger, told); break;
    case EXPLAIN_HOST: lift_host(ledger, subject, told, gate->free.value); break;
    case EXPLAIN_TOKENS: lift_tokens(ledger, subject, told, gate->free.value); break;
    case EXPLAIN_LANE:
        row = row_of(ledger, TABLE_LANES, subject->shard, subject->tenant, told->lane->lane);
        ((struct lane_row *)row)->open_at = 0;
        break;
    case EXPLAIN_RUN:
    case EXPLAIN_PREDECESSORS:
    case EXPLAIN_RELEASE:
    case EXPLAIN_TIME:
    case EXPLAIN_WORKER:
    case EXPLAIN_TURN:
    case EXPLAIN_GATES: break; /* Elsewhere. */
    }
}

static bool claim_starts(struct memory_ledger *ledger, const struct world *world,
                         const struct subject *subject, const struct explanation *told,
                         int64_t slots)
{
    struct tick tick;
    struct arena arena;
    bool started = false;
    if (slots == 0) {
        return false;
    }
    arena_init(&arena, 1 << 24);
    struct command command = {
        .kind = COMMAND_CLAIM,
        .shard = subject->shard,
        .tenant = {subject->tenant},
        .actor = STR("explainer"),
        .arena = &arena,
        .claim = {.worker = STR("explainer"),
                  .types = arena_format(&arena, "%.*s\n", STR_ARG(told->lane->job_type)),
                  .max = (int32_t)slots},
    };
    struct command *commands[] = {&command};
    tick_run(&tick, ledger, commands, 1, &world->limits, subject->now, TICK_COMMITS);
    for (size_t i = 0; i < command.claim.grants.n; i++) {
        started |= command.claim.grants.v[i].lease->job == subject->job;
    }
    tick_fini(&tick);
    arena_fini(&arena);
    return started;
}

static void make_due(struct memory_ledger *ledger, const struct world *world,
                     const struct subject *subject)
{
    struct delayed_row *delayed = (struct delayed_row *)row_of(
        ledger, TABLE_DELAYED, subject->shard, subject->tenant, subject->job);
    if (delayed != NULL) {
        delayed->due_at = subject->now;
        run_due(ledger, world, subject);
    }
}

/* Lifts every gate but `but` on a copy; true when a claim then starts the job. */
static bool starts_without(const struct world *world, const struct memory_ledger *ledger,
                           const struct subject *subject, const struct explanation *told,
                           const struct explain_gate *but)
{
    struct memory_ledger *copy = copy_of(ledger);
    bool may_wait = false; /* It stays where it is: not even in a lane. */
    bool is_served = true;
    int64_t slots = 0;
    for (size_t i = 0; i < told->gate_count; i++) {
        const struct explain_gate *gate = &told->gates[i];
        if (gate->id == EXPLAIN_TURN) {
            slots = gate->free.value - (gate == but);
        } else if (gate->id == EXPLAIN_WORKER && gate == but) {
            is_served = false;
        } else if (gate->id >= EXPLAIN_RUN && gate->id <= EXPLAIN_TIME && gate == but) {
            may_wait = true;
        } else if (gate != but && gate->free.name != NULL) {
            lift(copy, subject, told, gate);
        }
    }
    if (!may_wait && told->state == JOB_BLOCKED) {
        lift_blocked(copy, subject);
    } else if (!may_wait) {
        make_due(copy, world, subject);
    }
    const bool started = is_served && claim_starts(copy, world, subject, told, slots);
    memory_ledger_free(copy);
    return started;
}

static void try_frees(struct explainer *explainer, const struct world *world,
                      const struct memory_ledger *ledger, const struct subject *subject,
                      const struct explanation *told)
{
    if (!starts_without(world, ledger, subject, told, NULL)) {
        fail(subject, told, "it does not start although every gate was lifted");
    }
    for (size_t i = 0; i < told->gate_count; i++) {
        const struct explain_gate *gate = &told->gates[i];
        if (gate->hold != HOLD_NONE && gate->free.name == NULL) {
            fail(subject, told, "a gate refuses and nothing frees it");
        }
        if (gate->free.name == NULL) {
            continue;
        }
        explainer->lifted[gate->id]++;
        if (starts_without(world, ledger, subject, told, gate)) {
            fail(subject, told, explain_gate_name(gate->id));
        }
    }
}

/* ---- Steps ---- */

static bool pick(struct explainer *explainer, const struct world *world, struct subject *out)
{
    static const enum table_id tables[] = {TABLE_READY, TABLE_DELAYED, TABLE_BLOCKED, TABLE_READY};
    const struct row_table *rows = &world->ledger->set.tables[tables[draw(explainer, 4)]];
    if (rows->n == 0) {
        return false;
    }
    const struct row *row = rows->rows[draw(explainer, rows->n)];
    const struct column *columns = table_get((enum table_id)row->table)->columns;
    *out = (struct subject){
        .shard = (int16_t)column_int(&columns[0], row),
        .tenant = (int32_t)column_int(&columns[1], row),
        .job = column_int(&columns[2], row),
        .served = draw(explainer, 4) > 0,
    };
    const struct shard_row *shard =
        (const struct shard_row *)world->ledger->set.tables[TABLE_SHARDS].rows[out->shard];
    out->now = world->clock;
    /* After the clock stepped back, timers that are due for the shard wait for the clock: another
     * job would become ready together with this one. */
    return shard->last_at <= world->clock;
}

static void compare_hold(struct memory_ledger *ledger, const struct subject *subject,
                         const struct explanation *told)
{
    struct look brief;
    look(&brief, ledger, subject, EXPLAIN_HOLD);
    const struct explain_gate *first = explain_first(told);
    const struct explain_gate *hold = explain_first(&brief.told);
    CHECK(first != NULL);
    if (hold == NULL || hold->hold != first->hold || hold->not_before != first->not_before) {
        fail(subject, told, "the hold is not the first refusing gate");
    }
    look_fini(&brief);
}

static int64_t operated(const struct world *world, int32_t tenant)
{
    for (size_t i = 0; i < WORLD_TENANTS; i++) {
        if (world->tenants[i].v == tenant) {
            return world->operated[i];
        }
    }
    UNREACHABLE();
}

static void watch(struct explainer *explainer, const struct world *world,
                  const struct subject *subject, const struct explanation *told)
{
    if (told->not_before == 0 || explainer->watch_count == WATCHES_MAX) {
        return;
    }
    struct watch *seen = &explainer->watches[explainer->watch_count++];
    *seen = (struct watch){
        .shard = subject->shard,
        .tenant = subject->tenant,
        .job = subject->job,
        .not_before = told->not_before,
        .operated = operated(world, subject->tenant),
    };
    for (size_t i = 0; i < told->gate_count; i++) {
        seen->due_at = told->gates[i].id == EXPLAIN_TIME ? told->gates[i].not_before : seen->due_at;
    }
}

/* Who started, and not too early; who ended or was canceled is forgotten. */
static void check_watches(struct explainer *explainer, const struct world *world)
{
    for (size_t i = explainer->watch_count; i > 0; i--) {
        struct watch *seen = &explainer->watches[i - 1];
        const struct leased_row *lease = (const struct leased_row *)row_of(
            world->ledger, TABLE_LEASED, seen->shard, seen->tenant, seen->job);
        const bool waits =
            row_of(world->ledger, TABLE_BLOCKED, seen->shard, seen->tenant, seen->job) != NULL ||
            row_of(world->ledger, TABLE_READY, seen->shard, seen->tenant, seen->job) != NULL ||
            row_of(world->ledger, TABLE_DELAYED, seen->shard, seen->tenant, seen->job) != NULL;
        if (operated(world, seen->tenant) != seen->operated) {
            seen->not_before = seen->due_at;
        }
        CHECK(lease == NULL || lease->claimed_at >= seen->not_before);
        if (!waits) {
            *seen = explainer->watches[--explainer->watch_count];
        }
    }
}

void explainer_step(struct explainer *explainer, const struct world *world)
{
    struct subject subject;
    check_watches(explainer, world);
    if (explainer->steps++ % TRY_EVERY != 0 || !pick(explainer, world, &subject)) {
        return;
    }
    struct look plain;
    look(&plain, world->ledger, &subject, EXPLAIN_ALL);
    watch(explainer, world, &subject, &plain.told);
    compare_hold(world->ledger, &subject, &plain.told);
    try_frees(explainer, world, world->ledger, &subject, &plain.told);
    struct memory_ledger *harder = copy_of(world->ledger);
    perturb(explainer, harder, &subject, plain.told.lane);
    struct look hard;
    look(&hard, harder, &subject, EXPLAIN_ALL);
    compare_hold(harder, &subject, &hard.told);
    try_frees(explainer, world, harder, &subject, &hard.told);
    look_fini(&hard);
    memory_ledger_free(harder);
    look_fini(&plain);
}
