#include "api/views.h"

#include "api/manners.h"
#include "api/waits.h"

enum { PAGE_DEFAULT = 100, PAGE_MAX = 1000 };

struct query tenant_query(struct call *call, const char *name)
{
    struct query q = {.name = name, .tenant = call->tenant, .arena = call->arena};
    query_arg_int(&q, call->shard);
    query_arg_int(&q, call->tenant.v);
    return q;
}

static void not_found(struct call *call)
{
    call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
}

bool take_job_id(struct call *call, struct job_id *out)
{
    const bool found = job_id_parse(call->args[0], out);
    if (!found) {
        not_found(call);
    }
    return found;
}

bool take_run_id(struct call *call, struct run_id *out)
{
    const bool found = run_id_parse(call->args[0], out);
    if (!found) {
        not_found(call);
    }
    return found;
}

/* ---- Jobs ---- */

static void put_job_ref(struct json_writer *w, struct str key, int64_t job)
{
    char id[ID_TEXT];
    if (job > 0) {
        job_id_format((struct job_id){job}, id);
        json_put_key(w, key);
        json_put_str(w, str_from(id));
    }
}

static void put_text(struct json_writer *w, struct str key, struct str text)
{
    if (text.len > 0) {
        json_put_key(w, key);
        json_put_str(w, text);
    }
}

static void put_raw(struct json_writer *w, struct str key, struct str text)
{
    if (text.len > 0) {
        json_put_key(w, key);
        json_put_raw(w, text);
    }
}

static void put_time(struct json_writer *w, struct str key, int64_t at)
{
    if (at > 0) {
        json_put_key(w, key);
        json_put_time(w, at);
    }
}

static void put_hold(struct json_writer *w, const struct job_view *view)
{
    if (view->hold != HOLD_NONE) {
        JSON_KEY(w, "hold");
        json_put_object(w);
        JSON_STR(w, "reason", str_from(hold_name(view->hold)));
        put_time(w, STR("until"), view->hold_until);
        json_put_object_end(w);
    }
}

void put_pause(struct json_writer *w, const struct pause *pause)
{
    JSON_KEY(w, "pause");
    json_put_object(w);
    JSON_STR(w, "by", pause->by);
    JSON_STR(w, "reason", pause->reason);
    JSON_TIME(w, "since", pause->since);
    JSON_STR(w, "ticket", pause->ticket);
    json_put_object_end(w);
}

static void put_run_ref(struct json_writer *w, int64_t run)
{
    char id[ID_TEXT];
    if (run > 0) {
        run_id_format((struct run_id){run}, id);
        JSON_STR(w, "run", str_from(id));
    }
}

void put_job(struct json_writer *w, const struct job_view *view)
{
    json_put_object(w);
    JSON_INT(w, "attempts", view->spent);
    put_job_ref(w, STR("cause"), view->cause);
    put_text(w, STR("class"), view->class);
    put_time(w, STR("ended_at"), view->ended_at);
    JSON_INT(w, "grant", view->grant);
    put_hold(w, view);
    put_job_ref(w, STR("id"), view->job.v);
    put_text(w, STR("key"), view->key);
    put_text(w, STR("name"), view->name);
    JSON_INT(w, "priority", view->priority);
    put_raw(w, STR("progress"), view->progress);
    put_job_ref(w, STR("replay_of"), view->replay_of);
    put_raw(w, STR("result"), view->result);
    put_run_ref(w, view->run);
    put_text(w, STR("source"), view->source);
    JSON_STR(w, "state", str_from(job_state_name(view->state)));
    JSON_TIME(w, "submitted_at", view->submitted_at);
    JSON_STR(w, "type", view->job_type);
    put_text(w, STR("worker"), view->worker);
    json_put_object_end(w);
}

struct one_job {
    struct job_id job;
    int status;
    struct wait wait;
    bool is_there;
    struct job_view view;
};

static void look_at_job(struct call *call);

static void read_job(struct call *call, struct reader *reader)
{
    struct one_job *one = call->state;
    struct query q = tenant_query(call, "job_state");
    struct query_result found = {0};
    query_arg_int(&q, one->job.v);
    if (reader_query(reader, &q, &found, &call->err) == ERR_OK && found.rows > 0) {
        one->is_there = true;
        one->view = job_view_of(&found, 0);
        (void)read_holds(call, reader, &one->view, 1);
    }
}

static void job_is_read(struct call *call)
{
    const struct one_job *one = call->state;
    if (!one->is_there) {
        not_found(call);
        return;
    }
    if (!job_has_ended(one->view.state) && !wait_is_over(call, &one->wait)) {
        watches_wait(call, look_at_job);
        return;
    }
    struct json_writer w = call_json(call);
    put_job(&w, &one->view);
    call_answer(call, one->status);
}

static void look_at_job(struct call *call)
{
    call_read(call, read_job, job_is_read);
}

void answer_job(struct call *call, struct job_id job, int status)
{
    struct one_job *one = arena_new(call->arena, struct one_job);
    one->job = job;
    one->status = status;
    one->wait = wait_begin(call);
    call->state = one;
    look_at_job(call);
}

/* ---- Runs ---- */

/* What a listing does not tell of a run. */
struct run_more {
    int64_t running;
    int64_t replay_of;
};

static void put_counts(struct json_writer *w, const struct run_row *run,
                       const struct run_more *more)
{
    const int32_t pending =
        run->present - run->blocked - run->leased - run->succeeded - run->dead - run->canceled;
    JSON_KEY(w, "counts");
    json_put_object(w);
    JSON_INT(w, "blocked", run->blocked);
    JSON_INT(w, "canceled", run->canceled);
    JSON_INT(w, "dead", run->dead);
    JSON_INT(w, "leased", run->leased);
    JSON_INT(w, "pending", pending);
    if (more != NULL) {
        JSON_INT(w, "running", more->running);
    }
    JSON_INT(w, "succeeded", run->succeeded);
    json_put_object_end(w);
}

static void put_run_with(struct json_writer *w, const struct run_row *run,
                         const struct run_more *more)
{
    char id[ID_TEXT];
    run_id_format((struct run_id){run->run}, id);
    json_put_object(w);
    put_counts(w, run, more);
    put_time(w, STR("ended_at"), run->ended_at);
    JSON_STR(w, "id", str_from(id));
    put_text(w, STR("name"), run->name);
    if (more != NULL) {
        put_job_ref(w, STR("replay_of"), more->replay_of);
    }
    JSON_STR(w, "state", str_from(run_state_name((enum run_state)run->state)));
    JSON_TIME(w, "submitted_at", run->submitted_at);
    JSON_INT(w, "total", run->total);
    json_put_object_end(w);
}

void put_run(struct json_writer *w, const struct run_row *run)
{
    put_run_with(w, run, NULL);
}

struct one_run {
    struct run_id run;
    struct wait wait;
    struct query_result found;
    struct run_more more;
};

static void look_at_run(struct call *call);

static void read_run(struct call *call, struct reader *reader)
{
    struct one_run *one = call->state;
    struct query q = tenant_query(call, "run");
    query_arg_int(&q, one->run.v);
    if (reader_query(reader, &q, &one->found, &call->err) != ERR_OK || one->found.rows == 0) {
        return;
    }
    struct query_result found;
    struct query more = tenant_query(call, "run_more");
    query_arg_int(&more, one->run.v);
    if (reader_query(reader, &more, &found, &call->err) == ERR_OK) {
        one->more =
            (struct run_more){query_int(&found, 0, "running"), query_int(&found, 0, "replay_of")};
    }
}

static void run_is_read(struct call *call)
{
    const struct one_run *one = call->state;
    if (one->found.rows == 0) {
        not_found(call);
        return;
    }
    const struct run_row *run =
        (const struct run_row *)query_row(&one->found, 0, TABLE_RUNS, call->arena);
    if (run->state == RUN_ACTIVE && !wait_is_over(call, &one->wait)) {
        watches_wait(call, look_at_run);
        return;
    }
    struct json_writer w = call_json(call);
    put_run_with(&w, run, &one->more);
    call_answer(call, 200);
}

static void look_at_run(struct call *call)
{
    call_read(call, read_run, run_is_read);
}

void answer_run(struct call *call, struct run_id run)
{
    struct one_run *one = arena_new(call->arena, struct one_run);
    one->run = run;
    one->wait = wait_begin(call);
    call->state = one;
    look_at_run(call);
}

/* ---- Artifacts ---- */

void put_artifact(struct json_writer *w, const struct artifact_row *row)
{
    char job[ID_TEXT];
    char hex[SHA256_HEX + 1] = "";
    struct sha256 digest;
    if (row->sha256.len == SHA256_SIZE) {
        for (size_t i = 0; i < SHA256_SIZE; i++) {
            digest.bytes[i] = (unsigned char)row->sha256.ptr[i];
        }
        sha256_format(&digest, hex);
    }
    job_id_format((struct job_id){row->job}, job);
    json_put_object(w);
    JSON_INT(w, "attempt", row->grant);
    JSON_STR(w, "job", str_from(job));
    JSON_STR(w, "media_type", row->media_type);
    JSON_STR(w, "name", row->name);
    JSON_STR(w, "role", row->role == ARTIFACT_INPUT ? STR("input") : STR("output"));
    put_run_ref(w, row->run);
    JSON_STR(w, "sha256", str_from(hex));
    JSON_INT(w, "size", row->size);
    json_put_object_end(w);
}

/* ---- Pages ---- */

bool page_begin(struct call *call, struct page *page, struct str limit, struct str cursor,
                struct str filters)
{
    *page = (struct page){.limit = PAGE_DEFAULT, .is_first = cursor.len == 0};
    page->asked = arena_format(call->arena, "%d\n%s\n%.*s", call->tenant.v, call->route->name,
                               STR_ARG(filters));
    if (!call_number(call, "limit", limit, 1, PAGE_MAX, &page->limit)) {
        return false;
    }
    if (cursor.len > 0 && cursor_parse(call->arena, &call->api->seed, page->asked, cursor,
                                       &page->at, &call->err) != ERR_OK) {
        call_fail(call);
        return false;
    }
    return true;
}

bool page_take(struct call *call, struct page *page, struct str filters)
{
    struct str limit = {0};
    struct str cursor = {0};
    const struct query_param params[] = {{"limit", &limit}, {"cursor", &cursor}};
    return call_query(call, params, 2) && page_begin(call, page, limit, cursor, filters);
}

struct json_writer page_open(struct call *call)
{
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_KEY(&w, "items");
    json_put_array(&w);
    return w;
}

void page_close(struct call *call, struct json_writer *w, const struct page *page)
{
    json_put_array_end(w);
    page_end(call, w, page);
}

void page_end(struct call *call, struct json_writer *w, const struct page *page)
{
    if (page->has_next) {
        const struct str cursor =
            cursor_format(call->arena, &call->api->seed, page->asked, &page->next);
        JSON_STR(w, "next_cursor", cursor);
        manners_next_page(call, cursor);
    } else {
        JSON_NULL(w, "next_cursor");
    }
    json_put_object_end(w);
    call_answer(call, 200);
}
