/* The reading side, its sums and lists for the engine: against naive selections over the same
 * world. */
#include "contract/suite.h"
#include "contract/world.h"

static void lanes_with_work_are_listed_by_shard(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    const struct fits in_shard = {"shard", 3};
    row_list lanes = rows_fitting(rig, &world.rows[TABLE_LANES], &in_shard, 1);
    rows_sort_by_key(&lanes);
    const struct query_result found = rig_query(rig, "lanes_of_shard", "i", INT64_C(3));
    size_t at = 0;
    for (size_t i = 0; i < lanes.n; i++) {
        const struct lane_row *lane = (const struct lane_row *)lanes.v[i];
        if (lane->waiting == 0 && lane->inflight == 0) {
            continue;
        }
        assert_true(at < found.rows);
        assert_int_equal(query_int(&found, at, "tenant"), lane->tenant);
        assert_int_equal(query_int(&found, at, "lane"), lane->lane);
        assert_int_equal(query_int(&found, at, "waiting"), lane->waiting);
        assert_int_equal(query_int(&found, at, "open_at"), lane->open_at);
        assert_true(str_eq(query_text(&found, at, "job_type"), lane->job_type));
        at++;
    }
    assert_int_equal(found.rows, at);
}

static void the_queue_is_summed_by_job_type(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    const struct query_result found = rig_query(rig, "queue_by_type", "");
    int64_t total = 0;
    for (size_t i = 0; i < world.rows[TABLE_LANES].n; i++) {
        total += row_int(world.rows[TABLE_LANES].v[i], "waiting");
    }
    for (size_t row = 0; row < found.rows; row++) {
        const struct str type = query_text(&found, row, "job_type");
        int64_t waiting = 0;
        int64_t inflight = 0;
        for (size_t i = 0; i < world.rows[TABLE_LANES].n; i++) {
            const struct row *lane = world.rows[TABLE_LANES].v[i];
            if (str_eq(row_text(lane, "job_type"), type)) {
                waiting += row_int(lane, "waiting");
                inflight += row_int(lane, "inflight");
            }
        }
        assert_int_equal(query_int(&found, row, "waiting"), waiting);
        assert_int_equal(query_int(&found, row, "inflight"), inflight);
        total -= waiting;
    }
    assert_int_equal(total, 0);
}

static void shards_that_are_due_are_listed_by_time(void **state)
{
    struct rig *rig = *state;
    row_list shards = rig_dump(rig, TABLE_SHARDS);
    assert_int_equal(rig_query(rig, "shards_due", "i", INT64_MAX - 1).rows, 0);
    ((struct shard_row *)shards.v[5])->next_due_at = 20;
    ((struct shard_row *)shards.v[6])->next_due_at = 10;
    ((struct shard_row *)shards.v[7])->next_due_at = 21;
    struct plan plan = {0};
    plan.updates[TABLE_SHARDS] = shards;
    rig_write(rig, &plan);
    const struct query_result found = rig_query(rig, "shards_due", "i", INT64_C(20));
    assert_int_equal(found.rows, 2);
    assert_int_equal(query_int(&found, 0, "shard"), 6);
    assert_int_equal(query_int(&found, 1, "shard"), 5);
}

static void leases_are_found_by_their_claim(void **state)
{
    struct rig *rig = *state;
    struct world world;
    world_make(rig, &world);
    for (int64_t claim = -1; claim <= 1; claim++) {
        const struct fits fits = {"claim", claim};
        row_list expected = rows_fitting(rig, &world.rows[TABLE_LEASED], &fits, 1);
        rows_sort_by_key(&expected);
        const struct query_result found = rig_query(rig, "claims_of", "i", claim);
        assert_int_equal(found.rows, expected.n);
        for (size_t i = 0; i < expected.n; i++) {
            assert_int_equal(query_int(&found, i, "job"), row_int(expected.v[i], "job"));
            assert_int_equal(query_int(&found, i, "grant_no"), row_int(expected.v[i], "grant"));
        }
    }
}

static void the_meta_row_has_the_seed(void **state)
{
    struct rig *rig = *state;
    const struct query_result found = rig_query(rig, "ledger_meta", "");
    assert_int_equal(found.rows, 1);
    assert_int_equal(query_int(&found, 0, "schema_version"), 1);
    const struct hash_key seed = ledger_seed(rig->ledger);
    assert_true(
        str_eq(query_text(&found, 0, "seed"), (struct str){(const char *)&seed, sizeof(seed)}));
}

const struct CMUnitTest summaries_tests[] = {
    RIG_TEST(lanes_with_work_are_listed_by_shard),
    RIG_TEST(the_queue_is_summed_by_job_type),
    RIG_TEST(shards_that_are_due_are_listed_by_time),
    RIG_TEST(leases_are_found_by_their_claim),
    RIG_TEST(the_meta_row_has_the_seed),
};
const size_t summaries_test_count = sizeof(summaries_tests) / sizeof(summaries_tests[0]);
