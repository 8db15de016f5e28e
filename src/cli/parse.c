#include "cli/parse.h"

#include <string.h>

const struct cli_option cli_global_options[] = {
    {"help", 'h', NULL, "Show help with examples"},
    {"context", 0, "CONTEXT", "Server, tenant and token that `contexts add` kept (STELLA_CONTEXT)"},
    {"server", 0, "URL", "Where the server listens (STELLA_SERVER; default http://127.0.0.1:8700)"},
    {"token-file", 0, "FILE",
     "File that holds the token (STELLA_TOKEN_FILE; default .stella/data/admin.token)"},
    {"tenant", 'T', "TENANT", "Tenant to act for, with an installation token (STELLA_TENANT)"},
    {"output", 'o', "FORMAT",
     "table, json, jsonl, yaml, csv or name (default: table on a terminal, else tab-separated)"},
    {"wide", 0, NULL, "Tables as wide as they get; else long texts are cut to fit the terminal"},
    {"watch", 'w', NULL, "Show a list or an object again and again, until interrupted"},
    {"every", 0, "SECONDS", "With --watch: how often (default 2)"},
    {"limit", 0, "N", "List at most N (default 100)"},
    {"all", 0, NULL, "List everything, page by page"},
    {"reason", 0, "TEXT", "Why; control actions need it and history keeps it"},
    {"ticket", 0, "ID", "Ticket that asked for it, kept beside the reason"},
    {"dry-run", 'n', NULL,
     "Show what would be sent to the server, and send nothing that changes it"},
    {"yes", 'y', NULL, "Do not ask before something that cannot be taken back"},
    {"color", 0, "WHEN", "auto, always or never (also NO_COLOR)"},
    {"timeout", 0, "SECONDS", "Give up on an answer after so long (default 60)"},
};
const size_t cli_global_option_count = CLI_COUNT(cli_global_options);

enum { WORD_MAX = 40, NEAR = 2 };

size_t cli_distance(const char *a, const char *b)
{
    const size_t a_len = strlen(a);
    const size_t b_len = strlen(b);
    if (a_len > WORD_MAX || b_len > WORD_MAX) {
        return WORD_MAX;
    }
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            const size_t above = row[j];
            size_t best = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            best = above + 1 < best ? above + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[b_len];
}

void cli_nearest_add(struct cli_nearest *nearest, const char *candidate)
{
    const size_t distance = cli_distance(nearest->word, candidate);
    if (distance <= NEAR && (nearest->best == NULL || distance < nearest->distance)) {
        nearest->distance = distance;
        nearest->best = candidate;
    }
}

static const char *suggestion(struct cli_call *call, const char *prefix, const char *best,
                              const char *otherwise)
{
    return best == NULL ? otherwise
                        : arena_format(&call->arena, "did you mean %s%s?", prefix, best).ptr;
}

static int unknown_noun(struct cli_call *call, const char *word)
{
    struct cli_nearest nearest = {.word = word};
    for (size_t i = 0; i < call->noun_count; i++) {
        cli_nearest_add(&nearest, call->nouns[i].name);
    }
    return cli_fail(
        call, CLI_USAGE, "usage",
        suggestion(call, "", nearest.best, "`stella orchestrator help` lists what there is"),
        "there is no command \"%s\"", word);
}

static int unknown_verb(struct cli_call *call, const char *word)
{
    struct cli_nearest nearest = {.word = word};
    for (size_t i = 0; i < call->noun->command_count; i++) {
        cli_nearest_add(&nearest, call->noun->commands[i].verb);
        if (call->noun->commands[i].alias != NULL) {
            cli_nearest_add(&nearest, call->noun->commands[i].alias);
        }
    }
    const char *all = arena_format(&call->arena, "`stella orchestrator %s --help` lists its verbs",
                                   call->noun->name)
                          .ptr;
    return cli_fail(call, CLI_USAGE, "usage", suggestion(call, "", nearest.best, all),
                    "%s has no verb \"%s\"", call->noun->name, word);
}

static bool is_word(const char *word, const char *name, const char *alias)
{
    return strcmp(word, name) == 0 || (alias != NULL && strcmp(word, alias) == 0);
}

const struct cli_noun *cli_noun_find(const struct cli_call *call, const char *word)
{
    for (size_t i = 0; i < call->noun_count; i++) {
        if (is_word(word, call->nouns[i].name, call->nouns[i].alias)) {
            return &call->nouns[i];
        }
    }
    return NULL;
}

const struct cli_command *cli_verb_find(const struct cli_noun *noun, const char *word)
{
    for (size_t i = 0; i < noun->command_count; i++) {
        if (is_word(word, noun->commands[i].verb, noun->commands[i].alias)) {
            return &noun->commands[i];
        }
    }
    return NULL;
}

static int take_noun(struct cli_call *call, const char *word)
{
    call->noun = cli_noun_find(call, word);
    if (call->noun == NULL) {
        return unknown_noun(call, word);
    }
    call->command = cli_verb_find(call->noun, "");
    return CLI_OK;
}

static int take_verb(struct cli_call *call, const char *word)
{
    call->command = cli_verb_find(call->noun, word);
    return call->command != NULL ? CLI_OK : unknown_verb(call, word);
}

static int take_word(struct cli_call *call, const char *word)
{
    if (call->noun == NULL) {
        return take_noun(call, word);
    }
    if (call->command == NULL) {
        return take_verb(call, word);
    }
    VEC_PUSH(&call->arena, &call->arguments, word);
    return CLI_OK;
}

static const struct cli_option *find_option(const struct cli_option *options, size_t count,
                                            struct str name, char letter)
{
    for (size_t i = 0; i < count; i++) {
        if (letter != 0 ? options[i].letter == letter : str_eq(str_from(options[i].name), name)) {
            return &options[i];
        }
    }
    return NULL;
}

const struct cli_option *cli_option_find(const struct cli_call *call, struct str name, char letter)
{
    const struct cli_option *found = NULL;
    if (call->command != NULL) {
        found = find_option(call->command->options, call->command->option_count, name, letter);
    }
    return found != NULL ? found
                         : find_option(cli_global_options, cli_global_option_count, name, letter);
}

bool cli_global_flag(const struct cli_call *call, const char *name)
{
    const struct cli_option *option =
        find_option(cli_global_options, cli_global_option_count, str_from(name), '\0');
    for (size_t i = 0; i < call->given.n; i++) {
        if (call->given.v[i].option == option) {
            return true;
        }
    }
    return false;
}

static int unknown_option(struct cli_call *call, const char *word)
{
    const char *name = word + (word[1] == '-' ? 2 : 1);
    struct cli_nearest nearest = {.word = name};
    for (size_t i = 0; i < cli_global_option_count; i++) {
        cli_nearest_add(&nearest, cli_global_options[i].name);
    }
    for (size_t i = 0; call->command != NULL && i < call->command->option_count; i++) {
        cli_nearest_add(&nearest, call->command->options[i].name);
    }
    return cli_fail(
        call, CLI_USAGE, "usage",
        suggestion(call, "--", nearest.best, "add --help to see the options of this command"),
        "unknown option %s%s", word,
        call->command == NULL ? " (options of a verb come after the verb)" : "");
}

/* One option at argv[*at]; moves *at past a value that is a word of its own. */
static int take_option(struct cli_call *call, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    const bool is_long = word[1] == '-';
    struct str name = str_from(is_long ? word + 2 : "");
    const char *value = NULL;
    if (is_long && str_find(name, '=') < name.len) {
        value = name.ptr + str_find(name, '=') + 1;
        name = str_slice(name, 0, str_find(name, '='));
    } else if (!is_long && word[2] != '\0') {
        value = word + 2;
    }
    const struct cli_option *option = cli_option_find(call, name, is_long ? '\0' : word[1]);
    if (option == NULL) {
        return unknown_option(call, word);
    }
    if (option->value == NULL && value != NULL) {
        return cli_fail(call, CLI_USAGE, "usage", "", "--%s takes no value", option->name);
    }
    if (option->value != NULL && value == NULL) {
        if (*at + 1 >= argc) {
            return cli_fail(call, CLI_USAGE, "usage", "", "--%s needs a value: --%s %s",
                            option->name, option->name, option->value);
        }
        value = argv[++*at];
    }
    VEC_PUSH(&call->arena, &call->given, ((struct cli_given){option, value}));
    return CLI_OK;
}

static bool is_raw(const struct cli_call *call)
{
    return call->command != NULL && call->command->most == CLI_RAW;
}

static int check_arguments(struct cli_call *call)
{
    const struct cli_command *command = call->command;
    const size_t n = call->arguments.n;
    if (n < (size_t)command->least) {
        return cli_fail(call, CLI_USAGE, "usage", "add --help for examples", "%s%s%s needs %s",
                        call->noun->name, command->verb[0] == '\0' ? "" : " ", command->verb,
                        command->arguments);
    }
    if (command->most >= 0 && n > (size_t)command->most) {
        return cli_fail(call, CLI_USAGE, "usage", "add --help for examples", "unexpected \"%s\"",
                        call->arguments.v[command->most]);
    }
    return CLI_OK;
}

int cli_parse(struct cli_call *call, int argc, char **argv)
{
    bool only_words = false;
    for (int at = 1; at < argc; at++) {
        const char *word = argv[at];
        int status = CLI_OK;
        if (is_raw(call) && !is_word(word, "--help", "-h")) {
            status = take_word(call, word);
        } else if (!only_words && strcmp(word, "--") == 0) {
            only_words = true;
        } else if (!only_words && word[0] == '-' && word[1] != '\0') {
            status = take_option(call, argc, argv, &at);
        } else {
            status = take_word(call, word);
        }
        if (status != CLI_OK) {
            return status;
        }
    }
    call->help = cli_flag(call, "help");
    if (call->help || call->command == NULL) {
        return CLI_OK;
    }
    return check_arguments(call);
}
