/*
 * cli/versions - verbs that job types and sources share: what they were, and what changed.
 */
#ifndef CLI_VERSIONS_H
#define CLI_VERSIONS_H

#include "cli/command.h"

/* The noun's name is the path's. */
int cli_versions_list(struct cli_call *call);
int cli_versions_get(struct cli_call *call);
int cli_versions_diff(struct cli_call *call);

extern const struct cli_option cli_diff_options[2];

#endif
