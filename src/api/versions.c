/* api/versions - what job types and sources were, and what changed between two versions. */
#include "api/views.h"
#include "query/json_diff.h"

struct versions {
    enum config_kind_id kind;
    struct str name;
    struct page page;
    int64_t first; /* Of one, or the older of two. */
    int64_t second;
    struct query_result found;
    struct query_result other;
};

static struct versions *versions_new(struct call *call, enum config_kind_id kind)
{
    struct versions *versions = arena_new(call->arena, struct versions);
    versions->kind = kind;
    versions->name = call->args[0];
    call->state = versions;
    return versions;
}

static struct query query_of(struct call *call, const char *name, bool of_installation)
{
    const struct versions *versions = call->state;
    struct query q = {.name = name, .arena = call->arena};
    q.tenant.v = of_installation ? TENANT_SYSTEM : call->tenant.v;
    query_arg_int(&q, of_installation ? SHARD_SYSTEM : call->shard);
    query_arg_int(&q, q.tenant.v);
    query_arg_int(&q, versions->kind);
    query_arg_text(&q, versions->name);
    return q;
}

/* The tenant's own, else of a job type the installation's. Up to `limit`, newest first, from below
 * `before`. */
static enum err_code read_below(struct call *call, struct reader *reader, int64_t before,
                                int64_t limit, struct query_result *out)
{
    const struct versions *versions = call->state;
    for (int installation = call->tenant.v == 0; installation < 2; installation++) {
        if (installation == 1 && versions->kind != CONFIG_JOB_TYPE) {
            break;
        }
        struct query q = query_of(call, "config_versions_of", installation == 1);
        query_arg_int(&q, before);
        query_arg_int(&q, limit);
        TRY(reader_query(reader, &q, out, &call->err));
        if (out->rows > 0) {
            break;
        }
    }
    return ERR_OK;
}

static const struct config_version_row *row_at(struct call *call, const struct query_result *found,
                                               size_t i)
{
    return (const struct config_version_row *)query_row(found, i, TABLE_CONFIG_VERSIONS,
                                                        call->arena);
}

static void put_version(struct json_writer *w, const struct config_version_row *row, bool whole)
{
    json_put_object(w);
    JSON_STR(w, "actor", row->actor);
    JSON_TIME(w, "at", row->at);
    if (whole) {
        JSON_RAW(w, "body", row->body);
    }
    JSON_STR(w, "name", row->name);
    JSON_STR(w, "reason", row->reason);
    JSON_INT(w, "version", row->version);
    json_put_object_end(w);
}

static void not_there(struct call *call)
{
    call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
}

/* ---- List ---- */

static void read_list(struct call *call, struct reader *reader)
{
    struct versions *versions = call->state;
    const struct page *page = &versions->page;
    const int64_t before = page->is_first ? INT32_MAX : page->at.keys[0];
    (void)read_below(call, reader, before, page->limit + 1, &versions->found);
}

static void list_is_read(struct call *call)
{
    struct versions *versions = call->state;
    struct page *page = &versions->page;
    if (page->is_first && versions->found.rows == 0) {
        not_there(call);
        return;
    }
    struct json_writer w = page_open(call);
    for (size_t i = 0; i < versions->found.rows; i++) {
        const struct config_version_row *row = row_at(call, &versions->found, i);
        if ((int64_t)i == page->limit) {
            page->has_next = true;
            break;
        }
        put_version(&w, row, false);
        page->next.keys[0] = row->version;
    }
    page_close(call, &w, page);
}

static void list(struct call *call, enum config_kind_id kind)
{
    struct versions *versions = versions_new(call, kind);
    struct str limit = {0};
    struct str cursor = {0};
    const struct query_param params[] = {{"limit", &limit}, {"cursor", &cursor}};
    if (call_query(call, params, 2) &&
        page_begin(call, &versions->page, limit, cursor, versions->name)) {
        call_read(call, read_list, list_is_read);
    }
}

/* ---- One ---- */

static void read_one(struct call *call, struct reader *reader)
{
    struct versions *versions = call->state;
    (void)read_below(call, reader, versions->first + 1, 1, &versions->found);
}

static void one_is_read(struct call *call)
{
    const struct versions *versions = call->state;
    const struct config_version_row *row =
        versions->found.rows == 0 ? NULL : row_at(call, &versions->found, 0);
    if (row == NULL || row->version != versions->first) {
        not_there(call);
        return;
    }
    struct json_writer w = call_json(call);
    put_version(&w, row, true);
    call_put_etag(call, row->version);
    call_answer(call, 200);
}

static void get(struct call *call, enum config_kind_id kind)
{
    struct versions *versions = versions_new(call, kind);
    if (!str_parse_i64(call->args[1], &versions->first) || versions->first < 1 ||
        versions->first >= INT32_MAX) {
        not_there(call);
        return;
    }
    call_read(call, read_one, one_is_read);
}

/* ---- Two ---- */

static void read_two(struct call *call, struct reader *reader)
{
    struct versions *versions = call->state;
    const int64_t newer = versions->second == 0 ? INT32_MAX : versions->second + 1;
    if (read_below(call, reader, newer, 1, &versions->found) != ERR_OK ||
        versions->found.rows == 0) {
        return;
    }
    const struct config_version_row *row = row_at(call, &versions->found, 0);
    const int64_t older = versions->first == 0 ? row->version : versions->first + 1;
    (void)read_below(call, reader, older, 1, &versions->other);
}

static bool read_bodies(const struct config_version_row *before,
                        const struct config_version_row *after, json_t **out_before,
                        json_t **out_after)
{
    struct err err;
    return json_read(before->body, out_before, &err) == ERR_OK &&
           json_read(after->body, out_after, &err) == ERR_OK;
}

static void two_are_read(struct call *call)
{
    const struct versions *versions = call->state;
    if (versions->found.rows == 0 || versions->other.rows == 0) {
        not_there(call);
        return;
    }
    const struct config_version_row *after = row_at(call, &versions->found, 0);
    const struct config_version_row *before = row_at(call, &versions->other, 0);
    if ((versions->second != 0 && after->version != versions->second) ||
        (versions->first != 0 && before->version != versions->first)) {
        not_there(call);
        return;
    }
    json_t *old = NULL;
    json_t *new = NULL;
    if (read_bodies(before, after, &old, &new)) {
        struct json_writer w = call_json(call);
        json_put_object(&w);
        JSON_KEY(&w, "changes");
        json_diff_put(&w, call->arena, old, new);
        JSON_INT(&w, "from", before->version);
        JSON_STR(&w, "name", versions->name);
        JSON_INT(&w, "to", after->version);
        json_put_object_end(&w);
        call_answer(call, 200);
    } else {
        call_refuse(call, ERR_INTERNAL, err_info(ERR_INTERNAL)->title);
    }
    json_decref(old);
    json_decref(new);
}

static void diff(struct call *call, enum config_kind_id kind)
{
    struct versions *versions = versions_new(call, kind);
    struct str from = {0};
    struct str to = {0};
    const struct query_param params[] = {{"from", &from}, {"to", &to}};
    if (call_query(call, params, 2) &&
        call_number(call, "from", from, 1, INT32_MAX - 1, &versions->first) &&
        call_number(call, "to", to, 1, INT32_MAX - 1, &versions->second)) {
        call_read(call, read_two, two_are_read);
    }
}

void api_list_source_versions(struct call *call)
{
    list(call, CONFIG_SOURCE);
}

void api_get_source_version(struct call *call)
{
    get(call, CONFIG_SOURCE);
}

void api_diff_source_versions(struct call *call)
{
    diff(call, CONFIG_SOURCE);
}

void api_list_job_type_versions(struct call *call)
{
    list(call, CONFIG_JOB_TYPE);
}

void api_get_job_type_version(struct call *call)
{
    get(call, CONFIG_JOB_TYPE);
}

void api_diff_job_type_versions(struct call *call)
{
    diff(call, CONFIG_JOB_TYPE);
}
