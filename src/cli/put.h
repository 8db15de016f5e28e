/*
 * cli/put - PUT of a piece of configuration: made when absent, else replaced in the version that
 * was read.
 */
#ifndef CLI_PUT_H
#define CLI_PUT_H

#include "base/json.h"
#include "cli/print.h"

/* What a verb's options say, as a JSON object. */
typedef int cli_put_fields(struct cli_call *call, struct json_writer *w);

/* `put NAME` of a noun: the body from --file, or from the options, to `path`. */
int cli_put_named(struct cli_call *call, struct str path, cli_put_fields *fields,
                  const struct cli_shape *shape);
/* Reads the present version (its ETag), unless --if-match names one, then puts `body`. */
int cli_put_config(struct cli_call *call, struct str path, struct str body,
                   const struct cli_shape *shape);

#endif
