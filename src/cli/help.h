/*
 * cli/help - help, the reference page and bash completion, all printed from the command table.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"

/* Help on what the call names: the program, a noun, or a verb. */
void cli_help(const struct cli_call *call, FILE *out);
/* docs/reference/cli.md, whole. */
void cli_help_markdown(const struct cli_call *call, FILE *out);
/* A bash completion script. */
void cli_help_bash(const struct cli_call *call, FILE *out);
/* A help topic by name; false when there is none. */
bool cli_help_topic(const char *name, FILE *out);

#endif
