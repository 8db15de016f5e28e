#include "core/bucket.h"

#include "base/check.h"
#include "base/time.h"

enum { MICRO = 1000000, PENALTY_FIRST_MS = 1000, PENALTY_MAX_MS = 300000 };

#define RETRY_AFTER_MAX_US (24 * 3600 * US_PER_S)

/* level_micro grows by rate_milli / 1000 millionths per microsecond. */
static void refill(struct throttle_row *bucket, int64_t now)
{
    const int64_t elapsed = now - bucket->refilled_at;
    const int64_t room = bucket->burst * MICRO - bucket->level_micro;
    CHECK(room >= 0);
    if (elapsed <= 0 || bucket->rate_milli == 0) {
        return;
    }
    /* Compare before multiplying: a bucket idle for a week must not overflow. */
    if (elapsed >= room / bucket->rate_milli * 1000 + 1000) {
        bucket->level_micro = bucket->burst * MICRO;
        bucket->refilled_at = now;
        return;
    }
    const int64_t gained = elapsed * bucket->rate_milli / 1000;
    bucket->level_micro += gained < room ? gained : room;
    /* Only the time that was turned into whole millionths is used up. */
    bucket->refilled_at += gained < room ? gained * 1000 / bucket->rate_milli : elapsed;
}

void bucket_set(struct throttle_row *bucket, int64_t rate_milli, int64_t burst, int64_t now,
                bool is_new)
{
    CHECK(rate_milli >= 0 && burst >= 0);
    if (is_new) {
        bucket->level_micro = burst * MICRO;
        bucket->refilled_at = now;
    } else {
        refill(bucket, now);
        bucket->level_micro =
            bucket->level_micro < burst * MICRO ? bucket->level_micro : burst * MICRO;
    }
    bucket->rate_milli = rate_milli;
    bucket->burst = burst;
}

enum bucket_verdict bucket_take(struct throttle_row *bucket, int64_t tokens, int64_t now,
                                int64_t *out_at)
{
    if (bucket->blocked_until > now) {
        *out_at = bucket->blocked_until;
        return BUCKET_BLOCKED;
    }
    if (bucket->rate_milli == 0) {
        return BUCKET_GRANTED;
    }
    refill(bucket, now);
    /* A job that needs more than the burst gets the whole burst; it asks for more as it runs. */
    const int64_t needed = (tokens < bucket->burst ? tokens : bucket->burst) * MICRO;
    if (bucket->level_micro < needed) {
        *out_at = now + (needed - bucket->level_micro) * 1000 / bucket->rate_milli + 1;
        return BUCKET_EMPTY;
    }
    bucket->level_micro -= needed;
    return BUCKET_GRANTED;
}

void bucket_return(struct throttle_row *bucket, int64_t tokens, int64_t now)
{
    if (tokens <= 0 || bucket->rate_milli == 0) {
        return;
    }
    refill(bucket, now);
    const int64_t room = bucket->burst * MICRO - bucket->level_micro;
    bucket->level_micro += tokens > room / MICRO ? room : tokens * MICRO;
}

void bucket_throttled(struct throttle_row *bucket, int64_t retry_after_us, int64_t now)
{
    int64_t wait = retry_after_us;
    if (wait < 0) {
        bucket->penalty_ms = bucket->penalty_ms == 0 ? PENALTY_FIRST_MS : bucket->penalty_ms * 2;
        if (bucket->penalty_ms > PENALTY_MAX_MS) {
            bucket->penalty_ms = PENALTY_MAX_MS;
        }
        wait = bucket->penalty_ms * US_PER_MS;
    }
    if (wait > RETRY_AFTER_MAX_US) {
        wait = RETRY_AFTER_MAX_US;
    }
    if (bucket->blocked_until < now + wait) {
        bucket->blocked_until = now + wait;
    }
}

void bucket_served(struct throttle_row *bucket)
{
    bucket->penalty_ms = 0;
}
