/*
 * worker/backoff - when to try again: exponential, bounded, spread by a keyed hash.
 *
 * Use      backoff_failed() after each failure, backoff_reset() after a success; ask `not_before`.
 * Time     every call takes `now`; randomness is a hash of the caller's key and a counter.
 * Bounds   a delay is between half of, and the whole of, min(base * 2^failures, max), and never
 *          less than what the server asked for (itself cut at BACKOFF_SERVER_MAX_US).
 */
#ifndef WORKER_BACKOFF_H
#define WORKER_BACKOFF_H

#include <stdint.h>

#include "base/hash.h"
#include "base/time.h"

#define BACKOFF_SERVER_MAX_US (INT64_C(300) * US_PER_S)

struct backoff {
    uint32_t failures;           /* In a row. */
    struct mono_time not_before; /* Earliest next try. */
};

/* The delay before try number `failures` + 1. */
int64_t backoff_delay_us(const struct hash_key *key, uint64_t counter, uint32_t failures,
                         int64_t base_us, int64_t max_us);
/* Counts a failure. `server_us` is what the server asked for, or 0. */
void backoff_failed(struct backoff *backoff, struct mono_time now, int64_t delay_us,
                    int64_t server_us);
void backoff_reset(struct backoff *backoff);

#endif
