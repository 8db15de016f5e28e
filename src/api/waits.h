/*
 * api/waits - `Prefer: wait=N` (RFC 7240): an answer that waits for the end of a job or run.
 *
 * Use      wait_begin() when the thing is known; after each read that shows it unfinished, go on
 *          with watches_wait() unless wait_is_over().
 * Bounds   the setting prefer_wait_s; those who wait count among `watches`.
 */
#ifndef API_WAITS_H
#define API_WAITS_H

#include "api/watches.h"

struct wait {
    int64_t until_us; /* Monotonic; 0: not asked to wait. */
};

/* Reads the header and, when it asks for a wait, says how long it will be. */
struct wait wait_begin(struct call *call);
/* Nothing more to wait for: time is up, nobody is there any more, or the server stops. */
bool wait_is_over(const struct call *call, const struct wait *wait);

#endif
