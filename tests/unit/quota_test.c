/* Slots shared by tenants: admission against a naive twin, the division by its properties. */
#include "lib/cmocka.h"

#include <string.h>

#include "base/time.h"
#include "core/quota.h"

enum { MEMBERS = 7, SEEDS = 300, STEPS = 120 };

static uint64_t draw(uint64_t *state, uint64_t bound)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % bound;
}

struct set {
    struct quota_group_row group;
    struct quota_member_row members[MEMBERS];
    int64_t waiting[MEMBERS];
};

static int32_t limit(uint64_t *random, int32_t most)
{
    return draw(random, 3) == 0 ? QUOTA_ANY : (int32_t)draw(random, (uint64_t)most + 1);
}

/* A group whose quotas are possible. */
static void set_draw(struct set *set, uint64_t *random, enum quota_policy policy)
{
    memset(set, 0, sizeof(*set));
    set->group.policy = (int16_t)policy;
    set->group.capacity = 1 + (int32_t)draw(random, 40);
    int32_t left = set->group.capacity;
    int32_t floors = left;
    for (int i = 0; i < MEMBERS; i++) {
        struct quota_member_row *m = &set->members[i];
        m->member = i + 2;
        m->nominal = (int32_t)draw(random, (uint64_t)left / 2 + 1);
        left -= m->nominal;
        m->lend_limit = limit(random, m->nominal);
        m->borrow_limit = limit(random, set->group.capacity - m->nominal);
        m->hard_max = draw(random, 2) == 0
                          ? QUOTA_ANY
                          : m->nominal + limit(random, set->group.capacity - m->nominal) + 1;
        if (m->hard_max > set->group.capacity) {
            m->hard_max = set->group.capacity;
        }
        m->floor = (int32_t)draw(random, (uint64_t)floors / 3 + 1);
        if (m->hard_max != QUOTA_ANY && m->floor > m->hard_max) {
            m->floor = m->hard_max;
        }
        floors -= m->floor;
        m->class = (int16_t)draw(random, 3);
        const struct quota_terms terms = quota_terms_of(policy, m);
        set->group.unlent += quota_unlent(&terms, 0);
    }
}

/* ---- Admission ---- */

static int64_t twin_limit(int32_t limit)
{
    return limit == QUOTA_ANY ? 1000000 : limit;
}

/* Kueue's three conditions over all members, as they are written, from what is in use. */
static bool twin_admits(const struct set *set, int who, int64_t more)
{
    const enum quota_policy policy = (enum quota_policy)set->group.policy;
    const bool reserves = policy == QUOTA_RESERVED || policy == QUOTA_FAIR_SHARE;
    const struct quota_member_row *m = &set->members[who];
    int64_t used = 0;
    int64_t pool = set->group.capacity;
    int64_t borrowed = 0;
    int64_t lent = 0;
    int64_t locked = 0; /* Reserved by others who do not lend it. */
    for (int i = 0; i < MEMBERS; i++) {
        const struct quota_member_row *other = &set->members[i];
        const int64_t nominal = reserves ? other->nominal : 0;
        const int64_t idle = nominal > other->in_use ? nominal - other->in_use : 0;
        const int64_t lends = policy == QUOTA_RESERVED ? 0 : twin_limit(other->lend_limit);
        used += other->in_use;
        pool -= nominal;
        borrowed += other->in_use > nominal ? other->in_use - nominal : 0;
        if (i != who) {
            lent += idle < lends ? idle : lends;
            locked += idle > lends ? idle - lends : 0;
        }
    }
    const int64_t nominal = reserves ? m->nominal : 0;
    const int64_t own = nominal > m->in_use ? nominal - m->in_use : 0;
    const int64_t above = more > own ? more - own : 0;
    if (policy != QUOTA_UNLIMITED && m->in_use + more > twin_limit(m->hard_max)) {
        return false;
    }
    if (reserves && m->in_use + more > m->nominal + twin_limit(m->borrow_limit)) {
        return false;
    }
    if (used + more > set->group.capacity) {
        return false; /* What was lent is not preempted. */
    }
    if (above > 0) {
        return above <= lent + pool - borrowed;
    }
    /* Within nominal: what is free, but for what is locked; what it does not lend is its own. */
    const int64_t lends = policy == QUOTA_RESERVED ? 0 : twin_limit(m->lend_limit);
    const int64_t mine = own > lends ? own - lends : 0;
    return more <= mine || used + more + locked <= set->group.capacity;
}

static int64_t sum_in_use(const struct set *set)
{
    int64_t sum = 0;
    for (int i = 0; i < MEMBERS; i++) {
        sum += set->members[i].in_use;
    }
    return sum;
}

static void admission_is_that_of_the_naive_twin(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t random = seed;
        struct set set;
        set_draw(&set, &random, (enum quota_policy)(seed % QUOTA_POLICIES));
        for (int step = 0; step < STEPS; step++) {
            const int who = (int)draw(&random, MEMBERS);
            struct quota_member_row *m = &set.members[who];
            const int64_t more = 1 + (int64_t)draw(&random, 4);
            const bool may = quota_is_yes(quota_admit(&set.group, m, more, 0));
            assert_int_equal(may, twin_admits(&set, who, more));
            const int64_t room = quota_room(&set.group, m, 0);
            assert_true(room == 0 || twin_admits(&set, who, room));
            assert_false(twin_admits(&set, who, room + 1));
            if (may) {
                quota_count(&set.group, m, m->in_use + more, 0);
            } else if (m->in_use > 0) {
                quota_count(&set.group, m, m->in_use - 1, 0);
            }
            assert_int_equal(set.group.in_use, sum_in_use(&set));
            assert_true(set.group.in_use <= set.group.capacity);
        }
    }
}

static void what_is_reserved_is_there_when_it_is_asked_for(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t random = seed;
        struct set set;
        set_draw(&set, &random, QUOTA_RESERVED);
        for (int step = 0; step < STEPS; step++) {
            struct quota_member_row *m = &set.members[draw(&random, MEMBERS)];
            const int64_t more = 1 + (int64_t)draw(&random, 5);
            if (quota_is_yes(quota_admit(&set.group, m, more, 0))) {
                quota_count(&set.group, m, m->in_use + more, 0);
            }
            for (int i = 0; i < MEMBERS; i++) {
                const struct quota_member_row *other = &set.members[i];
                const int64_t idle = other->nominal - other->in_use;
                const bool capped =
                    other->hard_max != QUOTA_ANY && other->hard_max < other->nominal;
                if (idle > 0 && !capped) {
                    assert_int_equal(quota_admit(&set.group, other, idle, 0), QUOTA_FITS);
                }
            }
        }
    }
}

static void what_was_lent_comes_back_slot_by_slot(void **state)
{
    (void)state;
    struct quota_group_row group = {.policy = QUOTA_FAIR_SHARE, .capacity = 10};
    struct quota_member_row lender = {.member = 2,
                                      .nominal = 6,
                                      .borrow_limit = QUOTA_ANY,
                                      .lend_limit = QUOTA_ANY,
                                      .hard_max = QUOTA_ANY};
    struct quota_member_row borrower = lender;
    borrower.member = 3;
    borrower.nominal = 4;
    assert_int_equal(quota_admit(&group, &borrower, 10, 0), QUOTA_BORROWS);
    quota_count(&group, &borrower, 10, 0);
    assert_int_equal(quota_admit(&group, &lender, 1, 0), QUOTA_FULL);
    quota_count(&group, &borrower, 9, 0);
    assert_int_equal(quota_admit(&group, &lender, 1, 0), QUOTA_FITS);
    /* One that lends only two has four left for itself. */
    quota_count(&group, &borrower, 0, 0);
    struct quota_member_row shy = lender;
    shy.lend_limit = 2;
    group.unlent = 4;
    assert_int_equal(quota_room(&group, &borrower, 0), 6);
    assert_int_equal(quota_admit(&group, &borrower, 7, 0), QUOTA_KEPT);
    assert_int_equal(quota_admit(&group, &shy, 6, 0), QUOTA_FITS);
}

static void a_burst_budget_is_spent_by_borrowing_and_refills(void **state)
{
    (void)state;
    struct quota_group_row group = {.policy = QUOTA_FAIR_SHARE, .capacity = 10};
    struct quota_member_row m = {.member = 2,
                                 .nominal = 2,
                                 .borrow_limit = QUOTA_ANY,
                                 .lend_limit = QUOTA_ANY,
                                 .hard_max = QUOTA_ANY,
                                 .burst_s = 60,
                                 .refill_s = 600,
                                 .burst_left = 60 * US_PER_S};
    quota_count(&group, &m, 5, 0); /* Three above: 20 s of them. */
    assert_int_equal(quota_burst_left(QUOTA_FAIR_SHARE, &m, 10 * US_PER_S), 30);
    assert_int_equal(quota_admit(&group, &m, 1, 19 * US_PER_S), QUOTA_BORROWS);
    assert_int_equal(quota_admit(&group, &m, 1, 20 * US_PER_S), QUOTA_NO_BURST);
    quota_count(&group, &m, 2, 20 * US_PER_S);
    assert_int_equal(quota_admit(&group, &m, 1, 20 * US_PER_S), QUOTA_NO_BURST);
    assert_int_equal(quota_burst_left(QUOTA_FAIR_SHARE, &m, 320 * US_PER_S), 30);
    assert_int_equal(quota_burst_left(QUOTA_FAIR_SHARE, &m, 5000 * US_PER_S), 60);
    /* Counted every half millisecond it gains as much. */
    for (int64_t now = 20 * US_PER_S; now < 21 * US_PER_S; now += 500) {
        quota_count(&group, &m, 1 + (now / 500) % 2, now);
    }
    assert_in_range(m.burst_left, 99000, 100000);
    struct quota_member_row most = m;
    most.burst_s = QUOTA_BURST_MOST;
    most.refill_s = QUOTA_REFILL_MOST;
    most.burst_left = 0;
    assert_int_equal(quota_burst_left(QUOTA_FAIR_SHARE, &most,
                                      most.burst_at + (int64_t)QUOTA_REFILL_MOST * US_PER_S / 2),
                     QUOTA_BURST_MOST / 2);
}

/* ---- Division ---- */

struct division {
    struct set set;
    struct quota_share shares[MEMBERS];
    int64_t most[MEMBERS]; /* min(demand, what it may hold) */
    int64_t given;
};

static void divide(struct division *d, uint64_t seed, enum quota_policy policy)
{
    struct arena arena;
    uint64_t random = seed;
    arena_init(&arena, 1 << 20);
    set_draw(&d->set, &random, policy);
    for (int i = 0; i < MEMBERS; i++) {
        d->shares[i] = (struct quota_share){.member = &d->set.members[i],
                                            .weight = 1 + (int64_t)draw(&random, 16),
                                            .demand = (int64_t)draw(&random, 30)};
        const struct quota_terms terms = quota_terms_of(policy, &d->set.members[i]);
        d->most[i] = d->shares[i].demand < terms.most ? d->shares[i].demand : terms.most;
    }
    quota_allocate(policy, d->set.group.capacity, d->shares, MEMBERS, &arena);
    d->given = 0;
    for (int i = 0; i < MEMBERS; i++) {
        d->given += d->shares[i].slots;
    }
    arena_fini(&arena);
}

static void a_division_conserves_and_wastes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS * 4; seed++) {
        const enum quota_policy policy = (enum quota_policy)(seed % QUOTA_POLICIES);
        struct division d;
        int64_t wanted = 0;
        int64_t kept = 0;
        divide(&d, seed, policy);
        for (int i = 0; i < MEMBERS; i++) {
            const struct quota_terms terms = quota_terms_of(policy, &d.set.members[i]);
            assert_in_range(d.shares[i].slots, 0, d.most[i]);
            wanted += d.most[i];
            kept += quota_unlent(&terms, d.shares[i].slots);
        }
        assert_true(d.given + kept <= d.set.group.capacity);
        assert_true(d.given == wanted || d.given + kept == d.set.group.capacity);
    }
}

/* Nobody who could take a slot more has by weight less than another has with one slot less: then
 * the slot cannot be moved to make the poorer one richer (max-min), and nobody envies. */
static void proportional_is_max_min_by_weight(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS * 4; seed++) {
        struct division d;
        divide(&d, seed, QUOTA_MAX_LIMIT);
        for (int i = 0; i < MEMBERS; i++) {
            d.set.members[i].floor = 0;
        }
        struct arena arena;
        arena_init(&arena, 1 << 20);
        quota_allocate(QUOTA_PROPORTIONAL, d.set.group.capacity, d.shares, MEMBERS, &arena);
        arena_fini(&arena);
        for (int i = 0; i < MEMBERS; i++) {
            for (int k = 0; k < MEMBERS; k++) {
                const bool could_take = d.shares[i].slots < d.most[i];
                if (could_take && k != i && d.shares[k].slots > 0) {
                    assert_true((d.shares[k].slots - 1) * d.shares[i].weight <=
                                (d.shares[i].slots + 1) * d.shares[k].weight);
                }
            }
        }
    }
}

static void a_division_is_the_same_in_any_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct division d;
        struct arena arena;
        struct quota_share turned[MEMBERS];
        const enum quota_policy policy = (enum quota_policy)(seed % QUOTA_POLICIES);
        divide(&d, seed, policy);
        for (int i = 0; i < MEMBERS; i++) {
            turned[i] = d.shares[MEMBERS - 1 - i];
        }
        arena_init(&arena, 1 << 20);
        quota_allocate(policy, d.set.group.capacity, turned, MEMBERS, &arena);
        arena_fini(&arena);
        for (int i = 0; i < MEMBERS; i++) {
            assert_int_equal(turned[i].slots, d.shares[MEMBERS - 1 - i].slots);
        }
    }
}

static void the_largest_remainder_gets_what_is_left(void **state)
{
    (void)state;
    struct arena arena;
    struct quota_member_row members[3] = {{.member = 4, .hard_max = QUOTA_ANY},
                                          {.member = 3, .hard_max = QUOTA_ANY},
                                          {.member = 2, .hard_max = QUOTA_ANY}};
    struct quota_share shares[3] = {
        {&members[0], 1, 100, 0}, {&members[1], 1, 100, 0}, {&members[2], 2, 100, 0}};
    arena_init(&arena, 1 << 20);
    quota_allocate(QUOTA_PROPORTIONAL, 9, shares, 3, &arena); /* 2.25, 2.25, 4.5 */
    assert_int_equal(shares[0].slots, 2);
    assert_int_equal(shares[1].slots, 2);
    assert_int_equal(shares[2].slots, 5);
    quota_allocate(QUOTA_PROPORTIONAL, 7, shares, 3, &arena); /* 1.75, 1.75, 3.5 */
    assert_int_equal(shares[0].slots, 2);
    assert_int_equal(shares[1].slots, 2);
    assert_int_equal(shares[2].slots, 3);
    shares[2].demand = 1;
    quota_allocate(QUOTA_PROPORTIONAL, 8, shares, 3, &arena); /* 3.5, 3.5: the lower id */
    assert_int_equal(shares[0].slots, 3);
    assert_int_equal(shares[1].slots, 4);
    assert_int_equal(shares[2].slots, 1);
    arena_fini(&arena);
}

static void priority_fills_floors_then_tiers(void **state)
{
    (void)state;
    struct arena arena;
    struct quota_member_row members[3] = {
        {.member = 2, .hard_max = QUOTA_ANY, .class = 1, .floor = 2},
        {.member = 3, .hard_max = 6, .class = 0},
        {.member = 4, .hard_max = QUOTA_ANY, .class = 1}};
    struct quota_share shares[3] = {
        {&members[0], 1, 100, 0}, {&members[1], 1, 100, 0}, {&members[2], 1, 100, 0}};
    arena_init(&arena, 1 << 20);
    quota_allocate(QUOTA_PRIORITY, 12, shares, 3, &arena);
    assert_int_equal(shares[0].slots, 4);
    assert_int_equal(shares[1].slots, 6);
    assert_int_equal(shares[2].slots, 2);
    arena_fini(&arena);
}

static void the_largest_numbers_fit(void **state)
{
    (void)state;
    struct arena arena;
    struct quota_member_row m = {.member = 2, .hard_max = QUOTA_ANY};
    struct quota_share *shares = NULL;
    arena_init(&arena, 16 << 20);
    shares = arena_array(&arena, struct quota_share, QUOTA_MEMBERS_MAX);
    for (int i = 0; i < QUOTA_MEMBERS_MAX; i++) {
        shares[i] = (struct quota_share){.member = &m, .weight = 1000, .demand = INT64_MAX};
    }
    quota_allocate(QUOTA_PROPORTIONAL, QUOTA_MOST, shares, QUOTA_MEMBERS_MAX, &arena);
    for (int i = 0; i < QUOTA_MEMBERS_MAX; i++) {
        assert_int_equal(shares[i].slots, QUOTA_MOST / QUOTA_MEMBERS_MAX);
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admission_is_that_of_the_naive_twin),
        cmocka_unit_test(what_is_reserved_is_there_when_it_is_asked_for),
        cmocka_unit_test(what_was_lent_comes_back_slot_by_slot),
        cmocka_unit_test(a_burst_budget_is_spent_by_borrowing_and_refills),
        cmocka_unit_test(a_division_conserves_and_wastes_nothing),
        cmocka_unit_test(proportional_is_max_min_by_weight),
        cmocka_unit_test(a_division_is_the_same_in_any_order),
        cmocka_unit_test(the_largest_remainder_gets_what_is_left),
        cmocka_unit_test(priority_fills_floors_then_tiers),
        cmocka_unit_test(the_largest_numbers_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
