/*
 * cli/nouns - the nouns that are clients of the API, one source file each.
 */
#ifndef CLI_NOUNS_H
#define CLI_NOUNS_H

#include "cli/command.h"

extern const struct cli_noun cli_sources;
extern const struct cli_noun cli_job_types;
extern const struct cli_noun cli_runs;
extern const struct cli_noun cli_jobs;
extern const struct cli_noun cli_bulk;
extern const struct cli_noun cli_artifacts;
extern const struct cli_noun cli_history;
extern const struct cli_noun cli_tenants;
extern const struct cli_noun cli_quotas;
extern const struct cli_noun cli_tokens;
extern const struct cli_noun cli_workers;
extern const struct cli_noun cli_status;
extern const struct cli_noun cli_pause;
extern const struct cli_noun cli_resume;
extern const struct cli_noun cli_throttles;
extern const struct cli_noun cli_breakers;
extern const struct cli_noun cli_contexts;
extern const struct cli_noun cli_whoami;
extern const struct cli_noun cli_version;
extern const struct cli_noun cli_completion;
extern const struct cli_noun cli_complete_noun; /* Hidden: what completion scripts ask. */
extern const struct cli_noun cli_help_noun;

#endif
