#include "lib/memory_ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/dispatch.h"
#include "core/tables.h"

enum { ROUNDS_MAX = 12, HISTORY_MAX = 512 * 1024 * 1024 };

struct memory_ledger *memory_ledger_new(void)
{
    struct memory_ledger *ledger = calloc(1, sizeof(*ledger));
    CHECK(ledger != NULL);
    row_set_init(&ledger->set);
    ledger->seed = (struct hash_key){{7, 11}};
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
        const struct shard_row row = {
            .row = {.table = TABLE_SHARDS}, .shard = shard, .next_due_at = INT64_MAX};
        (void)row_set_insert(&ledger->set, &row.row);
    }
    return ledger;
}

void memory_ledger_free(struct memory_ledger *ledger)
{
    row_set_fini(&ledger->set);
    for (size_t i = 0; i < ledger->history_count; i++) {
        buf_fini(&ledger->history[i].lines);
    }
    free(ledger);
}

/* ---- Answering wants ---- */

struct answer {
    struct memory_ledger *ledger;
    struct facts *facts;
    enum want_kind kind;
    const struct want *asked;
};

static void give(const struct answer *answer, const struct row *row)
{
    struct row *copy = row_copy(answer->facts->arena, row);
    copy->listed = false;
    facts_learn(answer->facts, answer->kind, answer->asked, copy);
}

/* A column's value by name. */
static int64_t number(const struct row *row, const char *name)
{
    const struct table *table = table_get((enum table_id)row->table);
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0) {
            return column_int(&table->columns[i], row);
        }
    }
    UNREACHABLE();
}

static struct str text(const struct row *row, const char *name)
{
    const struct table *table = table_get((enum table_id)row->table);
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0) {
            return column_str(&table->columns[i], row);
        }
    }
    UNREACHABLE();
}

/* Every table's key begins with shard, tenant. */
static bool of_tenant(const struct answer *answer, const struct row *row)
{
    const struct column *columns = table_get((enum table_id)row->table)->columns;
    return column_int(&columns[1], row) == answer->asked->tenant &&
           column_int(&columns[0], row) == answer->asked->shard;
}

/* Rows of the tenant whose column equals the number, and whose other column is above `after`. */
static void give_numbered(const struct answer *answer, enum table_id table, const char *column,
                          const char *above)
{
    const struct row_table *rows = &answer->ledger->set.tables[table];
    const int32_t limit = answer->asked->limit;
    int32_t given = 0;
    for (size_t i = 0; i < rows->n && (limit == 0 || given < limit); i++) {
        const struct row *row = rows->rows[i];
        if (of_tenant(answer, row) && (column == NULL || number(row, column) == answer->asked->a) &&
            (above == NULL || number(row, above) > answer->asked->b)) {
            give(answer, row);
            given++;
        }
    }
}

static void give_texts(const struct answer *answer, enum table_id table, const char *column,
                       const char *column2, bool busy)
{
    const struct row_table *rows = &answer->ledger->set.tables[table];
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = rows->rows[i];
        if (of_tenant(answer, row) && str_eq(text(row, column), answer->asked->text) &&
            (column2 == NULL || str_eq(text(row, column2), answer->asked->text2)) &&
            (!busy || number(row, "inflight") > 0)) {
            give(answer, row);
        }
    }
}

static void give_config_version(const struct answer *answer)
{
    const struct row_table *rows = &answer->ledger->set.tables[TABLE_CONFIG_VERSIONS];
    for (size_t i = 0; i < rows->n; i++) {
        const struct config_version_row *row = (const struct config_version_row *)rows->rows[i];
        if (of_tenant(answer, &row->row) && row->kind == answer->asked->a &&
            row->version == answer->asked->b && str_eq(row->name, answer->asked->text)) {
            give(answer, &row->row);
        }
    }
}

/* Those that are not active, or the first by name. */
static void give_workers(const struct answer *answer, bool held)
{
    const struct row_table *rows = &answer->ledger->set.tables[TABLE_WORKERS];
    int32_t given = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const struct worker_row *row = (const struct worker_row *)rows->rows[i];
        if (of_tenant(answer, &row->row) &&
            (held ? row->state != WORKER_ACTIVE : given < answer->asked->limit)) {
            give(answer, &row->row);
            given++;
        }
    }
}

static void give_job_keys(const struct answer *answer)
{
    const struct row_table *rows = &answer->ledger->set.tables[TABLE_JOB_KEYS];
    for (size_t i = 0; i < rows->n; i++) {
        const struct job_key_row *row = (const struct job_key_row *)rows->rows[i];
        if (of_tenant(answer, &row->row) && row->hash == answer->asked->a &&
            row->generation == answer->asked->b) {
            give(answer, &row->row);
        }
    }
}

static int by_rank(const void *a, const void *b)
{
    const struct lane_row *x = *(const struct lane_row *const *)a;
    const struct lane_row *y = *(const struct lane_row *const *)b;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    return (x->lane > y->lane) - (x->lane < y->lane);
}

static int by_turn(const void *a, const void *b)
{
    const struct ready_row *x = *(const struct ready_row *const *)a;
    const struct ready_row *y = *(const struct ready_row *const *)b;
    if (x->carry.rank != y->carry.rank) {
        return x->carry.rank < y->carry.rank ? -1 : 1;
    }
    return (x->job > y->job) - (x->job < y->job);
}

static void give_heads(const struct answer *answer, int32_t lane)
{
    const struct row_table *ready = &answer->ledger->set.tables[TABLE_READY];
    const struct ready_row **heads = calloc(ready->n + 1, sizeof(*heads));
    size_t count = 0;
    CHECK(heads != NULL);
    for (size_t i = 0; i < ready->n; i++) {
        const struct ready_row *row = (const struct ready_row *)ready->rows[i];
        if (of_tenant(answer, &row->row) && row->carry.lane == lane) {
            heads[count++] = row;
        }
    }
    qsort(heads, count, sizeof(*heads), by_turn);
    for (size_t i = 0; i < count && i < (size_t)answer->asked->limit; i++) {
        give(answer, &heads[i]->row);
    }
    free(heads);
}

static void give_open_lanes(const struct answer *answer)
{
    const struct row_table *lanes = &answer->ledger->set.tables[TABLE_LANES];
    const struct lane_row **open = calloc(lanes->n + 1, sizeof(*open));
    size_t count = 0;
    CHECK(open != NULL);
    for (size_t i = 0; i < lanes->n; i++) {
        const struct lane_row *lane = (const struct lane_row *)lanes->rows[i];
        if (of_tenant(answer, &lane->row) && lane->waiting > 0 &&
            lane->open_at <= answer->asked->a &&
            types_contain(answer->asked->text, lane->job_type)) {
            open[count++] = lane;
        }
    }
    qsort(open, count, sizeof(*open), by_rank);
    count = count > 64 ? 64 : count;
    for (size_t i = 0; i < count; i++) {
        give(answer, &open[i]->row);
    }
    for (size_t i = 0; i < count; i++) {
        give_heads(answer, open[i]->lane);
    }
    free(open);
}

static int by_due(const void *a, const void *b)
{
    const int64_t x = number(*(const struct row *const *)a, "due_at");
    const int64_t y = number(*(const struct row *const *)b, "due_at");
    return (x > y) - (x < y);
}

static int by_until(const void *a, const void *b)
{
    const struct throttle_row *x = *(const struct throttle_row *const *)a;
    const struct throttle_row *y = *(const struct throttle_row *const *)b;
    return x->set_until != y->set_until
               ? (x->set_until > y->set_until) - (x->set_until < y->set_until)
           : x->tenant != y->tenant ? (x->tenant > y->tenant) - (x->tenant < y->tenant)
                                    : str_cmp(x->host, y->host);
}

static void give_due(const struct answer *answer, enum table_id table)
{
    const struct row_table *rows = &answer->ledger->set.tables[table];
    const struct row **due = calloc(rows->n + 1, sizeof(*due));
    size_t count = 0;
    CHECK(due != NULL);
    for (size_t i = 0; i < rows->n; i++) {
        const bool is_due =
            table == TABLE_SETTLING ||
            number(rows->rows[i], table == TABLE_THROTTLES ? "set_until" : "due_at") > 0;
        if (number(rows->rows[i], "shard") == answer->asked->shard && is_due) {
            due[count++] = rows->rows[i];
        }
    }
    if (table != TABLE_SETTLING) {
        qsort(due, count, sizeof(*due), table == TABLE_THROTTLES ? by_until : by_due);
    }
    for (size_t i = 0; i < count && i < (size_t)answer->asked->limit; i++) {
        give(answer, due[i]);
    }
    free(due);
}

/* The row with key (shard, tenant, a): those are its first three columns. */
static void give_one(const struct answer *answer, enum table_id table)
{
    struct row *like = arena_alloc(answer->facts->arena, table_get(table)->row_size);
    const struct column *columns = table_get(table)->columns;
    like->table = (uint8_t)table;
    column_set_int(&columns[0], like, answer->asked->shard);
    column_set_int(&columns[1], like, answer->asked->tenant);
    column_set_int(&columns[2], like, answer->asked->a);
    const struct row *row = row_set_find(&answer->ledger->set, like);
    if (row != NULL) {
        give(answer, row);
    }
}

static int by_at(const void *a, const void *b)
{
    const struct request_key_row *x = *(const struct request_key_row *const *)a;
    const struct request_key_row *y = *(const struct request_key_row *const *)b;
    return x->at != y->at ? (x->at > y->at) - (x->at < y->at) : str_cmp(x->key, y->key);
}

static int by_end(const void *a, const void *b)
{
    const struct outcome_row *x = *(const struct outcome_row *const *)a;
    const struct outcome_row *y = *(const struct outcome_row *const *)b;
    return x->ended_at != y->ended_at ? (x->ended_at > y->ended_at) - (x->ended_at < y->ended_at)
                                      : (x->job > y->job) - (x->job < y->job);
}

static bool is_wanted(const struct answer *answer, const struct row *row)
{
    return of_tenant(answer, row) &&
           (answer->kind != WANT_BULKS_ACTIVE ||
            ((const struct bulk_action_row *)row)->due_at > 0) &&
           (answer->kind != WANT_LATE_OUTCOMES ||
            (((const struct outcome_row *)row)->carry.flags & JOB_LATE) != 0) &&
           (answer->kind != WANT_TEXTS ||
            (((const struct attempt_row *)row)->job == answer->asked->a &&
             ((const struct attempt_row *)row)->message.len > 0)) &&
           (answer->kind != WANT_JOBS_AFTER ||
            ((const struct job_row *)row)->job > answer->asked->b);
}

/* What retention asks for: the first of a table, in that order (null: by the key). */
static void give_first(const struct answer *answer, enum table_id table,
                       int (*order)(const void *a, const void *b))
{
    const struct row_table *rows = &answer->ledger->set.tables[table];
    const struct row **found = calloc(rows->n + 1, sizeof(*found));
    size_t count = 0;
    CHECK(found != NULL);
    for (size_t i = 0; i < rows->n; i++) {
        if (is_wanted(answer, rows->rows[i])) {
            found[count++] = rows->rows[i];
        }
    }
    if (order != NULL) {
        qsort(found, count, sizeof(*found), order);
    }
    for (size_t i = 0; i < count && i < (size_t)answer->asked->limit; i++) {
        give(answer, found[i]);
    }
    free(found);
}

static void give_all(const struct answer *answer, enum table_id table)
{
    give_numbered(answer, table, NULL, NULL);
}

/* Whose rows answer a want that asks for one by its number, or for those that are due. */
static const enum table_id plain[WANT_COUNT] = {
    [WANT_TOKEN] = TABLE_TOKENS,
    [WANT_QUOTA_GROUP] = TABLE_QUOTA_GROUPS,
    [WANT_QUOTA_MEMBER] = TABLE_QUOTA_MEMBERS,
    [WANT_LEASED] = TABLE_LEASED,
    [WANT_OUTCOME] = TABLE_OUTCOMES,
    [WANT_JOB] = TABLE_JOBS,
    [WANT_RUN] = TABLE_RUNS,
    [WANT_LANE] = TABLE_LANES,
    [WANT_SETTLING] = TABLE_SETTLING,
    [WANT_BULK] = TABLE_BULK_ACTIONS,
    [WANT_LOG_HEAD] = TABLE_LOG_HEADS,
    [WANT_DUE_LEASED] = TABLE_LEASED,
    [WANT_DUE_DELAYED] = TABLE_DELAYED,
    [WANT_DUE_DEADLINES] = TABLE_START_DEADLINES,
    [WANT_DUE_THROTTLES] = TABLE_THROTTLES,
    [WANT_DUE_BULKS] = TABLE_BULK_ACTIONS,
    [WANT_ALL_SETTLING] = TABLE_SETTLING,
};

static void answer_want(const struct answer *a)
{
    switch (a->kind) {
    case WANT_TENANT: give_all(a, TABLE_TENANTS); break;
    case WANT_CONFIG:
        give_all(a, TABLE_JOB_TYPES);
        give_all(a, TABLE_SOURCES);
        give_workers(a, true);
        give_all(a, TABLE_INSTALLATION);
        break;
    case WANT_INSTALLATION: give_all(a, TABLE_INSTALLATION); break;
    case WANT_CONFIG_VERSION: give_config_version(a); break;
    case WANT_WORKER: give_texts(a, TABLE_WORKERS, "name", NULL, false); break;
    case WANT_WORKERS: give_workers(a, false); break;
    case WANT_TENANT_NAME: give_texts(a, TABLE_TENANT_NAMES, "name", NULL, false); break;
    case WANT_QUOTA_GROUPS: give_first(a, TABLE_QUOTA_GROUPS, NULL); break;
    case WANT_QUOTA_MEMBERS: give_numbered(a, TABLE_QUOTA_MEMBERS, "quota_group", NULL); break;
    case WANT_WAITING:
        give_one(a, TABLE_BLOCKED);
        give_numbered(a, TABLE_READY, "job", NULL);
        give_one(a, TABLE_DELAYED);
        break;
    case WANT_JOB_KEY: give_job_keys(a); break;
    case WANT_RUN_KEY: give_texts(a, TABLE_RUN_KEYS, "key", NULL, false); break;
    case WANT_RUN_JOBS: give_numbered(a, TABLE_JOBS, "run", "job"); break;
    case WANT_EDGES_FROM: give_numbered(a, TABLE_DAG_EDGES, "pred", "succ"); break;
    case WANT_EDGES_TO: give_numbered(a, TABLE_DAG_EDGES, "succ", "pred"); break;
    case WANT_LANE_NAME: give_texts(a, TABLE_LANES, "job_type", "source", false); break;
    case WANT_OPEN_LANES: give_open_lanes(a); break;
    case WANT_LANE_HEADS: give_heads(a, (int32_t)a->asked->a); break;
    case WANT_SOURCE_LANES: give_texts(a, TABLE_LANES, "source", NULL, false); break;
    case WANT_BUSY_LANES: give_texts(a, TABLE_LANES, "job_type", NULL, true); break;
    case WANT_THROTTLE: give_texts(a, TABLE_THROTTLES, "host", NULL, false); break;
    case WANT_BREAKER: give_texts(a, TABLE_BREAKERS, "service", NULL, false); break;
    case WANT_BULK_PARTS: give_numbered(a, TABLE_BULK_PARTS, "bulk", "first"); break;
    case WANT_BULK_RUN: give_numbered(a, TABLE_JOBS, "run", "job"); break;
    case WANT_BULKS_ACTIVE:
    case WANT_OLD_BULKS: give_first(a, TABLE_BULK_ACTIONS, NULL); break;
    case WANT_REQUEST_KEY: give_texts(a, TABLE_REQUEST_KEYS, "key", NULL, false); break;
    case WANT_ATTEMPTS: give_numbered(a, TABLE_ATTEMPTS, "job", "grant"); break;
    case WANT_JOB_LOGS: give_numbered(a, TABLE_JOB_LOGS, "job", "grant"); break;
    case WANT_ARTIFACTS: give_numbered(a, TABLE_ARTIFACTS, "job", NULL); break;
    case WANT_OLD_JOB_KEYS: give_first(a, TABLE_JOB_KEYS, NULL); break;
    case WANT_OLD_REQUEST_KEYS: give_first(a, TABLE_REQUEST_KEYS, by_at); break;
    case WANT_JOBS_AFTER: give_first(a, TABLE_JOBS, NULL); break;
    case WANT_LATE_OUTCOMES: give_first(a, TABLE_OUTCOMES, by_end); break;
    case WANT_TEXTS: give_first(a, TABLE_ATTEMPTS, NULL); break;
    case WANT_TOKEN:
    case WANT_QUOTA_GROUP:
    case WANT_QUOTA_MEMBER:
    case WANT_LEASED:
    case WANT_OUTCOME:
    case WANT_JOB:
    case WANT_RUN:
    case WANT_LANE:
    case WANT_SETTLING:
    case WANT_BULK:
    case WANT_LOG_HEAD: give_one(a, plain[a->kind]); break;
    case WANT_DUE_LEASED:
    case WANT_DUE_DELAYED:
    case WANT_DUE_DEADLINES:
    case WANT_DUE_THROTTLES:
    case WANT_DUE_BULKS:
    case WANT_ALL_SETTLING: give_due(a, plain[a->kind]); break;
    case WANT_COUNT: UNREACHABLE();
    }
}

void memory_ledger_load(struct memory_ledger *ledger, struct facts *facts)
{
    const struct wants wants = facts->wants;
    for (int kind = 0; kind < WANT_COUNT; kind++) {
        for (size_t i = 0; i < wants.of[kind].n; i++) {
            const struct answer answer = {ledger, facts, (enum want_kind)kind,
                                          &wants.of[kind].v[i]};
            answer_want(&answer);
        }
    }
    facts_answered(facts);
}

/* ---- Committing ---- */

static struct memory_history *history_of(struct memory_ledger *ledger, const struct chunk *chunk)
{
    for (size_t i = 0; i < ledger->history_count; i++) {
        struct memory_history *history = &ledger->history[i];
        if (history->shard == chunk->shard && history->tenant == chunk->tenant) {
            return history;
        }
    }
    CHECK(ledger->history_count < MEMORY_TENANTS_MAX);
    struct memory_history *history = &ledger->history[ledger->history_count++];
    history->shard = chunk->shard;
    history->tenant = chunk->tenant;
    buf_init(&history->lines, HISTORY_MAX);
    return history;
}

void memory_ledger_commit(struct memory_ledger *ledger, const struct plan *plan,
                          struct facts *facts)
{
    for (int table = 0; table < TABLE_COUNT; table++) {
        for (size_t i = 0; i < plan->deletes[table].n; i++) {
            row_set_delete(&ledger->set, plan->deletes[table].v[i]);
        }
        for (size_t i = 0; i < plan->inserts[table].n; i++) {
            (void)row_set_insert(&ledger->set, plan->inserts[table].v[i]);
        }
        for (size_t i = 0; i < plan->updates[table].n; i++) {
            row_set_update(&ledger->set, plan->updates[table].v[i]);
        }
    }
    for (size_t i = 0; i < plan->chunks.n; i++) {
        struct memory_history *history = history_of(ledger, &plan->chunks.v[i]);
        CHECK(history->count + 1 == plan->chunks.v[i].seq); /* Dense. */
        buf_str(&history->lines, plan->chunks.v[i].lines);
        history->count += plan->chunks.v[i].count;
    }
    for (size_t i = 0; i < facts->fetch_jobs.n; i++) {
        const struct leased_row *lease = (const struct leased_row *)facts->fetch_jobs.v[i];
        const struct want asked = {.shard = lease->shard, .tenant = lease->tenant, .a = lease->job};
        const struct answer answer = {ledger, facts, WANT_JOB, &asked};
        give_one(&answer, TABLE_JOBS);
    }
    ledger->groups++;
}

/* ---- One tick ---- */

static void lock(struct tick *tick, struct memory_ledger *ledger, int16_t shard, int64_t clock)
{
    struct shard_row like = {.row = {.table = TABLE_SHARDS}, .shard = shard};
    struct shard_facts *s = facts_shard(&tick->facts, shard);
    if (s->row != NULL) {
        return;
    }
    const struct row *row = row_set_find(&ledger->set, &like.row);
    CHECK(row != NULL);
    facts_learn(&tick->facts, WANT_COUNT, NULL, row_copy(&tick->arena, row));
    s->row->last_at = clock > s->row->last_at ? clock : s->row->last_at;
    s->row->tick++;
    facts_change(&tick->facts, &s->row->row);
}

/* Asks until the command has all it needs. */
static void learn(struct tick *tick, struct memory_ledger *ledger, const struct command *command,
                  const struct limits *limits, int64_t clock)
{
    struct facts *facts = &tick->facts;
    facts->now = facts_shard(facts, command->shard)->row->last_at;
    for (int round = 0; !command_want(command, facts, limits); round++) {
        CHECK(round < ROUNDS_MAX && (facts->wants.total > 0 || facts->wants_shared));
        if (facts->wants_shared) {
            lock(tick, ledger, SHARD_SYSTEM, clock);
            facts->wants_shared = false;
        }
        memory_ledger_load(ledger, facts);
    }
}

void tick_run(struct tick *tick, struct memory_ledger *ledger, struct command **commands,
              size_t count, const struct limits *limits, int64_t clock, enum tick_fate fate)
{
    arena_init(&tick->arena, SIZE_MAX / 2);
    facts_init(&tick->facts, &tick->arena, ledger->seed, ledger->groups + 1);
    tick->facts.clock = clock;
    for (size_t i = 0; i < count; i++) {
        lock(tick, ledger, commands[i]->shard, clock);
    }
    for (size_t i = 0; i < count; i++) {
        learn(tick, ledger, commands[i], limits, clock);
    }
    for (size_t i = 0; i < count; i++) {
        learn(tick, ledger, commands[i], limits, clock); /* What was decided may ask for more. */
        command_decide(commands[i], &tick->facts, limits);
    }
    tick->plan = plan_from_facts(&tick->facts);
    if (fate == TICK_COMMITS) {
        memory_ledger_commit(ledger, &tick->plan, &tick->facts);
    }
}

void tick_fini(struct tick *tick)
{
    facts_fini(&tick->facts);
    arena_fini(&tick->arena);
}
