/*
 * cli/input - JSON that the user gives: in a file, on stdin, or on the command line.
 *
 * Bounds   64 MiB.
 * Errors   CLI_USAGE or CLI_FAILED with call->failure.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "base/json.h"
#include "cli/command.h"

/* The whole of a file, or of stdin for "-", checked to be one JSON document. */
int cli_input_file(struct cli_call *call, const char *path, struct str *out_text);
/* "@FILE", "@-", or JSON itself. */
int cli_input_value(struct cli_call *call, const char *given, struct str *out_text);
/* name:value of options that were given, for the bodies that are written from options. */
void cli_put_text_option(struct cli_call *call, struct json_writer *w, const char *member,
                         const char *option);
/* The same for an integer in [least, most]. */
int cli_put_number_option(struct cli_call *call, struct json_writer *w, const char *member,
                          const char *option, int64_t least, int64_t most);
/* "a,b,c" as an array of texts; nothing when the option was not given. */
void cli_put_words_option(struct cli_call *call, struct json_writer *w, const char *member,
                          const char *option);

#endif
