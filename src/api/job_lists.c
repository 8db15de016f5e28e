/* api/job_lists - jobs as read: one, pages of them, history, payload. */
#include "api/views.h"
#include "query/history.h"

void api_get_job(struct call *call)
{
    struct job_id job;
    if (take_job_id(call, &job)) {
        answer_job(call, job, 200);
    }
}

/* ---- Payload ---- */

struct payload {
    struct job_id job;
    struct query_result found;
};

static void read_payload(struct call *call, struct reader *reader)
{
    struct payload *payload = call->state;
    struct query q = tenant_query(call, "job_payload");
    query_arg_int(&q, payload->job.v);
    (void)reader_query(reader, &q, &payload->found, &call->err);
}

static void payload_is_read(struct call *call)
{
    const struct payload *payload = call->state;
    if (payload->found.rows == 0) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    buf_str(&call->exchange->reply, query_text(&payload->found, 0, "payload"));
    call_answer(call, 200);
}

void api_get_job_payload(struct call *call)
{
    struct payload *payload = arena_new(call->arena, struct payload);
    call->state = payload;
    if (take_job_id(call, &payload->job)) {
        call_read(call, read_payload, payload_is_read);
    }
}

/* ---- Pages ---- */

/* Which rows a page walks through. */
enum walk { WALK_ALL, WALK_RUN, WALK_BLOCKED, WALK_PENDING, WALK_LEASED, WALK_ENDED, WALK_KEY };

/* Jobs that are pending wait in two places: until a time, or in their lanes. */
enum { PHASE_DELAYED, PHASE_READY };

struct job_list {
    enum walk walk;
    enum job_state state;
    struct run_id run;
    struct str key;
    struct page page;
    VEC(struct job_view) rows; /* One more than the page when there are more. */
};

static enum err_code add_rows(struct call *call, struct reader *reader, const struct query *q)
{
    struct job_list *list = call->state;
    struct query_result found;
    TRY(reader_query(reader, q, &found, &call->err));
    for (size_t i = 0; i < found.rows; i++) {
        const struct job_view view = job_view_of(&found, i);
        if (list->walk != WALK_KEY || str_eq(view.key, list->key)) {
            VEC_PUSH(call->arena, &list->rows, view);
        }
    }
    return ERR_OK;
}

static int64_t left(const struct job_list *list)
{
    return list->page.limit + 1 - (int64_t)list->rows.n;
}

/* By (job): all walks but those below. */
static enum err_code read_by_job(struct call *call, struct reader *reader, const char *name)
{
    const struct job_list *list = call->state;
    struct query q = tenant_query(call, name);
    if (list->walk == WALK_RUN) {
        query_arg_int(&q, list->run.v);
    }
    query_arg_int(&q, list->page.at.keys[0]);
    query_arg_int(&q, list->page.limit + 1);
    if (list->walk == WALK_LEASED) {
        query_arg_int(&q, list->state == JOB_RUNNING);
    } else if (list->walk == WALK_ENDED) {
        query_arg_int(&q, list->state);
    }
    return add_rows(call, reader, &q);
}

static enum err_code read_pending(struct call *call, struct reader *reader)
{
    const struct job_list *list = call->state;
    const struct cursor *at = &list->page.at;
    const bool in_ready = str_eq(at->name, STR("ready"));
    if (!in_ready) {
        struct query delayed = tenant_query(call, "jobs_delayed_page");
        query_arg_int(&delayed, at->keys[0]);
        query_arg_int(&delayed, left(list));
        TRY(add_rows(call, reader, &delayed));
    }
    if (left(list) <= 0) {
        return ERR_OK;
    }
    struct query ready = tenant_query(call, "jobs_ready_page");
    query_arg_int(&ready, in_ready ? at->keys[1] : 0);
    query_arg_int(&ready, in_ready ? at->keys[2] : INT64_MIN);
    query_arg_int(&ready, in_ready ? at->keys[0] : 0);
    query_arg_int(&ready, left(list));
    return add_rows(call, reader, &ready);
}

/* Keys are kept in generations; the hash is an index only. */
static enum err_code read_by_key(struct call *call, struct reader *reader)
{
    const struct job_list *list = call->state;
    struct query_result generations;
    struct hash_key seed = call->api->seed;
    seed.k[1] ^= (uint64_t)call->tenant.v;
    const struct query all = tenant_query(call, "job_key_generations");
    TRY(reader_query(reader, &all, &generations, &call->err));
    for (size_t i = 0; i < generations.rows; i++) {
        struct query q = tenant_query(call, "job_by_key");
        query_arg_int(&q, (int64_t)hash_keyed(&seed, list->key));
        query_arg_int(&q, query_int(&generations, i, "generation"));
        TRY(add_rows(call, reader, &q));
    }
    return ERR_OK;
}

static void read_list(struct call *call, struct reader *reader)
{
    struct job_list *list = call->state;
    enum err_code code = ERR_OK;
    switch (list->walk) {
    case WALK_ALL: code = read_by_job(call, reader, "jobs_page"); break;
    case WALK_RUN: code = read_by_job(call, reader, "jobs_of_run_page"); break;
    case WALK_BLOCKED: code = read_by_job(call, reader, "jobs_blocked_page"); break;
    case WALK_LEASED: code = read_by_job(call, reader, "jobs_leased_page"); break;
    case WALK_ENDED: code = read_by_job(call, reader, "jobs_ended_page"); break;
    case WALK_PENDING: code = read_pending(call, reader); break;
    case WALK_KEY: code = read_by_key(call, reader); break;
    }
    if (code == ERR_OK) {
        (void)read_holds(call, reader, list->rows.v, list->rows.n);
    }
}

static void list_is_read(struct call *call)
{
    struct job_list *list = call->state;
    struct page *page = &list->page;
    struct json_writer w = page_open(call);
    for (size_t i = 0; i < list->rows.n && i < (size_t)page->limit; i++) {
        const struct job_view *view = &list->rows.v[i];
        put_job(&w, view);
        page->next = (struct cursor){.keys = {view->job.v}};
        if (list->walk == WALK_PENDING && view->delayed_until == 0) {
            page->next = (struct cursor){.keys = {view->job.v, view->lane, view->rank},
                                         .name = STR("ready")};
        }
    }
    page->has_next = list->rows.n > (size_t)page->limit;
    page_close(call, &w, page);
}

static enum walk walk_of_state(enum job_state state)
{
    switch (state) {
    case JOB_BLOCKED: return WALK_BLOCKED;
    case JOB_PENDING: return WALK_PENDING;
    case JOB_LEASED:
    case JOB_RUNNING: return WALK_LEASED;
    case JOB_SUCCEEDED:
    case JOB_DEAD:
    case JOB_CANCELED: return WALK_ENDED;
    case JOB_NONE:
    case JOB_COUNT: break;
    }
    return WALK_ALL;
}

/* Chooses the walk; a combination without an index is refused. */
static bool choose_walk(struct call *call, struct job_list *list, struct str state, struct str run,
                        struct str others)
{
    const int filters = (state.ptr != NULL) + (run.ptr != NULL) + (list->key.ptr != NULL);
    if (filters > 1 || others.ptr != NULL) {
        call_refuse(call, ERR_UNSUPPORTED_FILTER, "supported: none, or one of state, run, key");
        return false;
    }
    if (state.ptr != NULL && !job_state_find(state, &list->state)) {
        call_refuse(call, ERR_INVALID_REQUEST, "state is none of the job states");
        return false;
    }
    if (run.ptr != NULL && !run_id_parse(run, &list->run)) {
        call_refuse(call, ERR_INVALID_REQUEST, "run is not an id");
        return false;
    }
    if (list->key.ptr != NULL) {
        list->walk = WALK_KEY;
    } else if (run.ptr != NULL) {
        list->walk = WALK_RUN;
    } else if (state.ptr != NULL) {
        list->walk = walk_of_state(list->state);
    }
    return true;
}

void api_list_jobs(struct call *call)
{
    struct job_list *list = arena_new(call->arena, struct job_list);
    struct str state = {0};
    struct str type = {0};
    struct str run = {0};
    struct str limit = {0};
    struct str cursor = {0};
    const struct query_param params[] = {{"state", &state},  {"type", &type},     {"source", &type},
                                         {"run", &run},      {"key", &list->key}, {"limit", &limit},
                                         {"cursor", &cursor}};
    call->state = list;
    if (!call_query(call, params, sizeof(params) / sizeof(params[0])) ||
        !choose_walk(call, list, state, run, type)) {
        return;
    }
    const struct str filters =
        arena_format(call->arena, "%.*s\n%.*s", STR_ARG(state), STR_ARG(run));
    if (page_begin(call, &list->page, limit, cursor, filters)) {
        call_read(call, read_list, list_is_read);
    }
}

void api_list_run_jobs(struct call *call)
{
    struct job_list *list = arena_new(call->arena, struct job_list);
    struct str limit = {0};
    struct str cursor = {0};
    const struct query_param params[] = {{"limit", &limit}, {"cursor", &cursor}};
    list->walk = WALK_RUN;
    call->state = list;
    if (take_run_id(call, &list->run) && call_query(call, params, 2) &&
        page_begin(call, &list->page, limit, cursor, call->args[0])) {
        call_read(call, read_list, list_is_read);
    }
}

/* ---- History of one job ---- */

struct job_history {
    struct job_id job;
    struct page page;
    bool is_there;
    history_spans lines;
    int64_t next;
};

static void read_history(struct call *call, struct reader *reader)
{
    struct job_history *history = call->state;
    struct query_result found;
    struct query q = tenant_query(call, "job_state");
    query_arg_int(&q, history->job.v);
    if (reader_query(reader, &q, &found, &call->err) != ERR_OK || found.rows == 0) {
        return;
    }
    const struct job_view view = job_view_of(&found, 0);
    const int64_t after = history->page.is_first ? view.submit_seq - 1 : history->page.at.keys[0];
    const int64_t seen = history->page.at.keys[1];
    history->is_there = true;
    if (seen >= view.job_seq) {
        return;
    }
    const int64_t unseen = view.job_seq - seen;
    const size_t limit = (size_t)(unseen < history->page.limit ? unseen : history->page.limit);
    if (history_of_job(reader, call->shard, call->tenant, history->job, after, limit, call->arena,
                       &history->lines, &history->next, &call->err) != ERR_OK) {
        return;
    }
    if (seen + (int64_t)history->lines.n >= view.job_seq) {
        history->next = 0;
    }
}

static void history_is_read(struct call *call)
{
    struct job_history *history = call->state;
    struct page *page = &history->page;
    if (!history->is_there) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    struct json_writer w = page_open(call);
    for (size_t i = 0; i < history->lines.n; i++) {
        json_put_raw(&w, history->lines.v[i].text);
    }
    page->has_next = history->next > 0;
    page->next =
        (struct cursor){.keys = {history->next, page->at.keys[1] + (int64_t)history->lines.n}};
    page_close(call, &w, page);
}

void api_get_job_history(struct call *call)
{
    struct job_history *history = arena_new(call->arena, struct job_history);
    struct str limit = {0};
    struct str cursor = {0};
    const struct query_param params[] = {{"limit", &limit}, {"cursor", &cursor}};
    call->state = history;
    if (take_job_id(call, &history->job) && call_query(call, params, 2) &&
        page_begin(call, &history->page, limit, cursor, call->args[0])) {
        call_read(call, read_history, history_is_read);
    }
}
