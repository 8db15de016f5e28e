/*
 * api/manners - what HTTP asks of every answer beside its body: conditions, limits, links, and
 * what is said of operations that are going away.
 *
 * Use      the router and the resources' functions, where said.
 * Owns     nothing.
 * Threads  the call's.
 */
#ifndef API_MANNERS_H
#define API_MANNERS_H

#include "api/call.h"

/* Deprecation, Sunset and the successor, when the contract declares them. */
void manners_begin(struct call *call);
/* OPTIONS: what the path can do. False: the request is something else, or the path is unknown. */
bool manners_options(struct call *call, enum err_code found, struct str allow);

/* ---- Conditions ---- */

struct condition {
    int32_t version; /* Of If-Match; -1 when there is none. */
    bool any;        /* If-Match: * */
    bool none;       /* If-None-Match: * */
};

/* Reads If-Match and If-None-Match of a write. False: answered, since no version can fit. */
bool manners_condition(struct call *call, struct condition *out);
/* If-None-Match of a read names this version: answered with 304. */
bool manners_unchanged(struct call *call, int32_t version);
/* A write was refused with call->err; `version` is what is there now, 0 for nothing. */
void manners_write_failed(struct call *call, int32_t version);

/* ---- Limits ---- */

/* RateLimit and RateLimit-Policy of the tenant's unfinished jobs, after a submit. */
void manners_live_jobs(struct call *call, int64_t max, int64_t left);
/* The same for the limit that `code` says was reached; its name, or null when it is no limit. */
const char *manners_refused(struct call *call, enum err_code code, int64_t wait_ms);

/* ---- Links ---- */

/* Link to the page that begins at `cursor`, with the filters of this one. */
void manners_next_page(struct call *call, struct str cursor);

#endif
