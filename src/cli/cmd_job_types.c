/* job-types: how jobs of a kind are tried, limited and timed. */
#include "cli/input.h"
#include "cli/nouns.h"
#include "cli/print.h"
#include "cli/put.h"
#include "cli/versions.h"

static const struct cli_column COLUMNS[] = {
    {"TYPE", "name", CLI_TEXT},
    {"CLASS", "class", CLI_TEXT},
    {"ATTEMPTS", "max_attempts", CLI_NUMBER},
    {"TTL ms", "ttl_ms", CLI_NUMBER},
    {"MAX RUN ms", "max_run_ms", CLI_NUMBER},
    {"AT ONCE", "max_inflight", CLI_NUMBER},
    {"VERSION", "version", CLI_NUMBER},
};
static const struct cli_shape SHAPE = {"name", COLUMNS, CLI_COUNT(COLUMNS)};

struct number {
    const char *member;
    const char *option;
    int64_t least, most;
};

/* In the order of their members, as the writer wants them. */
static const struct number NUMBERS[] = {
    {"backoff_base_ms", "backoff-base-ms", 0, INT64_C(86400000)},
    {"backoff_max_ms", "backoff-max-ms", 0, INT64_C(86400000)},
};
static const struct number MORE_NUMBERS[] = {
    {"max_attempts", "max-attempts", 1, 100},
    {"max_inflight", "max-inflight", 0, 1000000},
    {"max_run_ms", "max-run-ms", 0, INT64_C(2592000000)},
    {"no_progress_ms", "no-progress-ms", 0, INT64_C(2592000000)},
};

static int put_numbers(struct cli_call *call, struct json_writer *w, const struct number *numbers,
                       size_t count)
{
    int status = CLI_OK;
    for (size_t i = 0; status == CLI_OK && i < count; i++) {
        status = cli_put_number_option(call, w, numbers[i].member, numbers[i].option,
                                       numbers[i].least, numbers[i].most);
    }
    return status;
}

static int list(struct cli_call *call)
{
    return cli_list(call, STR("/job-types"), &SHAPE);
}

static int get(struct cli_call *call)
{
    return cli_get_and_show(call, cli_path(call, "/job-types/%s", cli_argument(call, 0)), &SHAPE);
}

static int body_from_options(struct cli_call *call, struct json_writer *w)
{
    json_put_object(w);
    int status = put_numbers(call, w, NUMBERS, CLI_COUNT(NUMBERS));
    cli_put_text_option(call, w, "class", "class");
    if (status == CLI_OK) {
        status = put_numbers(call, w, MORE_NUMBERS, CLI_COUNT(MORE_NUMBERS));
    }
    cli_put_text_option(call, w, "on_lost_contact", "on-lost-contact");
    cli_put_words_option(call, w, "services", "services");
    if (status == CLI_OK) {
        status = cli_put_number_option(call, w, "start_deadline_ms", "start-deadline-ms", 0,
                                       INT64_C(2592000000));
    }
    if (status == CLI_OK) {
        status = cli_put_number_option(call, w, "ttl_ms", "ttl-ms", 200, 3600000);
    }
    json_put_object_end(w);
    return status;
}

static int put(struct cli_call *call)
{
    return cli_put_named(call, cli_path(call, "/job-types/%s", cli_argument(call, 0)),
                         body_from_options, &SHAPE);
}

static const struct cli_option PUT_OPTIONS[] = {
    {"class", 0, "CLASS", "critical, normal, batch or backfill (default normal)"},
    {"max-attempts", 0, "N", "Attempts before a job is dead (default 5)"},
    {"ttl-ms", 0, "MS", "A worker that is silent so long loses the job (default 30000)"},
    {"max-run-ms", 0, "MS", "Longest attempt (default 3600000)"},
    {"no-progress-ms", 0, "MS", "Longest attempt without progress; 0 = off (default)"},
    {"start-deadline-ms", 0, "MS",
     "Dead when not started that long after it could; 0 = off (default)"},
    {"max-inflight", 0, "N", "At once, for each tenant; 0 = unlimited (default)"},
    {"backoff-base-ms", 0, "MS", "First pause after a failure (default 1000)"},
    {"backoff-max-ms", 0, "MS", "Longest pause (default 300000)"},
    {"on-lost-contact", 0, "WHAT", "continue (default) or stop"},
    {"services", 0, "NAMES", "Downstream services that a job needs, separated by commas"},
    {"file", 'f', "FILE", "The whole body instead of options; - for stdin"},
    {"if-match", 0, "ETAG", "Replace only this version (default: the one that is read first)"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List job types", "stella orchestrator job-types list", NULL, 0, list},
    {"get", NULL, "TYPE", 1, 1, "Show one job type",
     "stella orchestrator job-types get advisory.ingest", NULL, 0, get},
    {"put", "add", "TYPE", 1, 1, "Register a job type, or replace it; without -T for every tenant",
     "stella orchestrator job-types put report.build --max-attempts 3 --ttl-ms 10000\n"
     "stella orchestrator job-types put report.build -T acme --max-inflight 4\n"
     "stella orchestrator job-types put report.build -f type.json",
     PUT_OPTIONS, CLI_COUNT(PUT_OPTIONS), put},
    {"versions", NULL, "TYPE", 1, 1, "List what a job type was, newest first",
     "stella orchestrator job-types versions report.build", NULL, 0, cli_versions_list},
    {"version", NULL, "TYPE VERSION", 2, 2, "Show a job type as it was",
     "stella orchestrator job-types version report.build 1", NULL, 0, cli_versions_get},
    {"diff", NULL, "TYPE", 1, 1, "Show what changed between two versions",
     "stella orchestrator job-types diff report.build", cli_diff_options,
     CLI_COUNT(cli_diff_options), cli_versions_diff},
};

const struct cli_noun cli_job_types = {"job-types", "job-type", "Kinds of jobs and their rules",
                                       COMMANDS, CLI_COUNT(COMMANDS)};
