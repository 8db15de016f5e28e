/* Jobs from submit to success, through the real ledgers. */
#include "engine/rig.h"

#include "platform/clock.h"
#include "platform/thread.h"

static void jobs_go_from_submit_to_success(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{}");
    rig_submit_jobs(engine, tenant, "scan", 10);
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 100, 0);
    assert_int_equal(rig_claim_jobs(engine, &claim), 10);
    assert_true(str_eq(claim.claim.parts.v[0].tenant_name, STR("acme")));
    assert_true(str_eq(claim.claim.parts.v[0].grants[0].job->payload, STR("{\"n\":1}")));
    assert_int_equal(rig_complete(engine, &claim), 10);
    assert_int_equal(rig_complete(engine, &claim), 10); /* The same report again. */
    rig_claim_fini(&claim);
    const struct rig_counts counts = rig_counts(engine, tenant);
    assert_int_equal(counts.waiting, 0);
    assert_int_equal(counts.inflight, 0);
    assert_int_equal(counts.live, 0);
    (void)rig_check_history(engine, tenant);
    rig_stop(engine);
    rig_free(rig);
}

static void a_refused_command_says_why(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    struct rig_submit submit;
    rig_submit_init(&submit, tenant, "nobody-knows", 1);
    assert_int_equal(rig_run(engine, QUEUE_SUBMITS, &submit.command), ERR_UNKNOWN_JOB_TYPE);
    rig_submit_fini(&submit);
    rig_stop(engine);
    rig_free(rig);
}

static void a_large_submit_is_answered_after_its_last_job(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{}");
    struct engine_figures before;
    struct engine_figures after;
    engine_figures(engine, &before);
    rig_submit_jobs(engine, tenant, "scan", 1000);
    engine_figures(engine, &after);
    assert_true(after.groups - before.groups >= 2);
    assert_int_equal(after.submitted - before.submitted, 1000);
    assert_int_equal(rig_counts(engine, tenant).waiting, 1000);
    rig_stop(engine);
    rig_free(rig);
}

static void a_repeated_claim_id_gives_the_same_leases(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{}");
    rig_submit_jobs(engine, tenant, "scan", 20);
    struct rig_claim first;
    rig_claim_init(&first, "scan\n", 5, 0);
    assert_int_equal(rig_claim_jobs(engine, &first), 5);
    for (int round = 0; round < 2; round++) {
        struct rig_claim again;
        rig_claim_init(&again, "scan\n", 5, 0);
        again.claim.claim = first.claim.claim;
        assert_int_equal(rig_claim_jobs(engine, &again), 5);
        for (size_t i = 0; i < 5; i++) {
            const struct leased_row *was = first.claim.parts.v[0].grants[i].lease;
            const struct leased_row *is = again.claim.parts.v[0].grants[i].lease;
            assert_int_equal(is->job, was->job);
            assert_int_equal(is->carry.grant, was->carry.grant);
        }
        rig_claim_fini(&again);
        if (round == 0) { /* A restart forgets what is in memory only. */
            rig_stop(engine);
            engine = rig_start(rig);
        }
    }
    assert_int_equal(rig_counts(engine, tenant).inflight, 5);
    rig_claim_fini(&first);
    rig_stop(engine);
    rig_free(rig);
}

/* ---- Many threads ---- */

enum { PRODUCERS = 3, WORKERS = 4, TENANTS = 5, SUBMITS = 12, JOBS_OF_SUBMIT = 40 };

struct crowd {
    struct engine *engine;
    struct rig_tenant tenants[TENANTS];
    _Atomic int64_t completed;
};

static void *produce(void *ctx)
{
    struct crowd *crowd = ctx;
    for (size_t i = 0; i < SUBMITS; i++) {
        rig_submit_jobs(crowd->engine, crowd->tenants[i % TENANTS], i % 2 == 0 ? "scan" : "match",
                        JOBS_OF_SUBMIT);
    }
    return NULL;
}

static void *work(void *ctx)
{
    struct crowd *crowd = ctx;
    const int64_t until = clock_mono().us + RIG_PATIENCE_US;
    while (crowd->completed < PRODUCERS * SUBMITS * JOBS_OF_SUBMIT) {
        assert_true(clock_mono().us < until);
        struct rig_claim claim;
        rig_claim_init(&claim, "match\nscan\n", 17, 100 * US_PER_MS);
        (void)rig_claim_jobs(crowd->engine, &claim);
        crowd->completed += (int64_t)rig_complete(crowd->engine, &claim);
        rig_claim_fini(&claim);
    }
    return NULL;
}

static void many_threads_lose_and_double_nothing(void **state)
{
    struct rig *rig = rig_new(state);
    struct crowd crowd = {.engine = rig_start(rig)};
    static const char *const names[TENANTS] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < TENANTS; i++) {
        crowd.tenants[i] = rig_tenant(rig, crowd.engine, names[i]);
    }
    rig_job_type(rig, crowd.engine, "scan", "{}");
    rig_job_type(rig, crowd.engine, "match", "{}");
    pthread_t threads[PRODUCERS + WORKERS];
    struct err err = {0};
    for (int i = 0; i < PRODUCERS + WORKERS; i++) {
        assert_int_equal(
            thread_start(&threads[i], "test", i < PRODUCERS ? produce : work, &crowd, &err),
            ERR_OK);
    }
    for (int i = 0; i < PRODUCERS + WORKERS; i++) {
        thread_join(threads[i]);
    }
    int64_t jobs = 0;
    for (size_t i = 0; i < TENANTS; i++) {
        const struct rig_counts counts = rig_counts(crowd.engine, crowd.tenants[i]);
        assert_int_equal(counts.waiting, 0);
        assert_int_equal(counts.inflight, 0);
        assert_int_equal(counts.live, 0);
        jobs += counts.next_job - 1;
        (void)rig_check_history(crowd.engine, crowd.tenants[i]);
    }
    assert_int_equal(jobs, PRODUCERS * SUBMITS * JOBS_OF_SUBMIT);
    assert_int_equal(crowd.completed, jobs); /* Each was granted once. */
    rig_stop(crowd.engine);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_go_from_submit_to_success),
        cmocka_unit_test(a_refused_command_says_why),
        cmocka_unit_test(a_large_submit_is_answered_after_its_last_job),
        cmocka_unit_test(a_repeated_claim_id_gives_the_same_leases),
        cmocka_unit_test(many_threads_lose_and_double_nothing),
    };
    return rig_main(tests, sizeof(tests) / sizeof(tests[0]));
}
