/* api/quota_groups - groups of tenants that share slots, and who of them holds what. */
#include "api/decode.h"
#include "api/quota_views.h"

/* ---- Groups ---- */

static void read_groups_only(struct call *call, struct reader *reader)
{
    (void)quota_read_groups(call, reader);
}

static void groups_are_read(struct call *call)
{
    const struct quota_read *read = call->state;
    struct json_writer w = call_json(call);
    json_put_object(&w);
    json_put_key(&w, STR("items"));
    json_put_array(&w);
    for (size_t i = 0; i < read->groups.rows; i++) {
        quota_put_group(&w, quota_group_at(call, i));
    }
    json_put_array_end(&w);
    json_put_object_end(&w);
    call_answer(call, 200);
}

void api_list_quota_groups(struct call *call)
{
    (void)quota_begin(call, STR(""));
    call_read(call, read_groups_only, groups_are_read);
}

static void group_is_read(struct call *call)
{
    const struct quota_read *read = call->state;
    const struct quota_group_row *group = quota_group_find(call, read->name, 0);
    if (group == NULL) {
        quota_not_there(call);
        return;
    }
    struct json_writer w = call_json(call);
    quota_put_group(&w, group);
    call_put_etag(call, group->version);
    call_answer(call, 200);
}

void api_get_quota_group(struct call *call)
{
    (void)quota_begin(call, call->args[0]);
    call_read(call, read_groups_only, group_is_read);
}

static void group_is_put(struct call *call)
{
    const struct command *command = call->request.commands;
    const struct quota_change *change = &command->quota;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        quota_change_failed(call, change);
        return;
    }
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_BOOL(&w, "dry_run", change->is_dry);
    json_put_key(&w, STR("now"));
    quota_put_group(&w, (const struct quota_group_row *)change->now);
    json_put_key(&w, STR("was"));
    if (change->was == NULL) {
        json_put_null(&w);
    } else {
        quota_put_group(&w, (const struct quota_group_row *)change->was);
    }
    json_put_object_end(&w);
    call_put_etag(call, change->is_dry ? change->version - 1 : change->version);
    call_answer(call, change->was == NULL && !change->is_dry ? 201 : 200);
}

struct group_body {
    struct str policy;
    int64_t capacity;
    int64_t weight;
};

void api_put_quota_group(struct call *call)
{
    static const struct field fields[] = {
        {"policy", FIELD_TEXT, .required = true, .max = 32,
         .offset = offsetof(struct group_body, policy)},
        {"capacity", FIELD_INT, .required = true, .min = 1, .max = QUOTA_MOST,
         .offset = offsetof(struct group_body, capacity)},
        {"weight", FIELD_INT, .min = 1, .max = 1000, .offset = offsetof(struct group_body, weight)},
    };
    struct group_body body = {.weight = 1};
    struct command *command = call_command(call, COMMAND_QUOTA_GROUP_PUT);
    command->tenant.v = TENANT_SYSTEM;
    command->shard = SHARD_SYSTEM;
    if (!name_is_valid(call->args[0], 64)) {
        call_refuse(call, ERR_INVALID_REQUEST,
                    "a group's name has at most 64 letters, digits and ._-");
        return;
    }
    if (!quota_take_manners(call, &command->quota)) {
        return;
    }
    if (decode_body(call->arena, call->exchange->body, fields, sizeof(fields) / sizeof(fields[0]),
                    &body, &call->document, &call->err) != ERR_OK) {
        call_fail(call);
        return;
    }
    if (!quota_policy_find(body.policy, &command->quota.policy)) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/policy",
                     "is none of unlimited, max_limit, reserved, proportional, priority, "
                     "fair_share");
        call_fail(call);
        return;
    }
    command->quota.group = call->args[0];
    command->quota.capacity = (int32_t)body.capacity;
    command->quota.weight = (int32_t)body.weight;
    call_engine(call, QUEUE_CONTROL, command, 1, group_is_put);
}

/* ---- Usage, and what a policy would give ---- */

static void read_usage(struct call *call, struct reader *reader)
{
    const struct quota_read *read = call->state;
    if (quota_read_groups(call, reader) != ERR_OK) {
        return;
    }
    const struct quota_group_row *group = quota_group_find(call, read->name, 0);
    if (group != NULL) {
        (void)quota_read_members(call, reader, group->quota_group, 0, QUOTA_MEMBERS_MAX);
    }
}

static void put_share(struct json_writer *w, const struct quota_view *view,
                      const struct quota_share *share)
{
    json_put_object(w);
    JSON_INT(w, "in_use", view->member.in_use);
    JSON_INT(w, "nominal", view->member.nominal);
    JSON_INT(w, "slots", share->slots);
    JSON_STR(w, "tenant", view->tenant);
    JSON_INT(w, "waiting", view->waiting);
    JSON_INT(w, "weight", view->weight);
    json_put_object_end(w);
}

static void usage_is_read(struct call *call)
{
    const struct quota_read *read = call->state;
    const struct quota_group_row *group = quota_group_find(call, read->name, 0);
    if (group == NULL) {
        quota_not_there(call);
        return;
    }
    const size_t count = read->members.rows;
    struct quota_view *views = arena_array(call->arena, struct quota_view, count + 1);
    struct quota_share *shares = arena_array(call->arena, struct quota_share, count + 1);
    const enum quota_policy policy =
        read->policy == QUOTA_POLICIES ? (enum quota_policy)group->policy : read->policy;
    const int64_t capacity = read->capacity == 0 ? group->capacity : read->capacity;
    for (size_t i = 0; i < count; i++) {
        views[i] = quota_view_at(call, i);
        shares[i] = (struct quota_share){.member = &views[i].member,
                                         .weight = views[i].weight,
                                         .demand = views[i].member.in_use + views[i].waiting};
    }
    quota_allocate(policy, capacity, shares, count, call->arena);
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_INT(&w, "capacity", capacity);
    JSON_STR(&w, "group", group->name);
    JSON_INT(&w, "in_use", group->in_use);
    json_put_key(&w, STR("items"));
    json_put_array(&w);
    for (size_t i = 0; i < count; i++) {
        put_share(&w, &views[i], &shares[i]);
    }
    json_put_array_end(&w);
    JSON_STR(&w, "policy", str_from(quota_policy_name(policy)));
    json_put_object_end(&w);
    call_answer(call, 200);
}

void api_get_quota_usage(struct call *call)
{
    struct quota_read *read = quota_begin(call, call->args[0]);
    struct str policy = {0};
    struct str capacity = {0};
    const struct query_param params[] = {{"policy", &policy}, {"capacity", &capacity}};
    if (!call_query(call, params, 2)) {
        return;
    }
    if (policy.ptr != NULL && !quota_policy_find(policy, &read->policy)) {
        call_refuse(call, ERR_INVALID_REQUEST,
                    "policy is none of unlimited, max_limit, reserved, proportional, priority, "
                    "fair_share");
        return;
    }
    if (capacity.ptr != NULL &&
        !call_number(call, "capacity", capacity, 1, QUOTA_MOST, &read->capacity)) {
        return;
    }
    call_read(call, read_usage, usage_is_read);
}
