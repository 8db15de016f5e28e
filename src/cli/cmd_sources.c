/* sources: where documents come from. */
#include "cli/input.h"
#include "cli/nouns.h"
#include "cli/print.h"
#include "cli/put.h"
#include "cli/shapes.h"
#include "cli/versions.h"

static const struct cli_column COLUMNS[] = {
    {"SOURCE", "name", CLI_TEXT},
    {"KIND", "kind", CLI_TEXT},
    {"READY", "readiness.state", CLI_STATE},
    {"RATE/S", "rate_per_s", CLI_NUMBER},
    {"URL", "url", CLI_TEXT},
};
static const struct cli_shape SHAPE = {"name", COLUMNS, CLI_COUNT(COLUMNS)};

static int list(struct cli_call *call)
{
    return cli_list(call, STR("/sources"), &SHAPE);
}

static int get(struct cli_call *call)
{
    return cli_get_and_show(call, cli_path(call, "/sources/%s", cli_argument(call, 0)), &SHAPE);
}

static int body_from_options(struct cli_call *call, struct json_writer *w)
{
    json_put_object(w);
    int status = cli_put_number_option(call, w, "burst", "burst", 1, 1000000);
    if (cli_flag(call, "disabled")) {
        JSON_BOOL(w, "enabled", false);
    }
    cli_put_text_option(call, w, "host", "host");
    cli_put_text_option(call, w, "kind", "kind");
    if (status == CLI_OK) {
        status = cli_put_number_option(call, w, "rate_per_s", "rate", 0, 1000000);
    }
    if (cli_value(call, "settings") != NULL && status == CLI_OK) {
        struct str settings;
        status = cli_input_value(call, cli_value(call, "settings"), &settings);
        if (status == CLI_OK) {
            JSON_RAW(w, "settings", settings);
        }
    }
    cli_put_text_option(call, w, "url", "url");
    json_put_object_end(w);
    return status;
}

static int put(struct cli_call *call)
{
    if ((cli_value(call, "file") == NULL) == (cli_value(call, "kind") == NULL)) {
        return cli_fail(call, CLI_USAGE, "usage", "add --help for examples",
                        "give either --kind (and --url …) or --file");
    }
    return cli_put_named(call, cli_path(call, "/sources/%s", cli_argument(call, 0)),
                         body_from_options, &SHAPE);
}

static const struct cli_column TEST_COLUMNS[] = {
    {"OK", "ok", CLI_TEXT},
    {"READY", "readiness.state", CLI_STATE},
    {"PATH", "trial.path", CLI_TEXT},
    {"BYTES", "trial.bytes", CLI_NUMBER},
    {"LOOKS LIKE", "trial.looks_like", CLI_TEXT},
    {"FORMAT", "trial.format", CLI_TEXT},
    {"CLASS", "trial.class", CLI_TEXT},
    {"DETAIL", "trial.detail", CLI_TEXT},
};
static const struct cli_shape TESTED = {"version", TEST_COLUMNS, CLI_COUNT(TEST_COLUMNS)};

static const struct cli_column ANSWER_COLUMNS[] = {
    {"STATUS", "status", CLI_NUMBER}, {"CONTENT TYPE", "content_type", CLI_TEXT},
    {"ETAG", "etag", CLI_TEXT},       {"LAST-MODIFIED", "last_modified", CLI_TEXT},
    {"URL", "url", CLI_TEXT},
};
static const struct cli_shape ANSWERS = {"url", ANSWER_COLUMNS, CLI_COUNT(ANSWER_COLUMNS)};

static void show_answers(const struct cli_call *call, const json_t *answers)
{
    if (json_array_size(answers) > 0) {
        fputc('\n', call->out);
        cli_print_items(call, answers, &ANSWERS);
    }
}

/* What is in the way, whole: a mend that is cut is none. */
static void show_reasons(struct cli_call *call, const json_t *reasons)
{
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const json_t *reason = json_array_get(reasons, i);
        const struct str detail = json_text(json_object_get(reason, "detail"));
        const struct str fix = json_text(json_object_get(reason, "fix"));
        fprintf(call->out, "%s%.*s. %.*s\n", i == 0 ? "\n" : "",
                STR_ARG(cli_clean(&call->arena, detail)), STR_ARG(cli_clean(&call->arena, fix)));
    }
}

static void show_test(struct cli_call *call, const json_t *tested)
{
    const bool is_text = call->output == CLI_OUTPUT_AUTO || call->output == CLI_OUTPUT_TABLE;
    if (!is_text) {
        cli_show(call, tested, &TESTED);
        return;
    }
    json_t *flat = json_pack("{s:O,s:O}", "ok", json_object_get(tested, "ok"), "readiness",
                             json_object_get(json_object_get(tested, "readiness"), "state"));
    CHECK(flat != NULL);
    (void)json_object_update(flat, json_object_get(tested, "trial"));
    (void)json_object_del(flat, "answers");
    cli_show(call, flat, &TESTED);
    json_decref(flat);
    show_answers(call, json_object_get(json_object_get(tested, "trial"), "answers"));
    show_reasons(call, json_object_get(json_object_get(tested, "readiness"), "reasons"));
}

/* POST to the source's verb, which answers with what `shape` shows. */
static int act(struct cli_call *call, const char *verb, struct str body, bool creates,
               const struct cli_shape *shape)
{
    struct cli_reply reply;
    const struct cli_request request = {
        .method = "POST",
        .path = cli_path(call, "/sources/%s/%s", cli_argument(call, 0), verb),
        .body = body,
        .if_match = body.len == 0 ? cli_value(call, "if-match") : NULL,
        .creates = creates,
    };
    const int status = cli_send(call, &request, &reply);
    if (status != CLI_OK) {
        return status;
    }
    cli_show(call, reply.json, shape);
    json_decref(reply.json);
    return CLI_OK;
}

static int enable(struct cli_call *call)
{
    const int status = cli_need_reason(call);
    return status == CLI_OK ? act(call, "enable", STR(""), false, &SHAPE) : status;
}

static int disable(struct cli_call *call)
{
    const int status = cli_need_reason(call);
    return status == CLI_OK ? act(call, "disable", STR(""), false, &SHAPE) : status;
}

static struct str text_of(struct cli_call *call, struct buf *text)
{
    const struct str made = arena_str(&call->arena, buf_get(text));
    buf_fini(text);
    return made;
}

static int trigger(struct cli_call *call)
{
    struct buf text;
    struct json_writer w;
    struct str payload = {0};
    int status = cli_need_reason(call);
    if (status == CLI_OK && cli_value(call, "payload") != NULL) {
        status = cli_input_value(call, cli_value(call, "payload"), &payload);
    }
    if (status != CLI_OK) {
        return status;
    }
    buf_init(&text, payload.len + 1024);
    json_begin(&w, &text);
    json_put_object(&w);
    if (payload.len > 0) {
        JSON_RAW(&w, "payload", payload);
    }
    status = cli_put_number_option(call, &w, "priority", "priority", -100, 100);
    json_put_object_end(&w);
    const struct str body = text_of(call, &text);
    return status == CLI_OK ? act(call, "trigger", body, true, &cli_job_shape) : status;
}

static int test(struct cli_call *call)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, 16 * 1024);
    json_begin(&w, &text);
    json_put_object(&w);
    cli_put_text_option(call, &w, "path", "path");
    json_put_object_end(&w);
    struct cli_reply reply;
    const struct cli_request request = {
        .method = "POST",
        .path = cli_path(call, "/sources/%s/test", cli_argument(call, 0)),
        .body = text_of(call, &text),
    };
    const int status = cli_send(call, &request, &reply);
    if (status != CLI_OK) {
        return status;
    }
    show_test(call, reply.json);
    const bool ok = json_is_true(json_object_get(reply.json, "ok"));
    json_decref(reply.json);
    return ok || !cli_flag(call, "exit-status") ? CLI_OK : CLI_FAILED;
}

static const struct cli_option TRIGGER_OPTIONS[] = {
    {"payload", 0, "JSON", "What the job gets, instead of the source's paths: JSON, @FILE or @-"},
    {"priority", 0, "N", "-100 to 100; higher is sooner (default 0)"},
};

static const struct cli_option TEST_OPTIONS[] = {
    {"path", 0, "PATH", "Document below the url (default: the first of the source's paths)"},
    {"exit-status", 0, NULL, "Exit 1 unless the document came"},
};

static const struct cli_option SWITCH_OPTIONS[] = {
    {"if-match", 0, "ETAG", "Only at this version"},
};

static const struct cli_option PUT_OPTIONS[] = {
    {"kind", 0, "KIND", "advisory-osv, advisory-csaf, vex, sbom or other"},
    {"url", 0, "URL", "file:… or http(s)://…"},
    {"host", 0, "HOST", "Host whose rate is limited (default: the URL's)"},
    {"rate", 0, "N", "Requests a second that the host allows; 0 = no limit"},
    {"burst", 0, "N", "Requests that may be made at once"},
    {"settings", 0, "JSON", "What its producer reads: JSON, @FILE or @-"},
    {"disabled", 0, NULL, "Keep it, but start nothing for it"},
    {"file", 'f', "FILE", "The whole body instead of options; - for stdin"},
    {"if-match", 0, "ETAG", "Replace only this version (default: the one that is read first)"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List sources", "stella orchestrator sources list", NULL, 0, list},
    {"get", NULL, "SOURCE", 1, 1, "Show one source",
     "stella orchestrator sources get osv-debian -o json", NULL, 0, get},
    {"put", "add", "SOURCE", 1, 1, "Register a source, or replace it",
     "stella orchestrator sources put osv --kind advisory-osv --url https://osv.example.org/all "
     "--rate 5\n"
     "stella orchestrator sources put osv -f source.json",
     PUT_OPTIONS, CLI_COUNT(PUT_OPTIONS), put},
    {"enable", NULL, "SOURCE", 1, 1, "Let a source's jobs start (needs --reason)",
     "stella orchestrator sources enable osv --reason \"feed is back\"", SWITCH_OPTIONS,
     CLI_COUNT(SWITCH_OPTIONS), enable},
    {"disable", NULL, "SOURCE", 1, 1, "Hold a source's jobs (needs --reason)",
     "stella orchestrator sources disable osv --reason \"feed is broken\"", SWITCH_OPTIONS,
     CLI_COUNT(SWITCH_OPTIONS), disable},
    {"trigger", NULL, "SOURCE", 1, 1, "Submit a source's job now (needs --reason)",
     "stella orchestrator sources trigger osv --reason \"new advisory\"", TRIGGER_OPTIONS,
     CLI_COUNT(TRIGGER_OPTIONS), trigger},
    {"test", NULL, "SOURCE", 1, 1, "Fetch one document as a producer would, keeping nothing",
     "stella orchestrator sources test osv --path all.json\n"
     "stella orchestrator sources test osv --path all.json --exit-status -o json || echo blocked",
     TEST_OPTIONS, CLI_COUNT(TEST_OPTIONS), test},
    {"versions", NULL, "SOURCE", 1, 1, "List what a source was, newest first",
     "stella orchestrator sources versions osv", NULL, 0, cli_versions_list},
    {"version", NULL, "SOURCE VERSION", 2, 2, "Show a source as it was",
     "stella orchestrator sources version osv 1", NULL, 0, cli_versions_get},
    {"diff", NULL, "SOURCE", 1, 1, "Show what changed between two versions",
     "stella orchestrator sources diff osv\nstella orchestrator sources diff osv --from 1 --to 2",
     cli_diff_options, CLI_COUNT(cli_diff_options), cli_versions_diff},
};

const struct cli_noun cli_sources = {"sources", "source", "Where documents come from", COMMANDS,
                                     CLI_COUNT(COMMANDS)};
