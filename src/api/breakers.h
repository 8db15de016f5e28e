/*
 * api/breakers - circuit breakers as they are shown.
 *
 * The installation's are shown to everyone; who failed, and what probes, to the installation only.
 */
#ifndef API_BREAKERS_H
#define API_BREAKERS_H

#include "api/call.h"
#include "core/breaker.h"

/* One breaker as it is looked at. */
struct shown_breaker {
    struct str service;
    const struct breaker_row *row;    /* State; null when nothing is known of it. */
    const struct breaker_row *shared; /* Parameters: the installation's row, or null. */
    bool is_own;                      /* The tenant's own, not the installation's. */
};

void breaker_put(struct call *call, struct json_writer *w, const struct shown_breaker *shown,
                 int64_t now);

#endif
