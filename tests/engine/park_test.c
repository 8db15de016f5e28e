/* Claims that wait: who feeds and wakes them, and how they end. */
#include "engine/rig.h"

#include "platform/clock.h"
#include "platform/thread.h"

struct parked {
    struct engine *engine;
    int64_t count;
};

static bool are_parked(void *ctx)
{
    const struct parked *parked = ctx;
    struct engine_figures figures;
    engine_figures(parked->engine, &figures);
    return figures.parked == parked->count;
}

static void until_parked(struct engine *engine, int64_t count)
{
    struct parked parked = {.engine = engine, .count = count};
    rig_until(are_parked, &parked, "claims are parked");
}

static void a_submit_feeds_a_parked_claim_in_its_own_group(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{}");
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 10, 20 * US_PER_S);
    assert_int_equal(rig_claim_send(engine, &claim), ERR_OK);
    until_parked(engine, 1);
    struct engine_figures before;
    struct engine_figures after;
    engine_figures(engine, &before);
    rig_submit_jobs(engine, tenant, "scan", 3);
    rig_claim_wait(&claim);
    engine_figures(engine, &after);
    assert_int_equal(rig_claim_count(&claim), 3);
    assert_int_equal(after.groups - before.groups, 1);
    rig_claim_fini(&claim);
    rig_stop(engine);
    rig_free(rig);
}

static void a_wait_that_is_over_ends_empty(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 10, 100 * US_PER_MS);
    const int64_t from = clock_mono().us;
    assert_int_equal(rig_claim_jobs(engine, &claim), 0);
    assert_int_equal(claim.claim.err.code, ERR_OK);
    assert_true(clock_mono().us - from >= 60 * US_PER_MS);
    rig_claim_fini(&claim);
    rig_stop(engine);
    rig_free(rig);
}

static void the_end_of_a_job_wakes_a_claim_held_by_its_limit(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{\"max_inflight\":1}");
    rig_submit_jobs(engine, tenant, "scan", 2);
    struct rig_claim first;
    struct rig_claim second;
    rig_claim_init(&first, "scan\n", 10, 0);
    rig_claim_init(&second, "scan\n", 10, 20 * US_PER_S);
    assert_int_equal(rig_claim_jobs(engine, &first), 1);
    assert_int_equal(rig_claim_send(engine, &second), ERR_OK);
    until_parked(engine, 1);
    assert_int_equal(rig_complete(engine, &first), 1);
    rig_claim_wait(&second);
    assert_int_equal(rig_claim_count(&second), 1);
    rig_claim_fini(&first);
    rig_claim_fini(&second);
    rig_stop(engine);
    rig_free(rig);
}

static void a_delayed_job_wakes_a_claim_when_it_is_due(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{}");
    struct rig_submit submit;
    rig_submit_init(&submit, tenant, "scan", 1);
    submit.command.submit.items[0].delay_us = 200 * US_PER_MS;
    const int64_t from = clock_mono().us;
    assert_int_equal(rig_run(engine, QUEUE_SUBMITS, &submit.command), ERR_OK);
    rig_submit_fini(&submit);
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 10, 20 * US_PER_S);
    assert_int_equal(rig_claim_jobs(engine, &claim), 1);
    const int64_t took = clock_mono().us - from;
    assert_true(took >= 190 * US_PER_MS && took < 15 * US_PER_S);
    rig_claim_fini(&claim);
    rig_stop(engine);
    rig_free(rig);
}

static void a_throttled_lane_wakes_a_claim_when_it_opens(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{}");
    rig_source(rig, engine, tenant, "feed",
               "{\"kind\":\"other\",\"host\":\"feed.example\",\"rate_per_s\":5,\"burst\":1}");
    struct rig_submit submit;
    rig_submit_init(&submit, tenant, "scan", 3);
    for (size_t i = 0; i < 3; i++) {
        submit.command.submit.items[i].source = STR("feed");
    }
    assert_int_equal(rig_run(engine, QUEUE_SUBMITS, &submit.command), ERR_OK);
    rig_submit_fini(&submit);
    for (int i = 0; i < 3; i++) {
        struct rig_claim claim;
        rig_claim_init(&claim, "scan\n", 10, 20 * US_PER_S);
        const int64_t from = clock_mono().us;
        assert_int_equal(rig_claim_jobs(engine, &claim), 1);
        assert_true(clock_mono().us - from < 15 * US_PER_S);
        rig_claim_fini(&claim);
    }
    rig_stop(engine);
    rig_free(rig);
}

static void a_credential_has_so_many_claims_and_no_more(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine_config config = rig_config(rig);
    config.parked_max = 2;
    struct engine *engine = rig_start_with(&config);
    struct rig_claim claims[3];
    for (size_t i = 0; i < 3; i++) {
        rig_claim_init(&claims[i], "scan\n", 1, 20 * US_PER_S);
    }
    assert_int_equal(rig_claim_send(engine, &claims[0]), ERR_OK);
    assert_int_equal(rig_claim_send(engine, &claims[1]), ERR_OK);
    assert_int_equal(rig_claim_send(engine, &claims[2]), ERR_TOO_MANY_CLAIMS);
    claims[2].claim.credential = STR("tok-2");
    claims[2].claim.err.code = ERR_OK;
    assert_int_equal(rig_claim_send(engine, &claims[2]), ERR_OK);
    until_parked(engine, 3);
    engine_stop(engine); /* Answers them empty. */
    for (size_t i = 0; i < 3; i++) {
        rig_claim_wait(&claims[i]);
        assert_int_equal(rig_claim_count(&claims[i]), 0);
        assert_int_equal(claims[i].claim.err.code, ERR_OK);
        rig_claim_fini(&claims[i]);
    }
    engine_free(engine);
    rig_free(rig);
}

static void the_same_claim_id_again_replaces_the_parked_one(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{}");
    struct rig_claim older;
    struct rig_claim newer;
    rig_claim_init(&older, "scan\n", 1, 20 * US_PER_S);
    rig_claim_init(&newer, "scan\n", 1, 20 * US_PER_S);
    newer.claim.claim = older.claim.claim;
    assert_int_equal(rig_claim_send(engine, &older), ERR_OK);
    until_parked(engine, 1);
    assert_int_equal(rig_claim_send(engine, &newer), ERR_OK);
    rig_claim_wait(&older);
    assert_int_equal(rig_claim_count(&older), 0);
    rig_submit_jobs(engine, tenant, "scan", 1);
    rig_claim_wait(&newer);
    assert_int_equal(rig_claim_count(&newer), 1);
    rig_claim_fini(&older);
    rig_claim_fini(&newer);
    rig_stop(engine);
    rig_free(rig);
}

static bool is_not_connected(struct engine_claim *claim)
{
    (void)claim;
    return false;
}

static void nothing_is_granted_to_a_client_that_went_away(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{}");
    struct rig_claim gone;
    struct rig_claim abandoned;
    struct rig_claim there;
    rig_claim_init(&gone, "scan\n", 1, 20 * US_PER_S);
    rig_claim_init(&abandoned, "scan\n", 1, 20 * US_PER_S);
    rig_claim_init(&there, "scan\n", 1, 20 * US_PER_S);
    gone.claim.is_connected = is_not_connected;
    assert_int_equal(rig_claim_send(engine, &gone), ERR_OK);
    assert_int_equal(rig_claim_send(engine, &abandoned), ERR_OK);
    assert_int_equal(rig_claim_send(engine, &there), ERR_OK);
    until_parked(engine, 3);
    engine_claim_abandon(engine, &abandoned.claim);
    rig_claim_wait(&abandoned);
    assert_int_equal(rig_claim_count(&abandoned), 0);
    rig_submit_jobs(engine, tenant, "scan", 1);
    rig_submit_jobs(engine, tenant, "scan", 1);
    rig_claim_wait(&gone);
    rig_claim_wait(&there);
    assert_int_equal(rig_claim_count(&gone), 0);
    assert_int_equal(rig_claim_count(&there), 1);
    rig_claim_fini(&gone);
    rig_claim_fini(&abandoned);
    rig_claim_fini(&there);
    rig_stop(engine);
    rig_free(rig);
}

static void a_claim_is_shared_between_equal_tenants(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    struct rig_tenant tenants[3];
    static const char *const names[3] = {"a", "b", "c"};
    rig_job_type(rig, engine, "scan", "{}");
    for (size_t i = 0; i < 3; i++) {
        tenants[i] = rig_tenant(rig, engine, names[i]);
        rig_submit_jobs(engine, tenants[i], "scan", 50);
    }
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 30, 0);
    assert_int_equal(rig_claim_jobs(engine, &claim), 30);
    assert_int_equal(claim.claim.parts.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(claim.claim.parts.v[i].count, 10);
    }
    rig_claim_fini(&claim);
    rig_stop(engine);
    rig_free(rig);
}

static void a_tenants_own_claim_takes_nothing_of_another(void **state)
{
    struct rig *rig = rig_new(state);
    struct engine *engine = rig_start(rig);
    const struct rig_tenant rich = rig_tenant(rig, engine, "rich");
    const struct rig_tenant poor = rig_tenant(rig, engine, "poor");
    rig_job_type(rig, engine, "scan", "{}");
    rig_submit_jobs(engine, rich, "scan", 5);
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 10, 50 * US_PER_MS);
    claim.claim.tenant = poor.id;
    assert_int_equal(rig_claim_jobs(engine, &claim), 0);
    rig_claim_fini(&claim);
    rig_stop(engine);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_submit_feeds_a_parked_claim_in_its_own_group),
        cmocka_unit_test(a_wait_that_is_over_ends_empty),
        cmocka_unit_test(the_end_of_a_job_wakes_a_claim_held_by_its_limit),
        cmocka_unit_test(a_delayed_job_wakes_a_claim_when_it_is_due),
        cmocka_unit_test(a_throttled_lane_wakes_a_claim_when_it_opens),
        cmocka_unit_test(a_credential_has_so_many_claims_and_no_more),
        cmocka_unit_test(the_same_claim_id_again_replaces_the_parked_one),
        cmocka_unit_test(nothing_is_granted_to_a_client_that_went_away),
        cmocka_unit_test(a_claim_is_shared_between_equal_tenants),
        cmocka_unit_test(a_tenants_own_claim_takes_nothing_of_another),
    };
    return rig_main(tests, sizeof(tests) / sizeof(tests[0]));
}
