/*
 * core/bucket - the token bucket that paces requests to one {tenant, source host}, and learns from
 * what the upstream says. A token is one request.
 *
 * Use      bucket_pace() says what is configured; bucket_follow() makes the row pace so, a new row
 *          too; bucket_take() before requests, bucket_return() for those not made; then what was
 *          heard: bucket_throttled(), bucket_overloaded(), bucket_told(). bucket_lift() is the
 *          operator's.
 * Time     every call takes `now`. A clock that steps back credits nothing.
 * Threads  none; pure; what looks random is a keyed hash of (seed, tenant, host, incident).
 *
 * Law      bucket    level += rate x time up to burst; granted over any window <= burst + rate x
 *                    window. Unused tokens return less what has grown in their place since they
 *                    were taken, so the bound holds for the requests made, too.
 *          block     nothing is granted before `blocked_until`, and the level begins at 0 there.
 *                    Said for how long: that, at most block_max, and up to a tenth more. Not said
 *                    (0 and nonsense count as that): block, then twice as long with each incident,
 *                    at most block_max; forgotten after BUCKET_QUIET_BLOCKS x block without one.
 *                    What is reported while it is blocked belongs to the same incident: it may
 *                    lengthen the block, but neither doubles nor cuts again.
 *          rate      an incident, or a 503 that says no time, halves it, not below min. It grows
 *                    by a twentieth of the configured rate, not above max, after each clean
 *                    interval of `block` in which at least half of what it allowed was used. The
 *                    interval begins where the block ends.
 *          fields    "n left until t": the level, and what comes until t, are n together; n = 0: a
 *                    block until t.
 *                    Below min too: the upstream knows best.
 * Bounds   0 <= level <= burst; rate within [min, max] of the pace; sums fit 63 bits for rates up
 *          to 10^9 in 1000 s, bursts up to 10^6, blocks up to a week.
 * Source   token bucket: RFC 2697, one rate, one colour. Retry-After: RFC 9110 10.2.3, RFC 6585 4.
 *          Fields: draft-ietf-httpapi-ratelimit-headers, and the older X-RateLimit-…. Doubling from
 *          60 s, a day at most, 30 quiet minutes, a tenth of jitter: StormCrawler #1984. Halving
 * and adding: AIMD (Chiu, Jain 1989); growing only when at least half is in use: Netflix
 *          concurrency-limits AIMDLimit.
 */
#ifndef CORE_BUCKET_H
#define CORE_BUCKET_H

#include "base/hash.h"
#include "core/rows.h"

enum { BUCKET_QUIET_BLOCKS = 30 };

/* How a host is to be paced, before anything was heard from it. */
struct pace {
    int64_t rate_milli; /* Tokens in 1000 s; 0: not paced, only blocked. */
    int64_t burst;
    int64_t min_milli;
    int64_t max_milli;
    int64_t block_us;     /* First block that the upstream did not size. */
    int64_t block_max_us; /* Longest block, whoever sized it. */
};

enum bucket_verdict {
    BUCKET_GRANTED,
    BUCKET_EMPTY,   /* Not enough tokens: ask again at *out_at. */
    BUCKET_BLOCKED, /* Blocked until *out_at. */
};

/* What the upstream's fields said. */
struct upstream_told {
    bool is_known;
    int64_t remaining; /* Requests that it will take … */
    int64_t reset_us;  /* … in that time from now. */
};

/* The pace in force: the operator's override of the row while it lasts, else `configured`. */
struct pace bucket_pace(const struct pace *configured, const struct throttle_row *bucket,
                        int64_t now);
/* A new bucket begins full; another configured rate is taken up at once, the level stays. True
 * when it changed anything. */
bool bucket_follow(struct throttle_row *bucket, const struct pace *pace, int64_t now, bool is_new);
/* Takes all `tokens` or none, but never more than the burst: *out_taken, 0 when not paced. A
 * refusal may leave the row refilled; give it a copy to undo that. */
enum bucket_verdict bucket_take(struct throttle_row *bucket, const struct pace *pace,
                                int64_t tokens, int64_t now, int64_t *out_taken, int64_t *out_at);
/* Tokens taken at `taken_at` and not used. */
void bucket_return(struct throttle_row *bucket, const struct pace *pace, int64_t tokens,
                   int64_t taken_at, int64_t now);
/* The upstream throttled; `said_us` is 0 or less when it did not say for how long. */
void bucket_throttled(struct throttle_row *bucket, const struct pace *pace, int64_t said_us,
                      const struct hash_key *seed, int64_t now);
/* It answered 503 without a time. True when that changed anything. */
bool bucket_overloaded(struct throttle_row *bucket, const struct pace *pace, int64_t now);
/* It answered, with fields. True when they changed anything. */
bool bucket_told(struct throttle_row *bucket, const struct pace *pace,
                 const struct upstream_told *told, int64_t now);
/* Forgets what was heard: block, doubling, fields and the rate's cut. */
void bucket_lift(struct throttle_row *bucket, const struct pace *pace, int64_t now);
/* The end of the block in force, the operator's too, and whose it is; 0 for none. */
int64_t bucket_blocked(const struct throttle_row *bucket, int64_t now,
                       enum block_origin *out_origin);
/* Brings level and refilled_at up to now. */
void bucket_refill(struct throttle_row *bucket, int64_t now);
/* "header", "doubling", … */
const char *block_origin_name(enum block_origin origin);

#endif
