/*
 * cli/parse - from words to a call: noun, verb, arguments, options.
 *
 * Use      cli_parse() once; options may stand anywhere, `--` ends them. Names are taken whole,
 *          never abbreviated, so that adding an option cannot change an old command line.
 * Errors   CLI_USAGE with call->failure, which suggests the nearest known word.
 */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include "cli/command.h"

extern const struct cli_option cli_global_options[];
extern const size_t cli_global_option_count;

int cli_parse(struct cli_call *call, int argc, char **argv);

/* By name or alias; null when there is none. */
const struct cli_noun *cli_noun_find(const struct cli_call *call, const char *word);
const struct cli_command *cli_verb_find(const struct cli_noun *noun, const char *word);
/* Of the call's command, or global; by its letter unless that is 0. */
const struct cli_option *cli_option_find(const struct cli_call *call, struct str name, char letter);
/* Whether a global option (not a verb's own of the same name) was given. */
bool cli_global_flag(const struct cli_call *call, const char *name);

/* The nearest of some words, when one is near enough to be meant. */
struct cli_nearest {
    const char *word; /* What was typed. */
    const char *best; /* Null: none is near. */
    size_t distance;
};

void cli_nearest_add(struct cli_nearest *nearest, const char *candidate);
/* Edits between two words, each insertion, deletion or replacement one; words over 40 bytes are
 * far apart. */
size_t cli_distance(const char *a, const char *b);

#endif
