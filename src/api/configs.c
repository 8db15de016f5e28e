/* api/configs - job types and sources: versioned documents with an ETag. */
#include "api/manners.h"
#include "api/readiness.h"
#include "api/views.h"
#include "core/config.h"

enum { READINESS_BYTES_MAX = 256 * 1024 };

/* The two kinds, as far as they differ. */
struct config_kind {
    const char *query;
    enum table_id table;
    enum command_kind put;
    bool is_inherited; /* The installation's are in force where the tenant has none of the name. */
};

static const struct config_kind job_types = {"job_types_of", TABLE_JOB_TYPES, COMMAND_JOB_TYPE_PUT,
                                             true};
static const struct config_kind sources = {"sources_of", TABLE_SOURCES, COMMAND_SOURCE_PUT, false};

struct config_row {
    struct str name;
    int32_t version;
    struct str body;
    bool is_inherited;                 /* The installation's; the tenant has none of that name. */
    const struct readiness *readiness; /* Of a source that was read, or null. */
};

/* ---- Reading ---- */

struct config_read {
    const struct config_kind *kind;
    struct str name; /* Of one; empty for a list. */
    struct page page;
    VEC(struct config_row) rows; /* By name. */
};

static struct config_row config_row_of(const struct query_result *found, size_t i)
{
    return (struct config_row){query_text(found, i, "name"),
                               (int32_t)query_int(found, i, "version"),
                               query_text(found, i, "body"), false, NULL};
}

static enum err_code query_of(struct call *call, struct reader *reader, int16_t shard,
                              struct tenant_id tenant, struct query_result *out)
{
    const struct config_read *read = call->state;
    struct query q = {.name = read->kind->query, .tenant = tenant, .arena = call->arena};
    query_arg_int(&q, shard);
    query_arg_int(&q, tenant.v);
    return reader_query(reader, &q, out, &call->err);
}

/* Both lists are sorted: merged, the tenant's own first. */
static void merge(struct config_read *read, struct arena *arena, const struct query_result *own,
                  const struct query_result *inherited, bool is_tenant)
{
    size_t a = 0;
    size_t b = 0;
    while (a < own->rows || b < inherited->rows) {
        const struct config_row left =
            a < own->rows ? config_row_of(own, a) : (struct config_row){0};
        struct config_row right =
            b < inherited->rows ? config_row_of(inherited, b) : (struct config_row){0};
        right.is_inherited = is_tenant;
        const int order = a == own->rows         ? 1
                          : b == inherited->rows ? -1
                                                 : str_cmp(left.name, right.name);
        VEC_PUSH(arena, &read->rows, order <= 0 ? left : right);
        a += order <= 0;
        b += order >= 0;
    }
}

static void read_configs(struct call *call, struct reader *reader)
{
    struct config_read *read = call->state;
    struct query_result own = {0};
    struct query_result inherited = {0};
    const struct tenant_id system = {TENANT_SYSTEM};
    if (call->tenant.v != 0 && query_of(call, reader, call->shard, call->tenant, &own) != ERR_OK) {
        return;
    }
    if (read->kind->is_inherited &&
        query_of(call, reader, SHARD_SYSTEM, system, &inherited) != ERR_OK) {
        return;
    }
    struct known_types types;
    if (read->kind == &sources && readiness_types(call, reader, &types) != ERR_OK) {
        return;
    }
    merge(read, call->arena, &own, &inherited, call->tenant.v != 0);
    for (size_t i = 0; read->kind == &sources && i < read->rows.n; i++) {
        struct config_row *row = &read->rows.v[i];
        if (read->name.len == 0 || str_eq(read->name, row->name)) {
            row->readiness = readiness_of(call, &types, row->name, row->body);
        }
    }
}

static json_t *json_of(const struct readiness *readiness)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    struct err err;
    json_t *made = NULL;
    buf_init(&text, READINESS_BYTES_MAX);
    json_begin(&w, &text);
    readiness_put(&w, readiness);
    return json_read(buf_get(&text), &made, &err) == ERR_OK ? made : json_null();
}

/* The body with name and version beside its own members. */
static void put_config(struct call *call, struct json_writer *w, const struct config_row *row)
{
    json_t *document = NULL;
    struct err err;
    if (json_read(row->body, &document, &err) != ERR_OK) {
        json_put_null(w);
        return;
    }
    (void)call;
    if (row->is_inherited) {
        (void)json_object_set_new(document, "inherited", json_true());
    }
    (void)json_object_set_new(document, "name", json_stringn(row->name.ptr, row->name.len));
    (void)json_object_set_new(document, "version", json_integer(row->version));
    if (row->readiness != NULL) {
        (void)json_object_set_new(document, "readiness", json_of(row->readiness));
    }
    json_put_value(w, document);
    json_decref(document);
}

static void answer_config(struct call *call, const struct config_row *row, int status)
{
    struct json_writer w = call_json(call);
    put_config(call, &w, row);
    if (!row->is_inherited) { /* A tag is of what a PUT here would replace. */
        call_put_etag(call, row->version);
    }
    call_answer(call, status);
}

static void one_is_read(struct call *call)
{
    const struct config_read *read = call->state;
    for (size_t i = 0; i < read->rows.n; i++) {
        if (str_eq(read->rows.v[i].name, read->name)) {
            /* A source's readiness changes without a version. */
            if (!read->rows.v[i].is_inherited && read->rows.v[i].readiness == NULL &&
                manners_unchanged(call, read->rows.v[i].version)) {
                return;
            }
            answer_config(call, &read->rows.v[i], 200);
            return;
        }
    }
    call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
}

static void list_is_read(struct call *call)
{
    struct config_read *read = call->state;
    struct page *page = &read->page;
    int64_t shown = 0;
    struct json_writer w = page_open(call);
    for (size_t i = 0; i < read->rows.n && !page->has_next; i++) {
        const struct config_row *row = &read->rows.v[i];
        if (!page->is_first && str_cmp(row->name, page->at.name) <= 0) {
            continue;
        }
        if (shown++ == page->limit) {
            page->has_next = true;
        } else {
            put_config(call, &w, row);
            page->next.name = row->name;
        }
    }
    page_close(call, &w, page);
}

static void read_one(struct call *call, const struct config_kind *kind)
{
    struct config_read *read = arena_new(call->arena, struct config_read);
    read->kind = kind;
    read->name = call->args[0];
    call->state = read;
    call_read(call, read_configs, one_is_read);
}

static void read_list(struct call *call, const struct config_kind *kind)
{
    struct config_read *read = arena_new(call->arena, struct config_read);
    read->kind = kind;
    call->state = read;
    if (page_take(call, &read->page, STR(""))) {
        call_read(call, read_configs, list_is_read);
    }
}

/* ---- Writing ---- */

static void config_is_put(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        manners_write_failed(call, command->put.version);
        return;
    }
    const struct config_row row = {command->put.name, command->put.version, command->put.body,
                                   false, NULL};
    answer_config(call, &row, command->put.created ? 201 : 200);
}

static enum err_code check_ttl(const struct call *call, const struct job_type *type,
                               struct err *err)
{
    if (type->ttl_ms >= call->api->settings->min_ttl_ms) {
        return ERR_OK;
    }
    return err_at(err, ERR_UNPROCESSABLE, "/ttl_ms", "ttl_ms must be %lld or more",
                  (long long)call->api->settings->min_ttl_ms);
}

static enum err_code check_body(struct call *call, const struct config_kind *kind,
                                struct config_put *put)
{
    struct job_type type;
    struct source source;
    TRY(json_read(call->exchange->body, &call->document, &call->err));
    put->name = call->args[0];
    if (kind == &sources) {
        return source_parse(call->arena, put->name, call->document, &source, &put->body,
                            &call->err);
    }
    TRY(job_type_parse(call->arena, put->name, call->document, &type, &put->body, &call->err));
    return check_ttl(call, &type, &call->err);
}

static void put(struct call *call, const struct config_kind *kind)
{
    struct command *command = call_command(call, kind->put);
    if (!name_is_valid(call->args[0], NAME_MAX_LEN)) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "", "the name in the path is not a valid name");
        call_fail(call);
        return;
    }
    if (call->tenant.v == 0) {
        command->tenant.v = TENANT_SYSTEM;
        command->shard = SHARD_SYSTEM;
    }
    struct condition condition;
    if (!manners_condition(call, &condition)) {
        return;
    }
    command->put.if_version = condition.version;
    command->put.any_version = condition.any;
    command->put.create_only = condition.none;
    if (check_body(call, kind, &command->put) != ERR_OK) {
        call_fail(call);
        return;
    }
    call_engine(call, QUEUE_CONTROL, command, 1, config_is_put);
}

void api_put_job_type(struct call *call)
{
    put(call, &job_types);
}

void api_get_job_type(struct call *call)
{
    read_one(call, &job_types);
}

void api_list_job_types(struct call *call)
{
    read_list(call, &job_types);
}

void api_put_source(struct call *call)
{
    put(call, &sources);
}

void api_get_source(struct call *call)
{
    read_one(call, &sources);
}

void api_list_sources(struct call *call)
{
    read_list(call, &sources);
}
