/*
 * cli/cmd_watch - a run's progress until its end.
 *
 * Use      on a terminal one line that is written over; else one line for every change.
 * Errors   CLI_FAILED with --exit-status when the run ended other than succeeded. A server that
 *          cannot be reached is asked again for a minute before it is given up.
 */
#ifndef CLI_CMD_WATCH_H
#define CLI_CMD_WATCH_H

#include "cli/command.h"

int cli_watch_run(struct cli_call *call, const char *run);

#endif
