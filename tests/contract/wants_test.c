/* Every want kind against a naive twin: a filter, an order and a limit over all rows. */
#include <string.h>

#include "contract/suite.h"
#include "contract/world.h"

/* ---- The twin ---- */

static bool type_is_listed(struct str list, struct str type)
{
    struct str part;
    while (str_split(&list, '\n', &part)) {
        if (str_eq(part, type)) {
            return true;
        }
    }
    return false;
}

static bool row_matches(enum want_kind kind, const struct want *want, const struct row *row)
{
    switch (kind) {
    case WANT_TENANT:
    case WANT_WORKERS:
    case WANT_INSTALLATION:
    case WANT_QUOTA_GROUPS:
    case WANT_OLD_JOB_KEYS:
    case WANT_OLD_REQUEST_KEYS:
    case WANT_DUE_LEASED:
    case WANT_DUE_DELAYED:
    case WANT_DUE_DEADLINES:
    case WANT_OLD_BULKS:
    case WANT_ALL_SETTLING: return true;
    case WANT_DUE_THROTTLES: return row_int(row, "set_until") > 0;
    case WANT_BULK: return row_int(row, "bulk") == want->a;
    case WANT_BULK_PARTS: return row_int(row, "bulk") == want->a && row_int(row, "first") > want->b;
    case WANT_BULKS_ACTIVE:
    case WANT_DUE_BULKS: return row_int(row, "due_at") > 0;
    case WANT_CONFIG: return row->table != TABLE_WORKERS || row_int(row, "state") != 0;
    case WANT_CONFIG_VERSION:
        return row_int(row, "kind") == want->a && row_int(row, "version") == want->b &&
               str_eq(row_text(row, "name"), want->text);
    case WANT_WORKER:
    case WANT_TENANT_NAME: return str_eq(row_text(row, "name"), want->text);
    case WANT_TOKEN: return row_int(row, "token") == want->a;
    case WANT_QUOTA_MEMBERS:
    case WANT_QUOTA_GROUP: return row_int(row, "quota_group") == want->a;
    case WANT_QUOTA_MEMBER: return row_int(row, "member") == want->a;
    case WANT_LEASED:
    case WANT_OUTCOME:
    case WANT_JOB:
    case WANT_ARTIFACTS:
    case WANT_LOG_HEAD:
    case WANT_WAITING: return row_int(row, "job") == want->a;
    case WANT_JOB_KEY:
        return row_int(row, "hash") == want->a && row_int(row, "generation") == want->b;
    case WANT_RUN: return row_int(row, "run") == want->a;
    case WANT_RUN_KEY:
    case WANT_REQUEST_KEY: return str_eq(row_text(row, "key"), want->text);
    case WANT_BULK_RUN:
    case WANT_RUN_JOBS: return row_int(row, "run") == want->a && row_int(row, "job") > want->b;
    case WANT_EDGES_FROM: return row_int(row, "pred") == want->a && row_int(row, "succ") > want->b;
    case WANT_EDGES_TO: return row_int(row, "succ") == want->a && row_int(row, "pred") > want->b;
    case WANT_LANE: return row_int(row, "lane") == want->a;
    case WANT_LANE_NAME:
        return str_eq(row_text(row, "job_type"), want->text) &&
               str_eq(row_text(row, "source"), want->text2);
    case WANT_OPEN_LANES:
        return row_int(row, "waiting") > 0 && row_int(row, "open_at") <= want->a &&
               type_is_listed(want->text, row_text(row, "job_type"));
    case WANT_BUSY_LANES:
        return row_int(row, "inflight") > 0 && str_eq(row_text(row, "job_type"), want->text);
    case WANT_LANE_HEADS: return row_int(row, "lane") == want->a;
    case WANT_SOURCE_LANES: return str_eq(row_text(row, "source"), want->text);
    case WANT_JOB_LOGS:
    case WANT_ATTEMPTS: return row_int(row, "job") == want->a && row_int(row, "grant") > want->b;
    case WANT_THROTTLE: return str_eq(row_text(row, "host"), want->text);
    case WANT_BREAKER: return str_eq(row_text(row, "service"), want->text);
    case WANT_SETTLING: return row_int(row, "pred") == want->a;
    case WANT_JOBS_AFTER: return row_int(row, "job") > want->b;
    case WANT_LATE_OUTCOMES: return (row_int(row, "flags") & JOB_LATE) != 0;
    case WANT_TEXTS: return row_int(row, "job") == want->a && row_text(row, "message").len > 0;
    case WANT_COUNT: break;
    }
    return false;
}

static const char *const by_job[] = {"job", NULL};
static const char *const by_at[] = {"at", "key", NULL};
static const char *const by_end[] = {"ended_at", "job", NULL};
static const char *const by_succ[] = {"succ", NULL};
static const char *const by_pred[] = {"pred", NULL};
static const char *const by_rank[] = {"rank", "lane", NULL};
static const char *const by_head[] = {"rank", "job", NULL};
static const char *const by_due[] = {"due_at", "tenant", "job", NULL};
static const char *const by_until[] = {"set_until", "tenant", "host", NULL};
static const char *const by_first[] = {"first", NULL};
static const char *const by_bulk[] = {"bulk", NULL};
static const char *const by_turn[] = {"due_at", "tenant", "bulk", NULL};
static const char *const by_tenant_pred[] = {"tenant", "pred", NULL};

static const struct {
    enum want_kind kind;
    bool of_shard;
    bool has_limit;
    const char *const *order; /* Null: the primary key. */
    enum table_id tables[5];  /* Ended by TABLE_SHARDS, which answers no want. */
} specs[] = {
    {WANT_TENANT, false, false, NULL, {TABLE_TENANTS}},
    {WANT_CONFIG,
     false,
     false,
     NULL,
     {TABLE_JOB_TYPES, TABLE_SOURCES, TABLE_WORKERS, TABLE_INSTALLATION}},
    {WANT_CONFIG_VERSION, false, false, NULL, {TABLE_CONFIG_VERSIONS}},
    {WANT_WORKER, false, false, NULL, {TABLE_WORKERS}},
    {WANT_WORKERS, false, true, NULL, {TABLE_WORKERS}},
    {WANT_INSTALLATION, false, false, NULL, {TABLE_INSTALLATION}},
    {WANT_TENANT_NAME, false, false, NULL, {TABLE_TENANT_NAMES}},
    {WANT_TOKEN, false, false, NULL, {TABLE_TOKENS}},
    {WANT_QUOTA_GROUP, false, false, NULL, {TABLE_QUOTA_GROUPS}},
    {WANT_QUOTA_GROUPS, false, true, NULL, {TABLE_QUOTA_GROUPS}},
    {WANT_QUOTA_MEMBER, false, false, NULL, {TABLE_QUOTA_MEMBERS}},
    {WANT_QUOTA_MEMBERS, false, true, NULL, {TABLE_QUOTA_MEMBERS}},
    {WANT_LEASED, false, false, NULL, {TABLE_LEASED}},
    {WANT_OUTCOME, false, false, NULL, {TABLE_OUTCOMES}},
    {WANT_JOB, false, false, NULL, {TABLE_JOBS}},
    {WANT_WAITING, false, false, NULL, {TABLE_BLOCKED, TABLE_READY, TABLE_DELAYED}},
    {WANT_JOB_KEY, false, false, by_job, {TABLE_JOB_KEYS}},
    {WANT_RUN, false, false, NULL, {TABLE_RUNS}},
    {WANT_RUN_KEY, false, false, NULL, {TABLE_RUN_KEYS}},
    {WANT_RUN_JOBS, false, true, by_job, {TABLE_JOBS}},
    {WANT_EDGES_FROM, false, true, by_succ, {TABLE_DAG_EDGES}},
    {WANT_EDGES_TO, false, true, by_pred, {TABLE_DAG_EDGES}},
    {WANT_LANE, false, false, NULL, {TABLE_LANES}},
    {WANT_LANE_NAME, false, false, NULL, {TABLE_LANES}},
    {WANT_BUSY_LANES, false, false, NULL, {TABLE_LANES}},
    {WANT_LANE_HEADS, false, true, by_head, {TABLE_READY}},
    {WANT_SOURCE_LANES, false, false, NULL, {TABLE_LANES}},
    {WANT_ATTEMPTS, false, true, NULL, {TABLE_ATTEMPTS}},
    {WANT_THROTTLE, false, false, NULL, {TABLE_THROTTLES}},
    {WANT_BREAKER, false, false, NULL, {TABLE_BREAKERS}},
    {WANT_SETTLING, false, false, NULL, {TABLE_SETTLING}},
    {WANT_BULK, false, false, NULL, {TABLE_BULK_ACTIONS}},
    {WANT_BULK_PARTS, false, true, by_first, {TABLE_BULK_PARTS}},
    {WANT_BULK_RUN, false, true, by_job, {TABLE_JOBS}},
    {WANT_BULKS_ACTIVE, false, true, by_bulk, {TABLE_BULK_ACTIONS}},
    {WANT_REQUEST_KEY, false, false, NULL, {TABLE_REQUEST_KEYS}},
    {WANT_ARTIFACTS, false, false, NULL, {TABLE_ARTIFACTS}},
    {WANT_LOG_HEAD, false, false, NULL, {TABLE_LOG_HEADS}},
    {WANT_JOB_LOGS, false, true, NULL, {TABLE_JOB_LOGS}},
    {WANT_OLD_JOB_KEYS, false, true, NULL, {TABLE_JOB_KEYS}},
    {WANT_OLD_REQUEST_KEYS, false, true, by_at, {TABLE_REQUEST_KEYS}},
    {WANT_JOBS_AFTER, false, true, NULL, {TABLE_JOBS}},
    {WANT_LATE_OUTCOMES, false, true, by_end, {TABLE_OUTCOMES}},
    {WANT_TEXTS, false, true, NULL, {TABLE_ATTEMPTS}},
    {WANT_OLD_BULKS, false, true, by_bulk, {TABLE_BULK_ACTIONS}},
    {WANT_DUE_LEASED, true, true, by_due, {TABLE_LEASED}},
    {WANT_DUE_DELAYED, true, true, by_due, {TABLE_DELAYED}},
    {WANT_DUE_DEADLINES, true, true, by_due, {TABLE_START_DEADLINES}},
    {WANT_DUE_THROTTLES, true, true, by_until, {TABLE_THROTTLES}},
    {WANT_DUE_BULKS, true, true, by_turn, {TABLE_BULK_ACTIONS}},
    {WANT_ALL_SETTLING, true, true, by_tenant_pred, {TABLE_SETTLING}},
};

enum { SPECS = sizeof(specs) / sizeof(specs[0]) };

static row_list select_rows(struct rig *rig, const row_list *rows, enum want_kind kind,
                            const struct want *want, bool of_shard, const char *const *order,
                            size_t limit)
{
    row_list chosen = {0};
    for (size_t i = 0; i < rows->n; i++) {
        struct row *row = rows->v[i];
        if (row_int(row, "shard") == want->shard &&
            (of_shard || row_int(row, "tenant") == want->tenant) && row_matches(kind, want, row)) {
            VEC_PUSH(&rig->arena, &chosen, row);
        }
    }
    rows_sort(&chosen, order);
    if (chosen.n > limit) {
        chosen.n = limit;
    }
    return chosen;
}

/* ---- Asking ---- */

static row_list learned; /* What the last ask() told. */

static void assert_lists_equal(const row_list *found, const row_list *expected)
{
    assert_int_equal(found->n, expected->n);
    for (size_t i = 0; i < found->n; i++) {
        assert_rows_equal(found->v[i], expected->v[i]);
    }
}

/* A snapshot answers as the tick did. */
static void ask_snapshot(struct rig *rig, enum want_kind kind, const struct want *want)
{
    struct facts facts;
    const bool of_shard = kind >= WANT_DUE_LEASED;
    facts_init(&facts, &rig->arena, (struct hash_key){{0, 0}}, 0);
    const struct tenant_id tenant = {of_shard ? 0 : want->tenant};
    rig_ok(rig, reader_snapshot_begin(rig->reader, tenant, &facts, &rig->err));
    assert_true(facts.clock > 0);
    VEC_PUSH(&rig->arena, &facts.wants.of[kind], *want);
    facts.wants.total = 1;
    const row_list rows = rig_load_snapshot(rig, &facts);
    assert_int_equal(facts.wants.total, 0);
    reader_snapshot_end(rig->reader);
    facts_fini(&facts);
    assert_lists_equal(&rows, &learned);
}

static void ask(struct rig *rig, enum want_kind kind, const struct want *want)
{
    struct facts facts;
    rig_begin(rig, &facts);
    VEC_PUSH(&rig->arena, &facts.wants.of[kind], *want);
    facts.wants.total = 1;
    learned = rig_load(rig, &facts);
    assert_int_equal(facts.wants.total, 0);
    ledger_rollback(rig->ledger);
    facts_fini(&facts);
    ask_snapshot(rig, kind, want);
}

/* The learned rows of one table, in order. */
static row_list learned_of(struct rig *rig, enum table_id table)
{
    row_list rows = {0};
    for (size_t i = 0; i < learned.n; i++) {
        if (learned.v[i]->table == table) {
            VEC_PUSH(&rig->arena, &rows, learned.v[i]);
        }
    }
    return rows;
}

static struct want random_want(struct rig *rig, enum want_kind kind)
{
    struct want want = {.shard = (int16_t)world_int(rig, "shard"),
                        .tenant = (int32_t)world_int(rig, "tenant"),
                        .a = rig_random(rig, 16) - 1,
                        .limit = 1 + (int32_t)rig_random(rig, 4)};
    want.text = world_text(rig, "name");
    want.text2 = world_text(rig, "name");
    if (kind == WANT_JOB_KEY) {
        want.a = world_int(rig, "hash");
        want.b = world_int(rig, "generation");
    } else if (kind == WANT_LANE_NAME || kind == WANT_BUSY_LANES) {
        want.text = world_text(rig, "job_type");
    } else if (kind == WANT_EDGES_FROM || kind == WANT_EDGES_TO) {
        want.a = world_int(rig, kind == WANT_EDGES_FROM ? "pred" : "succ");
        want.b = rig_random(rig, 3) == 0 ? world_int(rig, "pred") : INT64_MIN;
    } else if (kind == WANT_CONFIG_VERSION) {
        want.a = rig_random(rig, 4);
        want.b = rig_random(rig, 4);
    } else if (kind == WANT_BULK_PARTS) {
        want.a = rig_random(rig, 4);
        want.b = rig_random(rig, 4) - 1;
    } else if (kind == WANT_ATTEMPTS) {
        want.b = rig_random(rig, 3);
    } else if (kind == WANT_RUN_JOBS || kind == WANT_BULK_RUN) {
        want.a = 1 + rig_random(rig, 2);
        want.b = rig_random(rig, 4);
    }
    return want;
}

/* Half of the wants are aimed at a row that is there. */
static void aim(struct rig *rig, struct want *want, const row_list *rows)
{
    if (rows->n == 0 || rig_random(rig, 2) == 0) {
        return;
    }
    const struct row *row = rows->v[rig_random(rig, (int64_t)rows->n)];
    want->shard = (int16_t)row_int(row, "shard");
    want->tenant = (int32_t)row_int(row, "tenant");
    if (row->table == TABLE_LEASED || row->table == TABLE_ATTEMPTS ||
        row->table == TABLE_OUTCOMES || row->table == TABLE_BLOCKED) {
        want->a = row_int(row, "job");
    }
}

static void a_want_answers_just_its_rows_in_order(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    for (size_t s = 0; s < SPECS; s++) {
        size_t told = 0;
        for (int i = 0; i < 160; i++) {
            struct want want = random_want(rig, specs[s].kind);
            aim(rig, &want, &world.rows[specs[s].tables[0]]);
            ask(rig, specs[s].kind, &want);
            size_t expected_total = 0;
            for (size_t t = 0; t < 4 && specs[s].tables[t] != TABLE_SHARDS; t++) {
                const enum table_id table = specs[s].tables[t];
                const row_list expected =
                    select_rows(rig, &world.rows[table], specs[s].kind, &want, specs[s].of_shard,
                                specs[s].order, specs[s].has_limit ? (size_t)want.limit : SIZE_MAX);
                const row_list found = learned_of(rig, table);
                if (found.n != expected.n) {
                    fail_msg("kind %d: %zu rows of %s instead of %zu", (int)specs[s].kind, found.n,
                             table_get(table)->name, expected.n);
                }
                assert_lists_equal(&found, &expected);
                expected_total += expected.n;
            }
            assert_int_equal(learned.n, expected_total);
            told += expected_total;
        }
        /* A kind that never found anything was not tested. */
        if (told == 0) {
            fail_msg("no random want of kind %d found a row", (int)specs[s].kind);
        }
    }
}

static const struct str type_lists[] = {{"in\n", 3},
                                        {"gest\n", 5},
                                        {"ingest\nin\n", 10},
                                        {"in\nother\nin\n", 12},
                                        {"gest\ningest\nin\n", 15}};

static void open_lanes_come_by_rank_with_their_first_heads(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    for (int i = 0; i < 60; i++) {
        struct want want = random_want(rig, WANT_OPEN_LANES);
        want.text = type_lists[rig_random(rig, 5)];
        want.a = rig_random(rig, 5);
        ask(rig, WANT_OPEN_LANES, &want);
        const row_list lanes = learned_of(rig, TABLE_LANES);
        const row_list expected =
            select_rows(rig, &world.rows[TABLE_LANES], WANT_OPEN_LANES, &want, false, by_rank, 64);
        assert_lists_equal(&lanes, &expected);
        const row_list heads = learned_of(rig, TABLE_READY);
        size_t seen = 0;
        for (size_t lane = 0; lane < lanes.n; lane++) {
            struct want of_lane = want;
            of_lane.a = row_int(lanes.v[lane], "lane");
            const row_list due = select_rows(rig, &world.rows[TABLE_READY], WANT_LANE, &of_lane,
                                             false, by_head, (size_t)want.limit);
            for (size_t h = 0; h < heads.n && seen < heads.n; h++) {
                /* Heads of one lane stand together, in order. */
                if (row_int(heads.v[h], "lane") == of_lane.a) {
                    for (size_t d = 0; d < due.n; d++) {
                        assert_true(h + d < heads.n);
                        assert_rows_equal(heads.v[h + d], due.v[d]);
                    }
                    break;
                }
            }
            seen += due.n;
        }
        assert_int_equal(heads.n, seen);
    }
}

static void of_many_open_lanes_the_64_of_least_rank_come(void **state)
{
    struct rig *rig = *state;
    struct plan plan = {0};
    row_list all = {0};
    for (int32_t lane = 1; lane <= 200; lane++) {
        struct lane_row *row = (struct lane_row *)rig_row(rig, TABLE_LANES);
        *row = (struct lane_row){.row = row->row,
                                 .shard = 3,
                                 .tenant = 2,
                                 .lane = lane,
                                 .job_type = STR("in"),
                                 .source = arena_format(&rig->arena, "s%d", lane),
                                 .waiting = 1,
                                 .rank = rig_random(rig, 50),
                                 .open_at = rig_random(rig, 2) * 7};
        VEC_PUSH(&rig->arena, &all, &row->row);
    }
    plan.inserts[TABLE_LANES] = all;
    rig_write(rig, &plan);
    const struct want want = {.shard = 3, .tenant = 2, .a = 7, .limit = 5, .text = STR("x\nin\n")};
    ask(rig, WANT_OPEN_LANES, &want);
    const row_list found = learned_of(rig, TABLE_LANES);
    const row_list expected = select_rows(rig, &all, WANT_OPEN_LANES, &want, false, by_rank, 64);
    assert_int_equal(expected.n, 64);
    assert_lists_equal(&found, &expected);
}

static void many_wants_are_answered_in_one_load(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    struct facts facts;
    rig_begin(rig, &facts);
    struct tenant_facts *t = facts_tenant(&facts, 3, (struct tenant_id){2});
    for (int64_t job = 1; job <= 14; job++) {
        assert_false(want(&facts, t, WANT_JOB, job));
        assert_false(want(&facts, t, WANT_LEASED, job));
        assert_false(want(&facts, t, WANT_WAITING, job));
    }
    rig_ok(rig, ledger_load(rig->ledger, &facts, &rig->err));
    for (size_t i = 0; i < world.rows[TABLE_JOBS].n; i++) {
        const struct row *row = world.rows[TABLE_JOBS].v[i];
        if (row_int(row, "shard") == 3 && row_int(row, "tenant") == 2) {
            assert_rows_equal(facts_find(t, TABLE_JOBS, row_int(row, "job")), row);
        }
    }
    assert_true(want(&facts, t, WANT_JOB, 14));
    ledger_rollback(rig->ledger);
    facts_fini(&facts);
}

const struct CMUnitTest wants_tests[] = {
    RIG_TEST(a_want_answers_just_its_rows_in_order),
    RIG_TEST(open_lanes_come_by_rank_with_their_first_heads),
    RIG_TEST(of_many_open_lanes_the_64_of_least_rank_come),
    RIG_TEST(many_wants_are_answered_in_one_load),
};
const size_t wants_test_count = sizeof(wants_tests) / sizeof(wants_tests[0]);
