/*
 * core/retry - whether a failed attempt is tried again, and when.
 *
 * Source   exponential backoff with equal jitter: half of the delay is kept, half is random
 *          (Brooker, "Exponential Backoff And Jitter", 2015). The randomness is a keyed hash of
 *          (ledger seed, job, grant), so that a replay decides the same.
 */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include "base/hash.h"
#include "base/id.h"
#include "core/config.h"

enum retry_verdict {
    RETRY_LATER, /* Not before *out_at. */
    RETRY_NEVER, /* No attempts are left. */
};

/* `spent` counts the attempt that just failed; `floor_us` is what worker or upstream asked for, or
 * -1. */
enum retry_verdict retry_decide(const struct job_type *type, struct str class, int32_t spent,
                                int64_t floor_us, const struct hash_key *seed, struct job_id job,
                                int64_t grant, int64_t now, int64_t *out_at);

#endif
