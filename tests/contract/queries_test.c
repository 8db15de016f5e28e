/* The reading side against naive selections over the same random world. */
#include <string.h>

#include "contract/suite.h"
#include "contract/world.h"
#include "core/state.h"

enum { ROUNDS = 25 };

#define ALL INT64_C(1000)

static void assert_gives(struct rig *rig, const struct query_result *found, enum table_id table,
                         const row_list *expected)
{
    assert_int_equal(found->rows, expected->n);
    for (size_t i = 0; i < expected->n; i++) {
        assert_rows_equal(query_row(found, i, table, &rig->arena), expected->v[i]);
    }
}

static row_list of_tenant(struct rig *rig, const row_list *rows, int64_t shard, int64_t tenant)
{
    const struct fits fits[] = {{"shard", shard}, {"tenant", tenant}};
    return rows_fitting(rig, rows, fits, 2);
}

static void drop_unless_after(row_list *rows, const char *column, int64_t after)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (row_int(rows->v[i], column) > after) {
            rows->v[kept++] = rows->v[i];
        }
    }
    rows->n = kept;
}

static void cut(row_list *rows, int64_t limit)
{
    rows->n = rows->n > (size_t)limit ? (size_t)limit : rows->n;
}

static void whole_rows_of_a_tenant_are_listed_by_key(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    for (int64_t shard = 3; shard <= 4; shard++) {
        for (int64_t tenant = 1; tenant <= 3; tenant++) {
            static const struct {
                const char *query;
                enum table_id table;
            } lists[] = {{"tenant_by_id", TABLE_TENANTS},
                         {"job_types_of", TABLE_JOB_TYPES},
                         {"sources_of", TABLE_SOURCES},
                         {"breakers_of", TABLE_BREAKERS}};

            for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
                row_list expected = of_tenant(rig, &world.rows[lists[i].table], shard, tenant);
                rows_sort_by_key(&expected);
                const struct query_result found =
                    rig_query(rig, lists[i].query, "ii", shard, tenant);
                assert_gives(rig, &found, lists[i].table, &expected);
            }
        }
        const struct fits in_shard = {"shard", shard};
        row_list tenants = rows_fitting(rig, &world.rows[TABLE_TENANTS], &in_shard, 1);
        rows_sort_by_key(&tenants);
        const struct query_result found = rig_query(rig, "tenants_of_shard", "i", shard);
        assert_gives(rig, &found, TABLE_TENANTS, &tenants);
    }
}

static void one_thing_is_found_by_its_number(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);

    static const struct {
        const char *query;
        enum table_id table;
        const char *column;
    } finds[] = {{"job", TABLE_JOBS, "job"},
                 {"run", TABLE_RUNS, "run"},
                 {"attempts_of_job", TABLE_ATTEMPTS, "job"},
                 {"artifacts_of_job", TABLE_ARTIFACTS, "job"}};

    for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
        for (int round = 0; round < ROUNDS; round++) {
            const int64_t shard = world_int(rig, "shard");
            const int64_t tenant = world_int(rig, "tenant");
            const int64_t number = rig_random(rig, 16);
            row_list expected = of_tenant(rig, &world.rows[finds[i].table], shard, tenant);
            const struct fits fits = {finds[i].column, number};
            expected = rows_fitting(rig, &expected, &fits, 1);
            rows_sort_by_key(&expected);
            const struct query_result found =
                rig_query(rig, finds[i].query, "iii", shard, tenant, number);
            assert_gives(rig, &found, finds[i].table, &expected);
        }
    }
}

static void attempts_are_paged_by_grant(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t shard = world_int(rig, "shard");
        const int64_t tenant = world_int(rig, "tenant");
        const int64_t job = rig_random(rig, 16);
        const int64_t after = rig_random(rig, 3);
        row_list expected = of_tenant(rig, &world.rows[TABLE_ATTEMPTS], shard, tenant);
        const struct fits fits = {"job", job};
        expected = rows_fitting(rig, &expected, &fits, 1);
        drop_unless_after(&expected, "grant", after);
        rows_sort_by_key(&expected);
        cut(&expected, 1);
        const struct query_result found =
            rig_query(rig, "attempts_page", "iiiii", shard, tenant, job, after, INT64_C(1));
        assert_gives(rig, &found, TABLE_ATTEMPTS, &expected);
    }
}

static void tenants_are_paged_and_found_by_name(void **state)
{
    struct rig *rig = *state;
    struct plan plan = {0};
    static const char *const names[] = {"acme", "beta", "gamma", "zeta"};
    row_list tenants = {0};
    for (int32_t i = 0; i < 4; i++) {
        struct tenant_row *tenant = (struct tenant_row *)rig_row(rig, TABLE_TENANTS);
        tenant->shard = (int16_t)(10 + i);
        tenant->tenant = 40 - i;
        tenant->name = str_from(names[i]);
        VEC_PUSH(&rig->arena, &tenants, &tenant->row);
        struct tenant_name_row *name = (struct tenant_name_row *)rig_row(rig, TABLE_TENANT_NAMES);
        name->shard = 0;
        name->tenant = TENANT_SYSTEM;
        name->name = tenant->name;
        name->named = tenant->tenant;
        name->home_shard = tenant->shard;
        VEC_PUSH(&rig->arena, &plan.inserts[TABLE_TENANT_NAMES], &name->row);
    }
    plan.inserts[TABLE_TENANTS] = tenants;
    rig_write(rig, &plan);
    struct query_result found = rig_query(rig, "tenants_page", "ti", "", INT64_C(2));
    assert_int_equal(found.rows, 2);
    assert_rows_equal(query_row(&found, 0, TABLE_TENANTS, &rig->arena), tenants.v[0]);
    found = rig_query(rig, "tenants_page", "ti", "beta", INT64_C(10));
    assert_int_equal(found.rows, 2);
    assert_rows_equal(query_row(&found, 0, TABLE_TENANTS, &rig->arena), tenants.v[2]);
    found = rig_query(rig, "tenant_by_name", "t", "zeta");
    assert_int_equal(found.rows, 1);
    assert_rows_equal(query_row(&found, 0, TABLE_TENANTS, &rig->arena), tenants.v[3]);
    assert_int_equal(rig_query(rig, "tenant_by_name", "t", "nobody").rows, 0);
}

static void tokens_are_found_by_hash(void **state)
{
    struct rig *rig = *state;
    struct plan plan = {0};
    row_list tokens = {0};
    for (int64_t i = 1; i <= 3; i++) {
        struct token_row *token = (struct token_row *)rig_row(rig, TABLE_TOKENS);
        token->tenant = TENANT_SYSTEM;
        token->token = i;
        token->name = STR("n");
        token->hash = arena_format(&rig->arena, "%031d\n", (int)i);
        VEC_PUSH(&rig->arena, &tokens, &token->row);
    }
    plan.inserts[TABLE_TOKENS] = tokens;
    rig_write(rig, &plan);
    struct query_result found = rig_query(rig, "tokens_all", "");
    assert_gives(rig, &found, TABLE_TOKENS, &tokens);
    found = rig_query(rig, "token_by_hash", "b", row_text(tokens.v[1], "hash"));
    assert_int_equal(found.rows, 1);
    assert_rows_equal(query_row(&found, 0, TABLE_TOKENS, &rig->arena), tokens.v[1]);
    assert_int_equal(rig_query(rig, "token_by_hash", "b", STR("x")).rows, 0);
}

static void runs_are_paged_newest_first(void **state)
{
    struct rig *rig = *state;
    struct plan plan = {0};
    row_list runs = {0};
    for (int64_t i = 1; i <= 40; i++) {
        struct run_row *run = (struct run_row *)rig_row(rig, TABLE_RUNS);
        run->shard = 3;
        run->tenant = 2;
        run->run = i;
        run->state = (int16_t)rig_random(rig, RUN_COUNT);
        VEC_PUSH(&rig->arena, &runs, &run->row);
    }
    plan.inserts[TABLE_RUNS] = runs;
    rig_write(rig, &plan);
    struct query_result page =
        rig_query(rig, "runs_page", "iiii", INT64_C(3), INT64_C(2), INT64_MAX, INT64_C(3));
    assert_int_equal(page.rows, 3);
    assert_rows_equal(query_row(&page, 2, TABLE_RUNS, &rig->arena), runs.v[37]);
    for (int64_t wanted = 0; wanted < RUN_COUNT; wanted++) {
        page = rig_query(rig, "runs_in_state_page", "iiiii", INT64_C(3), INT64_C(2), INT64_C(30),
                         INT64_C(100), wanted);
        size_t at = 0;
        for (int64_t i = 29; i >= 1; i--) {
            if (row_int(runs.v[i - 1], "state") == wanted) {
                assert_true(at < page.rows);
                assert_rows_equal(query_row(&page, at++, TABLE_RUNS, &rig->arena), runs.v[i - 1]);
            }
        }
        assert_int_equal(page.rows, at);
    }
}

static void artifacts_are_listed_by_run_and_by_content(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t shard = world_int(rig, "shard");
        const int64_t tenant = world_int(rig, "tenant");
        const row_list mine = of_tenant(rig, &world.rows[TABLE_ARTIFACTS], shard, tenant);
        const struct fits of_run = {"run", 1};
        row_list expected = rows_fitting(rig, &mine, &of_run, 1);
        rows_sort_by_key(&expected);
        struct query_result found = rig_query(rig, "artifacts_of_run", "iiiiiti", shard, tenant,
                                              INT64_C(1), INT64_C(0), INT64_C(0), "", ALL);
        assert_gives(rig, &found, TABLE_ARTIFACTS, &expected);
        if (expected.n > 1) {
            const struct artifact_row *first = (const struct artifact_row *)expected.v[0];
            char name[64] = {0};
            memcpy(name, first->name.ptr, first->name.len);
            found = rig_query(rig, "artifacts_of_run", "iiiiiti", shard, tenant, INT64_C(1),
                              first->job, (int64_t)first->role, name, INT64_C(1));
            assert_int_equal(found.rows, 1);
            assert_rows_equal(query_row(&found, 0, TABLE_ARTIFACTS, &rig->arena), expected.v[1]);
        }
        const struct str digest = world_text(rig, "sha256");
        row_list uses = {0};
        for (size_t i = 0; i < mine.n; i++) {
            if (str_eq(row_text(mine.v[i], "sha256"), digest)) {
                VEC_PUSH(&rig->arena, &uses, mine.v[i]);
            }
        }
        rows_sort_by_key(&uses);
        found = rig_query(rig, "artifact_uses", "iib", shard, tenant, digest);
        assert_gives(rig, &found, TABLE_ARTIFACTS, &uses);
    }
}

static void edges_of_a_run_are_paged_by_predecessor(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t shard = world_int(rig, "shard");
        const int64_t tenant = world_int(rig, "tenant");
        const row_list jobs = of_tenant(rig, &world.rows[TABLE_JOBS], shard, tenant);
        const row_list edges = of_tenant(rig, &world.rows[TABLE_DAG_EDGES], shard, tenant);
        row_list expected = {0};
        for (size_t i = 0; i < jobs.n; i++) {
            if (row_int(jobs.v[i], "run") == 1) {
                const struct fits from = {"pred", row_int(jobs.v[i], "job")};
                const row_list some = rows_fitting(rig, &edges, &from, 1);
                for (size_t e = 0; e < some.n; e++) {
                    VEC_PUSH(&rig->arena, &expected, some.v[e]);
                }
            }
        }
        rows_sort_by_key(&expected);
        struct query_result found = rig_query(rig, "edges_of_run", "iiiiii", shard, tenant,
                                              INT64_C(1), INT64_C(0), INT64_C(0), ALL);
        assert_gives(rig, &found, TABLE_DAG_EDGES, &expected);
        for (size_t i = 0; i + 1 < expected.n; i++) {
            found = rig_query(rig, "edges_of_run", "iiiiii", shard, tenant, INT64_C(1),
                              row_int(expected.v[i], "pred"), row_int(expected.v[i], "succ"),
                              INT64_C(1));
            assert_int_equal(found.rows, 1);
            assert_rows_equal(query_row(&found, 0, TABLE_DAG_EDGES, &rig->arena),
                              expected.v[i + 1]);
        }
    }
}

/* ---- Job objects ---- */

static const struct row *place_of(struct rig *rig, const struct world *world, enum table_id table,
                                  const struct row *job)
{
    const struct fits fits[] = {{"shard", row_int(job, "shard")},
                                {"tenant", row_int(job, "tenant")},
                                {"job", row_int(job, "job")}};
    const row_list found = rows_fitting(rig, &world->rows[table], fits, 3);
    return found.n == 0 ? NULL : found.v[0];
}

static int64_t state_of(struct rig *rig, const struct world *world, const struct row *job)
{
    const struct row *row = NULL;
    if ((row = place_of(rig, world, TABLE_OUTCOMES, job)) != NULL) {
        return row_int(row, "state");
    }
    if ((row = place_of(rig, world, TABLE_LEASED, job)) != NULL) {
        return row_int(row, "running") == 1 ? JOB_RUNNING : JOB_LEASED;
    }
    if (place_of(rig, world, TABLE_READY, job) != NULL ||
        place_of(rig, world, TABLE_DELAYED, job) != NULL) {
        return JOB_PENDING;
    }
    return place_of(rig, world, TABLE_BLOCKED, job) != NULL ? JOB_BLOCKED : JOB_NONE;
}

static void assert_is_object_of(struct rig *rig, const struct world *world,
                                const struct query_result *found, size_t at, const struct row *job)
{
    assert_int_equal(query_int(found, at, "job"), row_int(job, "job"));
    assert_int_equal(query_int(found, at, "run"), row_int(job, "run"));
    assert_int_equal(query_int(found, at, "state"), state_of(rig, world, job));
    assert_true(str_eq(query_text(found, at, "key"), row_text(job, "key")));
    assert_true(str_eq(query_text(found, at, "name"), row_text(job, "name")));
    const struct fits of_lane[] = {{"shard", row_int(job, "shard")},
                                   {"tenant", row_int(job, "tenant")},
                                   {"lane", row_int(job, "lane")}};
    const row_list lane = rows_fitting(rig, &world->rows[TABLE_LANES], of_lane, 3);
    assert_int_equal(query_is_null(found, at, "job_type"), lane.n == 0);
    if (lane.n == 1) {
        assert_true(str_eq(query_text(found, at, "job_type"), row_text(lane.v[0], "job_type")));
        assert_true(str_eq(query_text(found, at, "source"), row_text(lane.v[0], "source")));
    }
    const struct row *outcome = place_of(rig, world, TABLE_OUTCOMES, job);
    assert_int_equal(query_is_null(found, at, "class"), outcome == NULL);
    const struct row *lease = place_of(rig, world, TABLE_LEASED, job);
    assert_int_equal(query_is_null(found, at, "leased_until"), lease == NULL);
    const struct row *waiting = place_of(rig, world, TABLE_READY, job);
    assert_int_equal(query_is_null(found, at, "eligible_at"), waiting == NULL);
    const struct row *owner = outcome != NULL ? outcome : lease;
    if (owner != NULL) {
        assert_int_equal(query_int(found, at, "grant_no"), row_int(owner, "grant"));
        assert_int_equal(query_int(found, at, "claimed_at"), row_int(owner, "claimed_at"));
        assert_true(str_eq(query_text(found, at, "worker"), row_text(owner, "worker")));
    }
}

static void a_job_object_says_where_the_job_is(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    bool seen[JOB_COUNT] = {false};
    for (size_t i = 0; i < world.rows[TABLE_JOBS].n; i++) {
        const struct row *job = world.rows[TABLE_JOBS].v[i];
        const struct query_result found = rig_query(rig, "job_state", "iii", row_int(job, "shard"),
                                                    row_int(job, "tenant"), row_int(job, "job"));
        assert_int_equal(found.rows, 1);
        assert_is_object_of(rig, &world, &found, 0, job);
        seen[query_int(&found, 0, "state")] = true;
        const struct query_result payload =
            rig_query(rig, "job_payload", "iii", row_int(job, "shard"), row_int(job, "tenant"),
                      row_int(job, "job"));
        assert_true(str_eq(query_text(&payload, 0, "payload"), row_text(job, "payload")));
    }
    assert_true(seen[JOB_BLOCKED] && seen[JOB_PENDING]);
    assert_true(seen[JOB_LEASED] || seen[JOB_RUNNING]);
}

static void assert_is_page(struct rig *rig, const struct world *world,
                           const struct query_result *found, const row_list *jobs)
{
    assert_int_equal(found->rows, jobs->n);
    for (size_t i = 0; i < jobs->n; i++) {
        assert_is_object_of(rig, world, found, i, jobs->v[i]);
    }
}

static void jobs_are_paged_whole_and_by_run(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t shard = world_int(rig, "shard");
        const int64_t tenant = world_int(rig, "tenant");
        const int64_t after = rig_random(rig, 5);
        const int64_t limit = 1 + rig_random(rig, 5);
        row_list expected = of_tenant(rig, &world.rows[TABLE_JOBS], shard, tenant);
        rows_sort_by_key(&expected);
        drop_unless_after(&expected, "job", after);
        const struct fits of_run = {"run", 2};
        row_list in_run = rows_fitting(rig, &expected, &of_run, 1);
        cut(&expected, limit);
        cut(&in_run, limit);
        struct query_result found =
            rig_query(rig, "jobs_page", "iiii", shard, tenant, after, limit);
        assert_is_page(rig, &world, &found, &expected);
        found =
            rig_query(rig, "jobs_of_run_page", "iiiii", shard, tenant, INT64_C(2), after, limit);
        assert_is_page(rig, &world, &found, &in_run);
    }
}

/* The jobs rows of those that a table has, in the table's order. */
static row_list jobs_in(struct rig *rig, const struct world *world, const row_list *rows)
{
    row_list jobs = {0};
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *job = place_of(rig, world, TABLE_JOBS, rows->v[i]);
        VEC_PUSH(&rig->arena, &jobs, (struct row *)job);
    }
    return jobs;
}

static void assert_held_jobs_are_listed(struct rig *rig, const struct world *world, int64_t shard,
                                        int64_t tenant, int64_t after, int64_t limit)
{
    static const char *const by_number[] = {"job", NULL};
    row_list rows = of_tenant(rig, &world->rows[TABLE_LEASED], shard, tenant);
    rows_sort(&rows, by_number);
    drop_unless_after(&rows, "job", after);
    cut(&rows, limit);
    const struct query_result found =
        rig_query(rig, "jobs_held_page", "iiii", shard, tenant, after, limit);
    const row_list jobs = jobs_in(rig, world, &rows);
    assert_is_page(rig, world, &found, &jobs);
}

static void jobs_are_paged_by_state(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    static const char *const by_job[] = {"job", NULL};
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t shard = world_int(rig, "shard");
        const int64_t tenant = world_int(rig, "tenant");
        const int64_t after = rig_random(rig, 4);
        const int64_t limit = 1 + rig_random(rig, 4);
        assert_held_jobs_are_listed(rig, &world, shard, tenant, after, limit);
        for (int64_t wanted = JOB_BLOCKED; wanted < JOB_COUNT; wanted++) {
            const enum table_id table = wanted == JOB_BLOCKED    ? TABLE_BLOCKED
                                        : wanted == JOB_PENDING  ? TABLE_DELAYED
                                        : wanted < JOB_SUCCEEDED ? TABLE_LEASED
                                                                 : TABLE_OUTCOMES;
            row_list rows = of_tenant(rig, &world.rows[table], shard, tenant);
            struct query_result found;
            if (table == TABLE_LEASED) {
                const struct fits running = {"running", wanted == JOB_RUNNING};
                rows = rows_fitting(rig, &rows, &running, 1);
                found = rig_query(rig, "jobs_leased_page", "iiiii", shard, tenant, after, limit,
                                  (int64_t)(wanted == JOB_RUNNING));
            } else if (table == TABLE_OUTCOMES) {
                const struct fits ended = {"state", wanted};
                rows = rows_fitting(rig, &rows, &ended, 1);
                found =
                    rig_query(rig, "jobs_ended_page", "iiiii", shard, tenant, after, limit, wanted);
            } else {
                found = rig_query(
                    rig, table == TABLE_BLOCKED ? "jobs_blocked_page" : "jobs_delayed_page", "iiii",
                    shard, tenant, after, limit);
            }
            rows_sort(&rows, by_job);
            drop_unless_after(&rows, "job", after);
            cut(&rows, limit);
            const row_list jobs = jobs_in(rig, &world, &rows);
            assert_is_page(rig, &world, &found, &jobs);
        }
    }
}

static void ready_jobs_are_paged_in_the_order_of_lane_and_rank(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    static const char *const by_head[] = {"lane", "rank", "job", NULL};
    for (int64_t tenant = 1; tenant <= 3; tenant++) {
        row_list rows = of_tenant(rig, &world.rows[TABLE_READY], 3, tenant);
        rows_sort(&rows, by_head);
        int64_t lane = 0;
        int64_t rank = INT64_MIN;
        int64_t job = 0;
        for (size_t i = 0; i <= rows.n; i++) {
            const struct query_result found = rig_query(
                rig, "jobs_ready_page", "iiiiii", INT64_C(3), tenant, lane, rank, job, INT64_C(1));
            assert_int_equal(found.rows, i == rows.n ? 0 : 1);
            if (i < rows.n) {
                lane = row_int(rows.v[i], "lane");
                rank = row_int(rows.v[i], "rank");
                job = row_int(rows.v[i], "job");
                assert_is_object_of(rig, &world, &found, 0,
                                    place_of(rig, &world, TABLE_JOBS, rows.v[i]));
                assert_int_equal(query_int(&found, 0, "rank"), rank);
            }
        }
    }
}

static void jobs_are_found_by_the_hash_of_their_key(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    static const char *const by_job[] = {"job", NULL};
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t shard = world_int(rig, "shard");
        const int64_t tenant = world_int(rig, "tenant");
        const struct fits fits[] = {{"hash", world_int(rig, "hash")},
                                    {"generation", world_int(rig, "generation")}};
        row_list keys = of_tenant(rig, &world.rows[TABLE_JOB_KEYS], shard, tenant);
        keys = rows_fitting(rig, &keys, fits, 2);
        rows_sort(&keys, by_job);
        row_list jobs = {0};
        for (size_t i = 0; i < keys.n; i++) {
            const struct row *job = place_of(rig, &world, TABLE_JOBS, keys.v[i]);
            if (job != NULL) {
                VEC_PUSH(&rig->arena, &jobs, (struct row *)job);
            }
        }
        const struct query_result found =
            rig_query(rig, "job_by_key", "iiii", shard, tenant, fits[0].value, fits[1].value);
        assert_is_page(rig, &world, &found, &jobs);
    }
}

const struct CMUnitTest queries_tests[] = {
    RIG_TEST(whole_rows_of_a_tenant_are_listed_by_key),
    RIG_TEST(one_thing_is_found_by_its_number),
    RIG_TEST(attempts_are_paged_by_grant),
    RIG_TEST(tenants_are_paged_and_found_by_name),
    RIG_TEST(tokens_are_found_by_hash),
    RIG_TEST(runs_are_paged_newest_first),
    RIG_TEST(artifacts_are_listed_by_run_and_by_content),
    RIG_TEST(edges_of_a_run_are_paged_by_predecessor),
    RIG_TEST(a_job_object_says_where_the_job_is),
    RIG_TEST(jobs_are_paged_whole_and_by_run),
    RIG_TEST(jobs_are_paged_by_state),
    RIG_TEST(ready_jobs_are_paged_in_the_order_of_lane_and_rank),
    RIG_TEST(jobs_are_found_by_the_hash_of_their_key),
};
const size_t queries_test_count = sizeof(queries_tests) / sizeof(queries_tests[0]);
