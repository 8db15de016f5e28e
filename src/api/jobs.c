/* api/jobs - submitting jobs, and what operators do to them. */
#include "api/decode.h"
#include "api/manners.h"
#include "api/submits.h"
#include "api/views.h"
#include "api/waits.h"

static void answer_made(struct call *call)
{
    const struct command *command = call->request.commands;
    manners_live_jobs(call, command->live_max, command->live_left);
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_KEY(&w, "jobs");
    json_put_array(&w);
    for (size_t i = 0; i < command->submit.count; i++) {
        const struct submit_item *item = &command->submit.items[i];
        char id[ID_TEXT];
        job_id_format(item->id, id);
        json_put_object(&w);
        JSON_BOOL(&w, "duplicate", item->duplicate);
        JSON_STR(&w, "id", str_from(id));
        JSON_STR(&w, "state", str_from(job_state_name(item->state)));
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_object_end(&w);
    call_answer(call, 201);
}

/* Waiting for the end of what was submitted: job after job. */
struct ends {
    struct wait wait;
    size_t ended; /* Of the first items. */
};

static void look_for_ends(struct call *call);

/* The states of those not known to have ended; when the wait goes on, up to the first that has
 * not. */
static void read_ends(struct call *call, struct reader *reader)
{
    struct ends *ends = call->state;
    struct submit *submit = &call->request.commands->submit;
    const bool over = wait_is_over(call, &ends->wait);
    for (size_t i = ends->ended; i < submit->count && (over || i == ends->ended); i++) {
        struct query_result found;
        struct query q = tenant_query(call, "job_state");
        query_arg_int(&q, submit->items[i].id.v);
        if (reader_query(reader, &q, &found, &call->err) != ERR_OK) {
            return;
        }
        if (found.rows > 0) {
            submit->items[i].state = job_view_of(&found, 0).state;
        }
        ends->ended += i == ends->ended && job_has_ended(submit->items[i].state);
    }
}

static void ends_are_read(struct call *call)
{
    const struct ends *ends = call->state;
    if (ends->ended == call->request.commands->submit.count || wait_is_over(call, &ends->wait)) {
        answer_made(call);
    } else {
        watches_wait(call, look_for_ends);
    }
}

static void look_for_ends(struct call *call)
{
    call_read(call, read_ends, ends_are_read);
}

static void answer_submit(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        submission_fail_at(call, &command->err, command->submit.error_at, command->submit.count);
        return;
    }
    struct ends *ends = arena_new(call->arena, struct ends);
    ends->wait = wait_begin(call);
    call->state = ends;
    if (ends->wait.until_us == 0) {
        answer_made(call);
    } else {
        look_for_ends(call);
    }
}

void api_submit_jobs(struct call *call)
{
    struct submission s = {.arena = call->arena};
    struct scan scan;
    struct str key;
    scan_begin(&scan, call->exchange->body, call->arena);
    scan_object(&scan);
    while (scan_member(&scan, &key)) {
        if (str_eq(key, STR("jobs"))) {
            submission_scan(&s, &scan, SUBMIT_MAX);
        } else {
            scan_refuse(&scan, ERR_UNPROCESSABLE, "there is no such member");
        }
    }
    const enum err_code code = scan_end(&scan, &call->err);
    if (code == ERR_OK && s.items.n == 0) {
        submission_refuse(&s, ERR_UNPROCESSABLE, STR("/jobs"), "must have at least one job");
    }
    if (submission_failed(call, &s, code)) {
        return;
    }
    submit_digest(s.items.v, s.items.n);
    struct command *command = call_command(call, COMMAND_SUBMIT);
    command->request_key = call->request_key;
    if (call->request_key.len > 0) {
        command->request_digest = call_digest(call);
    }
    command->submit =
        (struct submit){.items = s.items.v, .count = s.items.n, .error_at = s.items.n};
    call_engine(call, QUEUE_SUBMITS, command, 1, answer_submit);
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
    const bool made = command->kind == COMMAND_JOB_REPLAY;
    answer_job(call, made ? command->job.made : command->job.job, made ? 201 : 200);
}

static void control(struct call *call, enum command_kind kind, int16_t priority)
{
    struct job_id job;
    if (!take_job_id(call, &job)) {
        return;
    }
    struct command *command = call_command(call, kind);
    command->job.priority = priority;
    command->job.job = job;
    command->request_key = call->request_key;
    if (call->request_key.len > 0) {
        command->request_digest = call_digest(call);
    }
    call_engine(call, QUEUE_CONTROL, command, 1, answer_control);
}

void api_cancel_job(struct call *call)
{
    control(call, COMMAND_JOB_CANCEL, 0);
}

void api_retry_job(struct call *call)
{
    control(call, COMMAND_JOB_RETRY, 0);
}

void api_replay_job(struct call *call)
{
    control(call, COMMAND_JOB_REPLAY, 0);
}

void api_prioritise_job(struct call *call)
{
    int64_t priority = 0;
    static const struct field fields[] = {
        {"priority", FIELD_INT, .required = true, .min = -PRIORITY_MAX, .max = PRIORITY_MAX}};
    if (decode_body(call->arena, call->exchange->body, fields, 1, &priority, &call->document,
                    &call->err) != ERR_OK) {
        call_fail(call);
        return;
    }
    control(call, COMMAND_JOB_PRIORITISE, (int16_t)priority);
}
