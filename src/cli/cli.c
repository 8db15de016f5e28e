/* One invocation from words to exit status, and what every command uses. */
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/context.h"
#include "cli/failure.h"
#include "cli/help.h"
#include "cli/near.h"
#include "cli/nouns.h"
#include "cli/parse.h"
#include "cli/refresh.h"

enum { NOUNS_MAX = 32 };

static const struct cli_noun *const CLIENT_NOUNS[] = {
    &cli_sources,       &cli_job_types, &cli_runs,     &cli_jobs,    &cli_bulk,
    &cli_artifacts,     &cli_history,   &cli_tenants,  &cli_quotas,  &cli_tokens,
    &cli_workers,       &cli_throttles, &cli_breakers, &cli_status,  &cli_pause,
    &cli_resume,        &cli_contexts,  &cli_whoami,   &cli_version, &cli_completion,
    &cli_complete_noun, &cli_help_noun,
};

const char *cli_value(const struct cli_call *call, const char *name)
{
    for (size_t i = call->given.n; i > 0; i--) {
        if (strcmp(call->given.v[i - 1].option->name, name) == 0) {
            return call->given.v[i - 1].value;
        }
    }
    return NULL;
}

bool cli_flag(const struct cli_call *call, const char *name)
{
    for (size_t i = 0; i < call->given.n; i++) {
        if (strcmp(call->given.v[i].option->name, name) == 0) {
            return true;
        }
    }
    return false;
}

int cli_number(struct cli_call *call, const char *name, int64_t least, int64_t most, int64_t *out)
{
    const char *text = cli_value(call, name);
    int64_t value = 0;
    if (text == NULL) {
        return CLI_OK;
    }
    if (!str_parse_i64(str_from(text), &value) || value < least || value > most) {
        return cli_fail(call, CLI_USAGE, "usage", "", "--%s takes a number from %lld to %lld", name,
                        (long long)least, (long long)most);
    }
    *out = value;
    return CLI_OK;
}

const char *cli_argument(const struct cli_call *call, size_t index)
{
    CHECK(index < call->arguments.n);
    return call->arguments.v[index];
}

int cli_need_reason(struct cli_call *call)
{
    const char *reason = cli_value(call, "reason");
    if (reason != NULL && reason[0] != '\0') {
        return CLI_OK;
    }
    return cli_fail(call, CLI_USAGE, "reason_required", "add --reason \"why you do it\"",
                    "%s %s needs a reason; history keeps it", call->noun->name,
                    call->command->verb);
}

int cli_confirm(struct cli_call *call, const char *what)
{
    if (cli_flag(call, "yes") || cli_flag(call, "dry-run")) {
        return CLI_OK;
    }
    if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) {
        return cli_fail(call, CLI_USAGE, "usage", "add --yes",
                        "%s is not asked for without a terminal", what);
    }
    char answer[16] = "";
    fprintf(call->log, "%s? [y/N] ", what);
    if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y')) {
        return CLI_OK;
    }
    return cli_fail(call, CLI_DECLINED, "usage", "", "nothing was done");
}

static int set_output(struct cli_call *call)
{
    static const char *const names[] = {
        [CLI_OUTPUT_AUTO] = "auto",   [CLI_OUTPUT_TABLE] = "table", [CLI_OUTPUT_JSON] = "json",
        [CLI_OUTPUT_JSONL] = "jsonl", [CLI_OUTPUT_YAML] = "yaml",   [CLI_OUTPUT_CSV] = "csv",
        [CLI_OUTPUT_NAME] = "name"};
    const char *wanted = cli_value(call, "output");
    bool is_known = wanted == NULL;
    for (size_t i = 0; wanted != NULL && i < CLI_COUNT(names); i++) {
        if (strcmp(wanted, names[i]) == 0) {
            call->output = (enum cli_output)i;
            is_known = true;
        }
    }
    const bool is_terminal = isatty(fileno(call->out)) != 0;
    call->is_table =
        call->output == CLI_OUTPUT_TABLE || (call->output == CLI_OUTPUT_AUTO && is_terminal);
    return is_known ? CLI_OK
                    : cli_fail(call, CLI_USAGE, "usage", "",
                               "--output is table, json, jsonl, yaml, csv or name");
}

static bool is_dumb(const char *term)
{
    return term == NULL || strcmp(term, "dumb") == 0;
}

static int set_colour(struct cli_call *call)
{
    const char *when = cli_value(call, "color");
    const char *term = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    call->terminal = !is_dumb(term);
    if (when == NULL || strcmp(when, "auto") == 0) {
        call->colour = isatty(fileno(call->out)) != 0 && !is_dumb(term) &&
                       (no_colour == NULL || no_colour[0] == '\0');
        return CLI_OK;
    }
    call->colour = strcmp(when, "always") == 0;
    return call->colour || strcmp(when, "never") == 0
               ? CLI_OK
               : cli_fail(call, CLI_USAGE, "usage", "", "--color is auto, always or never");
}

static int run(struct cli_call *call)
{
    if (call->help || call->command == NULL) {
        /* A noun or a program alone was not asked for help: that is a usage error, with help. */
        const bool asked = call->help || call->noun == NULL;
        cli_help(call, asked ? call->out : call->log);
        return asked ? CLI_OK : CLI_USAGE;
    }
    if (call->command->most == CLI_RAW || strcmp(call->noun->name, cli_contexts.name) == 0) {
        return call->command->run(call);
    }
    const int status = cli_context_choose(call);
    if (status != CLI_OK) {
        return status;
    }
    return cli_global_flag(call, "watch") ? cli_refresh(call, call->command->run)
                                          : call->command->run(call);
}

int cli_main(int argc, char **argv, const struct cli_noun *extra, size_t extra_count)
{
    struct cli_noun nouns[NOUNS_MAX];
    size_t count = 0;
    CHECK(extra_count + CLI_COUNT(CLIENT_NOUNS) <= NOUNS_MAX);
    for (size_t i = 0; i < extra_count; i++) {
        nouns[count++] = extra[i];
    }
    for (size_t i = 0; i < CLI_COUNT(CLIENT_NOUNS); i++) {
        nouns[count++] = *CLIENT_NOUNS[i];
    }
    struct cli_call call = {.nouns = nouns, .noun_count = count, .out = stdout, .log = stderr};
    arena_init(&call.arena, SIZE_MAX);
    (void)setlocale(LC_CTYPE, ""); /* Widths of characters; all else stays as in C. */
    const int skip = argc > 1 && strcmp(argv[1], "orchestrator") == 0 ? 1 : 0;
    int status = cli_parse(&call, argc - skip, argv + skip);
    const int output = set_output(&call);
    status = status != CLI_OK ? status : output;
    status = status != CLI_OK ? status : set_colour(&call);
    status = status != CLI_OK ? status : run(&call);
    status = status == CLI_SHOWN ? CLI_OK : status;
    if (status == CLI_NOT_FOUND) {
        cli_near(&call);
    }
    if (fflush(call.out) != 0 && status == CLI_OK) {
        status = cli_fail(&call, CLI_FAILED, "io", "", "the output could not be written");
    }
    if (status != CLI_OK) {
        cli_failure_print(&call);
    }
    json_decref(call.failure.errors);
    cli_client_close(call.client);
    arena_fini(&call.arena);
    return status;
}
