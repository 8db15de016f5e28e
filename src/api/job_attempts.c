/* api/job_attempts - every attempt of a job that ended: those before the last, then the last. */
#include "api/views.h"

struct attempt_list {
    struct job_id job;
    struct page page;
    bool is_there;
    struct job_view view;
    struct query_result found; /* One more than the page when there are more. */
};

static void read_attempts(struct call *call, struct reader *reader)
{
    struct attempt_list *list = call->state;
    struct query_result state;
    struct query job = tenant_query(call, "job_state");
    query_arg_int(&job, list->job.v);
    if (reader_query(reader, &job, &state, &call->err) != ERR_OK || state.rows == 0) {
        return;
    }
    list->is_there = true;
    list->view = job_view_of(&state, 0);
    struct query q = tenant_query(call, "attempts_page");
    query_arg_int(&q, list->job.v);
    query_arg_int(&q, list->page.at.keys[0]);
    query_arg_int(&q, list->page.limit + 1);
    (void)reader_query(reader, &q, &list->found, &call->err);
}

static void put_attempt(struct json_writer *w, const struct attempt_row *row, const char *ending)
{
    json_put_object(w);
    JSON_INT(w, "attempt", row->grant);
    JSON_TIME(w, "claimed_at", row->claimed_at);
    if (row->class.len > 0) {
        JSON_STR(w, "class", row->class);
    }
    JSON_TIME(w, "ended_at", row->ended_at);
    JSON_STR(w, "ending", str_from(ending));
    if (row->message.len > 0) {
        JSON_RAW(w, "message", row->message);
    }
    JSON_STR(w, "worker", row->worker);
    json_put_object_end(w);
}

/* The attempt that the job ended with; a job that nobody claimed has none. */
static void put_last(struct json_writer *w, const struct job_view *view)
{
    if (!job_has_ended(view->state) || view->claimed_seq == 0) {
        return;
    }
    const bool failed = view->state == JOB_DEAD;
    const struct attempt_row last = {
        .grant = view->grant,
        .class = view->class,
        .worker = view->worker,
        .claimed_at = view->claimed_at,
        .ended_at = view->ended_at,
        .message = failed ? view->result : STR(""),
    };
    put_attempt(w, &last, failed ? "failed" : job_state_name(view->state));
}

static void attempts_are_read(struct call *call)
{
    struct attempt_list *list = call->state;
    struct page *page = &list->page;
    if (!list->is_there) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    struct json_writer w = page_open(call);
    page->has_next = list->found.rows > (size_t)page->limit;
    for (size_t i = 0; i < list->found.rows && i < (size_t)page->limit; i++) {
        const struct attempt_row *row =
            (const struct attempt_row *)query_row(&list->found, i, TABLE_ATTEMPTS, call->arena);
        put_attempt(&w, row, attempt_ending_name((enum attempt_ending)row->ending));
        page->next.keys[0] = row->grant;
    }
    if (!page->has_next) {
        put_last(&w, &list->view);
    }
    page_close(call, &w, page);
}

void api_list_job_attempts(struct call *call)
{
    struct attempt_list *list = arena_new(call->arena, struct attempt_list);
    call->state = list;
    if (take_job_id(call, &list->job) && page_take(call, &list->page, call->args[0])) {
        call_read(call, read_attempts, attempts_are_read);
    }
}
