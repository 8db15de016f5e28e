/*
 * cli/refresh - a list or an object shown again and again, until a signal ends it (--watch).
 *
 * Use      on a terminal the second screen is written over every --every seconds; else what is
 *          printed is printed again when it has changed. Ctrl-C leaves with 130, SIGTERM with 143,
 *          and 0 is returned when the reader of a pipe has gone.
 * Errors   the first failure before anything was shown; later ones are shown until the server is
 *          back. A command that changes something is refused.
 */
#ifndef CLI_REFRESH_H
#define CLI_REFRESH_H

#include "cli/command.h"

int cli_refresh(struct cli_call *call, int (*run)(struct cli_call *call));

#endif
