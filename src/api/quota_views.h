/*
 * api/quota_views - how groups of tenants and quotas are read, and what is said of them.
 *
 * Use      quota_begin() makes the call's state; quota_read_… on a reader thread; then look and put.
 * Owns     the call's arena.
 * Threads  as the call.
 */
#ifndef API_QUOTA_VIEWS_H
#define API_QUOTA_VIEWS_H

#include "api/views.h"
#include "core/quota.h"

/* A member as it is read: its row, and what is said beside it. */
struct quota_view {
    struct quota_member_row member;
    struct quota_group_row group;
    struct str tenant;
    int32_t weight;
    int64_t waiting;
};

struct quota_read {
    struct str name; /* Of a group, or of a tenant. */
    struct page page;
    struct query_result groups;
    struct query_result members;
    struct query_result tenant;
    enum quota_policy policy; /* QUOTA_POLICIES: the group's. */
    int64_t capacity;         /* 0: the group's. */
};

struct quota_read *quota_begin(struct call *call, struct str name);
enum err_code quota_read_groups(struct call *call, struct reader *reader);
/* Members of a group (0: of all), after a tenant's number. */
enum err_code quota_read_members(struct call *call, struct reader *reader, int64_t group,
                                 int64_t after, int64_t limit);

const struct quota_group_row *quota_group_at(struct call *call, size_t i);
/* By name, or by number when the name is empty; null for none. */
const struct quota_group_row *quota_group_find(struct call *call, struct str name, int64_t number);
struct quota_view quota_view_at(struct call *call, size_t i);

void quota_put_group(struct json_writer *w, const struct quota_group_row *group);
void quota_put(struct json_writer *w, const struct quota_view *view);
void quota_not_there(struct call *call);

/* Reads conditions and dry_run into the command's part. False: answered. */
bool quota_take_manners(struct call *call, struct quota_change *change);
/* The command was refused with call->err. */
void quota_change_failed(struct call *call, const struct quota_change *change);

#endif
