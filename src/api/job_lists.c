/* api/job_lists - jobs as read: one, pages of them, history, payload. */
#include "api/job_filter.h"
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
    const struct str bytes = query_text(&payload->found, 0, "payload");
    if (bytes.len == 0) { /* JSON never is. */
        call_refuse(call, ERR_PAYLOAD_ERASED, err_info(ERR_PAYLOAD_ERASED)->title);
        return;
    }
    buf_str(&call->exchange->reply, bytes);
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

struct job_list {
    struct job_filter filter;
    struct page page;
    job_views rows; /* One more than the page when there are more. */
    bool more;      /* The walk goes on. */
    struct cursor at;
};

static void read_list(struct call *call, struct reader *reader)
{
    struct job_list *list = call->state;
    list->at = list->page.at;
    job_filter_read(call, reader, &list->filter, &list->at, (size_t)list->page.limit + 1,
                    &list->rows, &list->more);
    if (call->err.code == ERR_OK) {
        (void)read_holds(call, reader, list->rows.v, list->rows.n);
    }
}

static void list_is_read(struct call *call)
{
    struct job_list *list = call->state;
    struct page *page = &list->page;
    struct json_writer w = page_open(call);
    for (size_t i = 0; i < list->rows.n && i < (size_t)page->limit; i++) {
        put_job(&w, &list->rows.v[i]);
    }
    page->has_next = list->more;
    page->next = list->at;
    if (list->rows.n > (size_t)page->limit) {
        page->next = job_filter_after(&list->filter, &list->rows.v[page->limit - 1]);
    }
    page_close(call, &w, page);
}

void api_list_jobs(struct call *call)
{
    struct job_list *list = arena_new(call->arena, struct job_list);
    struct job_filter_texts *given = &list->filter.given;
    struct str limit = {0};
    struct str cursor = {0};
    const struct query_param params[] = {
        {"state", &given->state},   {"type", &given->type},
        {"source", &given->source}, {"run", &given->run},
        {"key", &given->key},       {"class", &given->class},
        {"worker", &given->worker}, {"submitted_after", &given->submitted_after},
        {"limit", &limit},          {"submitted_before", &given->submitted_before},
        {"cursor", &cursor}};
    call->state = list;
    if (!call_query(call, params, sizeof(params) / sizeof(params[0]))) {
        return;
    }
    if (!job_filter_choose(call, &list->filter)) {
        call_fail(call);
    } else if (page_begin(call, &list->page, limit, cursor, job_filter_text(call, &list->filter))) {
        call_read(call, read_list, list_is_read);
    }
}

void api_list_run_jobs(struct call *call)
{
    struct job_list *list = arena_new(call->arena, struct job_list);
    list->filter.given.run = call->args[0];
    call->state = list;
    if (take_run_id(call, &list->filter.run) && job_filter_choose(call, &list->filter) &&
        page_take(call, &list->page, call->args[0])) {
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
    call->state = history;
    if (take_job_id(call, &history->job) && page_take(call, &history->page, call->args[0])) {
        call_read(call, read_history, history_is_read);
    }
}
