#include "core/quota_columns.h"

const struct column quota_group_columns[QUOTA_GROUP_COLUMNS] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct quota_group_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct quota_group_row, tenant)},
    {"quota_group", COLUMN_I4, COLUMN_KEY, offsetof(struct quota_group_row, quota_group)},
    {"name", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct quota_group_row, name)},
    {"version", COLUMN_I4, COLUMN_PLAIN, offsetof(struct quota_group_row, version)},
    {"policy", COLUMN_I2, COLUMN_PLAIN, offsetof(struct quota_group_row, policy)},
    {"capacity", COLUMN_I4, COLUMN_PLAIN, offsetof(struct quota_group_row, capacity)},
    {"weight", COLUMN_I4, COLUMN_PLAIN, offsetof(struct quota_group_row, weight)},
    {"members", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_group_row, members)},
    {"nominal", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_group_row, nominal)},
    {"floors", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_group_row, floors)},
    {"in_use", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_group_row, in_use)},
    {"unlent", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_group_row, unlent)},
    {"charged", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_group_row, charged)},
    {"lift", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_group_row, lift)},
};

const struct column quota_member_columns[QUOTA_MEMBER_COLUMNS] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct quota_member_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct quota_member_row, tenant)},
    {"member", COLUMN_I4, COLUMN_KEY, offsetof(struct quota_member_row, member)},
    {"quota_group", COLUMN_I4, COLUMN_PLAIN, offsetof(struct quota_member_row, quota_group)},
    {"version", COLUMN_I4, COLUMN_PLAIN, offsetof(struct quota_member_row, version)},
    {"nominal", COLUMN_I4, COLUMN_PLAIN, offsetof(struct quota_member_row, nominal)},
    {"borrow_limit", COLUMN_I4, COLUMN_PLAIN, offsetof(struct quota_member_row, borrow_limit)},
    {"lend_limit", COLUMN_I4, COLUMN_PLAIN, offsetof(struct quota_member_row, lend_limit)},
    {"hard_max", COLUMN_I4, COLUMN_PLAIN, offsetof(struct quota_member_row, hard_max)},
    {"floor", COLUMN_I4, COLUMN_PLAIN, offsetof(struct quota_member_row, floor)},
    {"class", COLUMN_I2, COLUMN_PLAIN, offsetof(struct quota_member_row, class)},
    {"burst_s", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_member_row, burst_s)},
    {"refill_s", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_member_row, refill_s)},
    {"burst_left", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_member_row, burst_left)},
    {"burst_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_member_row, burst_at)},
    {"in_use", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_member_row, in_use)},
    {"charged", COLUMN_I8, COLUMN_PLAIN, offsetof(struct quota_member_row, charged)},
};
