/*
 * core/gate - the gates between a waiting job and its lease, one function each. A claim asks them
 * before it grants, explain asks the same to say why a job waits.
 *
 * Use      gate_pause, gate_source, gate_tenant, gate_type, gate_bucket, in this order. `more` is
 *          how many jobs are to begin: a claim asks for one after another, explain for a job and
 *          those before it.
 * Threads  none; pure. Only gate_bucket changes what it is given, and only when it passes.
 */
#ifndef CORE_GATE_H
#define CORE_GATE_H

#include "contract/job_states.h"
#include "core/config.h"
#include "core/rows.h"

/* What a gate says. */
struct gate {
    enum hold_reason hold; /* HOLD_NONE: passed. */
    int64_t open_at;       /* When to ask again; 0 = when another job ends. */
};

/* Nobody has paused what the job belongs to: today the whole installation. */
struct gate gate_pause(const struct pause *pause);
/* The source is switched on. `source` may be null. */
struct gate gate_source(const struct source *source);
/* The tenant's limit of live leases. */
struct gate gate_tenant(const struct tenant_row *tenant, int64_t more);
/* The job type's limit; `inflight` are its live leases of this tenant. */
struct gate gate_type(const struct job_type *type, int64_t inflight, int64_t more);
/* Host and tokens: takes `requests` when they are there, but not more than the burst: *out_taken.
 * `bucket` may be null; `pace` is the one it follows. */
struct gate gate_bucket(struct throttle_row *bucket, const struct pace *pace, int64_t requests,
                        int64_t now, int64_t *out_taken);

/* Tokens that a job of the type takes at its start. */
int64_t gate_requests(const struct job_type *type);

#endif
