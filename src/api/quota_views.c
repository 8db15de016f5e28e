#include "api/quota_views.h"

#include "api/manners.h"
#include "platform/clock.h"

/* ---- Out ---- */

static void put_limit(struct json_writer *w, struct str name, int32_t limit)
{
    json_put_key(w, name);
    if (limit == QUOTA_ANY) {
        json_put_null(w);
    } else {
        json_put_int(w, limit);
    }
}

void quota_put_group(struct json_writer *w, const struct quota_group_row *group)
{
    json_put_object(w);
    JSON_INT(w, "capacity", group->capacity);
    JSON_INT(w, "floors", group->floors);
    JSON_STR(w, "group", group->name);
    JSON_INT(w, "in_use", group->in_use);
    JSON_INT(w, "members", group->members);
    JSON_INT(w, "nominal", group->nominal);
    JSON_STR(w, "policy", str_from(quota_policy_name((enum quota_policy)group->policy)));
    JSON_INT(w, "reserved_idle", group->unlent);
    JSON_INT(w, "version", group->version);
    JSON_INT(w, "weight", group->weight);
    json_put_object_end(w);
}

/* Slots that count as borrowed under the policy; and what one job more would be told. */
static void put_standing(struct json_writer *w, const struct quota_view *view)
{
    const int64_t now = clock_wall().us;
    const enum quota_policy policy = (enum quota_policy)view->group.policy;
    const struct quota_terms terms = quota_terms_of(policy, &view->member);
    json_put_object(w);
    JSON_INT(w, "borrowed", terms.is_reserving ? quota_borrowed(&terms, view->member.in_use) : 0);
    JSON_INT(w, "burst_left_s",
             view->member.burst_s > 0 ? quota_burst_left(policy, &view->member, now) : 0);
    JSON_INT(w, "group_capacity", view->group.capacity);
    JSON_INT(w, "group_in_use", view->group.in_use);
    JSON_INT(w, "group_reserved_idle", view->group.unlent);
    put_limit(w, STR("most"), terms.most == INT32_MAX ? QUOTA_ANY : (int32_t)terms.most);
    JSON_STR(w, "next",
             str_from(quota_verdict_name(quota_admit(&view->group, &view->member, 1, now))));
    JSON_STR(w, "policy", str_from(quota_policy_name(policy)));
    JSON_INT(w, "room", quota_room(&view->group, &view->member, now));
    json_put_object_end(w);
}

void quota_put(struct json_writer *w, const struct quota_view *view)
{
    const struct quota_member_row *member = &view->member;
    const bool is_member = member->quota_group != 0;
    json_put_object(w);
    put_limit(w, STR("borrow_limit"), member->borrow_limit);
    JSON_INT(w, "burst_s", member->burst_s);
    JSON_INT(w, "class", member->class);
    JSON_INT(w, "floor", member->floor);
    json_put_key(w, STR("group"));
    if (is_member) {
        json_put_str(w, view->group.name);
    } else {
        json_put_null(w);
    }
    put_limit(w, STR("hard_max"), member->hard_max);
    JSON_INT(w, "in_use", member->in_use);
    put_limit(w, STR("lend_limit"), member->lend_limit);
    JSON_INT(w, "nominal", member->nominal);
    JSON_INT(w, "refill_s", member->refill_s);
    json_put_key(w, STR("standing"));
    if (is_member) {
        put_standing(w, view);
    } else {
        json_put_null(w);
    }
    JSON_STR(w, "tenant", view->tenant);
    JSON_INT(w, "version", member->version);
    JSON_INT(w, "waiting", view->waiting);
    JSON_INT(w, "weight", view->weight);
    json_put_object_end(w);
}

/* ---- Reading ---- */

enum err_code quota_read_groups(struct call *call, struct reader *reader)
{
    struct quota_read *read = call->state;
    const struct query q = {.name = "dump_quota_groups", .arena = call->arena};
    return reader_query(reader, &q, &read->groups, &call->err);
}

const struct quota_group_row *quota_group_at(struct call *call, size_t i)
{
    const struct quota_read *read = call->state;
    return (const struct quota_group_row *)query_row(&read->groups, i, TABLE_QUOTA_GROUPS,
                                                     call->arena);
}

const struct quota_group_row *quota_group_find(struct call *call, struct str name, int64_t number)
{
    const struct quota_read *read = call->state;
    for (size_t i = 0; i < read->groups.rows; i++) {
        const struct quota_group_row *group = quota_group_at(call, i);
        if (name.len > 0 ? str_eq(group->name, name) : group->quota_group == number) {
            return group;
        }
    }
    return NULL;
}

enum err_code quota_read_members(struct call *call, struct reader *reader, int64_t group,
                                 int64_t after, int64_t limit)
{
    struct quota_read *read = call->state;
    struct query q = {.name = "quota_members_page", .arena = call->arena};
    query_arg_int(&q, group);
    query_arg_int(&q, after);
    query_arg_int(&q, limit);
    return reader_query(reader, &q, &read->members, &call->err);
}

struct quota_view quota_view_at(struct call *call, size_t i)
{
    const struct quota_read *read = call->state;
    const struct query_result *found = &read->members;
    struct quota_view view = {
        .member = {.member = (int32_t)query_int(found, i, "member"),
                   .quota_group = (int32_t)query_int(found, i, "quota_group"),
                   .version = (int32_t)query_int(found, i, "version"),
                   .nominal = (int32_t)query_int(found, i, "nominal"),
                   .borrow_limit = (int32_t)query_int(found, i, "borrow_limit"),
                   .lend_limit = (int32_t)query_int(found, i, "lend_limit"),
                   .hard_max = (int32_t)query_int(found, i, "hard_max"),
                   .floor = (int32_t)query_int(found, i, "floor"),
                   .class = (int16_t)query_int(found, i, "class"),
                   .burst_s = query_int(found, i, "burst_s"),
                   .refill_s = query_int(found, i, "refill_s"),
                   .burst_left = query_int(found, i, "burst_left"),
                   .burst_at = query_int(found, i, "burst_at"),
                   .in_use = query_int(found, i, "in_use")},
        .tenant = query_text(found, i, "name"),
        .weight = (int32_t)query_int(found, i, "weight"),
        .waiting = query_int(found, i, "waiting"),
    };
    const struct quota_group_row *group = quota_group_find(call, STR(""), view.member.quota_group);
    if (group != NULL) {
        view.group = *group;
    }
    return view;
}

void quota_not_there(struct call *call)
{
    call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
}

struct quota_read *quota_begin(struct call *call, struct str name)
{
    struct quota_read *read = arena_new(call->arena, struct quota_read);
    read->name = name;
    read->policy = QUOTA_POLICIES;
    call->state = read;
    return read;
}

/* ---- Changes ---- */

bool quota_take_manners(struct call *call, struct quota_change *change)
{
    struct condition condition;
    struct str dry = {0};
    const struct query_param params[] = {{"dry_run", &dry}};
    if (!call_query(call, params, 1) || !manners_condition(call, &condition)) {
        return false;
    }
    if (dry.ptr != NULL && !str_eq(dry, STR("true")) && !str_eq(dry, STR("false"))) {
        call_refuse(call, ERR_INVALID_REQUEST, "dry_run is true or false");
        return false;
    }
    change->is_dry = str_eq(dry, STR("true"));
    change->if_version = condition.version > 0 ? condition.version : 0;
    change->any_version = condition.any;
    change->create_only = condition.none;
    return true;
}

/* A write without If-Match is for what does not exist yet. */
void quota_change_failed(struct call *call, const struct quota_change *change)
{
    const bool is_new = change->if_version == 0 && !change->any_version && !change->create_only;
    if (call->err.code == ERR_PRECONDITION_FAILED && is_new) {
        call->err.code = ERR_PRECONDITION_REQUIRED;
    }
    manners_write_failed(call, change->version);
}
