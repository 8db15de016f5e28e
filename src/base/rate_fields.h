/*
 * base/rate_fields - what the header fields of an HTTP answer say of the server's limits.
 *
 * Use      rate_fields_clear() at each answer; rate_fields_take() with each of its fields; then
 *          rate_fields_get().
 * Owns     nothing; numbers only.
 * Threads  none.
 * Bounds   a field is read up to RATE_FIELD_MAX bytes and RATE_ITEMS_MAX limits; of several limits
 *          the one that allows least until its end counts. Dialects are not mixed: RateLimit comes
 *          before RateLimit-Remaining and -Reset, those before X-RateLimit-….
 * Errors   what is malformed, negative or without a time says nothing: it counts as absent.
 * Source   draft-ietf-httpapi-ratelimit-headers-10 ("name";r=50;t=30), -08 (limit=100,
 * remaining=50, reset=30), -06 (RateLimit-Remaining, RateLimit-Reset); structured fields: RFC 9651.
 * The X- forms as GitHub, GitLab and others document them: their reset is in seconds, or is a time
 * in seconds since 1970.
 */
#ifndef BASE_RATE_FIELDS_H
#define BASE_RATE_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { RATE_FIELD_MAX = 1024, RATE_ITEMS_MAX = 16, RATE_DIALECTS = 3 };

/* What one dialect has said so far; -1: nothing. */
struct rate_said {
    int64_t remaining;
    int64_t reset_s;
};

struct rate_fields {
    struct rate_said said[RATE_DIALECTS];
};

struct rate_limit {
    int64_t remaining; /* Requests that it takes … */
    int64_t reset_ms;  /* … in that time from now; above 0. */
};

void rate_fields_clear(struct rate_fields *fields);
/* Other fields are passed over. */
void rate_fields_take(struct rate_fields *fields, struct str name, struct str value);
/* False when they say nothing. `now_s`: seconds since 1970, for resets that are times. */
bool rate_fields_get(const struct rate_fields *fields, int64_t now_s, struct rate_limit *out);

#endif
