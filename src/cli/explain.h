/*
 * cli/explain - an explanation for people: why it waits, gate by gate, and what to do about it.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "cli/client.h"

/* Prints what GET /jobs/{id}/explain answered. */
void cli_print_explanation(struct cli_call *call, const json_t *told);
/* Prints what GET /runs/{id}/explain answered. */
void cli_print_run_explanation(struct cli_call *call, const json_t *told);

#endif
