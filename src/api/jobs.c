/* api/jobs - submitting jobs, and what operators do to them. */
#include "api/manners.h"
#include "api/submits.h"
#include "api/views.h"

static void answer_submit(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        submission_fail_at(call, &command->err, command->submit.error_at, command->submit.count);
        return;
    }
    manners_live_jobs(call, command->live_max, command->live_left);
    struct json_writer w = call_json(call);
    json_put_object(&w);
    json_put_key(&w, STR("jobs"));
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
    submission_digest(&s);
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

static void control(struct call *call, enum command_kind kind)
{
    struct job_id job;
    if (!job_id_parse(call->args[0], &job)) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    struct command *command = call_command(call, kind);
    command->job.job = job;
    command->request_key = call->request_key;
    if (call->request_key.len > 0) {
        command->request_digest = call_digest(call);
    }
    call_engine(call, QUEUE_CONTROL, command, 1, answer_control);
}

void api_cancel_job(struct call *call)
{
    control(call, COMMAND_JOB_CANCEL);
}

void api_retry_job(struct call *call)
{
    control(call, COMMAND_JOB_RETRY);
}

void api_replay_job(struct call *call)
{
    control(call, COMMAND_JOB_REPLAY);
}
