/* runs: submit a whole DAG, look at it, cancel it. */
#include "cli/cmd_watch.h"
#include "cli/explain.h"
#include "cli/follow_bulk.h"
#include "cli/input.h"
#include "cli/nouns.h"
#include "cli/print.h"
#include "cli/shapes.h"

static const struct cli_column COLUMNS[] = {
    {"RUN", "id", CLI_TEXT},
    {"STATE", "state", CLI_STATE},
    {"NAME", "name", CLI_TEXT},
    {"JOBS", "total", CLI_NUMBER},
    {"SUCCEEDED", "counts.succeeded", CLI_NUMBER},
    {"DEAD", "counts.dead", CLI_NUMBER},
    {"CANCELED", "counts.canceled", CLI_NUMBER},
    {"SUBMITTED", "submitted_at", CLI_TIME},
    {"ENDED", "ended_at", CLI_TIME},
};
static const struct cli_shape SHAPE = {"id", COLUMNS, CLI_COUNT(COLUMNS)};

static const struct cli_column EDGE_COLUMNS[] = {
    {"FROM", "from", CLI_TEXT},
    {"ON", "on", CLI_TEXT},
    {"TO", "to", CLI_TEXT},
};
static const struct cli_shape EDGES = {"from", EDGE_COLUMNS, CLI_COUNT(EDGE_COLUMNS)};

static const struct cli_column MADE_COLUMNS[] = {
    {"RUN", "id", CLI_TEXT},
    {"DUPLICATE", "duplicate", CLI_TEXT},
};
static const struct cli_shape MADE = {"id", MADE_COLUMNS, CLI_COUNT(MADE_COLUMNS)};

static int list(struct cli_call *call)
{
    struct str path = cli_query(call, STR("/runs"), "state", cli_value(call, "state"));
    path = cli_query(call, path, "submitted_after", cli_value(call, "after"));
    path = cli_query(call, path, "submitted_before", cli_value(call, "before"));
    return cli_list(call, path, &SHAPE);
}

static int get(struct cli_call *call)
{
    return cli_get_and_show(call, cli_path(call, "/runs/%s", cli_argument(call, 0)), &SHAPE);
}

static int jobs(struct cli_call *call)
{
    return cli_list(call, cli_path(call, "/runs/%s/jobs", cli_argument(call, 0)), &cli_job_shape);
}

static const struct cli_column CRITICAL_COLUMNS[] = {
    {"JOB", "id", CLI_TEXT},       {"NAME", "name", CLI_TEXT},        {"TYPE", "type", CLI_TEXT},
    {"STATE", "state", CLI_STATE}, {"MS", "duration_ms", CLI_NUMBER},
};
static const struct cli_shape CRITICAL = {"id", CRITICAL_COLUMNS, CLI_COUNT(CRITICAL_COLUMNS)};

static const struct cli_column BAR_COLUMNS[] = {
    {"JOB", "job", CLI_TEXT},         {"NAME", "name", CLI_TEXT},
    {"TYPE", "type", CLI_TEXT},       {"ATTEMPT", "attempt", CLI_NUMBER},
    {"STATE", "state", CLI_STATE},    {"START MS", "start_ms", CLI_NUMBER},
    {"END MS", "end_ms", CLI_NUMBER}, {"WORKER", "worker", CLI_TEXT},
};
static const struct cli_shape BARS = {"job", BAR_COLUMNS, CLI_COUNT(BAR_COLUMNS)};

/* The rows of a timeline, which comes as columns. */
static json_t *bars_of(const json_t *document)
{
    const json_t *columns = json_object_get(document, "columns");
    const size_t count = json_array_size(json_object_get(columns, "job"));
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *row = json_object();
        for (size_t c = 0; c < CLI_COUNT(BAR_COLUMNS); c++) {
            const char *name = BAR_COLUMNS[c].member;
            (void)json_object_set(row, name, json_array_get(json_object_get(columns, name), i));
        }
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *edges_of(const json_t *document)
{
    return json_incref(json_object_get(document, "edges"));
}

/* Appends the arrays of a page to those of the document, and takes its cursor. */
static void append_page(json_t *document, json_t *page)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(page, name, value)
    {
        if (json_is_array(value)) {
            (void)json_array_extend(json_object_get(document, name), value);
        } else if (!json_is_object(value)) {
            (void)json_object_set(document, name, value);
        }
    }
    json_object_foreach(json_object_get(page, "columns"), name, value)
    {
        json_t *columns = json_object_get(document, "columns");
        (void)json_array_extend(json_object_get(columns, name), value);
    }
}

/* All pages of something that is no list of items, as one document. */
static int whole(struct cli_call *call, struct str path, json_t *(*rows_of)(const json_t *document),
                 const struct cli_shape *shape)
{
    json_t *document = NULL;
    struct str next = path;
    int status = CLI_OK;
    while (status == CLI_OK && next.len > 0) {
        struct cli_reply reply;
        status = cli_get(call, next, &reply);
        next = STR("");
        if (status == CLI_OK && document == NULL) {
            document = reply.json;
        } else if (status == CLI_OK) {
            append_page(document, reply.json);
            json_decref(reply.json);
        }
        const struct str cursor = json_text(json_object_get(document, "next_cursor"));
        if (cursor.len > 0) {
            next = cli_query(call, path, "cursor", arena_cstr(&call->arena, cursor));
        }
    }
    if (status == CLI_OK && (call->output == CLI_OUTPUT_JSON || call->output == CLI_OUTPUT_YAML)) {
        cli_show(call, document, shape);
    } else if (status == CLI_OK) {
        json_t *rows = rows_of(document);
        cli_print_items(call, rows, shape);
        json_decref(rows);
    }
    json_decref(document);
    return status;
}

static int dag(struct cli_call *call)
{
    return whole(call, cli_path(call, "/runs/%s/dag", cli_argument(call, 0)), edges_of, &EDGES);
}

static int timeline(struct cli_call *call)
{
    return whole(call, cli_path(call, "/runs/%s/timeline", cli_argument(call, 0)), bars_of, &BARS);
}

static int critical_path(struct cli_call *call)
{
    return cli_list_whole(call, cli_path(call, "/runs/%s/critical-path", cli_argument(call, 0)),
                          "items", &CRITICAL);
}

enum { WAIT_MAX_S = 60 }; /* The most that prefer_wait_s can be. */

static int submit(struct cli_call *call)
{
    const char *file = cli_value(call, "file");
    struct str body;
    if (file == NULL) {
        return cli_fail(call, CLI_USAGE, "usage", "add --help for an example",
                        "runs submit needs --file FILE (- for stdin)");
    }
    struct cli_request request = {.method = "POST", .path = STR("/runs"), .creates = true};
    int status = cli_number(call, "wait", 1, WAIT_MAX_S, &request.wait_s);
    if (status == CLI_OK) {
        status = cli_input_file(call, file, &body);
    }
    if (status != CLI_OK) {
        return status;
    }
    request.body = body;
    struct cli_reply reply;
    status = cli_send(call, &request, &reply);
    if (status != CLI_OK) {
        return status;
    }
    const char *id = arena_cstr(&call->arena, json_text(json_object_get(reply.json, "id")));
    const struct str state =
        arena_str(&call->arena, json_text(json_object_get(reply.json, "state")));
    if (call->output == CLI_OUTPUT_AUTO || call->output == CLI_OUTPUT_TABLE) {
        if (request.wait_s > 0) {
            fprintf(call->out, "%s\t%.*s\n", id, STR_ARG(state));
        } else {
            fprintf(call->out, "%s\n", id);
        }
        cli_note(call, "%zu jobs. Watch it with `stella orchestrator runs watch %s`.",
                 json_array_size(json_object_get(reply.json, "jobs")), id);
    } else {
        cli_show(call, reply.json, &SHAPE);
    }
    json_decref(reply.json);
    if (cli_flag(call, "watch")) {
        return cli_watch_run(call, id);
    }
    const bool is_judged = request.wait_s > 0 && cli_flag(call, "exit-status");
    return is_judged && !str_eq(state, STR("succeeded")) ? CLI_FAILED : CLI_OK;
}

static int control(struct cli_call *call, const char *verb, const char *question)
{
    const char *run = cli_argument(call, 0);
    int status = cli_need_reason(call);
    if (status == CLI_OK && question != NULL) {
        status = cli_confirm(call, arena_format(&call->arena, "%s %s", question, run).ptr);
    }
    if (status != CLI_OK) {
        return status;
    }
    struct cli_reply reply;
    status = cli_send(
        call,
        &(struct cli_request){.method = "POST", .path = cli_path(call, "/runs/%s/%s", run, verb)},
        &reply);
    if (status != CLI_OK) {
        return status;
    }
    if (reply.status == 202) { /* More than one step takes: a bulk action goes on with it. */
        return cli_follow_bulk(call, reply.json);
    }
    cli_show(call, reply.json, &SHAPE);
    json_decref(reply.json);
    return CLI_OK;
}

static int cancel(struct cli_call *call)
{
    return control(call, "cancel", "Cancel all of");
}

static int retry(struct cli_call *call)
{
    return control(call, "retry", NULL);
}

static int replay(struct cli_call *call)
{
    const char *from = cli_value(call, "from");
    int status = cli_need_reason(call);
    if (status == CLI_OK && from == NULL) {
        status = cli_fail(call, CLI_USAGE, "usage", "add --from JOB, an id or a name of the run",
                          "runs replay needs --from");
    }
    if (status != CLI_OK) {
        return status;
    }
    struct buf body;
    struct json_writer w;
    buf_init(&body, CLI_BODY_MAX);
    json_begin(&w, &body);
    json_put_object(&w);
    cli_put_text_option(call, &w, "from", "from");
    json_put_object_end(&w);
    struct cli_reply reply;
    status = cli_send(
        call,
        &(struct cli_request){.method = "POST",
                              .path = cli_path(call, "/runs/%s/replay", cli_argument(call, 0)),
                              .body = buf_get(&body),
                              .creates = true},
        &reply);
    buf_fini(&body);
    if (status == CLI_OK) {
        cli_show(call, reply.json, &MADE);
        json_decref(reply.json);
    }
    return status;
}

static int watch(struct cli_call *call)
{
    return cli_watch_run(call, cli_argument(call, 0));
}

static const struct cli_column EXPLAINED_COLUMNS[] = {
    {"RUN", "id", CLI_TEXT},
    {"STATE", "state", CLI_STATE},
    {"WHY", "summary", CLI_TEXT},
};
static const struct cli_shape EXPLAINED = {"id", EXPLAINED_COLUMNS, CLI_COUNT(EXPLAINED_COLUMNS)};

static int explain(struct cli_call *call)
{
    struct cli_reply reply;
    const int status =
        cli_get(call, cli_path(call, "/runs/%s/explain", cli_argument(call, 0)), &reply);
    if (status != CLI_OK) {
        return status;
    }
    if (call->output == CLI_OUTPUT_AUTO || call->output == CLI_OUTPUT_TABLE) {
        cli_print_run_explanation(call, reply.json);
    } else {
        cli_show(call, reply.json, &EXPLAINED);
    }
    json_decref(reply.json);
    return CLI_OK;
}

static const struct cli_option LIST_OPTIONS[] = {
    {"state", 0, "STATE", "active, succeeded, failed or canceled"},
    {"after", 0, "TIME", "Submitted at that time or later, as 2026-01-31T06:00:00Z"},
    {"before", 0, "TIME", "Submitted before that time"},
};

static const struct cli_option SUBMIT_OPTIONS[] = {
    {"file", 'f', "FILE",
     "The run: {\"name\":…,\"jobs\":[{\"name\",\"type\",\"needs\":[…]}…]}; - for stdin"},
    {"watch", 'w', NULL, "Watch it until it ends"},
    {"wait", 0, "SECONDS", "Answer when it has ended, or so late (the server waits prefer_wait_s)"},
    {"exit-status", 0, NULL, "With --watch or --wait: exit 1 unless it succeeded"},
};

static const struct cli_option REPLAY_OPTIONS[] = {
    {"from", 0, "JOB", "Id or name of the job where it begins"},
};

static const struct cli_option WATCH_OPTIONS[] = {
    {"exit-status", 0, NULL, "Exit 1 unless the run succeeded"},
};

static const struct cli_option CONTROL_OPTIONS[] = {
    {"no-wait", 0, NULL, "Of a large run: do not wait for the bulk action that goes on with it"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List runs, newest first",
     "stella orchestrator runs list\nstella orchestrator runs list --state failed -o name",
     LIST_OPTIONS, CLI_COUNT(LIST_OPTIONS), list},
    {"get", NULL, "RUN", 1, 1, "Show one run and how many of its jobs are in which state",
     "stella orchestrator runs get run-4", NULL, 0, get},
    {"submit", "add", "", 0, 0, "Submit a run: a whole DAG of jobs in one call",
     "stella orchestrator runs submit -f run.json\n"
     "stella orchestrator runs submit -f run.json --watch --exit-status\n"
     "stella orchestrator runs submit -f run.json --wait 2\n"
     "echo '{\"jobs\":[{\"name\":\"a\",\"type\":\"t\"},"
     "{\"name\":\"b\",\"type\":\"t\",\"needs\":[{\"job\":\"a\"}]}]}' | stella orchestrator runs "
     "submit -f -",
     SUBMIT_OPTIONS, CLI_COUNT(SUBMIT_OPTIONS), submit},
    {"watch", NULL, "RUN", 1, 1, "Show a run's progress until it ends",
     "stella orchestrator runs watch run-4\n"
     "stella orchestrator runs watch run-4 --exit-status && echo all good",
     WATCH_OPTIONS, CLI_COUNT(WATCH_OPTIONS), watch},
    {"explain", "why", "RUN", 1, 1, "Tell what holds a run up: its waiting jobs by reason",
     "stella orchestrator runs explain run-4\nstella orchestrator runs explain run-4 -o json", NULL,
     0, explain},
    {"jobs", NULL, "RUN", 1, 1, "List a run's jobs", "stella orchestrator runs jobs run-4 --all",
     NULL, 0, jobs},
    {"dag", NULL, "RUN", 1, 1, "Show which of a run's jobs wait for which",
     "stella orchestrator runs dag run-4", NULL, 0, dag},
    {"timeline", NULL, "RUN", 1, 1, "Show what of a run ran when",
     "stella orchestrator runs timeline run-4\n"
     "stella orchestrator runs timeline run-4 -o json",
     NULL, 0, timeline},
    {"critical-path", NULL, "RUN", 1, 1, "Show the longest path through a run",
     "stella orchestrator runs critical-path run-4", NULL, 0, critical_path},
    {"cancel", NULL, "RUN", 1, 1, "Cancel all of a run that has not ended (needs --reason)",
     "stella orchestrator runs cancel run-4 --reason \"wrong feed\" --yes", CONTROL_OPTIONS,
     CLI_COUNT(CONTROL_OPTIONS), cancel},
    {"retry", NULL, "RUN", 1, 1, "Try every dead job of a run again (needs --reason)",
     "stella orchestrator runs retry run-4 --reason \"upstream is back\"", CONTROL_OPTIONS,
     CLI_COUNT(CONTROL_OPTIONS), retry},
    {"replay", NULL, "RUN", 1, 1, "Make a new run from a job of it and all after (needs --reason)",
     "stella orchestrator runs replay run-4 --from match --reason \"new policy\"", REPLAY_OPTIONS,
     CLI_COUNT(REPLAY_OPTIONS), replay},
};

const struct cli_noun cli_runs = {"runs", "run", "Whole DAGs of jobs", COMMANDS,
                                  CLI_COUNT(COMMANDS)};
