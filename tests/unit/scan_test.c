/* The span scanner of hot bodies. */
#include "api/scan.h"

#include <stdio.h>
#include <string.h>

#include "lib/cmocka.h"

/* Scans one value of any kind. */
static enum err_code scan_one(const char *text, struct err *err)
{
    struct arena arena;
    struct scan s;
    arena_init(&arena, SIZE_MAX);
    *err = (struct err){0};
    scan_begin(&s, str_from(text), &arena);
    (void)scan_raw(&s);
    const enum err_code code = scan_end(&s, err);
    arena_fini(&arena);
    return code;
}

static void well_formed_json_is_taken(void **state)
{
    static const char *const texts[] = {
        "null",
        " true ",
        "-0",
        "0.5e-10",
        "1E+2",
        "\"\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"",
        "[]",
        "[ 1 , [ ] , { } ]",
        "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}",
        "\"\xc3\xa9\"",
    };
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(scan_one(texts[i], &err), ERR_OK);
    }
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "nul",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "--1",
        "\"",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\u0000\"",
        "[1,]",
        "[,]",
        "[1 2]",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "1 2",
        "[1]]",
        "\"\xff\"",
        "\"\xed\xa0\x80\"",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
    };
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(scan_one(texts[i], &err), ERR_MALFORMED_JSON);
    }
}

static void a_member_twice_is_found_in_large_objects_too(void **state)
{
    struct buf text;
    struct err err;
    (void)state;
    buf_init(&text, 1 << 16);
    buf_char(&text, '{');
    for (int i = 0; i < 100; i++) {
        buf_format(&text, "\"k%d\":{\"k%d\":1},", i, i);
    }
    const size_t len = text.len;
    buf_str(&text, STR("\"z\":1}"));
    buf_char(&text, 0);
    assert_int_equal(scan_one(text.ptr, &err), ERR_OK);
    text.len = len;
    buf_str(&text, STR("\"k7\":1}"));
    buf_char(&text, 0);
    assert_int_equal(scan_one(text.ptr, &err), ERR_MALFORMED_JSON);
    buf_fini(&text);
}

static void nesting_is_bounded(void **state)
{
    char text[200];
    struct err err;
    (void)state;
    for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = 0;
        assert_int_equal(scan_one(text, &err),
                         depth == JSON_DEPTH_MAX ? ERR_OK : ERR_MALFORMED_JSON);
    }
}

static void values_come_as_they_are(void **state)
{
    struct arena arena;
    struct scan s;
    struct str key;
    struct err err;
    (void)state;
    arena_init(&arena, SIZE_MAX);
    scan_begin(
        &s, STR("{\"t\":\"a\\u00e9\\n\",\"n\":-12,\"f\":true,\"r\": { \"x\" : 1.50 } ,\"z\":null}"),
        &arena);
    scan_object(&s);
    assert_true(scan_member(&s, &key));
    assert_true(str_eq(scan_text(&s), STR("a\xc3\xa9\n")));
    assert_true(scan_member(&s, &key) && str_eq(key, STR("n")));
    assert_int_equal(scan_int(&s), -12);
    assert_true(scan_member(&s, &key));
    assert_true(scan_flag(&s));
    assert_true(scan_member(&s, &key));
    assert_true(str_eq(scan_raw(&s), STR("{ \"x\" : 1.50 }")));
    assert_true(scan_member(&s, &key));
    assert_true(scan_null(&s));
    assert_false(scan_member(&s, &key));
    assert_int_equal(scan_end(&s, &err), ERR_OK);
    arena_fini(&arena);
}

static void a_wrong_type_is_named_by_its_pointer(void **state)
{
    struct arena arena;
    struct scan s;
    struct str key;
    struct err err;
    (void)state;
    arena_init(&arena, SIZE_MAX);
    scan_begin(&s, STR("{\"a/b\":[{\"x\":1},{\"x\":\"no\"}]}"), &arena);
    scan_object(&s);
    while (scan_member(&s, &key)) {
        scan_array(&s);
        while (scan_item(&s)) {
            scan_object(&s);
            while (scan_member(&s, &key)) {
                (void)scan_int(&s);
            }
        }
    }
    assert_int_equal(scan_end(&s, &err), ERR_UNPROCESSABLE);
    assert_string_equal(err.pointer, "/a~1b/1/x");
    arena_fini(&arena);
}

static void broken_json_is_told_before_a_wrong_type(void **state)
{
    struct arena arena;
    struct scan s;
    struct err err;
    (void)state;
    arena_init(&arena, SIZE_MAX);
    scan_begin(&s, STR("[1,2,"), &arena);
    scan_object(&s);
    assert_int_equal(scan_end(&s, &err), ERR_MALFORMED_JSON);
    arena_fini(&arena);
}

static void numbers_that_are_not_whole_or_too_large_are_refused(void **state)
{
    static const char *const texts[] = {"1.0", "1e2", "9223372036854775808", "\"1\"", "null"};
    struct arena arena;
    (void)state;
    arena_init(&arena, SIZE_MAX);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct scan s;
        struct err err;
        scan_begin(&s, str_from(texts[i]), &arena);
        (void)scan_int(&s);
        assert_int_equal(scan_end(&s, &err), ERR_UNPROCESSABLE);
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_json_is_taken),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(a_member_twice_is_found_in_large_objects_too),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(values_come_as_they_are),
        cmocka_unit_test(a_wrong_type_is_named_by_its_pointer),
        cmocka_unit_test(broken_json_is_told_before_a_wrong_type),
        cmocka_unit_test(numbers_that_are_not_whole_or_too_large_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
