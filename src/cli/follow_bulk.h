/*
 * cli/follow_bulk - shows a bulk action that the server has begun, until it ends.
 *
 * Use      cli_follow_bulk() with the record that answered; it takes the reference. With --no-wait it
 *          shows the record and ends. Ctrl-C leaves the action running, says how to follow it, and
 *          ends with 130.
 * Errors   CLI_CONFLICT when some jobs were refused or it was canceled; CLI_UNREACHABLE when the
 *          server stays silent.
 */
#ifndef CLI_FOLLOW_BULK_H
#define CLI_FOLLOW_BULK_H

#include "cli/print.h"

extern const struct cli_shape cli_bulk_shape;

int cli_follow_bulk(struct cli_call *call, json_t *record);

#endif
