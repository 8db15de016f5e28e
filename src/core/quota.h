/*
 * core/quota - how many slots a tenant of a group may hold: admission, and the division that a
 * policy aims at.
 *
 * A group has a capacity C of concurrency slots. Its members have G nominal, B borrow limit, L lend
 * limit, M hard max, and U slots in use. What G leaves of C is the group's own pool.
 *
 *   most_i   = min(M_i, G_i + B_i)
 *   unlent_i = max(0, G_i - U_i - L_i)          idle nominal that nobody else may have
 *   fits     c more for i: U_i + c <= most_i, and sum U + c <= C, and
 *            sum U + sum unlent (after) <= C, or not more than it is already
 *
 * which is Kueue's test: within nominal, or c <= idle pool + what the others lend, counting what is
 * borrowed already; where others borrow the nominal of i, it waits for them rather than take what a
 * third has reserved and does not lend. The two sums are kept in the group's row, so the test looks
 * at one member only. Nothing is preempted: what was lent comes back as slots free, because the
 * claim order (engine/summary.h) puts those within nominal first.
 *
 * Policies say which of G, B, L, M hold:
 *   unlimited     none: only C                  max_limit  M
 *   reserved      G, B, M; L = 0                proportional  M
 *   priority      M, and tiers above floors     fair_share  G, B, L, M
 *
 * Burst: with a budget, borrowing b slots for t costs b x t of it; it refills while not borrowing.
 * An empty budget refuses to borrow more; what is borrowed stays until its jobs end.
 *
 * Floors hold where nominal does not: those below theirs come first.
 *
 * Use      quota_admit() before a grant, quota_count() after; quota_allocate() is the dry division
 *          of C over what members ask for.
 * Threads  none; pure.
 * Bounds   numbers are at most QUOTA_MOST, members of a group QUOTA_MEMBERS_MAX: sums and products
 *          fit 64 bits.
 * Source   admission: Kueue (nominal quota, borrowing and lending limit), Kubernetes API priority
 *          and fairness; division: weighted max-min by water filling (Bertsekas, Gallager, Data
 *          Networks 6.5.2), integers by largest remainder (Hamilton).
 */
#ifndef CORE_QUOTA_H
#define CORE_QUOTA_H

#include "base/arena.h"
#include "core/rows.h"

enum {
    QUOTA_MOST = 1000000,
    QUOTA_MEMBERS_MAX = 10000,
    QUOTA_GROUPS_MAX = 100,
    QUOTA_CLASS_MAX = 9,
    QUOTA_BURST_MOST = 1000000000,
    QUOTA_REFILL_MOST = 30 * 24 * 3600,
    QUOTA_ANY = -1, /* Of a limit: none. */
};

enum quota_policy {
    QUOTA_UNLIMITED,
    QUOTA_MAX_LIMIT,
    QUOTA_RESERVED,
    QUOTA_PROPORTIONAL,
    QUOTA_PRIORITY,
    QUOTA_FAIR_SHARE,
    QUOTA_POLICIES,
};

enum quota_verdict {
    QUOTA_FITS,        /* Within nominal, or the policy knows none. */
    QUOTA_BORROWS,     /* Above nominal, and it may. */
    QUOTA_FULL,        /* All slots of the group are in use. */
    QUOTA_OVER_MAX,    /* Hard max. */
    QUOTA_OVER_BORROW, /* Nominal and borrow limit. */
    QUOTA_KEPT,        /* What is idle is reserved for others. */
    QUOTA_NO_BURST,    /* The burst budget is used up. */
};

/* What holds for a member under a policy. */
struct quota_terms {
    int64_t nominal;
    int64_t lend; /* Of nominal. */
    int64_t most; /* It may hold. */
    int64_t tier; /* 0 comes first. */
    int64_t floor;
    bool is_reserving; /* Nominal means something. */
};

/* "fair_share"; null and false for what is none. */
const char *quota_policy_name(enum quota_policy policy);
bool quota_policy_find(struct str name, enum quota_policy *out);
const char *quota_verdict_name(enum quota_verdict verdict);
/* It lets the job begin. */
bool quota_is_yes(enum quota_verdict verdict);

struct quota_terms quota_terms_of(enum quota_policy policy, const struct quota_member_row *member);
/* Idle nominal that is not lent. */
int64_t quota_unlent(const struct quota_terms *terms, int64_t in_use);
/* Slots above nominal. */
int64_t quota_borrowed(const struct quota_terms *terms, int64_t in_use);

/* The answer to `more` slots at once. */
enum quota_verdict quota_admit(const struct quota_group_row *group,
                               const struct quota_member_row *member, int64_t more, int64_t now);
/* The most that would be admitted together; 0 when not even one. */
int64_t quota_room(const struct quota_group_row *group, const struct quota_member_row *member,
                   int64_t now);
/* The member holds `in_use` now: counts it, in the group too. */
void quota_count(struct quota_group_row *group, struct quota_member_row *member, int64_t in_use,
                 int64_t now);
/* Burst budget left, in slot-seconds. */
int64_t quota_burst_left(enum quota_policy policy, const struct quota_member_row *member,
                         int64_t now);

/* One member of a division. */
struct quota_share {
    const struct quota_member_row *member;
    int64_t weight;
    int64_t demand; /* In use and waiting. */
    int64_t slots;  /* Output. */
};

/* Divides `capacity` as the policy aims at; `shares` keep their order. Sum of slots <= capacity,
 * each <= its demand; all of capacity is given when enough is asked for and may be had. */
void quota_allocate(enum quota_policy policy, int64_t capacity, struct quota_share *shares,
                    size_t count, struct arena *arena);

#endif
