/* core/bulk_work - a bulk action's turn: some of its jobs get their action. Used by command.c and
 * due.c only. */
#ifndef CORE_BULK_WORK_H
#define CORE_BULK_WORK_H

#include "core/job.h"

/* The turn of the shard's bulk action that waits longest. */
bool bulk_due_want(struct facts *facts, const struct limits *limits, int16_t shard);
/* `d` but for the tenant, which is the action's. Returns when to come again; INT64_MAX: nothing
 * waits. */
int64_t bulk_due(struct decision *d, int16_t shard);

/* A run's cancel or retry, done at once as far as one tick goes. */
bool run_cancel_want(const struct command *command, struct facts *facts,
                     const struct limits *limits);
void run_cancel_decide(struct command *command, struct decision *d);
bool run_retry_want(const struct command *command, struct facts *facts,
                    const struct limits *limits);
void run_retry_decide(struct command *command, struct decision *d);

#endif
