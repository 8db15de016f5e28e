/* api/artifacts - bytes by content hash, and which jobs made and used them. */
#include <stdio.h>
#include <string.h>

#include "api/lease_access.h"
#include "api/pool.h"
#include "api/views.h"

enum { DOWNLOAD_BUFFER = 256 * 1024 };

/* ---- Download ---- */

struct download {
    struct sha256 digest;
    bool has;
    int64_t size;
    struct str media_type;
    struct buf held;
    int64_t held_from; /* Where in the artifact `held` begins. */
};

static void abandon(struct call *call)
{
    struct download *download = call->download;
    buf_fini(&download->held);
}

static bool hold(void *ctx, struct str bytes)
{
    struct download *download = ctx;
    const size_t room = DOWNLOAD_BUFFER - download->held.len;
    buf_str(&download->held, (struct str){bytes.ptr, bytes.len < room ? bytes.len : room});
    return download->held.len < DOWNLOAD_BUFFER;
}

static void fill(struct call *call)
{
    struct download *download = call->download;
    struct blobs *blobs = call->api->blobs;
    buf_reset(&download->held);
    (void)blobs->get(blobs, call->tenant, &download->digest, download->held_from, hold, download,
                     &call->err);
}

static void never(struct call *call)
{
    (void)call;
}

static ssize_t give(struct http_exchange *exchange, uint64_t position, char *out, size_t max)
{
    struct call *call = exchange->ctx;
    struct download *download = call->download;
    const int64_t from = (int64_t)position - download->held_from;
    if (from >= 0 && from < (int64_t)download->held.len) {
        const size_t left = download->held.len - (size_t)from;
        const size_t n = left < max ? left : max;
        memcpy(out, download->held.ptr + from, n);
        return (ssize_t)n;
    }
    /* Bytes that are gone since the headers were sent: the answer can only be cut. */
    if (call->err.code != ERR_OK ||
        (from == 0 && download->held_from > 0 && download->held.len == 0)) {
        return -1;
    }
    download->held_from = (int64_t)position;
    pool_run(call, fill, never);
    return 0;
}

static void look(struct call *call)
{
    struct download *download = call->download;
    struct blobs *blobs = call->api->blobs;
    if (blobs->has(blobs, call->tenant, &download->digest, &download->has, &download->size,
                   &call->err) == ERR_OK &&
        download->has && download->size > 0) {
        fill(call);
    }
}

static void start(struct call *call)
{
    const struct download *download = call->download;
    char tag[SHA256_HEX + 3];
    char hex[SHA256_HEX + 1];
    if (call->err.code != ERR_OK) {
        call_fail(call);
        return;
    }
    if (!download->has) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    sha256_format(&download->digest, hex);
    (void)snprintf(tag, sizeof(tag), "\"%s\"", hex);
    http_header(call->exchange, "ETag", str_from(tag));
    http_header(call->exchange, "Content-Type", download->media_type);
    /* What workers upload is never shown as a page of this origin. */
    http_header(call->exchange, "Content-Disposition", STR("attachment"));
    http_answer_stream(call->exchange, 200, (uint64_t)download->size, give);
}

static void read_media_type(struct call *call, struct reader *reader)
{
    struct download *download = call->download;
    struct query_result found;
    struct query q = tenant_query(call, "artifact_uses");
    query_arg_bytes(&q, (struct str){(const char *)download->digest.bytes, SHA256_SIZE});
    if (reader_query(reader, &q, &found, &call->err) == ERR_OK && found.rows > 0) {
        download->media_type = query_text(&found, 0, "media_type");
    }
}

static void media_type_is_read(struct call *call)
{
    pool_run(call, look, start);
}

static void allowed(struct call *call)
{
    call_read(call, read_media_type, media_type_is_read);
}

static bool take_digest(struct call *call, struct sha256 *out)
{
    const bool found = sha256_parse(call->args[0], out);
    if (!found) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
    }
    return found;
}

void api_get_artifact(struct call *call)
{
    struct download *download = arena_new(call->arena, struct download);
    if (!take_digest(call, &download->digest)) {
        return;
    }
    buf_init(&download->held, DOWNLOAD_BUFFER);
    download->media_type = STR("application/octet-stream");
    call->download = download;
    call->abandon = abandon;
    if (lease_access_is_needed(call)) {
        lease_access_check(call, allowed);
    } else {
        allowed(call);
    }
}

/* ---- Lists ---- */

struct artifact_list {
    struct job_id job;
    struct run_id run;
    struct page page;
    struct query_result found;
};

static void read_list(struct call *call, struct reader *reader)
{
    struct artifact_list *list = call->state;
    struct query q = tenant_query(call, list->job.v != 0 ? "artifacts_of_job" : "artifacts_of_run");
    if (list->job.v != 0) {
        query_arg_int(&q, list->job.v);
    } else {
        query_arg_int(&q, list->run.v);
        query_arg_int(&q, list->page.at.keys[0]);
        query_arg_int(&q, list->page.at.keys[1]);
        query_arg_text(&q, list->page.at.name);
        query_arg_int(&q, list->page.limit + 1);
    }
    (void)reader_query(reader, &q, &list->found, &call->err);
}

static void list_is_read(struct call *call)
{
    struct artifact_list *list = call->state;
    struct page *page = &list->page;
    const struct artifact_row *row = NULL;
    const size_t limit = list->job.v != 0 ? list->found.rows : (size_t)page->limit;
    struct json_writer w = page_open(call);
    for (size_t i = 0; i < list->found.rows && i < limit; i++) {
        row = (const struct artifact_row *)query_row(&list->found, i, TABLE_ARTIFACTS, call->arena);
        put_artifact(&w, row);
    }
    page->has_next = list->found.rows > limit;
    if (page->has_next) {
        page->next = (struct cursor){.keys = {row->job, row->role}, .name = row->name};
    }
    page_close(call, &w, page);
}

void api_list_job_artifacts(struct call *call)
{
    struct artifact_list *list = arena_new(call->arena, struct artifact_list);
    call->state = list;
    if (take_job_id(call, &list->job) && call_query(call, NULL, 0)) {
        call_read(call, read_list, list_is_read);
    }
}

/* The call may read: by its scope, or under a lease. */
static void list_artifacts(struct call *call)
{
    struct artifact_list *list = arena_new(call->arena, struct artifact_list);
    struct str job = {0};
    struct str run = {0};
    struct str limit = {0};
    struct str cursor = {0};
    const struct query_param params[] = {
        {"job", &job}, {"run", &run}, {"limit", &limit}, {"cursor", &cursor}};
    call->state = list;
    if (!call_query(call, params, 4) || !page_begin(call, &list->page, limit, cursor, run)) {
        return;
    }
    if ((job.ptr == NULL) == (run.ptr == NULL)) {
        call_refuse(call, ERR_UNSUPPORTED_FILTER, "name a job or a run: ?job=ID or ?run=ID");
    } else if (job.ptr != NULL ? !job_id_parse(job, &list->job) : !run_id_parse(run, &list->run)) {
        call_refuse(call, ERR_INVALID_REQUEST, "job or run is not an id");
    } else {
        call_read(call, read_list, list_is_read);
    }
}

void api_list_artifacts(struct call *call)
{
    if (lease_access_is_needed(call)) {
        lease_access_check(call, list_artifacts);
    } else {
        list_artifacts(call);
    }
}

/* ---- Lineage ---- */

struct lineage {
    struct sha256 digest;
    struct query_result found;
};

static void read_lineage(struct call *call, struct reader *reader)
{
    struct lineage *lineage = call->state;
    struct query q = tenant_query(call, "artifact_uses");
    query_arg_bytes(&q, (struct str){(const char *)lineage->digest.bytes, SHA256_SIZE});
    (void)reader_query(reader, &q, &lineage->found, &call->err);
}

static void put_uses(struct json_writer *w, const struct query_result *found,
                     enum artifact_role role)
{
    char id[ID_TEXT];
    json_put_array(w);
    for (size_t i = 0; i < found->rows; i++) {
        if (query_int(found, i, "role") != role) {
            continue;
        }
        job_id_format((struct job_id){query_int(found, i, "job")}, id);
        json_put_object(w);
        JSON_STR(w, "job", str_from(id));
        JSON_STR(w, "name", query_text(found, i, "name"));
        if (query_int(found, i, "run") > 0) {
            run_id_format((struct run_id){query_int(found, i, "run")}, id);
            JSON_STR(w, "run", str_from(id));
        }
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void lineage_is_read(struct call *call)
{
    const struct lineage *lineage = call->state;
    if (lineage->found.rows == 0) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_KEY(&w, "produced_by");
    put_uses(&w, &lineage->found, ARTIFACT_OUTPUT);
    JSON_KEY(&w, "used_by");
    put_uses(&w, &lineage->found, ARTIFACT_INPUT);
    json_put_object_end(&w);
    call_answer(call, 200);
}

void api_get_artifact_lineage(struct call *call)
{
    struct lineage *lineage = arena_new(call->arena, struct lineage);
    call->state = lineage;
    if (take_digest(call, &lineage->digest)) {
        call_read(call, read_lineage, lineage_is_read);
    }
}
