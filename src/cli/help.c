#include "cli/help.h"

#include <string.h>

#include "cli/parse.h"

const struct cli_topic cli_topics[] = {
    {"exit-codes", "What the exit status says",
     "  0    done\n"
     "  1    the operation failed, or the run that was watched did not succeed\n"
     "  2    the command line is not understood\n"
     "  3    there is no such thing, or it is not yours to see\n"
     "  4    no valid token, or the token lacks a scope\n"
     "  5    the thing's state or version does not allow it\n"
     "  6    refused by a quota or for load; try again later\n"
     "  7    no answer, or the ledger cannot be reached; try again\n"
     "  10   a question was answered with no\n"
     "  12   doctor --strict found warnings\n"
     "  130  interrupted\n"},
    {"environment", "Variables that are read",
     "  STELLA_SERVER      as --server\n"
     "  STELLA_TOKEN_FILE  as --token-file\n"
     "  STELLA_TENANT      as --tenant\n"
     "  STELLA_CONTEXT     as --context\n"
     "  XDG_CONFIG_HOME    contexts are kept in its stella/contexts.json (default ~/.config)\n"
     "  COLUMNS            width of tables, instead of the terminal's\n"
     "  NO_COLOR           no colours; --color always overrides it\n"
     "  TERM=dumb          no colours, no live lines\n"
     "See also `help contexts` for what wins over what.\n"},
    {"contexts", "Where requests go, and as whom",
     "  A context keeps a server, a token file and a tenant under a name (`contexts add`); "
     "`contexts\n"
     "  use` makes it the one that is used. For each of the three the first of these counts:\n"
     "    1. the option: --server, --token-file, --tenant\n"
     "    2. the context that --context names\n"
     "    3. the variable: STELLA_SERVER, STELLA_TOKEN_FILE, STELLA_TENANT\n"
     "    4. the context of STELLA_CONTEXT, else of `contexts use`\n"
     "    5. the default: http://127.0.0.1:8700, .stella/data/admin.token, no tenant\n"
     "  A context is one thing: where --server or STELLA_SERVER names a server, none is used, and\n"
     "  with --context no variable is, so that no token goes to a server that it is not for.\n"},
    {"output", "Formats of what is printed",
     "  On a terminal lists are tables that fit it: the widest texts are cut with an ellipsis, "
     "unless\n"
     "  --wide is given. Piped, the same columns are separated by tabs, without a heading. -o "
     "table\n"
     "  prints the table in any case, -o json and -o yaml one document, -o jsonl one object a "
     "line,\n"
     "  -o csv a heading and lines (RFC 4180), -o name only the ids. Data goes to stdout, "
     "everything\n"
     "  else to stderr. With -o json or jsonl an error is one JSON object on stderr: code, "
     "message,\n"
     "  hint, status, retryable, request_id, errors.\n"},
    {"changes", "What asks, what needs a reason, what only shows",
     "  Control actions need --reason, and may name a --ticket; history keeps both. What cannot "
     "be\n"
     "  taken back asks on a terminal, and is refused without one unless --yes is given. "
     "--dry-run\n"
     "  reads what has to be read, checks what can be checked here, and shows the request that\n"
     "  would change something instead of sending it.\n"},
};

const size_t cli_topic_count = CLI_COUNT(cli_topics);

bool cli_is_hidden(const struct cli_noun *noun)
{
    return noun->name[0] == '_';
}

static void option_row(FILE *out, const struct cli_option *option)
{
    char left[64];
    const int n = snprintf(
        left, sizeof(left), "%s%c%s--%s%s%s", option->letter != 0 ? "-" : "  ",
        option->letter != 0 ? option->letter : ' ', option->letter != 0 ? ", " : " ", option->name,
        option->value != NULL ? " " : "", option->value != NULL ? option->value : "");
    fprintf(out, "  %-*s  %s\n", n > 26 ? n : 26, left, option->help);
}

static void examples(FILE *out, const char *text)
{
    struct str rest = str_from(text);
    struct str line;
    fprintf(out, "\nExamples:\n");
    while (str_split(&rest, '\n', &line)) {
        fprintf(out, "  %.*s\n", STR_ARG(line));
    }
}

static void usage_line(FILE *out, const struct cli_noun *noun, const struct cli_command *command)
{
    fprintf(out, "%s %s%s%s%s%s", CLI_PROGRAM, noun->name, command->verb[0] != '\0' ? " " : "",
            command->verb, command->arguments[0] != '\0' ? " " : "", command->arguments);
}

static void help_command(const struct cli_noun *noun, const struct cli_command *command, FILE *out)
{
    fprintf(out, "%s.\n\nUsage:\n  ", command->help);
    usage_line(out, noun, command);
    fprintf(out, " [options]\n");
    if (command->alias != NULL) {
        fprintf(out, "  (also: %s)\n", command->alias);
    }
    examples(out, command->examples);
    if (command->option_count > 0) {
        fprintf(out, "\nOptions:\n");
        for (size_t i = 0; i < command->option_count; i++) {
            option_row(out, &command->options[i]);
        }
    }
    fprintf(out, "\nGlobal options: `%s help` lists them.\n", CLI_PROGRAM);
}

static void help_noun(const struct cli_noun *noun, FILE *out)
{
    fprintf(out, "%s.\n\nUsage:\n  %s %s VERB [options]\n\nVerbs:\n", noun->help, CLI_PROGRAM,
            noun->name);
    for (size_t i = 0; i < noun->command_count; i++) {
        fprintf(out, "  %-10s %s\n", noun->commands[i].verb, noun->commands[i].help);
    }
    fprintf(out, "\nExamples:\n");
    for (size_t i = 0; i < noun->command_count; i++) {
        struct str rest = str_from(noun->commands[i].examples);
        struct str line;
        if (str_split(&rest, '\n', &line)) {
            fprintf(out, "  %.*s\n", STR_ARG(line));
        }
    }
    fprintf(out, "\n`%s %s VERB --help` says more.\n", CLI_PROGRAM, noun->name);
}

static void help_program(const struct cli_call *call, FILE *out)
{
    fprintf(out,
            "The Source & Job Orchestrator: its server and its command line.\n\n"
            "Usage:\n  %s NOUN [VERB] [options]   (`stella NOUN …` is the same)\n\nCommands:\n",
            CLI_PROGRAM);
    for (size_t i = 0; i < call->noun_count; i++) {
        if (!cli_is_hidden(&call->nouns[i])) {
            fprintf(out, "  %-11s %s\n", call->nouns[i].name, call->nouns[i].help);
        }
    }
    fprintf(out, "\nGlobal options:\n");
    for (size_t i = 0; i < cli_global_option_count; i++) {
        option_row(out, &cli_global_options[i]);
    }
    fprintf(out, "\nTopics (%s help TOPIC):\n", CLI_PROGRAM);
    for (size_t i = 0; i < cli_topic_count; i++) {
        fprintf(out, "  %-12s %s\n", cli_topics[i].name, cli_topics[i].help);
    }
    fprintf(out, "\nExamples:\n"
                 "  stella orchestrator doctor\n"
                 "  stella orchestrator runs list -T acme\n"
                 "  stella orchestrator runs watch run-4 --exit-status\n"
                 "  stella orchestrator jobs list --state dead -o json\n");
}

void cli_help(const struct cli_call *call, FILE *out)
{
    if (call->command != NULL) {
        help_command(call->noun, call->command, out);
    } else if (call->noun != NULL) {
        help_noun(call->noun, out);
    } else {
        help_program(call, out);
    }
}

bool cli_help_topic(const char *name, FILE *out)
{
    for (size_t i = 0; i < cli_topic_count; i++) {
        if (strcmp(cli_topics[i].name, name) == 0) {
            fprintf(out, "%s.\n\n%s", cli_topics[i].help, cli_topics[i].text);
            return true;
        }
    }
    return false;
}
