/*
 * core/bucket - the token bucket that paces requests to one {tenant, source host}.
 *
 * Use      bucket_open() makes the row's values; bucket_take() before requests; bucket_return() for
 *          those not made; bucket_throttled() when the upstream said "too many".
 * Time     every call takes `now`. A clock that steps back credits nothing.
 * Bounds   0 <= level <= burst; over any interval at most burst + rate x interval are granted.
 * Source   token bucket as in RFC 2698 (one rate); a block without a header doubles from 1 s to
 *          5 min, one with a header is taken as a floor and clamped to 24 h.
 */
#ifndef CORE_BUCKET_H
#define CORE_BUCKET_H

#include "core/rows.h"

enum bucket_verdict {
    BUCKET_GRANTED,
    BUCKET_EMPTY,   /* Not enough tokens: ask again at *out_at. */
    BUCKET_BLOCKED, /* The upstream told everyone to wait until *out_at. */
};

/* Sets rate and burst; a new bucket starts full, a changed one keeps its level within burst. A
 * rate of 0 means no limit. */
void bucket_set(struct throttle_row *bucket, int64_t rate_milli, int64_t burst, int64_t now,
                bool is_new);
/* Takes all `tokens` or none. */
enum bucket_verdict bucket_take(struct throttle_row *bucket, int64_t tokens, int64_t now,
                                int64_t *out_at);
void bucket_return(struct throttle_row *bucket, int64_t tokens, int64_t now);
/* The upstream throttled; `retry_after_us` is -1 when it did not say for how long. */
void bucket_throttled(struct throttle_row *bucket, int64_t retry_after_us, int64_t now);
/* An upstream that served well forgets its penalty. */
void bucket_served(struct throttle_row *bucket);

#endif
