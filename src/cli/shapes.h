/*
 * cli/shapes - how things that several nouns list are shown.
 */
#ifndef CLI_SHAPES_H
#define CLI_SHAPES_H

#include "cli/print.h"

enum { CLI_BODY_MAX = 65 * 1024 * 1024 }; /* Of a request: the largest input and what wraps it. */

extern const struct cli_shape cli_job_shape;
extern const struct cli_shape cli_history_shape;
extern const struct cli_shape cli_artifact_shape;
extern const struct cli_shape cli_change_shape; /* One difference, as JSON Patch has it. */

#endif
