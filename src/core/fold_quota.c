#include "core/fold_quota.h"

#include "core/quota_change.h"

static struct quota_group_row *group_of(struct fold *fold, int32_t number)
{
    const struct quota_group_row like = {.row = {.table = TABLE_QUOTA_GROUPS},
                                         .shard = fold->shard,
                                         .tenant = fold->tenant,
                                         .quota_group = number};
    return (struct quota_group_row *)row_set_find(&fold->set, &like.row);
}

static struct quota_member_row *member_of(struct fold *fold, int32_t tenant)
{
    const struct quota_member_row like = {.row = {.table = TABLE_QUOTA_MEMBERS},
                                          .shard = fold->shard,
                                          .tenant = fold->tenant,
                                          .member = tenant};
    return (struct quota_member_row *)row_set_find(&fold->set, &like.row);
}

bool fold_quota_group_put(struct fold *fold, const struct fold_event *e)
{
    const int32_t number = (int32_t)fold_int(e, "group");
    const struct quota_group_row *old = group_of(fold, number);
    enum quota_policy policy = QUOTA_UNLIMITED;
    struct quota_group_row row = {.row = {.table = TABLE_QUOTA_GROUPS}};
    if (old != NULL) {
        row = *old;
    }
    row.shard = fold->shard;
    row.tenant = fold->tenant;
    row.quota_group = number;
    row.name = fold_text(e, "name");
    row.capacity = (int32_t)fold_int(e, "capacity");
    row.unlent = fold_int(e, "unlent");
    row.version = (int32_t)fold_int(e, "version");
    row.weight = (int32_t)fold_int(e, "weight");
    const bool is_known = quota_policy_find(fold_text(e, "policy"), &policy);
    row.policy = (int16_t)policy;
    fold_put(fold, &row.row);
    return is_known;
}

bool fold_quota_set(struct fold *fold, const struct fold_event *e)
{
    const struct quota_member_row row = {
        .row = {.table = TABLE_QUOTA_MEMBERS},
        .shard = fold->shard,
        .tenant = fold->tenant,
        .member = (int32_t)fold_int(e, "member"),
        .quota_group = (int32_t)fold_int(e, "group"),
        .version = (int32_t)fold_int(e, "version"),
        .nominal = (int32_t)fold_int(e, "nominal"),
        .borrow_limit = (int32_t)fold_int(e, "borrow_limit"),
        .lend_limit = (int32_t)fold_int(e, "lend_limit"),
        .hard_max = (int32_t)fold_int(e, "hard_max"),
        .floor = (int32_t)fold_int(e, "floor"),
        .class = (int16_t)fold_int(e, "class"),
        .burst_s = fold_int(e, "burst_s"),
        .refill_s = fold_int(e, "refill_s"),
        .burst_left = fold_int(e, "burst_left"),
        .burst_at = fold_int(e, "burst_at"),
        .in_use = fold_int(e, "in_use"),
        .charged = fold_int(e, "charged"),
    };
    const struct quota_member_row *old = member_of(fold, row.member);
    if (old != NULL && old->quota_group != 0) {
        quota_join(group_of(fold, old->quota_group), old, -1);
    }
    fold_put(fold, &row.row);
    struct quota_group_row *group = group_of(fold, row.quota_group);
    if (group != NULL) {
        quota_join(group, &row, 1);
    }
    return group != NULL || row.quota_group == 0;
}

bool fold_quota_used(struct fold *fold, const struct fold_event *e)
{
    struct quota_member_row *member = member_of(fold, (int32_t)fold_int(e, "member"));
    struct quota_group_row *group = member == NULL ? NULL : group_of(fold, member->quota_group);
    if (group == NULL) {
        return false;
    }
    quota_join(group, member, -1);
    member->burst_at = fold_int(e, "burst_at");
    member->burst_left = fold_int(e, "burst_left");
    member->charged = fold_int(e, "charged");
    member->in_use = fold_int(e, "in_use");
    quota_join(group, member, 1);
    group->charged = fold_int(e, "group_charged");
    group->lift = fold_int(e, "lift");
    return true;
}

bool fold_tenant_grouped(struct fold *fold, const struct fold_event *e)
{
    fold_tenant_row(fold)->quota_group = (int32_t)fold_int(e, "group");
    return true;
}
