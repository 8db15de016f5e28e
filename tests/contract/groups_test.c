/* Groups: what a commit writes, what a rollback leaves, what is known of a group afterwards. */
#include <string.h>

#include "contract/suite.h"
#include "ledger/compress.h"
#include "platform/clock.h"

static const int16_t two_shards[] = {3, 40};

static void begin_two(struct rig *rig, struct facts *facts, int64_t group)
{
    facts_init(facts, &rig->arena, ledger_seed(rig->ledger), group);
    rig_ok(rig, ledger_begin(rig->ledger, two_shards, 2, facts, &rig->err));
}

static struct job_row *job_of(struct rig *rig, int32_t tenant, int64_t job)
{
    struct job_row *row = (struct job_row *)rig_row(rig, TABLE_JOBS);
    row->shard = 3;
    row->tenant = tenant;
    row->job = job;
    row->lane = 1;
    row->digest = STR("0123456789abcdef0123456789abcdef");
    row->payload = STR("{}");
    return row;
}

static bool was_committed(struct rig *rig, const int16_t *shards, size_t count, int64_t group)
{
    bool committed = false;
    rig_ok(rig, ledger_was_committed(rig->ledger, shards, count, group, &committed, &rig->err));
    return committed;
}

static void begin_gives_the_clock_and_the_locked_shards(void **state)
{
    struct rig *rig = *state;
    int64_t last = 0;
    for (int i = 0; i < 20; i++) {
        struct facts facts;
        begin_two(rig, &facts, 100 + i);
        assert_true(facts.clock >= last);
        assert_true(facts.clock > clock_wall().us - 60 * US_PER_S);
        assert_true(facts.clock < clock_wall().us + 60 * US_PER_S);
        last = facts.clock;
        for (size_t s = 0; s < 2; s++) {
            const struct shard_facts *shard = facts_shard(&facts, two_shards[s]);
            assert_non_null(shard->row);
            assert_int_equal(shard->row->shard, two_shards[s]);
        }
        ledger_rollback(rig->ledger);
        facts_fini(&facts);
    }
}

static void a_rolled_back_group_leaves_nothing(void **state)
{
    struct rig *rig = *state;
    struct facts facts;
    begin_two(rig, &facts, 7);
    facts_shard(&facts, 3)->row->tick = 5;
    ledger_rollback(rig->ledger);
    facts_fini(&facts);
    assert_false(was_committed(rig, two_shards, 2, 7));
    assert_int_equal(rig_query(rig, "job", "iii", INT64_C(3), INT64_C(7), INT64_C(1)).rows, 0);
}

static void a_committed_group_is_known_by_its_shards(void **state)
{
    struct rig *rig = *state;
    struct facts facts;
    begin_two(rig, &facts, 7);
    const struct plan plan = {0};
    rig_ok(rig, ledger_commit(rig->ledger, &plan, &facts, &rig->err));
    facts_fini(&facts);
    const int16_t other[] = {4};
    assert_true(was_committed(rig, two_shards, 2, 7));
    assert_false(was_committed(rig, other, 1, 7));
    assert_false(was_committed(rig, two_shards, 2, 8));
}

static void a_reader_sees_a_group_whole_after_its_commit(void **state)
{
    struct rig *rig = *state;
    struct facts facts;
    begin_two(rig, &facts, 9);
    struct plan plan = {0};
    for (int64_t job = 1; job <= 3; job++) {
        VEC_PUSH(&rig->arena, &plan.inserts[TABLE_JOBS], &job_of(rig, 7, job)->row);
    }
    assert_int_equal(rig_dump(rig, TABLE_JOBS).n, 0);
    rig_ok(rig, ledger_commit(rig->ledger, &plan, &facts, &rig->err));
    assert_int_equal(rig_dump(rig, TABLE_JOBS).n, 3);
    facts_fini(&facts);
}

static void a_commit_fetches_the_jobs_that_its_answers_need(void **state)
{
    struct rig *rig = *state;
    struct plan plan = {0};
    for (int64_t job = 1; job <= 3; job++) {
        struct job_row *row = job_of(rig, 7, job);
        row->payload = arena_format(&rig->arena, "{\"n\":%d}", (int)job);
        VEC_PUSH(&rig->arena, &plan.inserts[TABLE_JOBS], &row->row);
    }
    rig_write(rig, &plan);
    struct facts facts;
    begin_two(rig, &facts, 10);
    struct tenant_facts *t = facts_tenant(&facts, 3, (struct tenant_id){7});
    for (int64_t job = 1; job <= 3; job++) {
        struct leased_row *leased = (struct leased_row *)facts_add(&facts, t, TABLE_LEASED);
        leased->job = job;
        facts_index(&facts, t, &leased->row);
        VEC_PUSH(&rig->arena, &facts.fetch_jobs, &leased->row);
    }
    plan = plan_from_facts(&facts);
    rig_ok(rig, ledger_commit(rig->ledger, &plan, &facts, &rig->err));
    for (int64_t job = 1; job <= 3; job++) {
        const struct job_row *row = (const struct job_row *)facts_find(t, TABLE_JOBS, job);
        assert_non_null(row);
        const struct str expected = arena_format(&rig->arena, "{\"n\":%d}", (int)job);
        assert_true(str_eq(row->payload, expected));
    }
    facts_fini(&facts);
    assert_int_equal(rig_dump(rig, TABLE_LEASED).n, 3);
}

/* ---- History ---- */

static struct chunk chunk_of(struct rig *rig, int32_t tenant, int64_t seq, int32_t count)
{
    struct buf lines;
    buf_init(&lines, CHUNK_RAW_MAX);
    for (int32_t i = 0; i < count; i++) {
        buf_format(&lines, "{\"seq\":%d,\"tenant\":%d,\"r\":\"%llx\"}\n", (int)seq + i, tenant,
                   (unsigned long long)rig_random_bits(rig));
    }
    const struct chunk chunk = {.shard = 3,
                                .tenant = tenant,
                                .seq = seq,
                                .count = count,
                                .at = 1000 + seq,
                                .lines = arena_str(&rig->arena, buf_get(&lines))};
    buf_fini(&lines);
    return chunk;
}

static struct str unpacked(struct rig *rig, const struct query_result *result, size_t row)
{
    struct str lines = {0};
    rig_ok(rig, chunk_unpack(&rig->arena, query_text(result, row, "lines"),
                             query_int(result, row, "raw_len"), &lines, &rig->err));
    return lines;
}

static void history_is_read_back_as_it_was_written(void **state)
{
    struct rig *rig = *state;
    struct chunk chunks[30];
    int64_t seq = 1;
    for (size_t i = 0; i < 30; i++) {
        struct plan plan = {0};
        chunks[i] = chunk_of(rig, 7, seq, 1 + (int32_t)rig_random(rig, 300));
        VEC_PUSH(&rig->arena, &plan.chunks, chunks[i]);
        VEC_PUSH(&rig->arena, &plan.chunks, chunk_of(rig, 8, seq, 1));
        rig_write(rig, &plan);
        seq += chunks[i].count;
    }
    const struct query_result all =
        rig_query(rig, "history_after", "iiii", INT64_C(3), INT64_C(7), INT64_C(0), INT64_C(100));
    assert_int_equal(all.rows, 30);
    for (size_t i = 0; i < 30; i++) {
        assert_int_equal(query_int(&all, i, "seq"), chunks[i].seq);
        assert_int_equal(query_int(&all, i, "count"), chunks[i].count);
        assert_int_equal(query_int(&all, i, "at"), chunks[i].at);
        assert_true(str_eq(unpacked(rig, &all, i), chunks[i].lines));
    }
}

static void history_begins_with_the_chunk_that_holds_the_next_line(void **state)
{
    struct rig *rig = *state;
    struct plan plan = {0};
    for (int64_t seq = 1; seq <= 91; seq += 10) {
        VEC_PUSH(&rig->arena, &plan.chunks, chunk_of(rig, 7, seq, 10));
    }
    rig_write(rig, &plan);
    for (int64_t after = 0; after <= 101; after++) {
        const struct query_result found =
            rig_query(rig, "history_after", "iiii", INT64_C(3), INT64_C(7), after, INT64_C(2));
        const int64_t left = after >= 100 ? 0 : (100 - after + 9) / 10;
        assert_int_equal(found.rows, left > 2 ? 2 : left);
        if (found.rows > 0) {
            assert_int_equal(query_int(&found, 0, "seq"), after / 10 * 10 + 1);
        }
        const struct query_result at =
            rig_query(rig, "history_chunk_at", "iii", INT64_C(3), INT64_C(7), after);
        assert_int_equal(at.rows, after == 0 ? 0 : 1);
        if (after > 0 && after <= 100) {
            assert_int_equal(query_int(&at, 0, "seq"), (after - 1) / 10 * 10 + 1);
        }
    }
}

static void a_chunk_that_was_changed_is_refused(void **state)
{
    struct rig *rig = *state;
    struct packer *packer = packer_new();
    const struct str raw = chunk_of(rig, 7, 1, 50).lines;
    const struct str packed = packer_pack(packer, &rig->arena, raw);
    assert_true(packed.len < raw.len);
    struct str out = {0};
    const int64_t len = (int64_t)raw.len;
    rig_ok(rig, chunk_unpack(&rig->arena, packed, len, &out, &rig->err));
    assert_true(str_eq(out, raw));
    assert_int_equal(chunk_unpack(&rig->arena, packed, len - 1, &out, &rig->err), ERR_INTERNAL);
    assert_int_equal(chunk_unpack(&rig->arena, packed, len + 1, &out, &rig->err), ERR_INTERNAL);
    assert_int_equal(chunk_unpack(&rig->arena, packed, -1, &out, &rig->err), ERR_INTERNAL);
    assert_int_equal(chunk_unpack(&rig->arena, packed, INT64_MAX, &out, &rig->err), ERR_INTERNAL);
    assert_int_equal(
        chunk_unpack(&rig->arena, str_slice(packed, 0, packed.len - 3), len, &out, &rig->err),
        ERR_INTERNAL);
    packer_free(packer);
}

/* ---- Size ---- */

static void a_large_plan_is_written_whole(void **state)
{
    struct rig *rig = *state;

    enum { JOBS = 20000 };

    char payload[1000];
    memset(payload, 'x', sizeof(payload));
    struct plan plan = {0};
    for (int64_t job = 1; job <= JOBS; job++) {
        struct job_row *row = job_of(rig, 7, job);
        row->run = 1;
        row->payload = (struct str){payload, sizeof(payload)};
        VEC_PUSH(&rig->arena, &plan.inserts[TABLE_JOBS], &row->row);
        struct blocked_row *blocked = (struct blocked_row *)rig_row(rig, TABLE_BLOCKED);
        blocked->shard = 3;
        blocked->tenant = 7;
        blocked->job = job;
        blocked->remaining = 1;
        VEC_PUSH(&rig->arena, &plan.inserts[TABLE_BLOCKED], &blocked->row);
    }
    rig_write(rig, &plan);
    assert_int_equal(rig_dump(rig, TABLE_BLOCKED).n, JOBS);
    struct plan end = {0};
    end.deletes[TABLE_BLOCKED] = plan.inserts[TABLE_BLOCKED];
    rig_write(rig, &end);
    assert_int_equal(rig_dump(rig, TABLE_BLOCKED).n, 0);
    const struct query_result last =
        rig_query(rig, "jobs_of_run_page", "iiiii", INT64_C(3), INT64_C(7), INT64_C(1),
                  INT64_C(19990), INT64_C(100));
    assert_int_equal(last.rows, 10);
}

const struct CMUnitTest groups_tests[] = {
    RIG_TEST(begin_gives_the_clock_and_the_locked_shards),
    RIG_TEST(a_rolled_back_group_leaves_nothing),
    RIG_TEST(a_committed_group_is_known_by_its_shards),
    RIG_TEST(a_reader_sees_a_group_whole_after_its_commit),
    RIG_TEST(a_commit_fetches_the_jobs_that_its_answers_need),
    RIG_TEST(history_is_read_back_as_it_was_written),
    RIG_TEST(history_begins_with_the_chunk_that_holds_the_next_line),
    RIG_TEST(a_chunk_that_was_changed_is_refused),
    RIG_TEST(a_large_plan_is_written_whole),
};
const size_t groups_test_count = sizeof(groups_tests) / sizeof(groups_tests[0]);
