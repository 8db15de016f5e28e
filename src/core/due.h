/*
 * core/due - a shard's timers: settlings and bulk actions to go on with, delayed jobs, lapsed
 * leases, start deadlines. The stuck-job watchdog. Used by command.c only.
 *
 * Lapses wait: after a gap in the shard's ticks no lease lapses until one full ttl has passed, then
 * at most a share of the leases each second, so that a stalled ledger does not take every worker's
 * lease away at once.
 */
#ifndef CORE_DUE_H
#define CORE_DUE_H

#include "core/job.h"

bool due_want(const struct command *command, struct facts *facts, const struct limits *limits);
void due_decide(struct command *command, struct facts *facts, const struct limits *limits);

/* Ends the leases that a restore left without a holder; none of them spends an attempt. */
bool recall_want(const struct command *command, struct facts *facts, const struct limits *limits);
void recall_decide(struct command *command, struct facts *facts, const struct limits *limits);

#endif
