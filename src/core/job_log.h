/*
 * core/job_log - what a handler logged, kept beside the ledger: outside history and fold.
 *
 * A worker numbers the lines of one grant from 0 and sends each batch again until it was answered,
 * perhaps with more lines behind it; so what is new is told by number. Lines are taken while the
 * grant holds, as the report that carries them is.
 *
 * Bounds   limits.log_attempt_bytes of one grant and limits.log_tenant_bytes in all; what comes
 *          after is gone, and one row without lines says so.
 */
#ifndef CORE_JOB_LOG_H
#define CORE_JOB_LOG_H

#include "core/settle.h"

/* What has to be known before lines of `job` are taken. Nothing when there are none. */
bool job_log_want(struct facts *facts, struct tenant_facts *t, struct job_id job,
                  const struct log_batch *batch);
/* Takes the lines that are new. The lease is the one that they are of. */
void job_log_take(struct decision *d, const struct leased_row *lease,
                  const struct log_batch *batch);

/* Erases the logs of a job, of all its attempts: for whoever removes its payload. */
bool job_log_erase_want(struct facts *facts, struct tenant_facts *t, struct job_id job);
void job_log_erase(struct decision *d, struct job_id job);

#endif
