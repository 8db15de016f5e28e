/* core/configure - job types and sources are set, and sources switched on and off; every version is
 * kept for a while. Used by command.c only. */
#ifndef CORE_CONFIGURE_H
#define CORE_CONFIGURE_H

#include "core/job.h"

bool put_want(const struct command *command, struct facts *facts, const struct limits *limits);
void job_type_put_decide(struct command *command, struct decision *d);
void source_put_decide(struct command *command, struct decision *d);
/* Changes the member `enabled` only; accepted without a new version when it is so already. */
void source_switch_decide(struct command *command, struct decision *d);

#endif
