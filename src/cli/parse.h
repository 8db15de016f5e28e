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

/* Edits between two words, each insertion, deletion or replacement one; words over 40 bytes are
 * far apart. */
size_t cli_distance(const char *a, const char *b);

#endif
