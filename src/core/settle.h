/*
 * core/settle - what an ended predecessor does to its successors.
 *
 * Use      settle_begin() notes it durably; settle_now() does as much as one tick may; the shard's
 *          due work goes on with the rest. A successor that is canceled on the way begins a
 *          settling of its own, done in a following tick, so that a cascade is never one giant
 *          transaction and never recursion.
 */
#ifndef CORE_SETTLE_H
#define CORE_SETTLE_H

#include "core/job.h"

/* Asks for the next successors of `pred` (a job, or -run) after `after`, and all that settling
 * them needs; reviving needs their other predecessors too. */
bool settle_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                 int64_t pred, int64_t after, enum settle_mode mode);
void settle_begin(struct decision *d, int64_t pred, enum settle_mode mode);
/* A waiting job that was retried may still be calling its descendants back, and it may end
 * meanwhile: whoever may end it asks. */
bool settle_own_want(struct facts *facts, struct tenant_facts *t,
                     const struct blocked_row *blocked);
/* Settles the successors that settle_want() loaded; does nothing when pred is not settling. */
void settle_now(struct decision *d, int64_t pred);

/* Asks for the predecessors of `job` and how they ended; settle_awaited() counts those that it
 * still has to wait for. */
bool settle_preds_want(struct facts *facts, struct tenant_facts *t, struct job_id job);
int32_t settle_awaited(const struct decision *d, struct job_id job);

/* The predecessor ended as the edge asks. Its outcome must be known. */
bool settle_is_satisfied(const struct tenant_facts *t, const struct edge_row *edge);

/* Brings an ended job back: its outcome becomes an attempt, its run is open again. */
void job_revive(struct decision *d, struct job_id job, struct outcome_row *outcome);

#endif
