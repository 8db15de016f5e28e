/* api/runs - whole graphs of jobs. */
#include "api/bulk_records.h"
#include "api/manners.h"
#include "api/submits.h"
#include "api/views.h"
#include "api/waits.h"
#include "base/check.h"
#include "base/map.h"
#include "base/time.h"

/* ---- Submit ---- */

/* Where a name's job stands in the run. */
static void index_names(struct submission *s, struct map *names)
{
    for (size_t i = 0; i < s->items.n; i++) {
        const struct str name = s->items.v[i].name;
        size_t *at = map_find_str(names, name);
        if (at != NULL) {
            submission_refuse(s, ERR_UNPROCESSABLE, arena_format(s->arena, "/jobs/%zu/name", i),
                              "another job of the run has this name");
            continue;
        }
        at = arena_new(s->arena, size_t);
        *at = i;
        map_put_str(s->arena, names, name, at);
    }
}

/* Turns names of predecessors into places. */
static void link_needs(struct submission *s)
{
    struct map names = {0};
    struct need *needs = arena_array(s->arena, struct need, s->needs.n + 1);
    index_names(s, &names);
    for (size_t i = 0; i < s->needs.n; i++) {
        const struct needs_text *text = &s->needs.v[i];
        const size_t *at = map_find_str(&names, text->job);
        if (text->index == 0) {
            s->items.v[text->item].needs = &needs[i];
        }
        needs[i].kind = text->kind;
        if (at == NULL) {
            submission_refuse(
                s, ERR_DANGLING_EDGE,
                arena_format(s->arena, "/jobs/%zu/needs/%zu/job", text->item, text->index),
                "the run has no job of that name");
        } else {
            needs[i].job = (int32_t)*at;
        }
    }
}

struct new_run {
    struct wait wait;
    enum run_state state;
    bool is_read;             /* `state` and `jobs` are as the ledger has them now. */
    struct query_result jobs; /* In the order of the request: numbers are given in it. */
};

static void look_at_made(struct call *call);

/* The run, and its jobs when nobody waits for it any longer. */
static void read_made(struct call *call, struct reader *reader)
{
    struct new_run *made = call->state;
    const int64_t run = call->request.commands->run.id.v;
    struct query_result found;
    struct query q = tenant_query(call, "run");
    query_arg_int(&q, run);
    if (reader_query(reader, &q, &found, &call->err) != ERR_OK) {
        return;
    }
    CHECK(found.rows == 1); /* Runs are not removed. */
    made->state = (enum run_state)query_int(&found, 0, "state");
    if (made->state == RUN_ACTIVE && !wait_is_over(call, &made->wait)) {
        return;
    }
    struct query jobs = tenant_query(call, "jobs_of_run_page");
    query_arg_int(&jobs, run);
    query_arg_int(&jobs, 0);
    query_arg_int(&jobs, RUN_JOBS_MAX);
    made->is_read = reader_query(reader, &jobs, &made->jobs, &call->err) == ERR_OK;
}

static void put_made_job(struct json_writer *w, const struct new_run *made,
                         const struct submit_item *item, size_t at)
{
    char id[ID_TEXT];
    struct job_id job = item->id;
    enum job_state state = item->need_count > 0 ? JOB_BLOCKED : JOB_PENDING;
    if (at < made->jobs.rows) {
        const struct job_view view = job_view_of(&made->jobs, at);
        job = view.job;
        state = view.state;
    }
    job_id_format(job, id);
    json_put_object(w);
    JSON_STR(w, "id", str_from(id));
    JSON_STR(w, "name", item->name);
    JSON_STR(w, "state", str_from(job_state_name(state)));
    json_put_object_end(w);
}

static void answer_made(struct call *call)
{
    const struct command *command = call->request.commands;
    const struct new_run *made = call->state;
    const struct run_submit *run = &command->run;
    char id[ID_TEXT];
    run_id_format(run->id, id);
    manners_live_jobs(call, command->live_max, command->live_left);
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_BOOL(&w, "duplicate", run->duplicate);
    JSON_STR(&w, "id", str_from(id));
    JSON_KEY(&w, "jobs");
    json_put_array(&w);
    for (size_t i = 0; i < run->count; i++) {
        put_made_job(&w, made, &run->items[i], i);
    }
    json_put_array_end(&w);
    JSON_STR(&w, "state", str_from(run_state_name(made->state)));
    json_put_object_end(&w);
    call_answer(call, 201);
}

static void made_is_read(struct call *call)
{
    const struct new_run *made = call->state;
    if (made->is_read) {
        answer_made(call);
    } else if (wait_is_over(call, &made->wait)) {
        look_at_made(call); /* Since the look before. */
    } else {
        watches_wait(call, look_at_made);
    }
}

static void look_at_made(struct call *call)
{
    call_read(call, read_made, made_is_read);
}

static void run_is_submitted(struct call *call)
{
    const struct command *command = call->request.commands;
    struct new_run *made = call->state;
    if (command->err.code != ERR_OK) {
        submission_fail_at(call, &command->err, command->run.error_at, command->run.count);
        return;
    }
    made->wait = wait_begin(call);
    made->state = RUN_ACTIVE;
    /* Of a run that was there already nothing is known but its number. */
    if (made->wait.until_us > 0 || command->run.items[0].id.v == 0) {
        look_at_made(call);
    } else {
        answer_made(call);
    }
}

void run_submit_send(struct call *call, struct command *command)
{
    call->state = arena_new(call->arena, struct new_run);
    call_engine(call, QUEUE_SUBMITS, command, 1, run_is_submitted);
}

static void take_run_member(struct run_submit *run, struct submission *s, struct scan *scan,
                            struct str key)
{
    if (str_eq(key, STR("jobs"))) {
        submission_scan(s, scan, RUN_JOBS_MAX);
    } else if (str_eq(key, STR("name"))) {
        run->name = scan_text(scan);
        if (!name_is_valid(run->name, NAME_MAX_LEN)) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "must be a name");
        }
    } else if (str_eq(key, STR("key"))) {
        run->key = scan_text(scan);
        if (run->key.len == 0 || run->key.len > KEY_MAX) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "must have 1 to 200 bytes");
        }
    } else {
        scan_refuse(scan, ERR_UNPROCESSABLE, "there is no such member");
    }
}

static enum err_code read_new_run(struct call *call, struct run_submit *run, struct submission *s)
{
    struct scan scan;
    struct str key;
    scan_begin(&scan, call->exchange->body, call->arena);
    scan_object(&scan);
    while (scan_member(&scan, &key)) {
        take_run_member(run, s, &scan, key);
    }
    TRY(scan_end(&scan, &call->err));
    if (s->items.n == 0) {
        return err_at(&call->err, ERR_UNPROCESSABLE, "/jobs", "must have at least one job");
    }
    link_needs(s);
    return ERR_OK;
}

void api_submit_run(struct call *call)
{
    struct submission s = {.arena = call->arena, .is_run = true};
    struct command *command = call_command(call, COMMAND_RUN_SUBMIT);
    struct run_submit *run = &command->run;
    size_t at = 0;
    if (submission_failed(call, &s, read_new_run(call, run, &s))) {
        return;
    }
    if (run_check(call->arena, s.items.v, s.items.n, &at, &call->err) != ERR_OK) {
        const struct err err = call->err;
        submission_fail_at(call, &err, at, s.items.n);
        return;
    }
    submit_digest(s.items.v, s.items.n);
    run->items = s.items.v;
    run->count = s.items.n;
    run->error_at = s.items.n;
    run->digest = sha256_of(call->exchange->body);
    command->request_key = call->request_key;
    command->request_digest = call_digest(call);
    run_submit_send(call, command);
}

/* ---- Read ---- */

void api_get_run(struct call *call)
{
    struct run_id run;
    if (take_run_id(call, &run)) {
        answer_run(call, run);
    }
}

struct run_list {
    bool has_state;
    enum run_state state;
    int64_t from; /* Submitted then or later; 0: not asked. */
    int64_t to;   /* Submitted before; INT64_MAX: not asked. */
    struct page page;
    struct query_result found;
};

/* Numbers are given in the order of time: the least that no run submitted before `to` has. */
static enum err_code find_end(struct call *call, struct reader *reader, int64_t *out_before)
{
    const struct run_list *list = call->state;
    struct query_result found;
    const struct query tenant = tenant_query(call, "tenant_by_id");
    TRY(reader_query(reader, &tenant, &found, &call->err));
    int64_t low = 1;
    int64_t high = found.rows == 0 ? 1 : query_int(&found, 0, "next_run");
    while (low < high) {
        const int64_t middle = low + (high - low + 1) / 2;
        struct query q = tenant_query(call, "runs_page");
        query_arg_int(&q, middle);
        query_arg_int(&q, 1);
        TRY(reader_query(reader, &q, &found, &call->err));
        if (found.rows == 0 || query_int(&found, 0, "submitted_at") < list->to) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    *out_before = low;
    return ERR_OK;
}

static void read_list(struct call *call, struct reader *reader)
{
    struct run_list *list = call->state;
    int64_t before = list->page.is_first ? INT64_MAX : list->page.at.keys[0];
    if (list->page.is_first && list->to < INT64_MAX && find_end(call, reader, &before) != ERR_OK) {
        return;
    }
    struct query q = tenant_query(call, list->has_state ? "runs_in_state_page" : "runs_page");
    query_arg_int(&q, before);
    query_arg_int(&q, list->page.limit + 1);
    if (list->has_state) {
        query_arg_int(&q, list->state);
    }
    (void)reader_query(reader, &q, &list->found, &call->err);
}

static void list_is_read(struct call *call)
{
    struct run_list *list = call->state;
    struct page *page = &list->page;
    struct json_writer w = page_open(call);
    page->has_next = list->found.rows > (size_t)page->limit;
    for (size_t i = 0; i < list->found.rows && i < (size_t)page->limit; i++) {
        const struct run_row *row =
            (const struct run_row *)query_row(&list->found, i, TABLE_RUNS, call->arena);
        if (row->submitted_at < list->from) {
            page->has_next = false;
            break;
        }
        put_run(&w, row);
        page->next.keys[0] = row->run;
    }
    page_close(call, &w, page);
}

static bool take_time(struct call *call, struct str text, int64_t *out)
{
    struct wall_time at;
    if (text.ptr != NULL && (!time_parse(text, &at) || at.us <= 0)) {
        call_refuse(call, ERR_INVALID_REQUEST,
                    "submitted_after and submitted_before are times as in RFC 3339");
        return false;
    }
    *out = text.ptr != NULL ? at.us : *out;
    return true;
}

void api_list_runs(struct call *call)
{
    struct run_list *list = arena_new(call->arena, struct run_list);
    struct str state = {0};
    struct str after = {0};
    struct str before = {0};
    struct str limit = {0};
    struct str cursor = {0};
    const struct query_param params[] = {{"state", &state},
                                         {"submitted_after", &after},
                                         {"submitted_before", &before},
                                         {"limit", &limit},
                                         {"cursor", &cursor}};
    list->to = INT64_MAX;
    call->state = list;
    if (!call_query(call, params, sizeof(params) / sizeof(params[0]))) {
        return;
    }
    const struct str filters = arena_format(call->arena, "%.*s\n%.*s\n%.*s", STR_ARG(state),
                                            STR_ARG(after), STR_ARG(before));
    if (!take_time(call, after, &list->from) || !take_time(call, before, &list->to) ||
        !page_begin(call, &list->page, limit, cursor, filters)) {
        return;
    }
    list->has_state = state.ptr != NULL;
    if (list->has_state && !run_state_find(state, &list->state)) {
        call_refuse(call, ERR_INVALID_REQUEST,
                    "state is one of active, succeeded, failed, canceled");
        return;
    }
    call_read(call, read_list, list_is_read);
}

/* ---- Operators ---- */

static void answer_control(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        call_fail(call);
        return;
    }
    if (command->run_control.bulk.v > 0) {
        answer_bulk(call, command->run_control.bulk);
    } else {
        answer_run(call, command->run_control.run);
    }
}

static void control(struct call *call, enum command_kind kind)
{
    struct command *command = call_command(call, kind);
    if (take_run_id(call, &command->run_control.run)) {
        call_engine(call, QUEUE_CONTROL, command, 1, answer_control);
    }
}

void api_cancel_run(struct call *call)
{
    control(call, COMMAND_RUN_CANCEL);
}

void api_retry_run(struct call *call)
{
    control(call, COMMAND_RUN_RETRY);
}
