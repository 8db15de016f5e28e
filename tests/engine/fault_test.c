/* A ledger that fails: unknown commits, outages, clocks, stopping under load. The faults are put
 * between engine and ledger by the linker (--wrap), so that both backends meet the same. */
#include "engine/rig.h"

#include "platform/clock.h"
#include "platform/thread.h"

/* What the next commits meet. */
enum fault {
    FAULT_NONE,
    FAULT_UNKNOWN_COMMITTED, /* It was committed, the answer got lost. */
    FAULT_UNKNOWN_LOST,      /* It was not. */
    FAULT_DOWN,              /* Nothing begins. */
};

static _Atomic int fault;
static _Atomic int faults_left;     /* Of the unknown commits. */
static _Atomic int64_t clock_shift; /* Of the ledger's clock. */

enum err_code __real_ledger_begin(struct ledger *ledger, const int16_t *shards, size_t count,
                                  struct facts *facts, struct err *err);
enum err_code __real_ledger_commit(struct ledger *ledger, const struct plan *plan,
                                   struct facts *facts, struct err *err);
enum err_code __wrap_ledger_begin(struct ledger *ledger, const int16_t *shards, size_t count,
                                  struct facts *facts, struct err *err);
enum err_code __wrap_ledger_commit(struct ledger *ledger, const struct plan *plan,
                                   struct facts *facts, struct err *err);

enum err_code __wrap_ledger_begin(struct ledger *ledger, const int16_t *shards, size_t count,
                                  struct facts *facts, struct err *err)
{
    if (fault == FAULT_DOWN) {
        return err_set(err, ERR_LEDGER_UNAVAILABLE, "down for the test");
    }
    const enum err_code code = __real_ledger_begin(ledger, shards, count, facts, err);
    facts->clock += clock_shift;
    return code;
}

enum err_code __wrap_ledger_commit(struct ledger *ledger, const struct plan *plan,
                                   struct facts *facts, struct err *err)
{
    const bool unknown = fault == FAULT_UNKNOWN_COMMITTED || fault == FAULT_UNKNOWN_LOST;
    if (!unknown || faults_left-- <= 0) {
        return __real_ledger_commit(ledger, plan, facts, err);
    }
    if (fault == FAULT_UNKNOWN_LOST) {
        ledger_rollback(ledger);
    } else {
        const size_t fetched = facts->fetch_jobs.n;
        facts->fetch_jobs.n = 0; /* What the answer carried is lost with it. */
        const enum err_code code = __real_ledger_commit(ledger, plan, facts, err);
        facts->fetch_jobs.n = fetched;
        assert_int_equal(code, ERR_OK);
    }
    return err_set(err, ERR_COMMIT_UNKNOWN, "lost for the test");
}

static void set_fault(enum fault which, int count)
{
    faults_left = count;
    fault = which;
}

static void run_lifecycle(struct engine *engine, struct rig_tenant tenant)
{
    rig_submit_jobs(engine, tenant, "scan", 5);
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 5, 5 * US_PER_S);
    assert_int_equal(rig_claim_jobs(engine, &claim), 5);
    assert_true(str_eq(claim.claim.parts.v[0].grants[0].job->payload, STR("{\"n\":1}")));
    assert_int_equal(rig_complete(engine, &claim), 5);
    rig_claim_fini(&claim);
}

static void check_unknown(void **state, enum fault which)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{}");
    set_fault(which, 2); /* A group is given up after the third. */
    run_lifecycle(engine, tenant);
    set_fault(FAULT_NONE, 0);
    run_lifecycle(engine, tenant);
    struct engine_figures figures;
    engine_figures(engine, &figures);
    assert_int_equal(figures.unknown_commits, 2);
    const struct rig_counts counts = rig_counts(engine, tenant);
    assert_int_equal(counts.next_job, 11); /* Nothing was done twice. */
    assert_int_equal(counts.live, 0);
    (void)rig_check_history(engine, tenant);
    rig_stop(engine);
    rig_free(rig);
}

static void a_commit_that_happened_is_answered_from_memory(void **state)
{
    check_unknown(state, FAULT_UNKNOWN_COMMITTED);
}

static void a_commit_that_did_not_happen_is_decided_anew(void **state)
{
    check_unknown(state, FAULT_UNKNOWN_LOST);
}

static bool is_ready(void *ctx)
{
    return engine_is_ready(ctx);
}

static bool is_not_ready(void *ctx)
{
    return !engine_is_ready(ctx);
}

static void an_outage_is_told_and_ends_without_a_restart(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{}");
    set_fault(FAULT_DOWN, 0);
    struct rig_submit submit;
    rig_submit_init(&submit, tenant, "scan", 1);
    assert_int_equal(rig_run(engine, QUEUE_SUBMITS, &submit.command), ERR_LEDGER_UNAVAILABLE);
    rig_submit_fini(&submit);
    rig_until(is_not_ready, engine, "not ready");
    struct rig_claim eager;
    struct rig_claim patient;
    rig_claim_init(&eager, "scan\n", 1, 0);
    rig_claim_init(&patient, "scan\n", 1, 20 * US_PER_S);
    assert_int_equal(rig_claim_send(engine, &eager), ERR_LEDGER_UNAVAILABLE);
    assert_int_equal(rig_claim_send(engine, &patient), ERR_OK); /* It may come back in time. */
    set_fault(FAULT_NONE, 0);
    rig_until(is_ready, engine, "ready");
    rig_submit_jobs(engine, tenant, "scan", 1);
    rig_claim_wait(&patient);
    assert_int_equal(rig_claim_count(&patient), 1);
    assert_int_equal(rig_complete(engine, &patient), 1);
    rig_claim_fini(&eager);
    rig_claim_fini(&patient);
    rig_stop(engine);
    rig_free(rig);
}

/* ---- Clocks ---- */

static int64_t submitted_at(struct engine *engine, struct rig_tenant tenant)
{
    rig_submit_jobs(engine, tenant, "scan", 1);
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 1, 5 * US_PER_S);
    assert_int_equal(rig_claim_jobs(engine, &claim), 1);
    const int64_t at = claim.claim.parts.v[0].grants[0].job->submitted_at;
    assert_int_equal(rig_complete(engine, &claim), 1);
    rig_claim_fini(&claim);
    return at;
}

static void time_goes_on_when_the_clock_is_behind(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{}");
    int64_t last = submitted_at(engine, tenant);
    clock_shift = -3600 * US_PER_S;
    for (int i = 0; i < 3; i++) {
        const int64_t at = submitted_at(engine, tenant);
        assert_true(at > last && at < last + RIG_PATIENCE_US);
        last = at;
    }
    clock_shift = 0;
    assert_true(submitted_at(engine, tenant) > last);
    struct engine_figures figures;
    engine_figures(engine, &figures);
    assert_int_equal(figures.clock_behind, 1);
    (void)rig_check_history(engine, tenant);
    rig_stop(engine);
    rig_free(rig);
}

static void a_clock_that_jumps_ahead_lapses_no_lease(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{\"max_run_ms\":0}");
    rig_submit_jobs(engine, tenant, "scan", 1);
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 1, 5 * US_PER_S);
    assert_int_equal(rig_claim_jobs(engine, &claim), 1);
    clock_shift = 3600 * US_PER_S; /* The lease's 30 s are over, says the clock. */
    for (int i = 0; i < 5; i++) {
        rig_submit_jobs(engine, tenant, "scan", 1);
    }
    assert_int_equal(rig_counts(engine, tenant).inflight, 1);
    assert_int_equal(rig_complete(engine, &claim), 1);
    clock_shift = 0;
    rig_claim_fini(&claim);
    rig_stop(engine);
    rig_free(rig);
}

/* ---- Stopping ---- */

enum { LOADERS = 4 };

struct load {
    struct engine *engine;
    struct rig_tenant tenant;
    _Atomic int64_t accepted; /* Jobs of submits that were answered well. */
};

static void *submit_until_stopped(void *ctx)
{
    struct load *load = ctx;
    for (;;) {
        struct rig_submit submit;
        rig_submit_init(&submit, load->tenant, "scan", 20);
        const enum err_code code = rig_run(load->engine, QUEUE_SUBMITS, &submit.command);
        if (code == ERR_OK) {
            load->accepted += 20;
        } else {
            assert_int_equal(code, ERR_SHUTTING_DOWN);
        }
        rig_submit_fini(&submit);
        if (code != ERR_OK) {
            return NULL;
        }
    }
}

static bool has_load(void *ctx)
{
    const struct load *load = ctx;
    return load->accepted >= 200;
}

static void a_stop_under_load_answers_everything(void **state)
{
    struct rig *rig = rig_new(state);
    struct load load = {.engine = rig_start(rig)};
    load.tenant = rig_tenant(rig, load.engine, "acme");
    rig_job_type(rig, load.engine, "scan", "{}");
    struct rig_claim parked;
    rig_claim_init(&parked, "nothing\n", 1, 20 * US_PER_S);
    assert_int_equal(rig_claim_send(load.engine, &parked), ERR_OK);
    pthread_t threads[LOADERS];
    struct err err = {0};
    for (int i = 0; i < LOADERS; i++) {
        assert_int_equal(thread_start(&threads[i], "load", submit_until_stopped, &load, &err),
                         ERR_OK);
    }
    rig_until(has_load, &load, "submits were taken");
    engine_stop(load.engine);
    for (int i = 0; i < LOADERS; i++) {
        thread_join(threads[i]);
    }
    rig_claim_wait(&parked);
    rig_claim_fini(&parked);
    engine_free(load.engine);
    struct engine *again = rig_start(rig);
    assert_int_equal(rig_counts(again, load.tenant).waiting, load.accepted);
    (void)rig_check_history(again, load.tenant);
    rig_stop(again);
    rig_free(rig);
}

static void a_stop_without_a_ledger_ends_too(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    struct rig_claim parked;
    set_fault(FAULT_DOWN, 0);
    rig_claim_init(&parked, "scan\n", 1, 20 * US_PER_S);
    assert_int_equal(rig_claim_send(engine, &parked), ERR_OK);
    rig_stop(engine);
    rig_claim_wait(&parked);
    rig_claim_fini(&parked);
    set_fault(FAULT_NONE, 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_that_happened_is_answered_from_memory),
        cmocka_unit_test(a_commit_that_did_not_happen_is_decided_anew),
        cmocka_unit_test(an_outage_is_told_and_ends_without_a_restart),
        cmocka_unit_test(time_goes_on_when_the_clock_is_behind),
        cmocka_unit_test(a_clock_that_jumps_ahead_lapses_no_lease),
        cmocka_unit_test(a_stop_under_load_answers_everything),
        cmocka_unit_test(a_stop_without_a_ledger_ends_too),
    };
    return rig_main(tests, sizeof(tests) / sizeof(tests[0]));
}
