/* whoami, version, completion, help: about the caller and the program itself. */
#include <string.h>

#include "cli/help.h"
#include "cli/nouns.h"
#include "cli/print.h"

static int whoami(struct cli_call *call)
{
    static const struct cli_shape shape = {"name", NULL, 0};
    struct cli_reply reply;
    const int status = cli_send(
        call, &(struct cli_request){.method = "GET", .path = STR("/whoami"), .installation = true},
        &reply);
    if (status == CLI_OK) {
        cli_show(call, reply.json, &shape);
        json_decref(reply.json);
    }
    return status;
}

static int version(struct cli_call *call)
{
    if (call->output == CLI_OUTPUT_JSON || call->output == CLI_OUTPUT_JSONL) {
        fprintf(call->out, "{\"name\":\"stella\",\"version\":\"%s\"}\n", STELLA_VERSION);
    } else {
        fprintf(call->out, "stella %s\n", STELLA_VERSION);
    }
    return CLI_OK;
}

static int completion(struct cli_call *call)
{
    if (strcmp(cli_argument(call, 0), "bash") != 0) {
        return cli_fail(call, CLI_USAGE, "usage", "", "completion is there for bash");
    }
    cli_help_bash(call, call->out);
    return CLI_OK;
}

static int help(struct cli_call *call)
{
    if (cli_flag(call, "markdown")) {
        cli_help_markdown(call, call->out);
        return CLI_OK;
    }
    if (call->arguments.n == 0) {
        call->noun = NULL;
        call->command = NULL;
        cli_help(call, call->out);
        return CLI_OK;
    }
    if (cli_help_topic(cli_argument(call, 0), call->out)) {
        return CLI_OK;
    }
    for (size_t i = 0; i < call->noun_count; i++) {
        if (strcmp(call->nouns[i].name, cli_argument(call, 0)) == 0) {
            call->noun = &call->nouns[i];
            call->command =
                call->noun->commands[0].verb[0] == '\0' ? &call->noun->commands[0] : NULL;
            cli_help(call, call->out);
            return CLI_OK;
        }
    }
    return cli_fail(call, CLI_USAGE, "usage", "`help` alone lists commands and topics",
                    "there is no topic \"%s\"", cli_argument(call, 0));
}

static const struct cli_option HELP_OPTIONS[] = {
    {"markdown", 0, NULL, "Print the whole reference, docs/reference/cli.md"},
};

static const struct cli_command WHOAMI[] = {{"", NULL, "", 0, 0,
                                             "Show whose token is in use and what it may do",
                                             "stella orchestrator whoami", NULL, 0, whoami}};
static const struct cli_command VERSION[] = {
    {"", NULL, "", 0, 0, "Show the version of this program",
     "stella orchestrator version\nstella orchestrator version -o json", NULL, 0, version}};
static const struct cli_command COMPLETION[] = {
    {"", NULL, "bash", 1, 1, "Print a completion script",
     "source <(stella completion bash)\n"
     "stella completion bash > ~/.local/share/bash-completion/completions/stella",
     NULL, 0, completion}};
static const struct cli_command HELP[] = {
    {"", NULL, "[TOPIC]", 0, 1, "Show help on the program, a command or a topic",
     "stella orchestrator help\nstella orchestrator help exit-codes\nstella orchestrator help jobs",
     HELP_OPTIONS, CLI_COUNT(HELP_OPTIONS), help}};

const struct cli_noun cli_whoami = {"whoami", NULL, "Whose token is in use", WHOAMI, 1};
const struct cli_noun cli_version = {"version", NULL, "Version of this program", VERSION, 1};
const struct cli_noun cli_completion = {"completion", NULL, "Completion for the shell", COMPLETION,
                                        1};
const struct cli_noun cli_help_noun = {"help", NULL, "Help on commands and topics", HELP, 1};
