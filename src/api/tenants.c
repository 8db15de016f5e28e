/* api/tenants - who jobs belong to. */
#include "api/decode.h"
#include "api/manners.h"
#include "api/views.h"

struct tenant_body {
    struct str name;
    int64_t weight;
    int64_t max_inflight;
    int64_t max_live;
};

#define LIMIT_FIELDS                                                                              \
    {"weight", FIELD_INT, .min = 1, .max = 1000, .offset = offsetof(struct tenant_body, weight)}, \
        {"max_inflight", FIELD_INT, .min = 0, .max = INT32_MAX,                                   \
         .offset = offsetof(struct tenant_body, max_inflight)},                                   \
    {                                                                                             \
        "max_live_jobs", FIELD_INT, .min = 1, .max = INT32_MAX,                                   \
                                    .offset = offsetof(struct tenant_body, max_live)              \
    }

static void put_tenant(struct json_writer *w, const struct tenant_row *row)
{
    json_put_object(w);
    JSON_TIME(w, "created_at", row->created_at);
    JSON_INT(w, "inflight", row->inflight);
    JSON_INT(w, "live_jobs", row->live);
    JSON_INT(w, "max_inflight", row->max_inflight);
    JSON_INT(w, "max_live_jobs", row->max_live);
    JSON_STR(w, "name", row->name);
    JSON_INT(w, "shard", row->shard);
    JSON_INT(w, "version", row->version);
    JSON_INT(w, "waiting", row->waiting);
    JSON_INT(w, "weight", row->weight);
    json_put_object_end(w);
}

/* ---- One ---- */

struct one_tenant {
    struct str name;
    int status;
    const struct tenant_body *wanted; /* Of a create: what it must be. */
    struct query_result found;
};

static void read_tenant(struct call *call, struct reader *reader)
{
    struct one_tenant *one = call->state;
    struct query q = {.name = "tenant_by_name", .arena = call->arena};
    query_arg_text(&q, one->name);
    (void)reader_query(reader, &q, &one->found, &call->err);
}

static bool is_as_wanted(const struct tenant_row *row, const struct tenant_body *wanted)
{
    return wanted == NULL || (row->weight == wanted->weight && row->max_live == wanted->max_live &&
                              row->max_inflight == wanted->max_inflight);
}

static void tenant_is_read(struct call *call)
{
    const struct one_tenant *one = call->state;
    const struct tenant_row *row = NULL;
    if (one->found.rows > 0) {
        row = (const struct tenant_row *)query_row(&one->found, 0, TABLE_TENANTS, call->arena);
    }
    if (row == NULL || row->tenant == TENANT_SYSTEM) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    if (!is_as_wanted(row, one->wanted)) {
        (void)err_at(&call->err, ERR_ALREADY_EXISTS, "/name", "there is a tenant of that name");
        call_fail(call);
        return;
    }
    struct json_writer w = call_json(call);
    put_tenant(&w, row);
    call_put_etag(call, row->version);
    call_answer(call, one->status);
}

static void answer_tenant(struct call *call, struct str name, int status,
                          const struct tenant_body *wanted)
{
    struct one_tenant *one = arena_new(call->arena, struct one_tenant);
    *one = (struct one_tenant){.name = name, .status = status, .wanted = wanted};
    call->state = one;
    call_read(call, read_tenant, tenant_is_read);
}

void api_get_tenant(struct call *call)
{
    answer_tenant(call, call->args[0], 200, NULL);
}

/* ---- Create: a number and a name in the system shard, then the row at home ---- */

static void tenant_is_open(struct call *call)
{
    const struct command *command = call->request.commands;
    const struct tenant_body *body = call->state;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        call_fail(call);
        return;
    }
    answer_tenant(call, body->name, 201, body);
}

static void tenant_is_named(struct call *call)
{
    const struct command *named = call->request.commands;
    const struct tenant_body *body = call->state;
    /* A name that is taken may be one whose creation was cut between the two steps: opening it
     * again changes nothing, and the answer tells whether it is the same. */
    if (named->err.code != ERR_OK && named->err.code != ERR_ALREADY_EXISTS) {
        call->err = named->err;
        call_fail(call);
        return;
    }
    struct command *command = call_command(call, COMMAND_TENANT_OPEN);
    command->tenant = named->tenant_change.made;
    command->shard = named->tenant_change.home_shard;
    command->tenant_change = (struct tenant_change){
        .name = body->name,
        .made = named->tenant_change.made,
        .weight = (int32_t)body->weight,
        .max_inflight = (int32_t)body->max_inflight,
        .max_live = (int32_t)body->max_live,
    };
    call_engine(call, QUEUE_CONTROL, command, 1, tenant_is_open);
}

void api_create_tenant(struct call *call)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, .required = true, .max = 64,
         .offset = offsetof(struct tenant_body, name)},
        LIMIT_FIELDS,
    };
    struct tenant_body *body = arena_new(call->arena, struct tenant_body);
    *body = (struct tenant_body){.weight = 1, .max_live = 1000000};
    if (decode_body(call->arena, call->exchange->body, fields, sizeof(fields) / sizeof(fields[0]),
                    body, &call->document, &call->err) != ERR_OK) {
        call_fail(call);
        return;
    }
    if (str_find(body->name, '/') < body->name.len || str_eq(body->name, STR(SYSTEM_NAME))) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/name",
                     "must not contain a slash, nor be " SYSTEM_NAME);
        call_fail(call);
        return;
    }
    struct command *command = call_command(call, COMMAND_TENANT_NAME);
    command->tenant.v = TENANT_SYSTEM;
    command->shard = SHARD_SYSTEM;
    command->tenant_change.name = body->name;
    call->state = body;
    call_engine(call, QUEUE_CONTROL, command, 1, tenant_is_named);
}

/* ---- Change ---- */

static void tenant_is_changed(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        manners_write_failed(call, command->tenant_change.version);
        return;
    }
    answer_tenant(call, call->args[0], 200, NULL);
}

void api_update_tenant(struct call *call)
{
    static const struct field fields[] = {LIMIT_FIELDS};
    struct tenant_body body = {.weight = -1, .max_inflight = -1, .max_live = -1};
    struct condition condition;
    if (!call_find_tenant(call, call->args[0])) {
        return;
    }
    if (call->tenant.v == TENANT_SYSTEM) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    if (decode_body(call->arena, call->exchange->body, fields, sizeof(fields) / sizeof(fields[0]),
                    &body, &call->document, &call->err) != ERR_OK) {
        call_fail(call);
        return;
    }
    if (!manners_condition(call, &condition)) {
        return;
    }
    if (condition.version < 0 && !condition.any) {
        call_refuse(call, ERR_PRECONDITION_REQUIRED, err_info(ERR_PRECONDITION_REQUIRED)->title);
        return;
    }
    struct command *command = call_command(call, COMMAND_TENANT_CHANGE);
    command->tenant_change = (struct tenant_change){
        .weight = (int32_t)body.weight,
        .max_inflight = (int32_t)body.max_inflight,
        .max_live = (int32_t)body.max_live,
        .if_version = condition.any ? 0 : condition.version,
    };
    call_engine(call, QUEUE_CONTROL, command, 1, tenant_is_changed);
}

/* ---- List ---- */

struct tenant_list {
    struct page page;
    struct query_result found;
};

static void read_list(struct call *call, struct reader *reader)
{
    struct tenant_list *list = call->state;
    struct query q = {.name = "tenants_page", .arena = call->arena};
    query_arg_text(&q, list->page.at.name);
    query_arg_int(&q, list->page.limit + 2); /* One more, and the system tenant. */
    (void)reader_query(reader, &q, &list->found, &call->err);
}

static void list_is_read(struct call *call)
{
    struct tenant_list *list = call->state;
    struct page *page = &list->page;
    int64_t shown = 0;
    struct json_writer w = page_open(call);
    for (size_t i = 0; i < list->found.rows; i++) {
        const struct tenant_row *row =
            (const struct tenant_row *)query_row(&list->found, i, TABLE_TENANTS, call->arena);
        if (row->tenant == TENANT_SYSTEM) {
            continue;
        }
        if (shown == page->limit) {
            page->has_next = true;
            break;
        }
        put_tenant(&w, row);
        page->next.name = row->name;
        shown++;
    }
    page_close(call, &w, page);
}

void api_list_tenants(struct call *call)
{
    struct tenant_list *list = arena_new(call->arena, struct tenant_list);
    call->state = list;
    if (page_take(call, &list->page, STR(""))) {
        call_read(call, read_list, list_is_read);
    }
}
