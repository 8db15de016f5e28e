#include "engine/shares.h"

int64_t group_virtual_time(const struct group_summary *group)
{
    const int64_t at = group->row.charged + group->row.lift;
    return (at > group->start ? at : group->start) + group->reserved_cost;
}

struct standing share_standing(const struct share_summary *share, int64_t more)
{
    const struct quota_terms terms =
        quota_terms_of((enum quota_policy)share->group->row.policy, &share->member);
    const int64_t in_use = share->member.in_use + more;
    return (struct standing){.rank = in_use < terms.floor ? 0 : 1 + terms.tier,
                             .borrows = terms.is_reserving && in_use >= terms.nominal};
}

/* Both rows as if what is offered had been granted. */
static void with_reserved(const struct share_summary *share, int64_t reserved,
                          struct quota_group_row *group, struct quota_member_row *member)
{
    *group = share->group->row;
    *member = share->member;
    const struct quota_terms terms = quota_terms_of((enum quota_policy)group->policy, member);
    group->in_use += share->group->reserved;
    group->unlent +=
        quota_unlent(&terms, member->in_use + reserved) - quota_unlent(&terms, member->in_use);
    member->in_use += reserved;
}

int64_t share_room(const struct share_summary *share, int64_t reserved, int64_t now)
{
    struct quota_group_row group;
    struct quota_member_row member;
    if (!share->known) {
        return 0;
    }
    with_reserved(share, reserved, &group, &member);
    return quota_room(&group, &member, now);
}

bool share_has_room(const struct share_summary *share, int64_t reserved, int64_t now)
{
    struct quota_group_row group;
    struct quota_member_row member;
    if (!share->known) {
        return false;
    }
    with_reserved(share, reserved, &group, &member);
    return quota_is_yes(quota_admit(&group, &member, 1, now));
}

int64_t group_cost(const struct group_summary *group, int64_t cost, int32_t weight)
{
    return cost * weight / group->row.weight;
}
