#include "cli/help.h"

#include <string.h>

#include "cli/parse.h"

static const char PROGRAM[] = "stella orchestrator";

struct topic {
    const char *name;
    const char *help;
    const char *text;
};

static const struct topic TOPICS[] = {
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
     "  130  interrupted\n"},
    {"environment", "Variables that are read",
     "  STELLA_SERVER      as --server\n"
     "  STELLA_TOKEN_FILE  as --token-file\n"
     "  STELLA_TENANT      as --tenant\n"
     "  NO_COLOR           no colours; --color always overrides it\n"
     "  TERM=dumb          no colours, no live lines\n"
     "An option wins over its variable, a variable over the default.\n"},
    {"output", "Formats of what is printed",
     "  On a terminal lists are tables; piped, the same columns are separated by tabs, without a\n"
     "  heading. -o table prints the table in any case. -o json prints one document, -o jsonl one\n"
     "  object a line, -o name only the ids. Data goes to stdout, everything else to stderr. With\n"
     "  -o json or jsonl an error is one JSON object on stderr: code, message, hint, status,\n"
     "  retryable, request_id, errors.\n"},
};

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
    fprintf(out, "%s %s%s%s%s%s", PROGRAM, noun->name, command->verb[0] != '\0' ? " " : "",
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
    fprintf(out, "\nGlobal options: `%s help` lists them.\n", PROGRAM);
}

static void help_noun(const struct cli_noun *noun, FILE *out)
{
    fprintf(out, "%s.\n\nUsage:\n  %s %s VERB [options]\n\nVerbs:\n", noun->help, PROGRAM,
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
    fprintf(out, "\n`%s %s VERB --help` says more.\n", PROGRAM, noun->name);
}

static void help_program(const struct cli_call *call, FILE *out)
{
    fprintf(out,
            "The Source & Job Orchestrator: its server and its command line.\n\n"
            "Usage:\n  %s NOUN [VERB] [options]   (`stella NOUN …` is the same)\n\nCommands:\n",
            PROGRAM);
    for (size_t i = 0; i < call->noun_count; i++) {
        fprintf(out, "  %-11s %s\n", call->nouns[i].name, call->nouns[i].help);
    }
    fprintf(out, "\nGlobal options:\n");
    for (size_t i = 0; i < cli_global_option_count; i++) {
        option_row(out, &cli_global_options[i]);
    }
    fprintf(out, "\nTopics (%s help TOPIC):\n", PROGRAM);
    for (size_t i = 0; i < CLI_COUNT(TOPICS); i++) {
        fprintf(out, "  %-12s %s\n", TOPICS[i].name, TOPICS[i].help);
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
    for (size_t i = 0; i < CLI_COUNT(TOPICS); i++) {
        if (strcmp(TOPICS[i].name, name) == 0) {
            fprintf(out, "%s.\n\n%s", TOPICS[i].help, TOPICS[i].text);
            return true;
        }
    }
    return false;
}

void cli_help_markdown(const struct cli_call *call, FILE *out)
{
    fprintf(out,
            "# Command line\n\nGenerated from the command table by `%s help --markdown`; a test "
            "compares it.\n\n```text\n",
            PROGRAM);
    help_program(call, out);
    fprintf(out, "```\n");
    for (size_t i = 0; i < call->noun_count; i++) {
        const struct cli_noun *noun = &call->nouns[i];
        fprintf(out, "\n## %s\n\n%s.\n", noun->name, noun->help);
        for (size_t j = 0; j < noun->command_count; j++) {
            if (noun->commands[j].verb[0] != '\0') {
                fprintf(out, "\n### %s %s\n", noun->name, noun->commands[j].verb);
            }
            fprintf(out, "\n```text\n");
            help_command(noun, &noun->commands[j], out);
            fprintf(out, "```\n");
        }
    }
    for (size_t i = 0; i < CLI_COUNT(TOPICS); i++) {
        fprintf(out, "\n## help %s\n\n%s.\n\n```text\n%s```\n", TOPICS[i].name, TOPICS[i].help,
                TOPICS[i].text);
    }
}

static void bash_options(FILE *out, const struct cli_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(out, " --%s", options[i].name);
    }
}

/* One case per noun: its verbs; one per verb: its options. */
static void bash_tables(const struct cli_call *call, FILE *out)
{
    fprintf(out, "_stella_verbs() {\n    case \"$1\" in\n");
    for (size_t i = 0; i < call->noun_count; i++) {
        fprintf(out, "        %s) echo \"", call->nouns[i].name);
        for (size_t j = 0; j < call->nouns[i].command_count; j++) {
            fprintf(out, "%s%s", j > 0 ? " " : "", call->nouns[i].commands[j].verb);
        }
        fprintf(out, "\" ;;\n");
    }
    fprintf(out, "    esac\n}\n\n_stella_options() {\n    case \"$1\" in\n");
    for (size_t i = 0; i < call->noun_count; i++) {
        const struct cli_noun *noun = &call->nouns[i];
        for (size_t j = 0; j < noun->command_count; j++) {
            const struct cli_command *command = &noun->commands[j];
            if (command->option_count == 0) {
                continue;
            }
            fprintf(out, "        \"%s%s%s\") echo \"", noun->name,
                    command->verb[0] != '\0' ? " " : "", command->verb);
            bash_options(out, command->options, command->option_count);
            fprintf(out, "\" ;;\n");
        }
    }
    fprintf(out, "    esac\n    echo \"");
    bash_options(out, cli_global_options, cli_global_option_count);
    fprintf(out, "\"\n}\n\n");
}

void cli_help_bash(const struct cli_call *call, FILE *out)
{
    fprintf(out, "# bash completion of stella; to use it now: source <(stella completion bash)\n\n"
                 "_stella_nouns() {\n    echo \"");
    for (size_t i = 0; i < call->noun_count; i++) {
        fprintf(out, "%s%s", i > 0 ? " " : "", call->nouns[i].name);
    }
    fprintf(out, "\"\n}\n\n");
    bash_tables(call, out);
    fprintf(out, "_stella() {\n"
                 "    local current=\"${COMP_WORDS[COMP_CWORD]}\" words=() word choices\n"
                 "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                 "        [[ $word == orchestrator || $word == -* ]] || words+=(\"$word\")\n"
                 "    done\n"
                 "    if [[ $current == -* ]]; then\n"
                 "        choices=$(_stella_options \"${words[*]:0:2}\")\n"
                 "    elif [[ ${#words[@]} -eq 0 ]]; then\n"
                 "        choices=\"$(_stella_nouns) orchestrator\"\n"
                 "    elif [[ ${#words[@]} -eq 1 ]]; then\n"
                 "        choices=$(_stella_verbs \"${words[0]}\")\n"
                 "    else\n"
                 "        return\n"
                 "    fi\n"
                 "    mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$current\")\n"
                 "}\n\n"
                 "complete -o default -F _stella stella\n");
}
