/*
 * core/attempt - the ways in which a lease ends, whoever says so: the worker, or the clock.
 */
#ifndef CORE_ATTEMPT_H
#define CORE_ATTEMPT_H

#include "core/bucket.h"
#include "core/config.h"
#include "core/job.h"
#include "core/service.h"

/* Asks for lane, run, successors and bucket of a leased job. */
bool attempt_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                  const struct leased_row *lease);

/* What a failure tells of the services: nothing when the job was to be canceled. */
struct service_end attempt_failed(const struct leased_row *lease, const struct report_item *item);

/* Each returns the job's state afterwards. `item` may be a report or made up by the timer. */
enum job_state attempt_succeed(struct decision *d, struct leased_row *lease,
                               const struct report_item *item);
enum job_state attempt_fail(struct decision *d, struct leased_row *lease,
                            const struct report_item *item, enum attempt_ending how);
enum job_state attempt_throttle(struct decision *d, struct leased_row *lease,
                                const struct report_item *item);
enum job_state attempt_return(struct decision *d, struct leased_row *lease,
                              const struct report_item *item);
/* Nobody holds it any more since the ledger was restored: it is given back, as its worker would. */
enum job_state attempt_recall(struct decision *d, struct leased_row *lease);

/* The fields of an answer of the source's host. */
void attempt_hear(struct decision *d, const struct source *source,
                  const struct upstream_told *told);

#endif
