/*
 * cli/progress - how far long work is, on a terminal's stderr only.
 *
 * Use      cli_progress() as often as there is news; cli_progress_end() takes the line away.
 * Bounds   shown at most ten times a second, and not for work that is done sooner than that.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/command.h"

/* `total` 0: unknown. */
void cli_progress(struct cli_call *call, const char *what, int64_t done, int64_t total);
void cli_progress_end(struct cli_call *call);

#endif
