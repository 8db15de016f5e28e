/* Retries, fairness, states and graphs: the arithmetic of core, by property. */
#include "lib/cmocka.h"

#include "base/time.h"
#include "core/command.h"
#include "core/fairness.h"
#include "core/lease.h"
#include "core/retry.h"
#include "core/state.h"

static uint64_t draw(uint64_t *state, uint64_t bound)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % bound;
}

/* ---- Retries ---- */

static void backoff_stays_within_its_bounds_and_is_the_same_when_replayed(void **state)
{
    (void)state;
    const struct job_type type = {
        .max_attempts = 20, .backoff_base_ms = 100, .backoff_max_ms = 5000};
    const struct hash_key seed = {{1, 2}};
    for (int32_t spent = 1; spent < 20; spent++) {
        int64_t nominal = 100;
        for (int32_t i = 1; i < spent && nominal < 5000; i++) {
            nominal *= 2;
        }
        nominal = (nominal > 5000 ? 5000 : nominal) * US_PER_MS;
        for (int64_t job = 1; job < 50; job++) {
            int64_t at = 0;
            int64_t again = 0;
            assert_int_equal(retry_decide(&type, STR("x"), spent, -1, &seed, (struct job_id){job},
                                          spent, 0, &at),
                             RETRY_LATER);
            assert_true(at >= nominal / 2 && at <= nominal);
            (void)retry_decide(&type, STR("x"), spent, -1, &seed, (struct job_id){job}, spent, 0,
                               &again);
            assert_true(again == at);
        }
    }
}

static void what_the_upstream_asks_is_a_floor_and_a_class_has_its_own_rule(void **state)
{
    (void)state;
    const struct retry_rule rule = {STR("gone"), 1, 10};
    const struct job_type type = {.max_attempts = 5,
                                  .backoff_base_ms = 10,
                                  .backoff_max_ms = 100,
                                  .retries = &rule,
                                  .retry_count = 1};
    const struct hash_key seed = {{1, 2}};
    int64_t at = 0;
    assert_int_equal(
        retry_decide(&type, STR("x"), 1, 9 * US_PER_S, &seed, (struct job_id){1}, 1, 0, &at),
        RETRY_LATER);
    assert_true(at == 9 * US_PER_S);
    assert_int_equal(retry_decide(&type, STR("gone"), 1, -1, &seed, (struct job_id){1}, 1, 0, &at),
                     RETRY_NEVER);
    assert_int_equal(retry_decide(&type, STR("x"), 5, -1, &seed, (struct job_id){1}, 5, 0, &at),
                     RETRY_NEVER);
}

/* ---- Fairness ---- */

enum { RIVALS = 7 };

static void backlogged_tenants_share_within_the_bound(void **state)
{
    (void)state;
    int64_t virtual_time[RIVALS] = {0};
    int64_t served[RIVALS] = {0};
    int32_t weight[RIVALS];
    int64_t longest[RIVALS] = {0};
    uint64_t random = 42;
    for (int i = 0; i < RIVALS; i++) {
        weight[i] = i + 1;
    }
    for (int turn = 0; turn < 20000; turn++) {
        int least = 0;
        for (int i = 1; i < RIVALS; i++) {
            least = virtual_time[i] < virtual_time[least] ? i : least;
        }
        const int64_t estimate = 1 + (int64_t)draw(&random, 40000);
        const int64_t actual = 1 + (int64_t)draw(&random, 40000);
        virtual_time[least] = fairness_charge(virtual_time[least], estimate, weight[least]);
        virtual_time[least] = fairness_settle(virtual_time[least], estimate, actual, weight[least]);
        served[least] += actual;
        longest[least] = actual > longest[least] ? actual : longest[least];
    }
    for (int i = 0; i < RIVALS; i++) {
        for (int k = 0; k < RIVALS; k++) {
            const double difference = (double)served[i] / weight[i] - (double)served[k] / weight[k];
            const double bound = 40000.0 / weight[i] + 40000.0 / weight[k] + 1;
            assert_true(difference <= bound && -difference <= bound);
        }
    }
}

static void an_idle_tenant_brings_no_credit(void **state)
{
    (void)state;
    assert_int_equal(fairness_lift(5, 0, 100), 95);
    assert_int_equal(fairness_lift(5, 20, 100), 95);
    assert_int_equal(fairness_lift(500, 7, 100), 7);
    assert_int_equal(fairness_estimate(800, 1600), 900);
    assert_int_equal(fairness_estimate(1, 0), 1);
}

/* ---- States ---- */

static void what_is_not_in_the_table_is_refused(void **state)
{
    (void)state;
    assert_true(job_may_move(JOB_PENDING, EVENT_CLAIM, JOB_LEASED));
    assert_false(job_may_move(JOB_BLOCKED, EVENT_CLAIM, JOB_LEASED));
    assert_false(job_may_move(JOB_SUCCEEDED, EVENT_RETRY, JOB_PENDING));
    assert_false(job_may_move(JOB_PENDING, EVENT_SUCCESS, JOB_SUCCEEDED));
    for (int event = 0; event < EVENT_COUNT; event++) {
        for (int to = 0; to < JOB_COUNT; to++) {
            assert_false(job_may_move(JOB_SUCCEEDED, (enum job_event)event, (enum job_state)to));
        }
    }
}

static void a_run_is_what_its_counts_say(void **state)
{
    (void)state;
    struct run_row run = {.total = 3, .succeeded = 2};
    assert_int_equal(run_state_of(&run), RUN_ACTIVE);
    run.succeeded = 3;
    assert_int_equal(run_state_of(&run), RUN_SUCCEEDED);
    run = (struct run_row){.total = 3, .succeeded = 1, .canceled = 2};
    assert_int_equal(run_state_of(&run), RUN_CANCELED);
    run = (struct run_row){.total = 3, .dead = 1, .canceled = 2};
    assert_int_equal(run_state_of(&run), RUN_FAILED);
}

/* ---- Leases ---- */

static void a_lease_id_has_one_written_form(void **state)
{
    (void)state;
    char text[LEASE_TEXT];
    struct lease_id id;
    lease_id_format((struct lease_id){{7}, {17}, 3}, text);
    assert_string_equal(text, "7.17.3");
    assert_true(lease_id_parse(STR("7.17.3"), &id));
    assert_true(id.tenant.v == 7 && id.job.v == 17 && id.lane == 3);
    static const char *const wrong[] = {"",         "7",       "7.17",   "7.17.3.",
                                        "7.17.3.1", "07.1.1",  "7.-1.3", "7..3",
                                        "a.b.c",    "7.17.3 ", "0.1.1",  "9999999999.1.1"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(lease_id_parse(str_from(wrong[i]), &id));
    }
}

/* ---- Graphs ---- */

static void run_of(struct submit_item *items, size_t count, const struct need *needs)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < count; i++) {
        items[i] =
            (struct submit_item){.name = str_from(names[i]), .needs = &needs[i], .need_count = 1};
    }
}

static void cycles_and_dangling_edges_are_refused_by_name(void **state)
{
    (void)state;
    struct submit_item items[4];
    struct arena arena;
    struct err err;
    size_t at = 0;
    arena_init(&arena, 1 << 20);
    const struct need circle[] = {{2, EDGE_SUCCESS}, {0, EDGE_SUCCESS}, {1, EDGE_SUCCESS}};
    run_of(items, 3, circle);
    assert_int_equal(run_check(&arena, items, 3, &at, &err), ERR_DAG_CYCLE);
    const struct need beyond[] = {{9, EDGE_SUCCESS}, {0, EDGE_SUCCESS}, {1, EDGE_SUCCESS}};
    run_of(items, 3, beyond);
    assert_int_equal(run_check(&arena, items, 3, &at, &err), ERR_DANGLING_EDGE);
    assert_int_equal(at, 0);
    run_of(items, 3, circle);
    items[0].need_count = 0;
    assert_int_equal(run_check(&arena, items, 3, &at, &err), ERR_OK);
    items[2].name = STR("a");
    assert_int_equal(run_check(&arena, items, 3, &at, &err), ERR_UNPROCESSABLE);
    assert_int_equal(at, 2);
    arena_fini(&arena);
}

static void a_wide_run_is_checked_in_linear_time(void **state)
{
    (void)state;
    struct arena arena;
    struct err err;
    size_t at = 0;

    enum { WIDE = RUN_JOBS_MAX };

    arena_init(&arena, 256 << 20);
    struct submit_item *items = arena_array(&arena, struct submit_item, WIDE);
    struct need *all = arena_array(&arena, struct need, WIDE);
    struct need *first = arena_new(&arena, struct need);
    for (int32_t i = 0; i < WIDE; i++) {
        items[i].name = arena_format(&arena, "job-%d", i);
        all[i].job = i;
        if (i > 0 && i < WIDE - 1) {
            items[i].needs = first;
            items[i].need_count = 1;
        }
    }
    items[WIDE - 1].needs = all;
    items[WIDE - 1].need_count = WIDE - 1;
    assert_int_equal(run_check(&arena, items, WIDE, &at, &err), ERR_OK);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff_stays_within_its_bounds_and_is_the_same_when_replayed),
        cmocka_unit_test(what_the_upstream_asks_is_a_floor_and_a_class_has_its_own_rule),
        cmocka_unit_test(backlogged_tenants_share_within_the_bound),
        cmocka_unit_test(an_idle_tenant_brings_no_credit),
        cmocka_unit_test(what_is_not_in_the_table_is_refused),
        cmocka_unit_test(a_run_is_what_its_counts_say),
        cmocka_unit_test(a_lease_id_has_one_written_form),
        cmocka_unit_test(cycles_and_dangling_edges_are_refused_by_name),
        cmocka_unit_test(a_wide_run_is_checked_in_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
