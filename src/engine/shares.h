/*
 * engine/shares - what a node knows about groups of tenants that share slots: as approximate as the
 * rest of the summary. It says who may be offered work at all and who comes first; the tick
 * (core/quota_use.h) has the last word.
 *
 * Groups stand beside the tenants that are in none, and are served by virtual time like them;
 * within a group come first those below their floor, then by tier, then those within nominal before
 * those that borrow, then by virtual time.
 *
 * Owns     groups lie in the summary's arena, and are never forgotten.
 * Threads  none; the node's lock is held.
 */
#ifndef ENGINE_SHARES_H
#define ENGINE_SHARES_H

#include "core/quota.h"

struct group_summary {
    struct quota_group_row row; /* Without its name. */
    int64_t reserved;           /* Jobs offered to its members and not decided. */
    int64_t reserved_cost;      /* Their virtual time, by the group's weight. */
    int64_t active;             /* Members with open work. */
    int64_t start;              /* It began to have open work: it stands level with that. */
    int64_t served;             /* Highest virtual time of a member that was offered work. */
    int64_t floor;              /* Lowest of those with open work; see summary_floors(). */
};

/* A tenant's place in a group. */
struct share_summary {
    struct group_summary *group; /* Null for none. */
    struct quota_member_row member;
    bool known; /* `member` was learned. */
};

/* Where a tenant that holds `more` slots than is known stands among the members. */
struct standing {
    int64_t rank; /* 0: below its floor; then its tier. */
    bool borrows;
};

int64_t group_virtual_time(const struct group_summary *group);
struct standing share_standing(const struct share_summary *share, int64_t more);
/* Jobs that may be offered, when `reserved` are offered to it already. */
int64_t share_room(const struct share_summary *share, int64_t reserved, int64_t now);
bool share_has_room(const struct share_summary *share, int64_t reserved, int64_t now);
/* What a job that costs the tenant so much costs its group. */
int64_t group_cost(const struct group_summary *group, int64_t cost, int32_t weight);

#endif
