#include "core/quota.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/time.h"

static const char *const policy_names[QUOTA_POLICIES] = {
    [QUOTA_UNLIMITED] = "unlimited", [QUOTA_MAX_LIMIT] = "max_limit",
    [QUOTA_RESERVED] = "reserved",   [QUOTA_PROPORTIONAL] = "proportional",
    [QUOTA_PRIORITY] = "priority",   [QUOTA_FAIR_SHARE] = "fair_share",
};

static const char *const verdict_names[] = {
    [QUOTA_FITS] = "fits",
    [QUOTA_BORROWS] = "borrows",
    [QUOTA_FULL] = "capacity",
    [QUOTA_OVER_MAX] = "hard_max",
    [QUOTA_OVER_BORROW] = "borrow_limit",
    [QUOTA_KEPT] = "reserved_for_others",
    [QUOTA_NO_BURST] = "burst_budget",
};

const char *quota_policy_name(enum quota_policy policy)
{
    return policy >= 0 && policy < QUOTA_POLICIES ? policy_names[policy] : NULL;
}

bool quota_policy_find(struct str name, enum quota_policy *out)
{
    for (int i = 0; i < QUOTA_POLICIES; i++) {
        if (str_eq(name, str_from(policy_names[i]))) {
            *out = (enum quota_policy)i;
            return true;
        }
    }
    return false;
}

const char *quota_verdict_name(enum quota_verdict verdict)
{
    return verdict_names[verdict];
}

bool quota_is_yes(enum quota_verdict verdict)
{
    return verdict == QUOTA_FITS || verdict == QUOTA_BORROWS;
}

/* ---- Admission ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t above(int64_t a, int64_t b)
{
    return a > b ? a - b : 0;
}

/* A limit that may be absent. */
static int64_t limit_of(int32_t limit)
{
    return limit == QUOTA_ANY ? INT32_MAX : limit;
}

struct quota_terms quota_terms_of(enum quota_policy policy, const struct quota_member_row *member)
{
    const bool is_reserving = policy == QUOTA_RESERVED || policy == QUOTA_FAIR_SHARE;
    struct quota_terms terms = {.most = INT32_MAX, .is_reserving = is_reserving};
    if (policy != QUOTA_UNLIMITED) {
        terms.most = limit_of(member->hard_max);
    }
    if (policy == QUOTA_PRIORITY) {
        terms.tier = member->class;
    }
    if (is_reserving) {
        terms.nominal = member->nominal;
        terms.lend = policy == QUOTA_RESERVED ? 0 : limit_of(member->lend_limit);
        terms.most = least(terms.most, member->nominal + limit_of(member->borrow_limit));
    } else {
        terms.floor = least(member->floor, terms.most);
    }
    return terms;
}

int64_t quota_unlent(const struct quota_terms *terms, int64_t in_use)
{
    return above(above(terms->nominal, in_use), terms->lend);
}

int64_t quota_borrowed(const struct quota_terms *terms, int64_t in_use)
{
    return above(in_use, terms->nominal);
}

/* Is there a budget for borrowing? Only where there is something to borrow above. */
static bool has_budget(const struct quota_terms *terms, const struct quota_member_row *member)
{
    return member->burst_s > 0 && terms->is_reserving;
}

/* In slot-microseconds. */
static int64_t burst_at(const struct quota_terms *terms, const struct quota_member_row *member,
                        int64_t now)
{
    const int64_t borrowed = quota_borrowed(terms, member->in_use);
    const int64_t passed = above(now, member->burst_at);
    if (borrowed > 0) {
        return passed > member->burst_left / borrowed ? 0 : member->burst_left - borrowed * passed;
    }
    const int64_t full = member->burst_s * US_PER_S;
    if (passed >= member->refill_s * US_PER_S) {
        return full;
    }
    /* full x passed / refill; in this order it fits 64 bits. */
    const int64_t gained =
        member->burst_s * (passed / US_PER_MS) / member->refill_s * (US_PER_S / US_PER_MS);
    return least(full, member->burst_left + gained);
}

int64_t quota_burst_left(enum quota_policy policy, const struct quota_member_row *member,
                         int64_t now)
{
    const struct quota_terms terms = quota_terms_of(policy, member);
    return burst_at(&terms, member, now) / US_PER_S;
}

enum quota_verdict quota_admit(const struct quota_group_row *group,
                               const struct quota_member_row *member, int64_t more, int64_t now)
{
    const struct quota_terms terms = quota_terms_of((enum quota_policy)group->policy, member);
    const int64_t after = member->in_use + more;
    const int64_t kept = group->unlent - quota_unlent(&terms, member->in_use);
    const int64_t taken = group->in_use + more + kept + quota_unlent(&terms, after);
    if (after > terms.most) {
        return member->hard_max != QUOTA_ANY && after > member->hard_max ? QUOTA_OVER_MAX
                                                                         : QUOTA_OVER_BORROW;
    }
    if (group->in_use + more > group->capacity) {
        return QUOTA_FULL;
    }
    if (taken > group->capacity && taken > group->in_use + group->unlent) {
        return QUOTA_KEPT;
    }
    if (after <= terms.nominal || !terms.is_reserving) {
        return QUOTA_FITS;
    }
    return has_budget(&terms, member) && burst_at(&terms, member, now) == 0 ? QUOTA_NO_BURST
                                                                            : QUOTA_BORROWS;
}

int64_t quota_room(const struct quota_group_row *group, const struct quota_member_row *member,
                   int64_t now)
{
    int64_t low = 0; /* Admitted: fewer always are when more are. */
    int64_t high = above(group->capacity, group->in_use) + 1;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (quota_is_yes(quota_admit(group, member, middle, now))) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

void quota_count(struct quota_group_row *group, struct quota_member_row *member, int64_t in_use,
                 int64_t now)
{
    const struct quota_terms terms = quota_terms_of((enum quota_policy)group->policy, member);
    const int64_t left = burst_at(&terms, member, now);
    /* What was gained of a millisecond is not lost when it is counted often. */
    if (left != member->burst_left || quota_borrowed(&terms, in_use) > 0) {
        member->burst_left = left;
        member->burst_at = now > member->burst_at ? now : member->burst_at;
    }
    group->unlent += quota_unlent(&terms, in_use) - quota_unlent(&terms, member->in_use);
    group->in_use += in_use - member->in_use;
    member->in_use = in_use;
    CHECK(member->in_use >= 0);
    CHECK(group->in_use >= 0);
    CHECK(group->unlent >= 0);
}

/* ---- Division ---- */

/* One that is being filled. */
struct vessel {
    int32_t tenant;
    int64_t weight;
    int64_t room;      /* Takes no more than that. */
    int64_t remainder; /* Of its share, before it was cut to an integer. */
    size_t at;         /* Its share. */
};

/* By room / weight: who is full first. */
static int by_level(const void *a, const void *b)
{
    const struct vessel *x = a;
    const struct vessel *y = b;
    const int64_t left = x->room * y->weight;
    const int64_t right = y->room * x->weight;
    return left != right ? (left > right) - (left < right)
                         : (x->tenant > y->tenant) - (x->tenant < y->tenant);
}

/* By remainder, the largest first, then by tenant. */
static int by_remainder(const void *a, const void *b)
{
    const struct vessel *x = a;
    const struct vessel *y = b;
    return x->remainder != y->remainder
               ? (x->remainder < y->remainder) - (x->remainder > y->remainder)
               : (x->tenant > y->tenant) - (x->tenant < y->tenant);
}

/* Fills up to `amount`, by weight, none beyond its room; returns what was given. */
static int64_t fill(struct quota_share *shares, struct vessel *vessels, size_t count,
                    int64_t amount)
{
    int64_t left = amount;
    int64_t weights = 0;
    size_t full = 0;
    qsort(vessels, count, sizeof(vessels[0]), by_level);
    for (size_t i = 0; i < count; i++) {
        weights += vessels[i].weight;
    }
    /* Those whose room is not above their share of what is left are full; that leaves the others
     * the same share or more. */
    while (full < count && vessels[full].room * weights <= vessels[full].weight * left) {
        shares[vessels[full].at].slots += vessels[full].room;
        left -= vessels[full].room;
        weights -= vessels[full].weight;
        full++;
    }
    const int64_t level = left;
    for (size_t i = full; i < count; i++) {
        const int64_t slots = vessels[i].weight * level / weights;
        vessels[i].remainder = vessels[i].weight * level % weights;
        shares[vessels[i].at].slots += slots;
        left -= slots;
    }
    if (full == count) {
        return amount - left;
    }
    qsort(vessels + full, count - full, sizeof(vessels[0]), by_remainder);
    for (size_t i = full; left > 0; i++, left--) {
        shares[vessels[i].at].slots++;
    }
    return amount;
}

/* What of a share may be filled now. */
typedef int64_t room_fn(enum quota_policy policy, const struct quota_share *share, int64_t tier);

static int64_t pour(enum quota_policy policy, struct quota_share *shares, size_t count,
                    struct vessel *vessels, room_fn *room, int64_t tier, int64_t amount)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const int64_t takes = room(policy, &shares[i], tier);
        if (takes > 0) {
            vessels[n++] = (struct vessel){.tenant = shares[i].member->member,
                                           .weight = shares[i].weight,
                                           .room = takes,
                                           .at = i};
        }
    }
    return n == 0 || amount <= 0 ? 0 : fill(shares, vessels, n, amount);
}

static int64_t wanted(enum quota_policy policy, const struct quota_share *share)
{
    const struct quota_terms terms = quota_terms_of(policy, share->member);
    return least(share->demand, terms.most);
}

static int64_t room_in_floor(enum quota_policy policy, const struct quota_share *share,
                             int64_t tier)
{
    (void)tier;
    const struct quota_terms terms = quota_terms_of(policy, share->member);
    return least(wanted(policy, share), terms.floor);
}

static int64_t room_in_nominal(enum quota_policy policy, const struct quota_share *share,
                               int64_t tier)
{
    (void)tier;
    const struct quota_terms terms = quota_terms_of(policy, share->member);
    return above(least(wanted(policy, share), terms.nominal), share->slots);
}

static int64_t room_of_tier(enum quota_policy policy, const struct quota_share *share, int64_t tier)
{
    const struct quota_terms terms = quota_terms_of(policy, share->member);
    return terms.tier == tier ? above(wanted(policy, share), share->slots) : 0;
}

/* Reserved for members that do not ask for it. */
static int64_t kept_of(enum quota_policy policy, const struct quota_share *shares, size_t count)
{
    int64_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct quota_terms terms = quota_terms_of(policy, shares[i].member);
        kept += quota_unlent(&terms, shares[i].slots);
    }
    return kept;
}

void quota_allocate(enum quota_policy policy, int64_t capacity, struct quota_share *shares,
                    size_t count, struct arena *arena)
{
    struct vessel *vessels = arena_array(arena, struct vessel, count + 1);
    int64_t left = capacity;
    CHECK(count <= QUOTA_MEMBERS_MAX);
    for (size_t i = 0; i < count; i++) {
        CHECK(shares[i].weight >= 1);
        shares[i].slots = 0;
    }
    left -= pour(policy, shares, count, vessels, room_in_floor, 0, left);
    left -= pour(policy, shares, count, vessels, room_in_nominal, 0, left);
    left -= kept_of(policy, shares, count);
    for (int64_t tier = 0; tier <= QUOTA_CLASS_MAX; tier++) {
        left -= pour(policy, shares, count, vessels, room_of_tier, tier, left);
    }
}
