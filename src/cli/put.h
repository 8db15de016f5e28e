/*
 * cli/put - PUT of a piece of configuration: made when absent, else replaced in the version that
 * was read.
 */
#ifndef CLI_PUT_H
#define CLI_PUT_H

#include "cli/print.h"

/* Reads the present version (its ETag), unless --if-match names one, then puts `body`. */
int cli_put_config(struct cli_call *call, struct str path, struct str body,
                   const struct cli_shape *shape);

#endif
