/* What explain says of one job, on a ledger in memory. */
#include "lib/cmocka.h"

#include "base/time.h"
#include "core/explain.h"
#include "lib/memory_bench.h"

#define NOW BENCH_NOW

struct bench {
    struct memory_bench on;
    struct facts facts;
};

static int setup(void **state)
{
    struct bench *bench = test_malloc(sizeof(*bench));
    *bench = (struct bench){0};
    bench_init(&bench->on, 2);
    bench_put(&bench->on, COMMAND_JOB_TYPE_PUT, STR("mend"), STR("{\"max_inflight\":3}"));
    bench_put(&bench->on, COMMAND_SOURCE_PUT, STR("slow"),
              STR("{\"burst\":2,\"host\":\"slow.example\",\"kind\":\"other\",\"rate_per_s\":1}"));
    bench_put(&bench->on, COMMAND_SOURCE_PUT, STR("off"),
              STR("{\"enabled\":false,\"kind\":\"other\"}"));
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    if (bench->facts.arena != NULL) {
        facts_fini(&bench->facts);
    }
    bench_fini(&bench->on);
    test_free(bench);
    return 0;
}

/* Submits jobs of type mend; the first of them. */
static int64_t submit(struct bench *bench, struct str source, size_t count, int64_t delay_us)
{
    return bench_submit(&bench->on, STR("mend"), source, count, delay_us);
}

static void claim(struct bench *bench, int32_t max)
{
    (void)bench_claim(&bench->on, STR("mend\n"), max);
}

static struct explanation explain(struct bench *bench, int64_t job, bool served)
{
    const struct explain_worker worker = {.serves = served};
    struct explanation told;
    if (bench->facts.arena != NULL) {
        facts_fini(&bench->facts);
    }
    facts_init(&bench->facts, &bench->on.arena, bench->on.ledger->seed, 0);
    bench->facts.now = bench->on.now;
    struct tenant_facts *t =
        facts_tenant(&bench->facts, BENCH_SHARD, (struct tenant_id){BENCH_TENANT});
    while (!explain_want(&bench->facts, t, (struct job_id){job}, EXPLAIN_ALL)) {
        memory_ledger_load(bench->on.ledger, &bench->facts);
    }
    explain_job(&bench->facts, t, (struct job_id){job}, EXPLAIN_ALL, &worker, &told);
    return told;
}

static const struct explain_gate *gate_of(const struct explanation *told, enum explain_gate_id id)
{
    for (size_t i = 0; i < told->gate_count; i++) {
        if (told->gates[i].id == id) {
            return &told->gates[i];
        }
    }
    return NULL;
}

static void gates_come_in_order_and_the_first_refusal_is_the_hold(void **state)
{
    struct bench *bench = *state;
    (void)submit(bench, STR(""), 3, 0);
    const int64_t job = submit(bench, STR("off"), 1, 5 * US_PER_S);
    claim(bench, 2);
    const struct explanation told = explain(bench, job, false);
    for (size_t i = 1; i < told.gate_count; i++) {
        assert_true(told.gates[i - 1].id < told.gates[i].id);
    }
    assert_int_equal(explain_first(&told)->id, EXPLAIN_TIME);
    assert_int_equal(explain_first(&told)->hold, HOLD_DELAY);
    assert_true(told.not_before == NOW + 5 * US_PER_S);
    assert_int_equal(gate_of(&told, EXPLAIN_SOURCE)->hold, HOLD_SOURCE_DISABLED);
    assert_int_equal(gate_of(&told, EXPLAIN_TENANT)->hold, HOLD_TENANT_INFLIGHT);
    assert_int_equal(gate_of(&told, EXPLAIN_TENANT)->free.value, 2 + 1 + 1);
    assert_int_equal(gate_of(&told, EXPLAIN_WORKER)->hold, HOLD_NONE); /* Jobs of it run. */
    assert_int_equal(told.position.ahead, 1);
}

static void say(struct bench *bench, enum command_kind kind, struct str reason)
{
    struct command command = bench_command(&bench->on, kind);
    command.shard = SHARD_SYSTEM;
    command.tenant.v = TENANT_SYSTEM;
    command.reason = reason;
    command.ticket = STR("OPS-7");
    command.installation.if_version = -1;
    bench_run(&bench->on, &command);
}

static void a_pause_comes_first_and_says_why(void **state)
{
    struct bench *bench = *state;
    const int64_t job = bench_submit(&bench->on, STR("mend"), STR(""), 1, 5 * US_PER_S);
    struct explanation told = explain(bench, job, true);
    assert_int_equal(told.gates[0].id, EXPLAIN_PAUSE);
    assert_int_equal(told.gates[0].hold, HOLD_NONE);
    assert_null(told.pause);
    say(bench, COMMAND_PAUSE, STR("storage is moved"));
    say(bench, COMMAND_PAUSE, STR("another"));
    told = explain(bench, job, true);
    assert_int_equal(explain_first(&told)->hold, HOLD_PAUSED);
    assert_string_equal(explain_first(&told)->free.name, "paused");
    assert_true(told.depends);
    assert_true(str_eq(told.pause->reason, STR("storage is moved")));
    assert_true(str_eq(told.pause->ticket, STR("OPS-7")));
    say(bench, COMMAND_RESUME, STR("done"));
    told = explain(bench, job, true);
    assert_int_equal(explain_first(&told)->hold, HOLD_DELAY);
}

static void a_limit_that_holds_only_those_behind_says_later(void **state)
{
    struct bench *bench = *state;
    const int64_t first = submit(bench, STR(""), 4, 0);
    const struct explanation told = explain(bench, first + 3, true);
    assert_int_equal(explain_first(&told)->id, EXPLAIN_TURN);
    assert_int_equal(gate_of(&told, EXPLAIN_TENANT)->hold, HOLD_NONE);
    assert_int_equal(gate_of(&told, EXPLAIN_TENANT)->free.value, 4);
    assert_int_equal(gate_of(&told, EXPLAIN_TYPE)->free.value, 4);
    assert_int_equal(gate_of(&told, EXPLAIN_TURN)->free.value, 4);
    const struct explanation head = explain(bench, first, true);
    assert_null(gate_of(&head, EXPLAIN_TENANT)->free.name);
}

static void tokens_are_counted_for_all_that_share_the_bucket(void **state)
{
    struct bench *bench = *state;
    const int64_t first = submit(bench, STR("slow"), 4, 0);
    const struct explanation told = explain(bench, first + 3, true);
    assert_int_equal(gate_of(&told, EXPLAIN_TOKENS)->hold, HOLD_NONE);
    assert_int_equal(gate_of(&told, EXPLAIN_TOKENS)->free.value, 4);
    claim(bench, 2);
    const struct explanation after = explain(bench, first + 2, true);
    assert_int_equal(gate_of(&after, EXPLAIN_TOKENS)->hold, HOLD_NO_TOKENS);
    assert_int_equal(gate_of(&after, EXPLAIN_TOKENS)->free.value, 1);
}

static void a_burst_below_the_requests_of_a_job_is_raised_for_all_of_them(void **state)
{
    struct bench *bench = *state;
    bench_put(&bench->on, COMMAND_JOB_TYPE_PUT, STR("fetch"), STR("{\"requests_per_job\":3}"));
    const int64_t first = bench_submit(&bench->on, STR("fetch"), STR("slow"), 2, 0);
    const struct explanation head = explain(bench, first, true);
    assert_null(gate_of(&head, EXPLAIN_TOKENS)->free.name); /* The whole burst is enough. */
    const struct explanation told = explain(bench, first + 1, true);
    const int64_t tokens = gate_of(&told, EXPLAIN_TOKENS)->free.value;
    assert_int_equal(tokens, 6);
    struct command command = bench_command(&bench->on, COMMAND_THROTTLE_SET);
    command.throttle = (struct throttle_change){.host = STR("slow.example"),
                                                .rate_milli = tokens * 1000,
                                                .burst = tokens,
                                                .lasts_us = 60 * US_PER_S,
                                                .any_version = true};
    bench_run(&bench->on, &command);
    bench->on.now += 2 * US_PER_S;
    assert_int_equal(bench_claim(&bench->on, STR("fetch\n"), 2), 2);
}

static void looking_changes_nothing(void **state)
{
    struct bench *bench = *state;
    const int64_t first = submit(bench, STR("slow"), 4, 0);
    (void)explain(bench, first, true);
    for (int table = 0; table < TABLE_COUNT; table++) {
        assert_int_equal(bench->facts.touched[table].n, 0);
    }
}

static void a_type_that_nobody_serves_has_no_worker(void **state)
{
    struct bench *bench = *state;
    const int64_t job = submit(bench, STR(""), 1, 0);
    const struct explanation told = explain(bench, job, false);
    assert_int_equal(explain_first(&told)->hold, HOLD_NO_WORKER);
    assert_true(told.depends);
    assert_int_equal(told.not_before, 0);
}

static void what_is_not_there_has_no_state(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(explain(bench, 77, true).state, JOB_NONE);
}

/* a before b; both canceled, then only b retried. */
static void a_retried_job_behind_a_dead_one_is_stuck(void **state)
{
    struct bench *bench = *state;
    struct need need = {0, EDGE_SUCCESS};
    struct submit_item items[2] = {
        {.job_type = STR("mend"), .name = STR("a"), .payload = STR("1")},
        {.job_type = STR("mend"), .name = STR("b"), .payload = STR("1"), .needs = &need},
    };
    items[1].need_count = 1;
    struct command command = bench_command(&bench->on, COMMAND_RUN_SUBMIT);
    command.run.items = items;
    command.run.count = 2;
    bench_run(&bench->on, &command);
    const int64_t a = items[0].id.v;
    const struct explanation waits = explain(bench, a + 1, true);
    assert_int_equal(explain_first(&waits)->hold, HOLD_PREDECESSORS);
    struct command cancel = bench_command(&bench->on, COMMAND_JOB_CANCEL);
    cancel.job.job.v = a;
    bench_run(&bench->on, &cancel);
    const struct explanation ended = explain(bench, a + 1, true);
    assert_int_equal(ended.state, JOB_CANCELED);
    assert_int_equal(ended.retry, JOB_BLOCKED);
    assert_int_equal(explain(bench, a, true).retry, JOB_PENDING);
    struct command retry = bench_command(&bench->on, COMMAND_JOB_RETRY);
    retry.job.job.v = a + 1;
    bench_run(&bench->on, &retry);
    const struct explanation told = explain(bench, a + 1, true);
    assert_int_equal(explain_first(&told)->hold, HOLD_PREDECESSOR_FAILED);
    assert_int_equal(told.stuck, 1);
    assert_true(told.predecessors.v[0].is_stuck);
    assert_int_equal(told.predecessors.v[0].job.v, a);
    assert_int_equal(told.predecessors.v[0].state, JOB_CANCELED);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(gates_come_in_order_and_the_first_refusal_is_the_hold),
        BENCH_TEST(a_pause_comes_first_and_says_why),
        BENCH_TEST(a_limit_that_holds_only_those_behind_says_later),
        BENCH_TEST(tokens_are_counted_for_all_that_share_the_bucket),
        BENCH_TEST(a_burst_below_the_requests_of_a_job_is_raised_for_all_of_them),
        BENCH_TEST(looking_changes_nothing),
        BENCH_TEST(a_type_that_nobody_serves_has_no_worker),
        BENCH_TEST(what_is_not_there_has_no_state),
        BENCH_TEST(a_retried_job_behind_a_dead_one_is_stuck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
