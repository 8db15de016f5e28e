/* Whom a node offers next: pure, no ledger. */
#include "engine/summary.h"

#include "lib/cmocka.h"

#include "core/fairness.h"
#include "engine/queue.h"

static void learn_tenant(struct summary *summary, int32_t tenant, int32_t weight,
                         int64_t virtual_time)
{
    const struct tenant_row row = {.shard = (int16_t)(tenant % 64),
                                   .tenant = tenant,
                                   .weight = weight,
                                   .charged = virtual_time};
    (void)summary_learn_tenant(summary, &row);
}

static bool learn_lane(struct summary *summary, int32_t tenant, int32_t lane, const char *type,
                       int64_t waiting, int64_t open_at, int64_t now)
{
    const struct lane_row row = {.shard = (int16_t)(tenant % 64),
                                 .tenant = tenant,
                                 .lane = lane,
                                 .job_type = str_from(type),
                                 .waiting = waiting,
                                 .open_at = open_at,
                                 .estimate_ms = 100};
    return summary_learn_lane(summary, &row, now);
}

static struct offer_request ask(const uint64_t *types, size_t type_count, int64_t max)
{
    return (struct offer_request){.types = types, .type_count = type_count, .max = max};
}

static int64_t offered_to(const struct offer *offers, size_t count, int32_t tenant)
{
    for (size_t i = 0; i < count; i++) {
        if (offers[i].tenant->tenant.v == tenant) {
            return offers[i].jobs;
        }
    }
    return 0;
}

static void the_tenant_that_is_behind_comes_first(void **state)
{
    (void)state;
    struct summary summary;
    summary_init(&summary);
    for (int32_t tenant = 2; tenant <= 4; tenant++) {
        learn_tenant(&summary, tenant, 1, tenant == 3 ? 0 : 1000000);
        (void)learn_lane(&summary, tenant, 1, "scan", 10, 0, 1);
    }
    const uint64_t type = type_hash(STR("scan"));
    const struct offer_request request = ask(&type, 1, 5);
    struct offer offers[OFFER_TENANTS_MAX];
    const size_t count = summary_offer(&summary, &request, offers);
    assert_int_equal(count, 1);
    assert_int_equal(offered_to(offers, count, 3), 5);
    assert_int_equal(summary_floor(&summary), 5 * fairness_cost(100, 1));
    summary_fini(&summary);
}

static void weights_are_kept_over_many_claims(void **state)
{
    (void)state;
    struct summary summary;
    summary_init(&summary);
    int64_t virtual_times[3] = {0};
    int64_t served[3] = {0};
    static const int32_t weights[3] = {1, 2, 5};
    const uint64_t type = type_hash(STR("scan"));
    for (int round = 0; round < 1000; round++) {
        for (int32_t i = 0; i < 3; i++) {
            learn_tenant(&summary, i + 2, weights[i], virtual_times[i]);
            (void)learn_lane(&summary, i + 2, 1, "scan", 1000, 0, 1);
        }
        const struct offer_request request = ask(&type, 1, 7);
        struct offer offers[OFFER_TENANTS_MAX];
        const size_t count = summary_offer(&summary, &request, offers);
        for (size_t i = 0; i < count; i++) {
            const int32_t at = offers[i].tenant->tenant.v - 2;
            served[at] += offers[i].jobs;
            virtual_times[at] += offers[i].cost;
            summary_release(&offers[i]);
        }
    }
    for (int32_t i = 0; i < 3; i++) {
        const int64_t ideal = 7000 * weights[i] / 8;
        assert_true(served[i] >= ideal - 14 && served[i] <= ideal + 14);
    }
    summary_fini(&summary);
}

static void what_is_offered_is_not_offered_twice(void **state)
{
    (void)state;
    struct summary summary;
    summary_init(&summary);
    learn_tenant(&summary, 2, 1, 0);
    (void)learn_lane(&summary, 2, 1, "scan", 10, 0, 1);
    const uint64_t type = type_hash(STR("scan"));
    const struct offer_request request = ask(&type, 1, 8);
    struct offer first[OFFER_TENANTS_MAX];
    struct offer second[OFFER_TENANTS_MAX];
    struct offer third[OFFER_TENANTS_MAX];
    assert_int_equal(summary_offer(&summary, &request, first), 1);
    assert_int_equal(summary_offer(&summary, &request, second), 1);
    assert_int_equal(first[0].jobs, 8);
    assert_int_equal(second[0].jobs, 2);
    assert_int_equal(summary_offer(&summary, &request, third), 0);
    summary_release(&first[0]);
    assert_int_equal(summary_offer(&summary, &request, third), 1);
    assert_int_equal(third[0].jobs, 8);
    summary_fini(&summary);
}

static void only_asked_types_count(void **state)
{
    (void)state;
    struct summary summary;
    summary_init(&summary);
    learn_tenant(&summary, 2, 1, 0);
    (void)learn_lane(&summary, 2, 1, "scan", 10, 0, 1);
    (void)learn_lane(&summary, 2, 2, "match", 3, 0, 1);
    const uint64_t types[2] = {type_hash(STR("match")), type_hash(STR("other"))};
    const struct offer_request request = ask(types, 2, 100);
    struct offer offers[OFFER_TENANTS_MAX];
    assert_int_equal(summary_offer(&summary, &request, offers), 1);
    assert_int_equal(offers[0].jobs, 3);
    summary_fini(&summary);
}

static void a_held_lane_opens_at_its_time(void **state)
{
    (void)state;
    struct summary summary;
    summary_init(&summary);
    learn_tenant(&summary, 2, 1, 0);
    (void)learn_lane(&summary, 2, 1, "scan", 10, 500, 100);
    (void)learn_lane(&summary, 2, 2, "scan", 10, 300, 100);
    (void)learn_lane(&summary, 2, 3, "scan", 10, INT64_MAX, 100);
    const uint64_t type = type_hash(STR("scan"));
    const struct offer_request request = ask(&type, 1, 100);
    struct offer offers[OFFER_TENANTS_MAX];
    assert_int_equal(summary_offer(&summary, &request, offers), 0);
    assert_int_equal(summary_next_opening(&summary), 300);
    assert_null(summary_open_next(&summary, 299));
    assert_non_null(summary_open_next(&summary, 300));
    assert_int_equal(summary_offer(&summary, &request, offers), 1);
    assert_int_equal(offers[0].jobs, 10);
    assert_non_null(summary_open_next(&summary, 1000));
    assert_null(summary_open_next(&summary, 1000));
    assert_int_equal(summary_next_opening(&summary), INT64_MAX);
    summary_fini(&summary);
}

static void a_dry_tenant_is_visited_again_only_after_a_change(void **state)
{
    (void)state;
    struct summary summary;
    summary_init(&summary);
    learn_tenant(&summary, 2, 1, 0);
    (void)learn_lane(&summary, 2, 1, "scan", 10, 0, 1);
    const uint64_t type = type_hash(STR("scan"));
    struct visit visit = {.tenant = summary_tenant(&summary, 2, (struct tenant_id){2}),
                          .stamp = summary.stamp};
    struct map visits = {0};
    map_put(&summary.arena, &visits, 2, &visit);
    struct offer_request request = ask(&type, 1, 1);
    request.visits = &visits;
    struct offer offers[OFFER_TENANTS_MAX];
    assert_int_equal(summary_offer(&summary, &request, offers), 0);
    assert_false(learn_lane(&summary, 2, 1, "scan", 9, 0, 1)); /* Less is no help. */
    assert_int_equal(summary_offer(&summary, &request, offers), 0);
    assert_true(learn_lane(&summary, 2, 1, "scan", 11, 0, 1));
    assert_int_equal(summary_offer(&summary, &request, offers), 1);
    summary_fini(&summary);
}

static void a_tenant_at_its_limit_is_passed_over(void **state)
{
    (void)state;
    struct summary summary;
    summary_init(&summary);
    const struct tenant_row row = {
        .shard = 2, .tenant = 2, .weight = 1, .max_inflight = 5, .inflight = 3};
    (void)summary_learn_tenant(&summary, &row);
    (void)learn_lane(&summary, 2, 1, "scan", 10, 0, 1);
    const uint64_t type = type_hash(STR("scan"));
    const struct offer_request request = ask(&type, 1, 10);
    struct offer offers[OFFER_TENANTS_MAX];
    assert_int_equal(summary_offer(&summary, &request, offers), 1);
    assert_int_equal(offers[0].jobs, 2);
    assert_int_equal(summary_offer(&summary, &request, offers), 0);
    summary_fini(&summary);
}

static void of_many_tenants_the_last_served_ones_wait(void **state)
{
    (void)state;
    struct summary summary;
    summary_init(&summary);
    for (int32_t tenant = 2; tenant < 102; tenant++) {
        learn_tenant(&summary, tenant, 1, 1000 * (int64_t)(102 - tenant));
        (void)learn_lane(&summary, tenant, 1, "scan", 1, 0, 1);
    }
    const uint64_t type = type_hash(STR("scan"));
    const struct offer_request request = ask(&type, 1, 1000);
    struct offer offers[OFFER_TENANTS_MAX];
    const size_t count = summary_offer(&summary, &request, offers);
    assert_int_equal(count, OFFER_TENANTS_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(offers[i].tenant->tenant.v, 101 - (int32_t)i);
        assert_int_equal(offers[i].jobs, 1);
    }
    summary_fini(&summary);
}

/* ---- Tenants that share slots ---- */

static void learn_member(struct summary *summary, int32_t tenant, int32_t nominal, int16_t class,
                         int32_t floor, int64_t in_use)
{
    const struct tenant_row row = {
        .shard = (int16_t)(tenant % 64), .tenant = tenant, .weight = 1, .quota_group = 1};
    const struct quota_member_row member = {.member = tenant,
                                            .quota_group = 1,
                                            .nominal = nominal,
                                            .borrow_limit = QUOTA_ANY,
                                            .lend_limit = QUOTA_ANY,
                                            .hard_max = QUOTA_ANY,
                                            .floor = floor,
                                            .class = class,
                                            .in_use = in_use};
    (void)summary_learn_tenant(summary, &row);
    summary_learn_member(summary, &member);
}

static struct group_summary *learn_group(struct summary *summary, enum quota_policy policy,
                                         int64_t in_use, int64_t charged)
{
    const struct quota_group_row row = {.quota_group = 1,
                                        .version = 1,
                                        .policy = (int16_t)policy,
                                        .capacity = 10,
                                        .weight = 1,
                                        .in_use = in_use,
                                        .charged = charged};
    return summary_learn_group(summary, &row);
}

static void a_victim_within_its_nominal_gets_the_first_slot_of_a_flood(void **state)
{
    (void)state;
    struct summary summary;
    struct offer offers[OFFER_TENANTS_MAX];
    const uint64_t type = type_hash(STR("scan"));
    const struct offer_request request = ask(&type, 1, 5);
    summary_init(&summary);
    learn_member(&summary, 2, 2, 0, 0, 10); /* The flood has borrowed all there is. */
    (void)learn_lane(&summary, 2, 1, "scan", 100000, 0, 1);
    (void)learn_group(&summary, QUOTA_FAIR_SHARE, 10, 0);
    assert_int_equal(summary_offer(&summary, &request, offers), 0);
    learn_member(&summary, 3, 4, 0, 0, 0);
    (void)learn_lane(&summary, 3, 1, "scan", 3, 0, 1);
    learn_member(&summary, 2, 2, 0, 0, 9);
    assert_non_null(learn_group(&summary, QUOTA_FAIR_SHARE, 9, 0));
    assert_int_equal(summary_offer(&summary, &request, offers), 1);
    assert_int_equal(offered_to(offers, 1, 3), 1);
    summary_release(&offers[0]);
    summary_fini(&summary);
}

static void floors_come_before_tiers_and_tiers_before_time(void **state)
{
    (void)state;
    struct summary summary;
    struct offer offers[OFFER_TENANTS_MAX];
    const uint64_t type = type_hash(STR("scan"));
    const struct offer_request request = ask(&type, 1, 1);
    summary_init(&summary);
    (void)learn_group(&summary, QUOTA_PRIORITY, 0, 0);
    learn_member(&summary, 2, 0, 1, 0, 0);
    learn_member(&summary, 3, 0, 0, 0, 0);
    learn_member(&summary, 4, 0, 2, 1, 0);
    for (int32_t tenant = 2; tenant <= 4; tenant++) {
        (void)learn_lane(&summary, tenant, 1, "scan", 10, 0, 1);
    }
    static const int32_t order[] = {4, 3};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(summary_offer(&summary, &request, offers), 1);
        assert_int_equal(offers[0].tenant->tenant.v, order[i]);
    }
    (void)learn_group(&summary, QUOTA_PROPORTIONAL, 0, 0); /* No tiers: the lowest number. */
    assert_int_equal(summary_offer(&summary, &request, offers), 1);
    assert_int_equal(offers[0].tenant->tenant.v, 2);
    summary_fini(&summary);
}

static void groups_and_tenants_in_none_are_served_by_virtual_time(void **state)
{
    (void)state;
    struct summary summary;
    struct offer offers[OFFER_TENANTS_MAX];
    const uint64_t type = type_hash(STR("scan"));
    const struct offer_request request = ask(&type, 1, 1);
    summary_init(&summary);
    learn_tenant(&summary, 9, 1, 500000);
    (void)learn_lane(&summary, 9, 1, "scan", 10, 0, 1);
    learn_member(&summary, 2, 0, 0, 0, 0);
    (void)learn_lane(&summary, 2, 1, "scan", 10, 0, 1);
    (void)learn_group(&summary, QUOTA_PROPORTIONAL, 0, 900000);
    assert_int_equal(summary_offer(&summary, &request, offers), 1);
    assert_int_equal(offers[0].tenant->tenant.v, 9);
    summary_release(&offers[0]);
    learn_tenant(&summary, 9, 1, 1000000);
    assert_int_equal(summary_offer(&summary, &request, offers), 1);
    assert_int_equal(offers[0].tenant->tenant.v, 2);
    int64_t floors[QUOTA_GROUPS_MAX + 1];
    summary_floors(&summary, floors);
    assert_int_equal(floors[1], fairness_cost(100, 1)); /* What was offered counts. */
    summary_release(&offers[0]);
    summary_fini(&summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_victim_within_its_nominal_gets_the_first_slot_of_a_flood),
        cmocka_unit_test(floors_come_before_tiers_and_tiers_before_time),
        cmocka_unit_test(groups_and_tenants_in_none_are_served_by_virtual_time),
        cmocka_unit_test(the_tenant_that_is_behind_comes_first),
        cmocka_unit_test(weights_are_kept_over_many_claims),
        cmocka_unit_test(what_is_offered_is_not_offered_twice),
        cmocka_unit_test(only_asked_types_count),
        cmocka_unit_test(a_held_lane_opens_at_its_time),
        cmocka_unit_test(a_dry_tenant_is_visited_again_only_after_a_change),
        cmocka_unit_test(a_tenant_at_its_limit_is_passed_over),
        cmocka_unit_test(of_many_tenants_the_last_served_ones_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
