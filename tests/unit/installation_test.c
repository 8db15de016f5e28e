/* A pause and a restore of the whole installation, on a ledger in memory. */
#include "lib/cmocka.h"

#include "base/time.h"
#include "core/report.h"
#include "lib/memory_bench.h"

static int setup(void **state)
{
    struct memory_bench *bench = test_malloc(sizeof(*bench));
    bench_init(bench, 0);
    bench_put(bench, COMMAND_JOB_TYPE_PUT, STR("mend"), STR("{\"max_attempts\":2}"));
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    bench_fini(*state);
    test_free(*state);
    return 0;
}

static struct command say(struct memory_bench *bench, enum command_kind kind, int32_t if_version)
{
    struct command command = bench_command(bench, kind);
    command.shard = SHARD_SYSTEM;
    command.tenant.v = TENANT_SYSTEM;
    command.reason = STR("because");
    if (kind == COMMAND_RESTORED) {
        command.restored = (struct restored){.from = STR("monday")};
    } else {
        command.installation.if_version = if_version;
    }
    struct tick tick;
    struct command *commands[] = {&command};
    tick_run(&tick, bench->ledger, commands, 1, &bench->limits, bench->now, TICK_COMMITS);
    tick_fini(&tick);
    return command;
}

static const struct leased_row *lease_of(const struct memory_bench *bench)
{
    const struct row_table *leases = &bench->ledger->set.tables[TABLE_LEASED];
    return leases->n == 0 ? NULL : (const struct leased_row *)leases->rows[0];
}

static void recall(struct memory_bench *bench, int16_t shard)
{
    struct command command = {.kind = COMMAND_RECALL, .shard = shard, .actor = STR("restore")};
    bench_run(bench, &command);
}

static enum err_code complete(struct memory_bench *bench, int64_t job, int32_t lane, int64_t grant)
{
    struct report_item item = {
        .job = {job}, .lane = lane, .grant = grant, .result = STR("{}"), .requests_used = -1};
    item.digest.bytes[0] = 1;
    struct command command = bench_command(bench, COMMAND_REPORT);
    command.report = (struct report){.worker = STR("w"), .items = &item, .count = 1};
    bench_run(bench, &command);
    return item.code;
}

static void a_restore_fences_its_leases_at_once_and_gives_them_back(void **state)
{
    struct memory_bench *bench = *state;
    const int64_t job = bench_submit(bench, STR("mend"), STR(""), 1, 0);
    assert_int_equal(bench_claim(bench, STR("mend\n"), 1), 1);
    const int32_t lane = lease_of(bench)->carry.lane;
    const int16_t shard = lease_of(bench)->shard;
    const int64_t floor = say(bench, COMMAND_RESTORED, -1).restored.grant_floor;
    assert_true(floor >= bench->now);
    assert_int_equal(complete(bench, job, lane, 1), ERR_LEASE_LOST);
    assert_non_null(lease_of(bench));
    recall(bench, shard);
    assert_null(lease_of(bench));
    assert_int_equal(complete(bench, job, lane, 1), ERR_LEASE_LOST);
    assert_int_equal(bench_claim(bench, STR("mend\n"), 1), 0);
    (void)say(bench, COMMAND_RESUME, -1);
    assert_int_equal(bench_claim(bench, STR("mend\n"), 1), 1);
    assert_true(lease_of(bench)->carry.grant == floor + 1);
    assert_int_equal(lease_of(bench)->carry.spent, 0);
    assert_int_equal(complete(bench, job, lane, 1), ERR_LEASE_LOST);
    assert_int_equal(complete(bench, job, lane, floor + 1), ERR_OK);
    assert_int_equal(bench_outcome(bench, job)->carry.spent, 1);
}

static void a_timer_that_meets_a_fenced_lease_spends_no_attempt(void **state)
{
    struct memory_bench *bench = *state;
    (void)bench_submit(bench, STR("mend"), STR(""), 1, 0);
    assert_int_equal(bench_claim(bench, STR("mend\n"), 1), 1);
    (void)say(bench, COMMAND_RESTORED, -1);
    bench->now += 3600 * US_PER_S;
    bench_due(bench);
    assert_null(lease_of(bench));
    (void)say(bench, COMMAND_RESUME, -1);
    assert_int_equal(bench_claim(bench, STR("mend\n"), 1), 1);
    assert_int_equal(lease_of(bench)->carry.spent, 0);
}

static void a_job_that_was_to_be_canceled_is(void **state)
{
    struct memory_bench *bench = *state;
    const int64_t job = bench_submit(bench, STR("mend"), STR(""), 1, 0);
    assert_int_equal(bench_claim(bench, STR("mend\n"), 1), 1);
    const int16_t shard = lease_of(bench)->shard;
    struct command command = bench_command(bench, COMMAND_JOB_CANCEL);
    command.job.job.v = job;
    bench_run(bench, &command);
    (void)say(bench, COMMAND_RESTORED, -1);
    recall(bench, shard);
    assert_int_equal(bench_outcome(bench, job)->state, JOB_CANCELED);
}

static void each_restore_is_above_the_one_before_and_above_a_clock_that_was_ahead(void **state)
{
    struct memory_bench *bench = *state;
    const int64_t first = say(bench, COMMAND_RESTORED, -1).restored.grant_floor;
    bench->now += 1;
    const int64_t second = say(bench, COMMAND_RESTORED, -1).restored.grant_floor;
    assert_true(second > first);
    struct command ahead = bench_command(bench, COMMAND_RESTORED);
    ahead.shard = SHARD_SYSTEM;
    ahead.tenant.v = TENANT_SYSTEM;
    ahead.restored = (struct restored){.from = STR("x"), .latest_at = bench->now + 5 * US_PER_S};
    bench_run(bench, &ahead);
    assert_true(ahead.restored.grant_floor == bench->now + 5 * US_PER_S);
}

static void a_restore_ends_leases_though_time_stood_still_since_the_one_before(void **state)
{
    struct memory_bench *bench = *state;
    const int64_t job = bench_submit(bench, STR("mend"), STR(""), 1, 0);
    (void)say(bench, COMMAND_RESTORED, -1);
    (void)say(bench, COMMAND_RESUME, -1);
    assert_int_equal(bench_claim(bench, STR("mend\n"), 1), 1);
    const struct leased_row lease = *lease_of(bench);
    assert_true(say(bench, COMMAND_RESTORED, -1).restored.grant_floor > lease.carry.grant);
    recall(bench, lease.shard);
    assert_null(lease_of(bench));
    assert_int_equal(complete(bench, job, lease.carry.lane, lease.carry.grant), ERR_LEASE_LOST);
}

static void another_version_is_refused_and_the_first_reason_stays(void **state)
{
    struct memory_bench *bench = *state;
    assert_int_equal(say(bench, COMMAND_PAUSE, 7).err.code, ERR_PRECONDITION_FAILED);
    struct command paused = say(bench, COMMAND_PAUSE, INSTALLATION_FIRST);
    assert_int_equal(paused.err.code, ERR_OK);
    assert_int_equal(paused.installation.version, INSTALLATION_FIRST + 1);
    assert_int_equal(say(bench, COMMAND_PAUSE, -1).installation.version, INSTALLATION_FIRST + 1);
    assert_int_equal(say(bench, COMMAND_RESUME, INSTALLATION_FIRST).err.code,
                     ERR_PRECONDITION_FAILED);
    assert_int_equal(say(bench, COMMAND_RESUME, -1).installation.version, INSTALLATION_FIRST + 2);
    assert_int_equal(say(bench, COMMAND_RESUME, -1).installation.version, INSTALLATION_FIRST + 2);
}

int main(void)
{
#define INSTALLATION_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        INSTALLATION_TEST(a_restore_fences_its_leases_at_once_and_gives_them_back),
        INSTALLATION_TEST(a_timer_that_meets_a_fenced_lease_spends_no_attempt),
        INSTALLATION_TEST(a_job_that_was_to_be_canceled_is),
        INSTALLATION_TEST(each_restore_is_above_the_one_before_and_above_a_clock_that_was_ahead),
        INSTALLATION_TEST(a_restore_ends_leases_though_time_stood_still_since_the_one_before),
        INSTALLATION_TEST(another_version_is_refused_and_the_first_reason_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
