/* api/quotas - what a tenant is promised of its group's slots. */
#include "api/decode.h"
#include "api/quota_views.h"

/* ---- A tenant's quota ---- */

static void read_quota(struct call *call, struct reader *reader)
{
    struct quota_read *read = call->state;
    struct query q = {.name = "tenant_by_name", .arena = call->arena};
    query_arg_text(&q, read->name);
    if (quota_read_groups(call, reader) == ERR_OK &&
        reader_query(reader, &q, &read->tenant, &call->err) == ERR_OK && read->tenant.rows > 0) {
        (void)quota_read_members(call, reader, 0, query_int(&read->tenant, 0, "tenant") - 1, 1);
    }
}

/* The tenant's; one that was never in a group has no row. */
static bool quota_found(struct call *call, struct quota_view *out)
{
    const struct quota_read *read = call->state;
    if (read->tenant.rows == 0 || query_int(&read->tenant, 0, "tenant") == TENANT_SYSTEM) {
        return false;
    }
    if (read->members.rows > 0 &&
        query_int(&read->members, 0, "member") == query_int(&read->tenant, 0, "tenant")) {
        *out = quota_view_at(call, 0);
        return true;
    }
    *out = (struct quota_view){
        .member = {.borrow_limit = QUOTA_ANY,
                   .lend_limit = QUOTA_ANY,
                   .hard_max = QUOTA_ANY,
                   .in_use = query_int(&read->tenant, 0, "inflight")},
        .tenant = read->name,
        .weight = (int32_t)query_int(&read->tenant, 0, "weight"),
        .waiting = query_int(&read->tenant, 0, "waiting"),
    };
    return true;
}

static void quota_is_read(struct call *call)
{
    struct quota_view view;
    if (!quota_found(call, &view)) {
        quota_not_there(call);
        return;
    }
    struct json_writer w = call_json(call);
    quota_put(&w, &view);
    call_put_etag(call, view.member.version);
    call_answer(call, 200);
}

void api_get_quota(struct call *call)
{
    (void)quota_begin(call, call->args[0]);
    call_read(call, read_quota, quota_is_read);
}

/* What was read before the change is what stands beside the rows that it gave. */
static void answer_change(struct call *call)
{
    const struct command *command = call->request.commands;
    const struct quota_change *change = &command->quota;
    struct quota_view view;
    if (!quota_found(call, &view)) {
        quota_not_there(call);
        return;
    }
    const struct quota_view before = view;
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_BOOL(&w, "dry_run", change->is_dry);
    json_put_key(&w, STR("now"));
    view.member = *(const struct quota_member_row *)change->now;
    const struct quota_group_row *group = quota_group_find(call, STR(""), view.member.quota_group);
    view.group = group == NULL ? (struct quota_group_row){0} : *group;
    quota_put(&w, &view);
    json_put_key(&w, STR("was"));
    if (change->was == NULL) {
        json_put_null(&w);
    } else {
        view.member = *(const struct quota_member_row *)change->was;
        group = quota_group_find(call, STR(""), view.member.quota_group);
        view.group = group == NULL ? before.group : *group;
        quota_put(&w, &view);
    }
    json_put_object_end(&w);
    call_put_etag(call, change->is_dry ? change->version - 1 : change->version);
    call_answer(call, 200);
}

static void quota_is_set(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        quota_change_failed(call, &command->quota);
        return;
    }
    call_read(call, read_quota, answer_change);
}

struct quota_body {
    struct str group;
    int64_t nominal;
    int64_t borrow_limit;
    int64_t lend_limit;
    int64_t hard_max;
    int64_t floor;
    int64_t class;
    int64_t burst_s;
    int64_t refill_s;
};

#define SLOTS_FIELD(name)                                                \
    {                                                                    \
        #name, FIELD_INT, .nullable = true, .min = 0, .max = QUOTA_MOST, \
                          .offset = offsetof(struct quota_body, name)    \
    }

void api_set_quota(struct call *call)
{
    static const struct field fields[] = {
        {"group", FIELD_NAME, .nullable = true, .max = 64,
         .offset = offsetof(struct quota_body, group)},
        SLOTS_FIELD(nominal),
        SLOTS_FIELD(borrow_limit),
        SLOTS_FIELD(lend_limit),
        SLOTS_FIELD(hard_max),
        SLOTS_FIELD(floor),
        {"class", FIELD_INT, .min = 0, .max = QUOTA_CLASS_MAX,
         .offset = offsetof(struct quota_body, class)},
        {"burst_s", FIELD_INT, .min = 0, .max = QUOTA_BURST_MOST,
         .offset = offsetof(struct quota_body, burst_s)},
        {"refill_s", FIELD_INT, .min = 0, .max = QUOTA_REFILL_MOST,
         .offset = offsetof(struct quota_body, refill_s)},
    };
    struct quota_body body = {
        .borrow_limit = QUOTA_ANY, .lend_limit = QUOTA_ANY, .hard_max = QUOTA_ANY};
    if (!call_find_tenant(call, call->args[0])) {
        return;
    }
    if (call->tenant.v == TENANT_SYSTEM) {
        quota_not_there(call);
        return;
    }
    struct command *command = call_command(call, COMMAND_QUOTA_SET);
    if (!quota_take_manners(call, &command->quota)) {
        return;
    }
    if (decode_body(call->arena, call->exchange->body, fields, sizeof(fields) / sizeof(fields[0]),
                    &body, &call->document, &call->err) != ERR_OK) {
        call_fail(call);
        return;
    }
    command->quota.group = body.group;
    command->quota.member = (struct quota_member_row){
        .nominal = (int32_t)body.nominal,
        .borrow_limit = (int32_t)body.borrow_limit,
        .lend_limit = (int32_t)body.lend_limit,
        .hard_max = (int32_t)body.hard_max,
        .floor = (int32_t)body.floor,
        .class = (int16_t)body.class,
        .burst_s = body.burst_s,
        .refill_s = body.refill_s,
    };
    (void)quota_begin(call, call->args[0]);
    call_engine(call, QUEUE_CONTROL, command, 1, quota_is_set);
}

/* ---- Listing ---- */

static void read_list(struct call *call, struct reader *reader)
{
    const struct quota_read *read = call->state;
    if (quota_read_groups(call, reader) == ERR_OK) {
        (void)quota_read_members(call, reader, 0, read->page.at.keys[0], read->page.limit + 1);
    }
}

static void list_is_read(struct call *call)
{
    struct quota_read *read = call->state;
    struct json_writer w = page_open(call);
    for (size_t i = 0; i < read->members.rows; i++) {
        if ((int64_t)i == read->page.limit) {
            read->page.has_next = true;
            break;
        }
        const struct quota_view view = quota_view_at(call, i);
        quota_put(&w, &view);
        read->page.next.keys[0] = view.member.member;
    }
    page_close(call, &w, &read->page);
}

void api_list_quotas(struct call *call)
{
    struct quota_read *read = quota_begin(call, STR(""));
    if (page_take(call, &read->page, STR(""))) {
        call_read(call, read_list, list_is_read);
    }
}
