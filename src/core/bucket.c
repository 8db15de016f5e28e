#include "core/bucket.h"

#include "base/check.h"
#include "base/time.h"

enum {
    MICRO = 1000000,
    GROWTH_SHARE = 20,    /* Of the configured rate, added at a time. */
    JITTER_SHARE = 10,    /* Of a block, added at most. */
    CUT_PAUSE_SHARE = 10, /* Of a first block, between two cuts without a block. */
};

/* A rate's interval of growth is looked at over so much time at most: longer, it was not in use. */
#define GROWTH_SPAN_US (24 * 3600 * US_PER_S)
/* More than anybody allows in a window. */
#define REMAINING_MAX INT64_C(1000000000)

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

const char *block_origin_name(enum block_origin origin)
{
    static const char *const names[] = {"none", "header", "doubling", "fields", "operator"};
    return names[origin];
}

/* ---- Pace ---- */

struct pace bucket_pace(const struct pace *configured, const struct throttle_row *bucket,
                        int64_t now)
{
    struct pace pace = *configured;
    if (bucket->set_until <= now) {
        return pace;
    }
    if (bucket->set_rate_milli >= 0) {
        pace.rate_milli = bucket->set_rate_milli;
        pace.max_milli = pace.rate_milli;
        pace.min_milli = least(most(1, pace.rate_milli / 16), pace.rate_milli);
    }
    if (bucket->set_burst > 0) {
        pace.burst = bucket->set_burst;
    } else if (pace.burst == 0) {
        pace.burst = most(1, pace.rate_milli / 1000);
    }
    return pace;
}

/* ---- Level ---- */

/* level_micro grows by rate_milli / 1000 millionths per microsecond. */
static void fill(struct throttle_row *bucket, int64_t until, int64_t rate_milli)
{
    const int64_t elapsed = until - bucket->refilled_at;
    const int64_t room = bucket->burst * MICRO - bucket->level_micro;
    CHECK(room >= 0);
    if (elapsed <= 0 || rate_milli == 0) {
        return;
    }
    /* Compare before multiplying: a bucket idle for a week must not overflow. */
    if (elapsed >= room / rate_milli * 1000 + 1000) {
        bucket->level_micro = bucket->burst * MICRO;
        bucket->refilled_at = until;
        return;
    }
    const int64_t gained = elapsed * rate_milli / 1000;
    bucket->level_micro += gained < room ? gained : room;
    /* Only the time that was turned into whole millionths is used up. */
    bucket->refilled_at += gained < room ? gained * 1000 / rate_milli : elapsed;
}

/* The rate at `at`: what the upstream's fields allow comes before ours. */
static int64_t rate_at(const struct throttle_row *bucket, int64_t at)
{
    return bucket->hint_until > at ? least(bucket->hint_milli, bucket->rate_milli)
                                   : bucket->rate_milli;
}

void bucket_refill(struct throttle_row *bucket, int64_t now)
{
    const int64_t turn = least(bucket->hint_until, now);
    if (turn > bucket->refilled_at) {
        fill(bucket, turn, rate_at(bucket, bucket->refilled_at));
        bucket->refilled_at = turn; /* A rest of time does not grow at the other rate. */
    }
    fill(bucket, now, bucket->rate_milli);
}

/* Before the rate changes: time that went by counts at the old one. */
static void close_span(struct throttle_row *bucket, int64_t now)
{
    bucket_refill(bucket, now);
    bucket->refilled_at = most(bucket->refilled_at, now);
}

/* When the level reaches `needed`. */
static int64_t level_at(const struct throttle_row *bucket, int64_t needed, int64_t now)
{
    int64_t lacking = needed - bucket->level_micro;
    int64_t from = most(now, bucket->refilled_at);
    if (bucket->hint_until > from) {
        const int64_t rate = rate_at(bucket, from);
        const int64_t at = rate == 0 ? INT64_MAX : from + lacking * 1000 / rate + 1;
        if (at <= bucket->hint_until) {
            return at;
        }
        /* Fits: it would have been enough before, else. */
        lacking -= (bucket->hint_until - from) * rate / 1000;
        from = bucket->hint_until;
    }
    return from + lacking * 1000 / bucket->rate_milli + 1;
}

/* ---- Rate ---- */

static void set_rate(struct throttle_row *bucket, int64_t rate_milli, int64_t now)
{
    close_span(bucket, now);
    bucket->rate_milli = rate_milli;
    bucket->used = 0;
    bucket->grown_at = most(now, bucket->blocked_until);
}

bool bucket_follow(struct throttle_row *bucket, const struct pace *pace, int64_t now, bool is_new)
{
    CHECK(pace->rate_milli >= 0 && pace->burst >= 0);
    if (is_new) {
        bucket->level_micro = pace->burst * MICRO;
        bucket->refilled_at = now;
        bucket->grown_at = now;
        bucket->rate_milli = pace->rate_milli;
        bucket->base_milli = pace->rate_milli;
        bucket->burst = pace->burst;
        return true;
    }
    bool changed = false;
    if (bucket->base_milli != pace->rate_milli) {
        set_rate(bucket, pace->rate_milli, now);
        bucket->base_milli = pace->rate_milli;
        changed = true;
    }
    const int64_t within = most(pace->min_milli, least(bucket->rate_milli, pace->max_milli));
    if (pace->rate_milli > 0 && bucket->rate_milli != within) {
        set_rate(bucket, within, now);
        changed = true;
    }
    if (bucket->burst != pace->burst) {
        bucket_refill(bucket, now);
        bucket->burst = pace->burst;
        bucket->level_micro = least(bucket->level_micro, pace->burst * MICRO);
        changed = true;
    }
    return changed;
}

/* One step up after an interval in which the rate was in use. */
static void grow(struct throttle_row *bucket, const struct pace *pace, int64_t taken, int64_t now)
{
    if (bucket->rate_milli >= pace->max_milli) {
        return;
    }
    const int64_t elapsed = now - bucket->grown_at;
    bucket->used += taken;
    if (elapsed < pace->block_us) {
        return;
    }
    const int64_t allowed =
        bucket->rate_milli * (least(elapsed, GROWTH_SPAN_US) / US_PER_MS) / MICRO;
    const bool in_use = elapsed <= GROWTH_SPAN_US && bucket->used * 2 >= allowed;
    const int64_t step = most(1, pace->rate_milli / GROWTH_SHARE);
    set_rate(bucket,
             in_use ? least(bucket->rate_milli + step, pace->max_milli) : bucket->rate_milli, now);
}

static void cut(struct throttle_row *bucket, const struct pace *pace, int64_t now)
{
    if (bucket->rate_milli > 0) {
        set_rate(bucket, most(pace->min_milli, bucket->rate_milli / 2), now);
    }
}

/* ---- Taking ---- */

int64_t bucket_blocked(const struct throttle_row *bucket, int64_t now,
                       enum block_origin *out_origin)
{
    const int64_t set = bucket->set_until > now ? bucket->set_block_until : 0;
    const bool is_operator = set > bucket->blocked_until;
    const int64_t until = is_operator ? set : bucket->blocked_until;
    *out_origin = until <= now  ? BLOCK_NONE
                  : is_operator ? BLOCK_OPERATOR
                                : (enum block_origin)bucket->origin;
    return until > now ? until : 0;
}

enum bucket_verdict bucket_take(struct throttle_row *bucket, const struct pace *pace,
                                int64_t tokens, int64_t now, int64_t *out_taken, int64_t *out_at)
{
    enum block_origin origin;
    *out_taken = 0;
    *out_at = bucket_blocked(bucket, now, &origin);
    if (*out_at > 0) {
        return BUCKET_BLOCKED;
    }
    if (bucket->rate_milli == 0) {
        return BUCKET_GRANTED;
    }
    bucket_refill(bucket, now);
    /* A job that needs more than the burst gets the whole burst; it asks for more as it runs. */
    const int64_t taken = least(tokens, bucket->burst);
    if (bucket->level_micro < taken * MICRO) {
        *out_at = level_at(bucket, taken * MICRO, now);
        return BUCKET_EMPTY;
    }
    bucket->level_micro -= taken * MICRO;
    *out_taken = taken;
    grow(bucket, pace, taken, now);
    return BUCKET_GRANTED;
}

void bucket_return(struct throttle_row *bucket, const struct pace *pace, int64_t tokens,
                   int64_t taken_at, int64_t now)
{
    const int64_t elapsed = most(0, now - taken_at);
    const int64_t rate = most(pace->max_milli, bucket->rate_milli);
    bucket_refill(bucket, now);
    if (tokens <= 0 || bucket->rate_milli == 0 || bucket->refilled_at > now) {
        return; /* A block has emptied it: what comes back is not there after it either. */
    }
    bucket->used = most(0, bucket->used - tokens);
    const int64_t given = least(tokens, bucket->burst) * MICRO;
    if (elapsed >= given / rate * 1000 + 1000) {
        return;
    }
    const int64_t room = bucket->burst * MICRO - bucket->level_micro;
    bucket->level_micro += least(room, most(0, given - elapsed * rate / 1000));
}

/* ---- Hearing ---- */

/* A number below `bound` that depends on nothing but its inputs. */
static int64_t draw(const struct throttle_row *bucket, const struct hash_key *seed, int64_t bound)
{
    const int64_t words[3] = {bucket->tenant, bucket->incidents,
                              (int64_t)(hash_keyed(seed, bucket->host) >> 1)};
    const struct str bytes = {(const char *)words, sizeof(words)};
    return (int64_t)(hash_keyed(seed, bytes) % (uint64_t)bound);
}

static void block(struct throttle_row *bucket, int64_t until, enum block_origin origin, int64_t now)
{
    bucket_refill(bucket, now);
    if (until <= bucket->blocked_until) {
        return;
    }
    bucket->blocked_until = until;
    bucket->origin = (int16_t)origin;
    bucket->grown_at = until;
    bucket->level_micro = 0;
    bucket->refilled_at = until;
}

static int64_t doubled(struct throttle_row *bucket, const struct pace *pace, int64_t now)
{
    const int64_t quiet_since = most(bucket->throttled_at, bucket->blocked_until);
    const bool is_forgotten = now - quiet_since >= BUCKET_QUIET_BLOCKS * pace->block_us;
    const int64_t last_us = is_forgotten ? 0 : bucket->penalty_ms * US_PER_MS;
    const int64_t us = last_us == 0 ? pace->block_us : least(last_us * 2, pace->block_max_us);
    bucket->penalty_ms = us / US_PER_MS;
    return us;
}

void bucket_throttled(struct throttle_row *bucket, const struct pace *pace, int64_t said_us,
                      const struct hash_key *seed, int64_t now)
{
    const bool same_incident = bucket->blocked_until > now;
    if (same_incident && said_us <= 0) {
        return;
    }
    int64_t wait = said_us > 0 ? least(said_us, pace->block_max_us) : doubled(bucket, pace, now);
    if (!same_incident) {
        bucket->incidents += bucket->incidents < INT32_MAX;
        bucket->throttled_at = now;
        cut(bucket, pace, now);
    }
    wait = least(wait + draw(bucket, seed, wait / JITTER_SHARE + 1), pace->block_max_us);
    block(bucket, now + wait, said_us > 0 ? BLOCK_HEADER : BLOCK_DOUBLING, now);
}

bool bucket_overloaded(struct throttle_row *bucket, const struct pace *pace, int64_t now)
{
    /* What several workers hear at a time is one incident. */
    if (bucket->rate_milli == 0 || bucket->blocked_until > now ||
        now - bucket->throttled_at < pace->block_us / CUT_PAUSE_SHARE) {
        return false;
    }
    bucket->incidents += bucket->incidents < INT32_MAX;
    bucket->throttled_at = now;
    cut(bucket, pace, now);
    return true;
}

bool bucket_told(struct throttle_row *bucket, const struct pace *pace,
                 const struct upstream_told *told, int64_t now)
{
    if (!told->is_known || told->reset_us <= 0 || told->remaining < 0) {
        return false;
    }
    const int64_t reset = least(told->reset_us, pace->block_max_us);
    if (told->remaining == 0) {
        const int64_t before = bucket->blocked_until;
        block(bucket, now + reset, BLOCK_FIELDS, now);
        return bucket->blocked_until != before;
    }
    if (bucket->rate_milli == 0) {
        return false;
    }
    const int64_t remaining = least(told->remaining, REMAINING_MAX);
    struct throttle_row heard = *bucket;
    close_span(&heard, now);
    heard.level_micro = least(heard.level_micro, remaining * MICRO);
    /* What is there already, and what comes until then, is what is left. */
    const int64_t rest = remaining - heard.level_micro / MICRO;
    heard.hint_milli = rest * 1000000000 / reset;
    const bool binds = heard.hint_milli < heard.rate_milli;
    heard.hint_until = binds ? now + reset : 0;
    heard.hint_milli = binds ? heard.hint_milli : 0;
    if (!binds && bucket->hint_until <= now) {
        return false;
    }
    *bucket = heard;
    return true;
}

void bucket_lift(struct throttle_row *bucket, const struct pace *pace, int64_t now)
{
    bucket_refill(bucket, now);
    bucket->refilled_at = least(bucket->refilled_at, now);
    bucket->blocked_until = 0;
    bucket->origin = BLOCK_NONE;
    bucket->penalty_ms = 0;
    bucket->hint_milli = 0;
    bucket->hint_until = 0;
    set_rate(bucket, pace->rate_milli, now);
}
