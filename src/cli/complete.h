/*
 * cli/complete - what could stand next on a command line, and the scripts that ask it.
 *
 * Use      the scripts of `completion SHELL` call `stella __complete WORD...` with what was typed
 *          after the program's name, the last word as far as it goes; it prints candidates, one a
 *          line, each with a tab and what it is.
 * Bounds   ids come from the server when it answers within a second, 200 at most; else none.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli/command.h"

/* Prints the candidates for call->arguments. */
void cli_complete(struct cli_call *call);
/* A completion script; false for an unknown shell. */
bool cli_complete_script(const char *shell, FILE *out);

#endif
