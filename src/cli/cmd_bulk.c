/* jobs preview, jobs apply: one action on all jobs that fit a filter; bulk: what was begun. */
#include "cli/cmd_bulk.h"

#include "cli/follow_bulk.h"
#include "cli/input.h"
#include "cli/nouns.h"
#include "cli/shapes.h"

static const struct cli_column PREVIEW_COLUMNS[] = {
    {"ACTION", "action", CLI_TEXT},
    {"JOBS", "count", CLI_NUMBER},
    {"SAMPLE", "sample", CLI_WORDS},
    {"TOKEN", "token", CLI_TEXT},
};
static const struct cli_shape PREVIEW = {"token", PREVIEW_COLUMNS, CLI_COUNT(PREVIEW_COLUMNS)};

static const struct cli_column RESULT_COLUMNS[] = {
    {"JOB", "id", CLI_TEXT},    {"OUTCOME", "outcome", CLI_STATE}, {"MADE", "made", CLI_TEXT},
    {"CODE", "code", CLI_TEXT}, {"WHY", "title", CLI_TEXT},
};
static const struct cli_shape RESULTS = {"id", RESULT_COLUMNS, CLI_COUNT(RESULT_COLUMNS)};

/* The request: with the token it is one to do it. */
static int ask(struct cli_call *call, struct str token, struct cli_reply *reply)
{
    static const char *const texts[][2] = {{"class", "class"},
                                           {"run", "run"},
                                           {"source", "source"},
                                           {"state", "state"},
                                           {"submitted_after", "after"},
                                           {"submitted_before", "before"},
                                           {"type", "type"},
                                           {"worker", "worker"}};
    struct buf body;
    struct json_writer w;
    buf_init(&body, CLI_BODY_MAX);
    json_begin(&w, &body);
    json_put_object(&w);
    JSON_STR(&w, "action", str_from(cli_argument(call, 0)));
    JSON_KEY(&w, "filter");
    json_put_object(&w);
    for (size_t i = 0; i < CLI_COUNT(texts); i++) {
        cli_put_text_option(call, &w, texts[i][0], texts[i][1]);
    }
    json_put_object_end(&w);
    int status = cli_put_number_option(call, &w, "priority", "priority", -100, 100);
    if (token.len > 0) {
        JSON_STR(&w, "token", token);
    }
    json_put_object_end(&w);
    if (status == CLI_OK) {
        status = cli_send(call,
                          &(struct cli_request){.method = "POST",
                                                .path = token.len > 0 ? STR("/jobs/bulk/apply")
                                                                      : STR("/jobs/bulk/preview"),
                                                .body = buf_get(&body)},
                          reply);
    }
    buf_fini(&body);
    return status;
}

int cli_bulk_preview(struct cli_call *call)
{
    struct cli_reply reply;
    const int status = ask(call, STR(""), &reply);
    if (status == CLI_OK) {
        cli_show(call, reply.json, &PREVIEW);
        json_decref(reply.json);
    }
    return status;
}

/* The token given, or that of a look now, after a question with the exact count. */
static int find_token(struct cli_call *call, struct str *out)
{
    const char *given = cli_value(call, "token");
    if (given != NULL) {
        *out = str_from(given);
        return CLI_OK;
    }
    struct cli_reply reply;
    int status = ask(call, STR(""), &reply);
    if (status != CLI_OK) {
        return status;
    }
    const struct str question =
        arena_format(&call->arena, "%s %lld jobs", cli_argument(call, 0),
                     (long long)json_integer_value(json_object_get(reply.json, "count")));
    *out = arena_str(&call->arena, json_text(json_object_get(reply.json, "token")));
    json_decref(reply.json);
    return cli_confirm(call, arena_cstr(&call->arena, question));
}

int cli_bulk_apply(struct cli_call *call)
{
    struct str token = {0};
    struct cli_reply reply;
    int status = cli_need_reason(call);
    if (status == CLI_OK) {
        status = find_token(call, &token);
    }
    if (status == CLI_OK) {
        status = ask(call, token, &reply);
    }
    if (status != CLI_OK) {
        return status;
    }
    return cli_follow_bulk(call, reply.json);
}

/* ---- Records ---- */

static int list(struct cli_call *call)
{
    return cli_list(call, STR("/bulk-actions"), &cli_bulk_shape);
}

static int get(struct cli_call *call)
{
    const struct str path = cli_path(call, "/bulk-actions/%s", cli_argument(call, 0));
    struct cli_reply reply;
    if (!cli_flag(call, "wait")) {
        return cli_get_and_show(call, path, &cli_bulk_shape);
    }
    const int status = cli_get(call, path, &reply);
    return status == CLI_OK ? cli_follow_bulk(call, reply.json) : status;
}

static int results(struct cli_call *call)
{
    const struct str path = cli_path(call, "/bulk-actions/%s/results", cli_argument(call, 0));
    return cli_list(call, cli_query(call, path, "outcome", cli_value(call, "outcome")), &RESULTS);
}

static int cancel(struct cli_call *call)
{
    struct cli_reply reply;
    int status = cli_need_reason(call);
    if (status != CLI_OK) {
        return status;
    }
    const struct cli_request request = {
        .method = "POST",
        .path = cli_path(call, "/bulk-actions/%s/cancel", cli_argument(call, 0)),
    };
    status = cli_send(call, &request, &reply);
    if (status == CLI_OK) {
        cli_show(call, reply.json, &cli_bulk_shape);
        json_decref(reply.json);
    }
    return status;
}

static const struct cli_option GET_OPTIONS[] = {
    {"wait", 0, NULL, "Show how far it is until it has ended"},
};

static const struct cli_option RESULT_OPTIONS[] = {
    {"outcome", 0, "OUTCOME", "Only those that were changed, already so, or refused"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List bulk actions, the newest first",
     "stella orchestrator bulk list\nstella orchestrator bulk list -o json", NULL, 0, list},
    {"get", NULL, "BULK", 1, 1, "Show how far a bulk action is, or follow it",
     "stella orchestrator bulk get bulk-1\nstella orchestrator bulk get bulk-1 --wait", GET_OPTIONS,
     CLI_COUNT(GET_OPTIONS), get},
    {"results", NULL, "BULK", 1, 1, "List what came of each of its jobs",
     "stella orchestrator bulk results bulk-1 --outcome refused\n"
     "stella orchestrator bulk results bulk-1 --all -o jsonl",
     RESULT_OPTIONS, CLI_COUNT(RESULT_OPTIONS), results},
    {"cancel", NULL, "BULK", 1, 1,
     "End a bulk action that is under way; what is done stays done (needs --reason)",
     "stella orchestrator bulk cancel bulk-2 --reason \"wrong filter\"", NULL, 0, cancel},
};

const struct cli_noun cli_bulk = {"bulk", "bulk-actions",
                                  "Actions on many jobs: begin them with `jobs apply`", COMMANDS,
                                  CLI_COUNT(COMMANDS)};
