/* The words of the language: texts, memory, digests, times, JSON. */
#include "lib/cmocka.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/json.h"
#include "base/map.h"
#include "base/time.h"
#include "base/vec.h"

static void siphash_matches_the_reference_vectors(void **state)
{
    (void)state;
    unsigned char in[15];
    for (size_t i = 0; i < sizeof(in); i++) {
        in[i] = (unsigned char)i;
    }
    const struct hash_key key = {{UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};
    assert_true(hash_keyed(&key, (struct str){NULL, 0}) == UINT64_C(0x726fdb47dd0e0e31));
    assert_true(hash_keyed(&key, (struct str){(char *)in, 15}) == UINT64_C(0xa129ca6149be45e5));
}

static void utf8_refuses_overlong_forms_and_surrogates(void **state)
{
    (void)state;
    assert_true(str_is_utf8(STR("h\xC3\xA9llo \xF0\x9F\x98\x80")));
    assert_false(str_is_utf8(STR("\xC0\xAF")));
    assert_false(str_is_utf8(STR("\xED\xA0\x80")));
    assert_false(str_is_utf8(STR("\xF5\x80\x80\x80")));
    assert_false(str_is_utf8(STR("\xE2\x82")));
}

static void integers_parse_whole_and_without_overflow(void **state)
{
    (void)state;
    int64_t value = 0;
    assert_true(str_parse_i64(STR("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(str_parse_i64(STR("9223372036854775807"), &value));
    assert_false(str_parse_i64(STR("9223372036854775808"), &value));
    assert_false(str_parse_i64(STR("12x"), &value));
    assert_false(str_parse_i64(STR(""), &value));
    assert_false(str_parse_i64(STR("-"), &value));
}

static void times_survive_a_round_trip(void **state)
{
    (void)state;
    char text[TIME_TEXT];
    struct wall_time at = {0};
    assert_true(time_parse(STR("2024-02-29T23:59:59.123456Z"), &at));
    time_format(at, text);
    assert_string_equal(text, "2024-02-29T23:59:59.123456Z");
    assert_true(time_parse(STR("1969-12-31T23:00:00-01:00"), &at));
    assert_true(at.us == 0);
    assert_false(time_parse(STR("2023-02-29T00:00:00Z"), &at));
    assert_false(time_parse(STR("2023-02-28T00:00:00"), &at));
}

static void maps_keep_insertion_order_and_find_everything(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct map map = {0};
    int values[1000];
    for (uint64_t i = 0; i < 1000; i++) {
        map_put(&arena, &map, i * 7919, &values[i]);
    }
    for (uint64_t i = 0; i < 1000; i++) {
        assert_ptr_equal(map_find(&map, i * 7919), &values[i]);
        assert_true(map.entries[i].key == i * 7919);
    }
    assert_null(map_find(&map, 3));
    struct map texts = {0};
    map_put_str(&arena, &texts, STR("one"), &values[1]);
    assert_ptr_equal(map_find_str(&texts, STR("one")), &values[1]);
    assert_null(map_find_str(&texts, STR("two")));
    arena_fini(&arena);
}

static void an_arena_past_its_cap_gives_null(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1000);
    assert_non_null(arena_try_alloc(&arena, 900));
    assert_null(arena_try_alloc(&arena, 200));
    arena_reset(&arena);
    assert_non_null(arena_try_alloc(&arena, 200));
    arena_fini(&arena);
}

static void a_buffer_stops_at_its_maximum(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4);
    buf_str(&buf, STR("abc"));
    buf_str(&buf, STR("de"));
    assert_true(buf.overflow);
    assert_int_equal(buf.len, 3);
    buf_fini(&buf);
}

static void json_is_written_canonically(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1024);
    struct json_writer w;
    json_begin(&w, &out);
    json_put_object(&w);
    JSON_INT(&w, "a", 9007199254740992);
    JSON_STR(&w, "b", STR("q\"\n\x01\\"));
    JSON_KEY(&w, "c");
    json_put_array(&w);
    json_put_int(&w, -1);
    json_put_null(&w);
    json_put_array_end(&w);
    json_put_object_end(&w);
    assert_true(str_eq(buf_get(&out), STR("{\"a\":\"9007199254740992\",\"b\":\"q\\\"\\n\\u0001"
                                          "\\\\\",\"c\":[-1,null]}")));
    buf_fini(&out);
}

static void keys_that_need_an_escape_are_written_in_order_too(void **state)
{
    (void)state;
    json_t *value = NULL;
    struct err err = {0};
    struct json_writer writer;
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, 1024);
    json_begin(&writer, &out);
    assert_int_equal(json_read(STR("{\"A\":1,\"\\n\":2,\"\\n\\n\":3}"), &value, &err), ERR_OK);
    json_put_value(&writer, value);
    assert_true(str_eq(buf_get(&out), STR("{\"\\n\":2,\"\\n\\n\":3,\"A\":1}")));
    json_decref(value);
}

static void json_reading_is_strict(void **state)
{
    (void)state;
    struct err err;
    json_t *value = NULL;
    assert_int_equal(json_read(STR("{\"a\":1,\"a\":2}"), &value, &err), ERR_MALFORMED_JSON);
    assert_int_equal(json_read(STR("{} x"), &value, &err), ERR_MALFORMED_JSON);
    assert_int_equal(json_read(STR("[1\0]"), &value, &err), ERR_MALFORMED_JSON);
    assert_int_equal(json_read(STR("false\0"), &value, &err), ERR_MALFORMED_JSON);
    assert_int_equal(json_read(STR("\"\xC0\xAF\""), &value, &err), ERR_MALFORMED_JSON);
    char deep[200];
    memset(deep, '[', sizeof(deep));
    assert_int_equal(json_read((struct str){deep, sizeof(deep)}, &value, &err), ERR_MALFORMED_JSON);
    assert_int_equal(json_read(STR("{\"b\":{\"z\":1,\"y\":[true]},\"a\":\"x\"}"), &value, &err),
                     ERR_OK);
    struct buf out;
    buf_init(&out, 1024);
    struct json_writer w;
    json_begin(&w, &out);
    json_put_value(&w, value);
    assert_true(str_eq(buf_get(&out), STR("{\"a\":\"x\",\"b\":{\"y\":[true],\"z\":1}}")));
    buf_fini(&out);
    json_decref(value);
}

static void ids_have_one_written_form(void **state)
{
    (void)state;
    struct job_id id = {0};
    char text[ID_TEXT];
    assert_true(job_id_parse(STR("job-17"), &id));
    job_id_format(id, text);
    assert_string_equal(text, "job-17");
    assert_false(job_id_parse(STR("job-017"), &id));
    assert_false(job_id_parse(STR("job--1"), &id));
    assert_false(job_id_parse(STR("run-1"), &id));
    assert_true(name_is_valid(STR("pkg:golang/x@1"), 64));
    assert_false(name_is_valid(STR("-x"), 64));
    assert_false(name_is_valid(STR("a b"), 64));
}

/* Texts are looked at eight bytes at a time: every character at every place. */
static void json_escapes_a_character_wherever_it_stands(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1024);
    for (int c = 0; c < 256; c++) {
        const bool is_special = c < 0x20 || c == '"' || c == '\\';
        for (size_t at = 0; at < 19; at++) {
            char text[19];
            struct json_writer w;
            memset(text, 'x', sizeof(text));
            text[at] = (char)c;
            buf_reset(&out);
            json_begin(&w, &out);
            json_put_str(&w, (struct str){text, sizeof(text)});
            if (!is_special) {
                assert_int_equal(out.len, sizeof(text) + 2);
                assert_memory_equal(out.ptr + 1, text, sizeof(text));
            } else {
                assert_true(out.len > sizeof(text) + 2);
                assert_int_equal(out.ptr[1 + at], '\\');
            }
        }
    }
    buf_fini(&out);
}

/* A short text, and the last eight bytes of a longer one, are looked at otherwise than the rest. */
static void the_first_special_character_is_found_at_every_length(void **state)
{
    (void)state;
    char text[40];
    for (size_t len = 0; len <= sizeof(text); len++) {
        memset(text, 'x', sizeof(text));
        assert_int_equal(json_plain_len((struct str){text, len}), len);
        for (size_t at = 0; at < len; at++) {
            text[at] = '"';
            assert_int_equal(json_plain_len((struct str){text, len}), at);
            if (at + 1 < len) {
                text[at + 1] = '\n';
                assert_int_equal(json_plain_len((struct str){text, len}), at);
                text[at + 1] = 'x';
            }
            text[at] = 'x';
        }
    }
}

static void numbers_are_written_with_all_their_digits(void **state)
{
    (void)state;
    uint64_t power = 1;
    for (int digits = 1; digits <= 20; digits++) {
        const uint64_t around[] = {power - 1, power, power + 1};
        for (size_t i = 0; i < 3; i++) {
            char expected[32];
            char written[32] = {0};
            (void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)around[i]);
            *str_put_u64(written, around[i]) = '\0';
            assert_string_equal(written, expected);
        }
        power = digits < 20 ? power * 10 : UINT64_MAX - 1;
    }
    char written[32] = {0};
    *str_put_u64(written, UINT64_MAX) = '\0';
    assert_string_equal(written, "18446744073709551615");
    *str_put_i64(written, INT64_MIN) = '\0';
    assert_string_equal(written, "-9223372036854775808");
}

static void members_are_written_as_keys_and_values_are(void **state)
{
    (void)state;
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1024);
    json_begin(&w, &out);
    json_put_object(&w);
    JSON_BOOL(&w, "a", true);
    json_member_hex(&w, JSON_MEMBER("b"), (struct str){"\x00\x7f\xff", 3});
    JSON_INT(&w, "c", -(INT64_C(1) << 53));
    JSON_KEY(&w, "d");
    json_put_object(&w);
    JSON_STR(&w, "z", STR("a \"quoted\" text"));
    json_put_object_end(&w);
    json_put_key(&w, STR("d\n"));
    json_put_int(&w, 7);
    JSON_STR(&w, "da", STR("short"));
    json_put_object_end(&w);
    assert_true(
        str_eq(buf_get(&out),
               STR("{\"a\":true,\"b\":\"007fff\",\"c\":\"-9007199254740992\","
                   "\"d\":{\"z\":\"a \\\"quoted\\\" text\"},\"d\\n\":7,\"da\":\"short\"}")));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_escapes_a_character_wherever_it_stands),
        cmocka_unit_test(the_first_special_character_is_found_at_every_length),
        cmocka_unit_test(numbers_are_written_with_all_their_digits),
        cmocka_unit_test(members_are_written_as_keys_and_values_are),
        cmocka_unit_test(siphash_matches_the_reference_vectors),
        cmocka_unit_test(utf8_refuses_overlong_forms_and_surrogates),
        cmocka_unit_test(integers_parse_whole_and_without_overflow),
        cmocka_unit_test(times_survive_a_round_trip),
        cmocka_unit_test(maps_keep_insertion_order_and_find_everything),
        cmocka_unit_test(an_arena_past_its_cap_gives_null),
        cmocka_unit_test(a_buffer_stops_at_its_maximum),
        cmocka_unit_test(json_is_written_canonically),
        cmocka_unit_test(keys_that_need_an_escape_are_written_in_order_too),
        cmocka_unit_test(json_reading_is_strict),
        cmocka_unit_test(ids_have_one_written_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
