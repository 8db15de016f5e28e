/* The token bucket: what it grants over any window, and what it learns from the upstream. */
#include "lib/cmocka.h"

#include "base/time.h"
#include "core/bucket.h"

static const struct hash_key seed = {{7, 9}};

static uint64_t draw(uint64_t *state, uint64_t bound)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % bound;
}

static struct pace pace_of(int64_t rate_milli, int64_t burst)
{
    return (struct pace){
        .rate_milli = rate_milli,
        .burst = burst,
        .min_milli = rate_milli / 16 > 0 ? rate_milli / 16 : rate_milli > 0,
        .max_milli = rate_milli,
        .block_us = 60 * US_PER_S,
        .block_max_us = 24 * 3600 * US_PER_S,
    };
}

static struct throttle_row bucket_of(const struct pace *pace, int64_t now)
{
    struct throttle_row bucket = {.host = STR("h"), .tenant = 3};
    assert_true(bucket_follow(&bucket, pace, now, true));
    return bucket;
}

static bool take(struct throttle_row *bucket, const struct pace *pace, int64_t tokens, int64_t now)
{
    int64_t taken = 0;
    int64_t at = 0;
    const bool granted = bucket_take(bucket, pace, tokens, now, &taken, &at) == BUCKET_GRANTED;
    assert_true(granted ? taken == (tokens < bucket->burst ? tokens : bucket->burst) : at > now);
    assert_true(bucket->level_micro >= 0 && bucket->level_micro <= bucket->burst * 1000000);
    return granted;
}

/* ---- Conformance ---- */

enum { STEPS = 300 };

/* Requests made: what was taken at a time, less what came back later. */
struct requests {
    int64_t at[STEPS];
    int64_t made[STEPS];
    int64_t last_returned;
};

static void check_windows(const struct requests *requests, const struct pace *pace)
{
    for (int from = 0; from < STEPS; from++) {
        int64_t sum = 0;
        for (int to = from; to < STEPS; to++) {
            sum += requests->made[to];
            const int64_t span = requests->at[to] - requests->at[from];
            assert_true(sum * 1000000000 <=
                        pace->burst * 1000000000 + pace->max_milli * span + pace->max_milli);
        }
    }
}

/* Everything that can happen to a bucket between two takes. */
static void disturb(struct throttle_row *bucket, const struct pace *pace, uint64_t *random,
                    int64_t now)
{
    const struct upstream_told told = {
        .is_known = true,
        .remaining = (int64_t)draw(random, 30),
        .reset_us = (int64_t)draw(random, 3000000) - 1000,
    };
    switch (draw(random, 40)) {
    case 0: bucket_throttled(bucket, pace, (int64_t)draw(random, 2000000), &seed, now); break;
    case 1: (void)bucket_overloaded(bucket, pace, now); break;
    case 2: (void)bucket_told(bucket, pace, &told, now); break;
    case 3: bucket_lift(bucket, pace, now); break;
    default: break;
    }
}

static void requests_never_exceed_burst_plus_rate_over_any_window(void **state)
{
    (void)state;
    static struct requests requests;
    for (uint64_t round = 1; round <= 60; round++) {
        uint64_t random = round;
        struct pace pace =
            pace_of(1 + (int64_t)draw(&random, 50000), 1 + (int64_t)draw(&random, 20));
        pace.max_milli = pace.rate_milli * (1 + (int64_t)draw(&random, 2));
        pace.block_us = 100000;
        int64_t now = 1000000;
        struct throttle_row bucket = bucket_of(&pace, now);
        for (int i = 0; i < STEPS; i++) {
            now += (int64_t)draw(&random, 300000);
            requests.at[i] = now;
            requests.made[i] = 1 + (int64_t)draw(&random, (uint64_t)pace.burst);
            if (!take(&bucket, &pace, requests.made[i], now)) {
                requests.made[i] = 0;
            }
            const int old = i - (int)draw(&random, 4);
            if (old >= 0 && draw(&random, 2) == 0) {
                const int64_t back = (int64_t)draw(&random, (uint64_t)requests.made[old] + 1);
                bucket_return(&bucket, &pace, back, requests.at[old], now);
                requests.made[old] -= back;
            }
            disturb(&bucket, &pace, &random, now);
        }
        check_windows(&requests, &pace);
    }
}

static void what_comes_back_at_once_can_be_taken_again(void **state)
{
    (void)state;
    const struct pace pace = pace_of(1000, 5);
    struct throttle_row bucket = bucket_of(&pace, 0);
    assert_true(take(&bucket, &pace, 5, 0));
    bucket_return(&bucket, &pace, 3, 0, 0);
    assert_true(take(&bucket, &pace, 3, 0));
    assert_false(take(&bucket, &pace, 1, 0));
    /* A second later one has grown in the place of one of the two. */
    bucket_return(&bucket, &pace, 2, 0, US_PER_S);
    assert_true(bucket.level_micro == 2000000);
}

static void a_refused_bucket_grants_at_the_time_it_names(void **state)
{
    (void)state;
    const struct pace pace = pace_of(1500, 3);
    struct throttle_row bucket = bucket_of(&pace, 0);
    int64_t taken = 0;
    int64_t at = 0;
    assert_true(take(&bucket, &pace, 3, 0));
    assert_int_equal(bucket_take(&bucket, &pace, 2, 0, &taken, &at), BUCKET_EMPTY);
    assert_true(take(&bucket, &pace, 2, at));
    /* Under a hint that ends before there is enough, too. */
    const struct upstream_told told = {true, 1, 2 * US_PER_S};
    const int64_t now = at;
    assert_true(bucket_told(&bucket, &pace, &told, now));
    assert_int_equal(bucket_take(&bucket, &pace, 3, now, &taken, &at), BUCKET_EMPTY);
    assert_true(at > now + 2 * US_PER_S);
    struct throttle_row early = bucket;
    assert_false(take(&early, &pace, 3, at - 2000));
    assert_true(take(&bucket, &pace, 3, at));
}

static void a_job_that_needs_more_than_the_burst_gets_the_burst(void **state)
{
    (void)state;
    const struct pace pace = pace_of(1000, 3);
    struct throttle_row bucket = bucket_of(&pace, 0);
    int64_t taken = 0;
    int64_t at = 0;
    assert_int_equal(bucket_take(&bucket, &pace, 10, 0, &taken, &at), BUCKET_GRANTED);
    assert_int_equal(taken, 3);
}

static void a_bucket_idle_for_years_is_full_and_does_not_overflow(void **state)
{
    (void)state;
    struct pace pace = pace_of(1000000000, 1000000);
    pace.max_milli = 1000000000;
    struct throttle_row bucket = bucket_of(&pace, 0);
    assert_true(take(&bucket, &pace, 1000000, 0));
    assert_true(take(&bucket, &pace, 1000000, INT64_MAX / 4));
    bucket_return(&bucket, &pace, INT64_MAX / 4000000, 0, INT64_MAX / 4);
    bucket_throttled(&bucket, &pace, INT64_MAX, &seed, INT64_MAX / 4);
    assert_true(bucket.blocked_until == INT64_MAX / 4 + pace.block_max_us);
    const struct upstream_told told = {true, INT64_MAX, INT64_MAX};
    (void)bucket_told(&bucket, &pace, &told, INT64_MAX / 4);
}

static void a_clock_that_steps_back_credits_nothing(void **state)
{
    (void)state;
    const struct pace pace = pace_of(1000, 1);
    struct throttle_row bucket = bucket_of(&pace, 1000000000);
    assert_true(take(&bucket, &pace, 1, 1000000000));
    assert_false(take(&bucket, &pace, 1, 5));
}

/* ---- Blocks ---- */

/* At least `wait`, and at most a tenth more. */
static void assert_waits(const struct throttle_row *bucket, int64_t now, int64_t wait)
{
    assert_true(bucket->blocked_until >= now + wait);
    assert_true(bucket->blocked_until <= now + wait + wait / 10 + 1);
}

static void blocks_without_a_header_double_once_an_incident_and_are_forgotten(void **state)
{
    (void)state;
    const struct pace pace = pace_of(0, 1);
    struct throttle_row bucket = bucket_of(&pace, 0);
    int64_t now = US_PER_S;
    int64_t wait = pace.block_us;
    for (int i = 0; i < 30; i++) {
        bucket_throttled(&bucket, &pace, 0, &seed, now);
        const int64_t until = bucket.blocked_until;
        if (wait < pace.block_max_us) {
            assert_waits(&bucket, now, wait);
        } else {
            assert_true(until == now + pace.block_max_us);
        }
        bucket_throttled(&bucket, &pace, -1, &seed, now + 1); /* Another worker, same incident. */
        assert_true(bucket.blocked_until == until && bucket.incidents == i + 1);
        assert_int_equal(bucket.origin, BLOCK_DOUBLING);
        now = until;
        wait = wait * 2 < pace.block_max_us ? wait * 2 : pace.block_max_us;
    }
    now += BUCKET_QUIET_BLOCKS * pace.block_us;
    bucket_throttled(&bucket, &pace, 0, &seed, now);
    assert_waits(&bucket, now, pace.block_us);
}

static void a_header_is_a_floor_and_is_clamped(void **state)
{
    (void)state;
    struct pace pace = pace_of(5000, 5);
    pace.block_max_us = 600 * US_PER_S;
    struct throttle_row bucket = bucket_of(&pace, 0);
    enum block_origin origin = BLOCK_NONE;
    bucket_throttled(&bucket, &pace, 7 * US_PER_S, &seed, 0);
    assert_waits(&bucket, 0, 7 * US_PER_S);
    assert_true(bucket_blocked(&bucket, US_PER_S, &origin) == bucket.blocked_until);
    assert_int_equal(origin, BLOCK_HEADER);
    assert_int_equal(bucket.penalty_ms, 0); /* The upstream sized it: nothing doubles. */
    bucket_throttled(&bucket, &pace, 20 * US_PER_S, &seed, US_PER_S);
    assert_waits(&bucket, US_PER_S, 20 * US_PER_S); /* Longer, in the same incident. */
    assert_int_equal(bucket.incidents, 1);
    assert_true(bucket.rate_milli == 2500);
    const int64_t now = bucket.blocked_until;
    assert_false(take(&bucket, &pace, 1, now)); /* It begins empty after a block. */
    bucket_throttled(&bucket, &pace, INT64_MAX, &seed, now);
    assert_true(bucket.blocked_until == now + pace.block_max_us);
}

static void jitter_is_the_same_when_replayed_and_differs_between_tenants(void **state)
{
    (void)state;
    const struct pace pace = pace_of(1000, 1);
    int64_t first = 0;
    bool differs = false;
    for (int32_t tenant = 1; tenant < 20; tenant++) {
        struct throttle_row one = bucket_of(&pace, 0);
        struct throttle_row two = bucket_of(&pace, 0);
        one.tenant = two.tenant = tenant;
        bucket_throttled(&one, &pace, 100 * US_PER_S, &seed, 0);
        bucket_throttled(&two, &pace, 100 * US_PER_S, &seed, 0);
        assert_true(one.blocked_until == two.blocked_until);
        first = tenant == 1 ? one.blocked_until : first;
        differs |= one.blocked_until != first;
    }
    assert_true(differs);
}

static void an_operator_lifts_what_the_upstream_caused(void **state)
{
    (void)state;
    const struct pace pace = pace_of(5000, 5);
    struct throttle_row bucket = bucket_of(&pace, 0);
    bucket_throttled(&bucket, &pace, 3600 * US_PER_S, &seed, 0);
    assert_false(take(&bucket, &pace, 1, US_PER_S));
    bucket_lift(&bucket, &pace, US_PER_S);
    assert_true(bucket.rate_milli == 5000);
    assert_false(take(&bucket, &pace, 1, US_PER_S));
    assert_true(take(&bucket, &pace, 1, US_PER_S + 200000));
}

static void an_override_paces_and_blocks_until_its_time_is_over(void **state)
{
    (void)state;
    const struct pace configured = pace_of(5000, 5);
    struct throttle_row bucket = bucket_of(&configured, 0);
    bucket.set_until = 60 * US_PER_S;
    bucket.set_rate_milli = 1000;
    bucket.set_block_until = 10 * US_PER_S;
    enum block_origin origin = BLOCK_NONE;
    struct pace pace = bucket_pace(&configured, &bucket, US_PER_S);
    assert_true(pace.rate_milli == 1000 && pace.max_milli == 1000 && pace.burst == 5);
    assert_true(bucket_follow(&bucket, &pace, US_PER_S, false));
    assert_true(bucket_blocked(&bucket, US_PER_S, &origin) == 10 * US_PER_S);
    assert_int_equal(origin, BLOCK_OPERATOR);
    pace = bucket_pace(&configured, &bucket, 60 * US_PER_S);
    assert_true(pace.rate_milli == 5000);
    assert_true(bucket_blocked(&bucket, 60 * US_PER_S, &origin) == 0);
}

/* ---- The rate ---- */

/* Takes as fast as it may, for a time; returns how many. */
static int64_t use(struct throttle_row *bucket, const struct pace *pace, int64_t *now,
                   int64_t for_us, int64_t pause_us)
{
    const int64_t end = *now + for_us;
    int64_t count = 0;
    while (*now < end) {
        count += take(bucket, pace, 1, *now);
        *now += pause_us;
    }
    return count;
}

static void a_cut_rate_grows_again_past_the_longest_block_when_it_is_used(void **state)
{
    (void)state;
    struct pace pace = pace_of(10000, 10);
    pace.block_max_us = 600 * US_PER_S;
    struct throttle_row bucket = bucket_of(&pace, 0);
    int64_t now = 0;
    int64_t low = bucket.rate_milli;
    for (int i = 0; i < 10; i++) {
        bucket_throttled(&bucket, &pace, 0, &seed, now);
        now = bucket.blocked_until;
        assert_true(bucket.rate_milli <= low && bucket.rate_milli >= pace.min_milli);
        low = bucket.rate_milli;
    }
    assert_true(low == pace.min_milli);
    assert_true(bucket.penalty_ms == 600000);
    /* Longer than the longest block, and a step an interval. */
    (void)use(&bucket, &pace, &now, 700 * US_PER_S, 100000);
    const int64_t after_a_block = bucket.rate_milli;
    assert_true(after_a_block > low && after_a_block <= low + 12 * pace.rate_milli / 20);
    (void)use(&bucket, &pace, &now, 1200 * US_PER_S, 50000);
    assert_true(bucket.rate_milli == pace.max_milli);
}

/* An upstream that is down for a while, and a fleet that asks as fast as its bucket lets it. */
struct outage {
    int64_t begins;
    int64_t ends;
    int64_t retry_after_us; /* 0: it does not say. */
    int64_t asked_meanwhile;
    int64_t asked_after; /* First request that was answered again, counted from the end. */
};

static int64_t live_through(struct throttle_row *bucket, const struct pace *pace,
                            struct outage *outage, int64_t until)
{
    int64_t served = 0;
    for (int64_t now = 0; now < until; now += 50000) {
        if (!take(bucket, pace, 1, now)) {
            continue;
        }
        if (now < outage->begins || now >= outage->ends) {
            outage->asked_after = now >= outage->ends && outage->asked_after == 0
                                      ? now - outage->ends
                                      : outage->asked_after;
            served++;
            continue;
        }
        outage->asked_meanwhile++;
        bucket_throttled(bucket, pace, outage->retry_after_us, &seed, now);
    }
    return served;
}

static void an_outage_costs_few_requests_and_is_recovered_from(void **state)
{
    (void)state;
    const struct pace pace = pace_of(10000, 10);
    const int64_t hour = 3600 * US_PER_S;
    static const int64_t retry_afters[] = {0, 30 * US_PER_S, 300 * US_PER_S};
    for (size_t i = 0; i < sizeof(retry_afters) / sizeof(retry_afters[0]); i++) {
        struct throttle_row bucket = bucket_of(&pace, 0);
        struct outage outage = {
            .begins = hour / 2, .ends = hour, .retry_after_us = retry_afters[i]};
        const int64_t served = live_through(&bucket, &pace, &outage, 4 * hour);
        const int64_t wait = retry_afters[i] == 0 ? 0 : retry_afters[i];
        /* One request a block: half an hour of doubling is six. */
        assert_true(outage.asked_meanwhile <= (wait == 0 ? 6 : (hour / 2) / wait + 1));
        /* It is asked again within one block of its end. */
        assert_true(outage.asked_after <= (wait == 0 ? hour : wait + wait / 10 + US_PER_S));
        /* And after a while as fast as ever: a step of a twentieth a minute. */
        assert_true(bucket.rate_milli == pace.max_milli);
        assert_true(served >= 10 * (hour / 2 + 2 * hour) / US_PER_S * 9 / 10);
    }
}

static void a_rate_that_is_not_used_does_not_grow(void **state)
{
    (void)state;
    const struct pace pace = pace_of(10000, 10);
    struct throttle_row bucket = bucket_of(&pace, 0);
    bucket_throttled(&bucket, &pace, US_PER_S, &seed, 0);
    int64_t now = bucket.blocked_until;
    assert_true(bucket.rate_milli == 5000);
    (void)use(&bucket, &pace, &now, 3600 * US_PER_S, 1000000); /* A fifth of what it may. */
    assert_true(bucket.rate_milli == 5000);
    now += INT64_C(30) * 24 * 3600 * US_PER_S;
    (void)use(&bucket, &pace, &now, 2 * US_PER_S, 100000);
    assert_true(bucket.rate_milli == 5000);
}

static void an_overload_halves_the_rate_once_and_blocks_nothing(void **state)
{
    (void)state;
    const struct pace pace = pace_of(8000, 8);
    struct throttle_row bucket = bucket_of(&pace, 0);
    const int64_t now = 100 * US_PER_S;
    assert_true(bucket_overloaded(&bucket, &pace, now));
    assert_false(bucket_overloaded(&bucket, &pace, now + US_PER_S));
    assert_true(bucket.rate_milli == 4000);
    assert_true(take(&bucket, &pace, 1, now));
    assert_true(bucket_overloaded(&bucket, &pace, now + 10 * US_PER_S));
    assert_true(bucket.rate_milli == 2000);
}

static void the_upstreams_fields_spread_what_is_left(void **state)
{
    (void)state;
    const struct pace pace = pace_of(100000, 100);
    struct throttle_row bucket = bucket_of(&pace, 0);
    const struct upstream_told plenty = {true, 100000, US_PER_S};
    assert_false(bucket_told(&bucket, &pace, &plenty, 0));
    const struct upstream_told few = {true, 10, 20 * US_PER_S};
    int64_t now = 0;
    assert_true(bucket_told(&bucket, &pace, &few, now));
    const int64_t made = use(&bucket, &pace, &now, 20 * US_PER_S, 10000);
    assert_true(made == 10);
    assert_true(use(&bucket, &pace, &now, US_PER_S, 10000) >= 99);
    const struct upstream_told none = {true, 0, 5 * US_PER_S};
    assert_true(bucket_told(&bucket, &pace, &none, now));
    assert_true(bucket.blocked_until == now + 5 * US_PER_S);
    assert_int_equal(bucket.origin, BLOCK_FIELDS);
    assert_true(bucket.rate_milli == pace.rate_milli); /* It was told in time: nothing is cut. */
    const struct upstream_told nonsense = {true, -1, -5};
    assert_false(bucket_told(&bucket, &pace, &nonsense, now));
}

static void another_configured_rate_is_taken_up_at_once(void **state)
{
    (void)state;
    const struct pace slow = pace_of(1000, 1);
    const struct pace fast = pace_of(4000, 4);
    struct throttle_row bucket = bucket_of(&slow, 0);
    assert_true(bucket_overloaded(&bucket, &slow, 60 * US_PER_S));
    assert_true(bucket.rate_milli == 500);
    assert_true(bucket_follow(&bucket, &fast, 60 * US_PER_S, false));
    assert_true(bucket.rate_milli == 4000 && bucket.burst == 4);
    assert_false(bucket_follow(&bucket, &fast, 60 * US_PER_S, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_never_exceed_burst_plus_rate_over_any_window),
        cmocka_unit_test(what_comes_back_at_once_can_be_taken_again),
        cmocka_unit_test(a_refused_bucket_grants_at_the_time_it_names),
        cmocka_unit_test(a_job_that_needs_more_than_the_burst_gets_the_burst),
        cmocka_unit_test(a_bucket_idle_for_years_is_full_and_does_not_overflow),
        cmocka_unit_test(a_clock_that_steps_back_credits_nothing),
        cmocka_unit_test(blocks_without_a_header_double_once_an_incident_and_are_forgotten),
        cmocka_unit_test(a_header_is_a_floor_and_is_clamped),
        cmocka_unit_test(jitter_is_the_same_when_replayed_and_differs_between_tenants),
        cmocka_unit_test(an_operator_lifts_what_the_upstream_caused),
        cmocka_unit_test(an_override_paces_and_blocks_until_its_time_is_over),
        cmocka_unit_test(a_cut_rate_grows_again_past_the_longest_block_when_it_is_used),
        cmocka_unit_test(an_outage_costs_few_requests_and_is_recovered_from),
        cmocka_unit_test(a_rate_that_is_not_used_does_not_grow),
        cmocka_unit_test(an_overload_halves_the_rate_once_and_blocks_nothing),
        cmocka_unit_test(the_upstreams_fields_spread_what_is_left),
        cmocka_unit_test(another_configured_rate_is_taken_up_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
