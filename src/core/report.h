/* core/report - what workers say of their leases. Used by command.c only. */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include "core/job.h"

bool heartbeat_want(const struct command *command, struct facts *facts,
                    const struct limits *limits);
void heartbeat_decide(struct command *command, struct decision *d);
bool report_want(const struct command *command, struct facts *facts, const struct limits *limits);
void report_decide(struct command *command, struct decision *d);

#endif
