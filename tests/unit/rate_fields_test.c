/* What header fields say of a server's limits, in every dialect, and what is nonsense. */
#include "lib/cmocka.h"

#include "base/rate_fields.h"

#define NOW_S INT64_C(1700000000)

/* Fields, each ended by '\n'; false when they say nothing. */
static bool read(const char *text, struct rate_limit *out)
{
    struct rate_fields fields;
    struct str rest = str_from(text);
    struct str line;
    rate_fields_clear(&fields);
    while (str_split(&rest, '\n', &line)) {
        const size_t colon = str_find(line, ':');
        rate_fields_take(&fields, str_slice(line, 0, colon), str_slice(line, colon + 1, line.len));
    }
    return rate_fields_get(&fields, NOW_S, out);
}

static void assert_says(const char *text, int64_t remaining, int64_t reset_ms)
{
    struct rate_limit limit = {0};
    assert_true(read(text, &limit));
    assert_int_equal(limit.remaining, remaining);
    assert_int_equal(limit.reset_ms, reset_ms);
}

static void every_dialect_is_understood(void **state)
{
    (void)state;
    assert_says("RateLimit: \"default\";r=50;t=30", 50, 30000);
    assert_says("ratelimit: default ; r=50 ; t=30", 50, 30000);
    assert_says("RateLimit: \"a, b;c\\\"\";t=30;pk=:cHg=:;r=50", 50, 30000);
    assert_says("RateLimit: limit=100, remaining=50, reset=5", 50, 5000);
    assert_says("RateLimit-Remaining: 9\nRateLimit-Reset: 1\nRateLimit-Limit: 10, 10;w=1", 9, 1000);
    assert_says("X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 60", 0, 60000);
    assert_says("X-Rate-Limit-Remaining:3\nX-Rate-Limit-Reset:60", 3, 60000);
    assert_says("X-RateLimit-Remaining: 7\nX-RateLimit-Reset: 1700000100", 7, 100000);
}

static void of_several_limits_the_strictest_counts_and_dialects_are_not_mixed(void **state)
{
    (void)state;
    assert_says("RateLimit: \"s\";r=5;t=1, \"day\";r=1000;t=86400", 1000, 86400000);
    assert_says("RateLimit: \"s\";r=0;t=1, \"day\";r=0;t=60, \"h\";r=9;t=60", 0, 60000);
    assert_says("X-RateLimit-Remaining: 1\nX-RateLimit-Reset: 9\nRateLimit: a;r=2;t=3", 2, 3000);
    struct rate_limit limit;
    assert_false(read("X-RateLimit-Remaining: 1\nRateLimit-Reset: 9", &limit));
}

static void nonsense_counts_as_absent(void **state)
{
    (void)state;
    static const char *const nonsense[] = {
        "RateLimit: \"a\";r=50",
        "RateLimit: \"a;r=50;t=3",
        "RateLimit: \"a\";r=-1;t=3",
        "RateLimit: \"a\";r=1;t=0",
        "RateLimit: \"a\";r=1.5;t=3",
        "RateLimit: \"a\";r=1;t=3,",
        "RateLimit: \"a\";r=1;t=3 x",
        "RateLimit: ",
        "RateLimit: r",
        "RateLimit-Remaining: many\nRateLimit-Reset: 5",
        "RateLimit-Remaining: 99999999999999999999\nRateLimit-Reset: 5",
        "X-RateLimit-Remaining: 5\nX-RateLimit-Reset: 1600000000",
        "X-RateLimit-Remaining: 5\nX-RateLimit-Reset: soon",
        "Retry-After: 5",
    };
    struct rate_limit limit;
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        assert_false(read(nonsense[i], &limit));
    }
}

static void huge_numbers_are_clamped(void **state)
{
    (void)state;
    assert_says("RateLimit: a;r=9000000000000000000;t=99999999", 1000000000, 604800000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dialect_is_understood),
        cmocka_unit_test(of_several_limits_the_strictest_counts_and_dialects_are_not_mixed),
        cmocka_unit_test(nonsense_counts_as_absent),
        cmocka_unit_test(huge_numbers_are_clamped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
