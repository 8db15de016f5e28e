/* A start deadline counts from when a job first could start. */
#include "lib/cmocka.h"

#include "lib/memory_bench.h"

#define SOON (10 * US_PER_S)

static int setup(void **state)
{
    struct memory_bench *bench = test_malloc(sizeof(*bench));
    bench_init(bench, 0);
    bench_put(bench, COMMAND_JOB_TYPE_PUT, STR("soon"), STR("{\"start_deadline_ms\":10000}"));
    bench_put(bench, COMMAND_JOB_TYPE_PUT, STR("late"), STR("{}"));
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    bench_fini(*state);
    test_free(*state);
    return 0;
}

static bool missed(const struct memory_bench *bench, int64_t job)
{
    const struct outcome_row *outcome = bench_outcome(bench, job);
    return outcome != NULL && outcome->state == JOB_DEAD &&
           str_eq(outcome->class, STR("not_started_in_time"));
}

static void at(struct memory_bench *bench, int64_t us)
{
    bench->now = BENCH_NOW + us;
    bench_due(bench);
}

static void a_waiting_job_is_dead_when_it_has_passed(void **state)
{
    struct memory_bench *bench = *state;
    const int64_t job = bench_submit(bench, STR("soon"), STR(""), 1, 0);
    at(bench, SOON - 1);
    assert_false(missed(bench, job));
    at(bench, SOON);
    assert_true(missed(bench, job));
}

static void one_that_started_is_left_alone(void **state)
{
    struct memory_bench *bench = *state;
    const int64_t job = bench_submit(bench, STR("soon"), STR(""), 1, 0);
    assert_int_equal(bench_claim(bench, STR("soon\n"), 1), 1);
    at(bench, SOON);
    assert_null(bench_outcome(bench, job));
}

static void a_delay_does_not_count(void **state)
{
    struct memory_bench *bench = *state;
    const int64_t job = bench_submit(bench, STR("soon"), STR(""), 1, 3 * SOON);
    at(bench, 3 * SOON);
    at(bench, 4 * SOON - 1);
    assert_false(missed(bench, job));
    at(bench, 4 * SOON);
    assert_true(missed(bench, job));
}

/* late before soon. */
static int64_t submit_pair(struct memory_bench *bench)
{
    struct need need = {0, EDGE_ALWAYS};
    struct submit_item items[2] = {
        {.job_type = STR("late"), .name = STR("a"), .payload = STR("1")},
        {.job_type = STR("soon"), .name = STR("b"), .payload = STR("1"), .needs = &need},
    };
    items[1].need_count = 1;
    struct command command = bench_command(bench, COMMAND_RUN_SUBMIT);
    command.run.items = items;
    command.run.count = 2;
    bench_run(bench, &command);
    return items[0].id.v;
}

static void cancel(struct memory_bench *bench, int64_t job)
{
    struct command command = bench_command(bench, COMMAND_JOB_CANCEL);
    command.job.job.v = job;
    bench_run(bench, &command);
}

static void the_time_behind_predecessors_does_not_count(void **state)
{
    struct memory_bench *bench = *state;
    const int64_t before = submit_pair(bench);
    at(bench, 5 * SOON);
    cancel(bench, before);
    at(bench, 6 * SOON - 1);
    assert_false(missed(bench, before + 1));
    at(bench, 6 * SOON);
    assert_true(missed(bench, before + 1));
}

static void retry(struct memory_bench *bench, int64_t job)
{
    struct command command = bench_command(bench, COMMAND_JOB_RETRY);
    command.job.job.v = job;
    bench_run(bench, &command);
}

static void a_retry_begins_anew(void **state)
{
    struct memory_bench *bench = *state;
    const int64_t job = bench_submit(bench, STR("soon"), STR(""), 1, 0);
    at(bench, SOON);
    assert_true(missed(bench, job));
    retry(bench, job);
    at(bench, 2 * SOON - 1);
    assert_false(missed(bench, job));
    at(bench, 2 * SOON);
    assert_true(missed(bench, job));
}

static void a_deadline_from_before_a_retry_does_not_count(void **state)
{
    struct memory_bench *bench = *state;
    const int64_t job = bench_submit(bench, STR("soon"), STR(""), 1, 0);
    at(bench, SOON / 2);
    cancel(bench, job);
    retry(bench, job);
    at(bench, SOON);
    assert_false(missed(bench, job));
    at(bench, SOON + SOON / 2);
    assert_true(missed(bench, job));
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_waiting_job_is_dead_when_it_has_passed),
        BENCH_TEST(one_that_started_is_left_alone),
        BENCH_TEST(a_delay_does_not_count),
        BENCH_TEST(the_time_behind_predecessors_does_not_count),
        BENCH_TEST(a_retry_begins_anew),
        BENCH_TEST(a_deadline_from_before_a_retry_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
