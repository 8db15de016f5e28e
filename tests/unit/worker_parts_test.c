/* What the worker's protocol is made of: pauses, and walking over JSON. */
#include "lib/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "worker/backoff.h"
#include "worker/scan.h"

/* ---- the small parts ---- */

static void backoff_grows_to_its_bound_and_is_spread(void **state)
{
    (void)state;
    const struct hash_key key = {{1, 2}};
    int64_t low = INT64_MAX;
    int64_t high = 0;
    for (uint64_t i = 0; i < 200; i++) {
        const int64_t us = backoff_delay_us(&key, i, 60, 100, 10000);
        low = us < low ? us : low;
        high = us > high ? us : high;
        assert_in_range(backoff_delay_us(&key, i, 0, 100, 10000), 50, 100);
    }
    assert_in_range(low, 5000, 5500);
    assert_in_range(high, 9500, 10000);
}

static void scans_members_without_leaving_the_text(void **state)
{
    (void)state;
    struct scan scan;
    struct str key, value;
    const char text[] = " { \"a\\\"b\" : {\"}\":[1,\"]\"]} , \"c\":-1e5 } ";
    assert_true(scan_object(&scan, str_from(text)));
    assert_true(scan_member(&scan, &key, &value));
    assert_true(str_eq(key, STR("a\\\"b")));
    assert_true(str_eq(value, STR("{\"}\":[1,\"]\"]}")));
    assert_true(scan_member(&scan, &key, &value));
    assert_true(str_eq(value, STR("-1e5")));
    assert_false(scan_member(&scan, &key, &value));
    assert_false(scan.broken);
    for (size_t len = 0; len < sizeof(text) - 3; len++) {
        char *cut = malloc(len + 1); /* Exactly as long, so that a sanitizer sees a step too far. */
        memcpy(cut, text, len);
        (void)scan_object(&scan, (struct str){cut, len});
        while (scan_member(&scan, &key, &value)) {
            assert_true(value.ptr + value.len <= cut + len);
        }
        assert_true(scan.broken || len > 40);
        free(cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff_grows_to_its_bound_and_is_spread),
        cmocka_unit_test(scans_members_without_leaving_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
