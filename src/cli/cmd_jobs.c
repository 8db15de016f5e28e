/* jobs: submit, look, cancel, retry, replay. */
#include "cli/cmd_bulk.h"
#include "cli/cmd_logs.h"
#include "cli/explain.h"
#include "cli/input.h"
#include "cli/nouns.h"
#include "cli/print.h"
#include "cli/shapes.h"

static const struct cli_column COLUMNS[] = {
    {"JOB", "id", CLI_TEXT},           {"STATE", "state", CLI_STATE},
    {"TYPE", "type", CLI_TEXT},        {"NAME", "name", CLI_TEXT},
    {"RUN", "run", CLI_TEXT},          {"ATTEMPTS", "attempts", CLI_NUMBER},
    {"HOLD", "hold.reason", CLI_TEXT}, {"SUBMITTED", "submitted_at", CLI_TIME},
    {"KEY", "key", CLI_TEXT},
};
const struct cli_shape cli_job_shape = {"id", COLUMNS, CLI_COUNT(COLUMNS)};

static const struct cli_column SUBMITTED_COLUMNS[] = {
    {"JOB", "id", CLI_TEXT},
    {"STATE", "state", CLI_STATE},
    {"DUPLICATE", "duplicate", CLI_TEXT},
};
static const struct cli_shape SUBMITTED = {"id", SUBMITTED_COLUMNS, CLI_COUNT(SUBMITTED_COLUMNS)};

static const struct cli_column ATTEMPT_COLUMNS[] = {
    {"ATTEMPT", "attempt", CLI_NUMBER},  {"ENDING", "ending", CLI_STATE},
    {"CLASS", "class", CLI_TEXT},        {"WORKER", "worker", CLI_TEXT},
    {"CLAIMED", "claimed_at", CLI_TIME}, {"ENDED", "ended_at", CLI_TIME},
    {"MESSAGE", "message", CLI_JSON},
};
static const struct cli_shape ATTEMPTS = {"attempt", ATTEMPT_COLUMNS, CLI_COUNT(ATTEMPT_COLUMNS)};

static const struct cli_column EXPLAINED_COLUMNS[] = {
    {"JOB", "id", CLI_TEXT},           {"STATE", "state", CLI_STATE},
    {"HOLD", "hold.reason", CLI_TEXT}, {"NOT BEFORE", "not_before", CLI_TIME},
    {"WHY", "summary", CLI_TEXT},
};
static const struct cli_shape EXPLAINED = {"id", EXPLAINED_COLUMNS, CLI_COUNT(EXPLAINED_COLUMNS)};

static int list(struct cli_call *call)
{
    static const char *const filters[] = {"state", "type",  "source", "run",
                                          "key",   "class", "worker"};
    struct str path = STR("/jobs");
    for (size_t i = 0; i < CLI_COUNT(filters); i++) {
        path = cli_query(call, path, filters[i], cli_value(call, filters[i]));
    }
    path = cli_query(call, path, "submitted_after", cli_value(call, "after"));
    path = cli_query(call, path, "submitted_before", cli_value(call, "before"));
    return cli_list(call, path, &cli_job_shape);
}

static int get(struct cli_call *call)
{
    return cli_get_and_show(call, cli_path(call, "/jobs/%s", cli_argument(call, 0)),
                            &cli_job_shape);
}

/* {"jobs":[JOB]} from the options. */
static int body_from_options(struct cli_call *call, struct json_writer *w)
{
    struct str payload = {0};
    if (cli_value(call, "payload") != NULL) {
        const int status = cli_input_value(call, cli_value(call, "payload"), &payload);
        if (status != CLI_OK) {
            return status;
        }
    }
    json_put_object(w);
    JSON_KEY(w, "jobs");
    json_put_array(w);
    json_put_object(w);
    int status = cli_put_number_option(call, w, "delay_ms", "delay-ms", 0, INT64_C(31536000000));
    cli_put_text_option(call, w, "key", "key");
    if (payload.len > 0) {
        JSON_RAW(w, "payload", payload);
    }
    if (status == CLI_OK) {
        status = cli_put_number_option(call, w, "priority", "priority", -100, 100);
    }
    cli_put_text_option(call, w, "not_before", "not-before");
    cli_put_text_option(call, w, "source", "source");
    cli_put_text_option(call, w, "type", "type");
    json_put_object_end(w);
    json_put_array_end(w);
    json_put_object_end(w);
    return status;
}

/* A file may hold the whole body, an array of jobs, or one job. */
static int body_from_file(struct cli_call *call, const char *path, struct json_writer *w)
{
    struct str text;
    const int status = cli_input_file(call, path, &text);
    if (status != CLI_OK) {
        return status;
    }
    json_t *value = NULL;
    struct err err = {0};
    CHECK(json_read(text, &value, &err) == ERR_OK); /* Was checked when it was read. */
    if (json_object_get(value, "jobs") != NULL) {
        json_put_raw(w, text);
    } else {
        json_put_object(w);
        JSON_KEY(w, "jobs");
        if (json_is_array(value)) {
            json_put_raw(w, text);
        } else {
            json_put_array(w);
            json_put_raw(w, text);
            json_put_array_end(w);
        }
        json_put_object_end(w);
    }
    json_decref(value);
    return CLI_OK;
}

static int submit(struct cli_call *call)
{
    const char *file = cli_value(call, "file");
    if ((file == NULL) == (cli_value(call, "type") == NULL)) {
        return cli_fail(call, CLI_USAGE, "usage", "add --help for examples",
                        "give either --type (one job) or --file (many)");
    }
    struct buf body;
    struct json_writer w;
    buf_init(&body, CLI_BODY_MAX);
    json_begin(&w, &body);
    int status = file != NULL ? body_from_file(call, file, &w) : body_from_options(call, &w);
    struct cli_reply reply = {0};
    if (status == CLI_OK) {
        status = cli_send(
            call,
            &(struct cli_request){
                .method = "POST", .path = STR("/jobs"), .body = buf_get(&body), .creates = true},
            &reply);
    }
    buf_fini(&body);
    if (status != CLI_OK) {
        return status;
    }
    cli_print_items(call, json_object_get(reply.json, "jobs"), &SUBMITTED);
    cli_note(call, "Follow one with `stella orchestrator jobs history JOB`.");
    json_decref(reply.json);
    return CLI_OK;
}

static int explain(struct cli_call *call)
{
    struct cli_reply reply;
    const int status =
        cli_get(call, cli_path(call, "/jobs/%s/explain", cli_argument(call, 0)), &reply);
    if (status != CLI_OK) {
        return status;
    }
    if (call->output == CLI_OUTPUT_AUTO || call->output == CLI_OUTPUT_TABLE) {
        cli_print_explanation(call, reply.json);
    } else {
        cli_show(call, reply.json, &EXPLAINED);
    }
    json_decref(reply.json);
    return CLI_OK;
}

static int history(struct cli_call *call)
{
    return cli_list(call, cli_path(call, "/jobs/%s/history", cli_argument(call, 0)),
                    &cli_history_shape);
}

static int artifacts(struct cli_call *call)
{
    return cli_list_whole(call, cli_path(call, "/jobs/%s/artifacts", cli_argument(call, 0)),
                          "items", &cli_artifact_shape);
}

static int payload(struct cli_call *call)
{
    struct cli_reply reply;
    const int status = cli_send(
        call,
        &(struct cli_request){.method = "GET",
                              .path = cli_path(call, "/jobs/%s/payload", cli_argument(call, 0)),
                              .download = call->out},
        &reply);
    json_decref(status == CLI_OK ? reply.json : NULL);
    return status;
}

/* The same verb on each job that was named; stops at the first that is refused. */
static int control_with(struct cli_call *call, const char *verb, bool creates, struct str body)
{
    int status = cli_need_reason(call);
    json_t *changed = json_array();
    for (size_t i = 0; status == CLI_OK && i < call->arguments.n; i++) {
        struct cli_reply reply;
        status = cli_send(call,
                          &(struct cli_request){
                              .method = "POST",
                              .path = cli_path(call, "/jobs/%s/%s", cli_argument(call, i), verb),
                              .body = body,
                              .creates = creates},
                          &reply);
        if (status == CLI_OK) {
            (void)json_array_append_new(changed, reply.json);
        }
    }
    if (json_array_size(changed) > 0) {
        cli_print_items(call, changed, &cli_job_shape);
    }
    json_decref(changed);
    return status;
}

static int control(struct cli_call *call, const char *verb, bool creates)
{
    return control_with(call, verb, creates, STR(""));
}

static int cancel(struct cli_call *call)
{
    return control(call, "cancel", false);
}

static int retry(struct cli_call *call)
{
    return control(call, "retry", false);
}

static int replay(struct cli_call *call)
{
    return control(call, "replay", true);
}

static int prioritise(struct cli_call *call)
{
    int64_t priority = 0;
    const int status = cli_number(call, "priority", -100, 100, &priority);
    if (status != CLI_OK) {
        return status;
    }
    if (cli_value(call, "priority") == NULL) {
        return cli_fail(call, CLI_USAGE, "usage", "add --priority N, -100 to 100, higher first",
                        "jobs prioritise needs --priority");
    }
    return control_with(call, "prioritise", false,
                        arena_format(&call->arena, "{\"priority\":%lld}", (long long)priority));
}

static int attempts(struct cli_call *call)
{
    return cli_list(call, cli_path(call, "/jobs/%s/attempts", cli_argument(call, 0)), &ATTEMPTS);
}

static const struct cli_option LIST_OPTIONS[] = {
    {"state", 0, "STATE", "blocked, pending, leased, running, succeeded, dead or canceled"},
    {"type", 0, "TYPE", "Only this job type"},
    {"source", 0, "SOURCE", "Only this source"},
    {"run", 0, "RUN", "Only this run"},
    {"key", 0, "KEY", "The job with this key"},
    {"class", 0, "CLASS", "Dead jobs of this error class"},
    {"worker", 0, "WORKER", "Held, or ended, by this worker"},
    {"after", 0, "TIME", "Submitted at that time or later, as 2026-01-31T06:00:00Z"},
    {"before", 0, "TIME", "Submitted before that time"},
};

static const struct cli_option SUBMIT_OPTIONS[] = {
    {"type", 0, "TYPE", "Job type of the one job"},
    {"payload", 0, "JSON", "Its payload: JSON, @FILE, or @- for stdin"},
    {"key", 0, "KEY", "Its key: submitting the same again makes no second job"},
    {"source", 0, "SOURCE", "The source it works on"},
    {"priority", 0, "N", "-100 to 100, higher first (default 0)"},
    {"delay-ms", 0, "MS", "Not before so long from now"},
    {"not-before", 0, "TIME", "Not before that time, as 2026-01-31T06:00:00Z"},
    {"file", 'f', "FILE", "Many jobs: {\"jobs\":[…]}, an array, or one job; - for stdin"},
};

static const struct cli_option LOGS_OPTIONS[] = {
    {"attempt", 0, "N", "That attempt (default: the one that runs, or the newest)"},
    {"follow", 0, NULL, "Go on until the job has ended"},
    {"since", 0, "TIME", "Only lines since then: 10m, 2h, 1d, or 2026-01-31T06:00:00Z"},
    {"level", 0, "LEVEL", "At least that: debug, info, warning or error"},
};

static const struct cli_option PRIORITISE_OPTIONS[] = {
    {"priority", 0, "N", "-100 to 100, higher first"},
};

static const struct cli_option BULK_OPTIONS[] = {
    {"state", 0, "STATE", "blocked, pending, leased, running, succeeded, dead or canceled"},
    {"type", 0, "TYPE", "Only this job type"},
    {"source", 0, "SOURCE", "Only this source"},
    {"run", 0, "RUN", "Only this run"},
    {"class", 0, "CLASS", "Dead jobs of this error class"},
    {"worker", 0, "WORKER", "Held, or ended, by this worker"},
    {"after", 0, "TIME", "Submitted at that time or later, as 2026-01-31T06:00:00Z"},
    {"before", 0, "TIME", "Submitted before that time"},
    {"priority", 0, "N", "The priority, for prioritise"},
    {"token", 0, "TOKEN", "apply: of a preview; without it the count is shown and asked about"},
    {"no-wait", 0, NULL, "apply: begin it, and end"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List jobs",
     "stella orchestrator jobs list --state dead\n"
     "stella orchestrator jobs list --state pending --type advisory.ingest --all -o jsonl\n"
     "stella orchestrator jobs list --class http_5xx --after 2026-01-31T06:00:00Z",
     LIST_OPTIONS, CLI_COUNT(LIST_OPTIONS), list},
    {"get", NULL, "JOB", 1, 1, "Show one job: state, attempts, what holds it, result",
     "stella orchestrator jobs get job-17\nstella orchestrator jobs get job-17 -o json", NULL, 0,
     get},
    {"submit", "add", "", 0, 0, "Submit one job, or many from a file",
     "stella orchestrator jobs submit --type report.build --payload '{\"day\":\"2026-01-31\"}'\n"
     "stella orchestrator jobs submit --type report.build --payload @body.json --key day-31\n"
     "stella orchestrator jobs submit -f jobs.json -o name",
     SUBMIT_OPTIONS, CLI_COUNT(SUBMIT_OPTIONS), submit},
    {"explain", "why", "JOB", 1, 1, "Tell why a job waits, what lets it start, or how it ended",
     "stella orchestrator jobs explain job-17\n"
     "stella orchestrator jobs explain job-17 -o json",
     NULL, 0, explain},
    {"history", NULL, "JOB", 1, 1, "Show what happened to a job, oldest first",
     "stella orchestrator jobs history job-17\n"
     "stella orchestrator jobs history job-17 --all -o jsonl",
     NULL, 0, history},
    {"logs", NULL, "JOB", 1, 1, "Print what a job logged, or follow it",
     "stella orchestrator jobs logs job-17\n"
     "stella orchestrator jobs logs job-17 --follow --level warning\n"
     "stella orchestrator jobs logs job-17 --attempt 1 -o jsonl",
     LOGS_OPTIONS, CLI_COUNT(LOGS_OPTIONS), cli_job_logs},
    {"attempts", NULL, "JOB", 1, 1, "Show a job's attempts that ended, oldest first",
     "stella orchestrator jobs attempts job-17", NULL, 0, attempts},
    {"payload", NULL, "JOB", 1, 1, "Print a job's payload as it was submitted",
     "stella orchestrator jobs payload job-17 > payload.json", NULL, 0, payload},
    {"artifacts", NULL, "JOB", 1, 1, "List what a job read and made",
     "stella orchestrator jobs artifacts job-17", NULL, 0, artifacts},
    {"cancel", NULL, "JOB...", 1, -1, "Cancel jobs (needs --reason)",
     "stella orchestrator jobs cancel job-17 --reason \"wrong feed\"", NULL, 0, cancel},
    {"retry", NULL, "JOB...", 1, -1, "Try dead or canceled jobs again (needs --reason)",
     "stella orchestrator jobs retry job-17 job-18 --reason \"upstream is back\" --ticket OPS-9",
     NULL, 0, retry},
    {"replay", NULL, "JOB...", 1, -1, "Make new jobs from ended ones, same inputs (needs --reason)",
     "stella orchestrator jobs replay job-17 --reason \"policy changed\"", NULL, 0, replay},
    {"prioritise", NULL, "JOB...", 1, -1, "Give waiting jobs another priority (needs --reason)",
     "stella orchestrator jobs prioritise job-17 --priority 50 --reason \"customer waits\"",
     PRIORITISE_OPTIONS, CLI_COUNT(PRIORITISE_OPTIONS), prioritise},
    {"preview", NULL, "ACTION", 1, 1, "Tell which jobs an action over a filter would be about",
     "stella orchestrator jobs preview retry --class http_5xx\n"
     "stella orchestrator jobs preview prioritise --priority 50 --state pending --type "
     "report.build",
     BULK_OPTIONS, CLI_COUNT(BULK_OPTIONS), cli_bulk_preview},
    {"apply", NULL, "ACTION", 1, 1,
     "Cancel, retry, replay or prioritise all jobs that fit a filter (needs --reason)",
     "stella orchestrator jobs apply retry --class http_5xx --reason \"upstream is back\" --yes\n"
     "stella orchestrator jobs apply cancel --type report.build --reason \"not needed\" --yes "
     "--no-wait",
     BULK_OPTIONS, CLI_COUNT(BULK_OPTIONS), cli_bulk_apply},
};

const struct cli_noun cli_jobs = {"jobs", "job", "Single pieces of work", COMMANDS,
                                  CLI_COUNT(COMMANDS)};
