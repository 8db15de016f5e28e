/* whoami, version, completion, help: about the caller and the program itself. */
#include <string.h>

#include "cli/complete.h"
#include "cli/help.h"
#include "cli/nouns.h"
#include "cli/parse.h"
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
    if (!cli_complete_script(cli_argument(call, 0), call->out)) {
        return cli_fail(call, CLI_USAGE, "usage", "completion is there for bash, zsh and fish",
                        "no completion for \"%s\"", cli_argument(call, 0));
    }
    return CLI_OK;
}

static int complete(struct cli_call *call)
{
    cli_complete(call);
    return CLI_OK;
}

static int help(struct cli_call *call)
{
    if (cli_flag(call, "markdown")) {
        cli_manual_markdown(call, call->out);
        return CLI_OK;
    }
    if (cli_value(call, "man-pages") != NULL) {
        return cli_manual_pages(call, cli_value(call, "man-pages"));
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
    const struct cli_noun *noun = cli_noun_find(call, cli_argument(call, 0));
    if (noun != NULL) {
        call->noun = noun;
        call->command = cli_verb_find(noun, "");
        cli_help(call, call->out);
        return CLI_OK;
    }
    return cli_fail(call, CLI_USAGE, "usage", "`help` alone lists commands and topics",
                    "there is no topic \"%s\"", cli_argument(call, 0));
}

static const struct cli_option HELP_OPTIONS[] = {
    {"markdown", 0, NULL, "Print the whole reference, docs/reference/cli.md"},
    {"man-pages", 0, "DIR", "Write the man pages into this folder"},
};

static const struct cli_command WHOAMI[] = {{"", NULL, "", 0, 0,
                                             "Show whose token is in use and what it may do",
                                             "stella orchestrator whoami", NULL, 0, whoami}};
static const struct cli_command VERSION[] = {
    {"", NULL, "", 0, 0, "Show the version of this program",
     "stella orchestrator version\nstella orchestrator version -o json", NULL, 0, version}};
static const struct cli_command COMPLETION[] = {
    {"", NULL, "SHELL", 1, 1, "Print a completion script for bash, zsh or fish",
     "source <(stella completion bash)\n"
     "stella completion bash > ~/.local/share/bash-completion/completions/stella\n"
     "stella completion zsh > ~/.zfunc/_stella\n"
     "stella completion fish > ~/.config/fish/completions/stella.fish",
     NULL, 0, completion}};
static const struct cli_command COMPLETE[] = {{"", NULL, "WORD...", 0, CLI_RAW,
                                               "Print what could stand next",
                                               "stella __complete jobs ca", NULL, 0, complete}};
static const struct cli_command HELP[] = {
    {"", NULL, "[TOPIC]", 0, 1, "Show help on the program, a command or a topic",
     "stella orchestrator help\nstella orchestrator help exit-codes\nstella orchestrator help jobs",
     HELP_OPTIONS, CLI_COUNT(HELP_OPTIONS), help}};

const struct cli_noun cli_whoami = {"whoami", NULL, "Whose token is in use", WHOAMI, 1};
const struct cli_noun cli_version = {"version", NULL, "Version of this program", VERSION, 1};
const struct cli_noun cli_completion = {"completion", NULL, "Completion for the shell", COMPLETION,
                                        1};
const struct cli_noun cli_complete_noun = {"__complete", NULL, "What could stand next", COMPLETE,
                                           1};
const struct cli_noun cli_help_noun = {"help", NULL, "Help on commands and topics", HELP, 1};
