/*
 * cli/cmd_bulk - the verbs of jobs that act on all that fit a filter; entries of the jobs noun.
 */
#ifndef CLI_CMD_BULK_H
#define CLI_CMD_BULK_H

#include "cli/command.h"

int cli_bulk_preview(struct cli_call *call);
int cli_bulk_apply(struct cli_call *call);

#endif
