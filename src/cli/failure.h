/*
 * cli/failure - what went wrong, told to people and to programs, and the exit status it means.
 */
#ifndef CLI_FAILURE_H
#define CLI_FAILURE_H

#include "cli/client.h"

/* Fills call->failure from an answer that is not 2xx; returns the exit status. */
int cli_failure_from(struct cli_call *call, const struct cli_reply *reply);
/* Exit status of an HTTP status and catalogue code. */
int cli_failure_status(int http_status, struct str code);
/* Prints call->failure to call->log: sentences, or one JSON object with -o json and jsonl. */
void cli_failure_print(const struct cli_call *call);

#endif
