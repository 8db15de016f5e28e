/* What happens by itself: leases lapse, here and on another node. Time is the ledger's own; tests
 * wait for what must come and bound when it may come at the earliest. */
#include "engine/rig.h"

#include "platform/clock.h"

#define TTL_US (600 * US_PER_MS)

static const char short_lease[] =
    "{\"ttl_ms\":600,\"max_attempts\":3,\"backoff_base_ms\":1,\"backoff_max_ms\":1}";

/* A worker takes the one job and is never heard of again; returns when. */
static int64_t lose_a_lease(struct engine *engine, struct rig_tenant tenant)
{
    rig_submit_jobs(engine, tenant, "scan", 1);
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 1, 5 * US_PER_S);
    const int64_t from = clock_mono().us;
    assert_int_equal(rig_claim_jobs(engine, &claim), 1);
    rig_claim_fini(&claim);
    return from;
}

/* Waits for the job's next grant and ends it. */
static int64_t take_over(struct engine *engine, int32_t grant)
{
    struct rig_claim claim;
    const int64_t until = clock_mono().us + RIG_PATIENCE_US;
    rig_claim_init(&claim, "scan\n", 1, 20 * US_PER_S);
    while (rig_claim_jobs(engine, &claim) == 0) {
        assert_true(clock_mono().us < until);
        rig_claim_fini(&claim);
        rig_claim_init(&claim, "scan\n", 1, 20 * US_PER_S);
    }
    assert_int_equal(claim.claim.parts.v[0].grants[0].lease->carry.grant, grant);
    const int64_t at = clock_mono().us;
    assert_int_equal(rig_complete(engine, &claim), 1);
    rig_claim_fini(&claim);
    return at;
}

static void a_lease_lapses_and_its_job_is_granted_again(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", short_lease);
    const int64_t from = lose_a_lease(engine, tenant);
    const int64_t at = take_over(engine, 2);
    assert_true(at - from >= TTL_US);
    struct engine_figures figures;
    engine_figures(engine, &figures);
    assert_int_equal(figures.lapsed, 1);
    assert_int_equal(rig_counts(engine, tenant).live, 0);
    rig_stop(engine);
    rig_free(rig);
}

static bool has_come(void *ctx)
{
    const int64_t *at = ctx;
    return clock_mono().us >= *at;
}

static void after_a_stop_a_lease_gets_a_full_ttl(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine_config config = rig_config(rig);
    config.gap_us = TTL_US / 2;
    struct engine *engine = rig_start_with(&config);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", short_lease);
    (void)lose_a_lease(engine, tenant);
    rig_stop(engine);
    int64_t from = clock_mono().us + config.gap_us;
    rig_until(has_come, &from, "the gap is long enough");
    from = clock_mono().us;
    engine = rig_start_with(&config);
    const int64_t at = take_over(engine, 2);
    assert_true(at - from >= TTL_US);
    rig_stop(engine);
    rig_free(rig);
}

/* Timers of a node that died are another's. */
static void another_node_goes_on_with_the_timers(void **state)
{
    struct rig *rig = rig_new(state);
    if (!rig->postgres) { /* One node at a time: nothing to take over from. */
        rig_free(rig);
        return;
    }
    struct engine *dying = rig_start(rig);
    struct engine *staying = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, dying, "acme");
    rig_job_type(rig, dying, "scan", short_lease);
    (void)lose_a_lease(dying, tenant);
    rig_stop(dying);
    (void)take_over(staying, 2);
    assert_int_equal(rig_counts(staying, tenant).live, 0);
    rig_stop(staying);
    rig_free(rig);
}

static void many_leases_lapse_in_steps(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", short_lease);
    rig_submit_jobs(engine, tenant, "scan", 25);
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 25, 0);
    assert_int_equal(rig_claim_jobs(engine, &claim), 25);
    rig_claim_fini(&claim);
    size_t taken = 0;
    const int64_t until = clock_mono().us + RIG_PATIENCE_US;
    while (taken < 25) {
        assert_true(clock_mono().us < until);
        rig_claim_init(&claim, "scan\n", 25, 5 * US_PER_S);
        (void)rig_claim_jobs(engine, &claim);
        taken += rig_complete(engine, &claim);
        rig_claim_fini(&claim);
    }
    assert_int_equal(rig_counts(engine, tenant).live, 0);
    rig_stop(engine);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_lapses_and_its_job_is_granted_again),
        cmocka_unit_test(after_a_stop_a_lease_gets_a_full_ttl),
        cmocka_unit_test(another_node_goes_on_with_the_timers),
        cmocka_unit_test(many_leases_lapse_in_steps),
    };
    return rig_main(tests, sizeof(tests) / sizeof(tests[0]));
}
