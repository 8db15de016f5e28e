/* The table-driven decoder and cursors. */
#include "api/cursor.h"
#include "api/decode.h"

#include <stddef.h>
#include <string.h>

#include "lib/cmocka.h"

struct thing {
    struct str name;
    struct str text;
    int64_t count;
    bool flag;
    struct str names;
};

static const struct field fields[] = {
    {"name", FIELD_NAME, .required = true, .max = 8, .offset = offsetof(struct thing, name)},
    {"text", FIELD_TEXT, .nullable = true, .min = 1, .max = 4,
     .offset = offsetof(struct thing, text)},
    {"count", FIELD_INT, .min = -1, .max = 10, .offset = offsetof(struct thing, count)},
    {"flag", FIELD_FLAG, .offset = offsetof(struct thing, flag)},
    {"names", FIELD_NAMES, .min = 1, .max = 2, .offset = offsetof(struct thing, names)},
};

static enum err_code decode(struct arena *arena, const char *text, struct thing *out,
                            struct err *err)
{
    json_t *document = NULL;
    *err = (struct err){0};
    const enum err_code code = decode_body(arena, str_from(text), fields,
                                           sizeof(fields) / sizeof(fields[0]), out, &document, err);
    json_decref(document);
    return code;
}

static void a_body_fills_its_struct(void **state)
{
    struct arena arena;
    struct thing thing = {.count = 7};
    struct err err;
    (void)state;
    arena_init(&arena, SIZE_MAX);
    assert_int_equal(decode(&arena,
                            "{\"flag\":true,\"name\":\"a\",\"names\":[\"x\",\"y\"],\"text\":null}",
                            &thing, &err),
                     ERR_OK);
    assert_true(str_eq(thing.name, STR("a")) && thing.flag && thing.count == 7);
    assert_true(str_eq(thing.names, STR("x\ny\n")));
    arena_fini(&arena);
}

static void what_does_not_fit_is_named(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
        const char *pointer;
    } cases[] = {
        {"{", ERR_MALFORMED_JSON, ""},
        {"[]", ERR_UNPROCESSABLE, ""},
        {"{}", ERR_UNPROCESSABLE, "/name"},
        {"{\"name\":\"a\",\"x/y~z\":1}", ERR_UNPROCESSABLE, "/x~1y~0z"},
        {"{\"name\":\"has space\"}", ERR_UNPROCESSABLE, "/name"},
        {"{\"name\":null}", ERR_UNPROCESSABLE, "/name"},
        {"{\"name\":\"toolongname\"}", ERR_UNPROCESSABLE, "/name"},
        {"{\"name\":\"a\",\"text\":\"\"}", ERR_UNPROCESSABLE, "/text"},
        {"{\"name\":\"a\",\"count\":11}", ERR_UNPROCESSABLE, "/count"},
        {"{\"name\":\"a\",\"count\":1.5}", ERR_UNPROCESSABLE, "/count"},
        {"{\"name\":\"a\",\"flag\":1}", ERR_UNPROCESSABLE, "/flag"},
        {"{\"name\":\"a\",\"names\":[]}", ERR_UNPROCESSABLE, "/names"},
        {"{\"name\":\"a\",\"names\":[1]}", ERR_UNPROCESSABLE, "/names"},
        {"{\"name\":\"a\",\"name\":\"b\"}", ERR_MALFORMED_JSON, ""},
    };
    struct arena arena;
    (void)state;
    arena_init(&arena, SIZE_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct thing thing = {0};
        struct err err;
        assert_int_equal(decode(&arena, cases[i].text, &thing, &err), cases[i].code);
        assert_string_equal(err.pointer, cases[i].pointer);
    }
    arena_fini(&arena);
}

static void a_cursor_comes_back_as_it_went(void **state)
{
    static const struct hash_key key = {{1, 2}};
    const struct cursor cursors[] = {
        {.keys = {0}},
        {.keys = {1, -1, INT64_MIN}, .name = STR("a name with \xc3\xa9")},
        {.keys = {INT64_MAX, 5, 6}, .name = STR("x")},
    };
    struct arena arena;
    (void)state;
    arena_init(&arena, SIZE_MAX);
    for (size_t i = 0; i < 3; i++) {
        struct cursor back;
        struct err err;
        const struct str text = cursor_format(&arena, &key, STR("asked"), &cursors[i]);
        assert_int_equal(cursor_parse(&arena, &key, STR("asked"), text, &back, &err), ERR_OK);
        assert_memory_equal(back.keys, cursors[i].keys, sizeof(back.keys));
        assert_true(str_eq(back.name, cursors[i].name));
        assert_int_equal(cursor_parse(&arena, &key, STR("other"), text, &back, &err),
                         ERR_BAD_CURSOR);
    }
    arena_fini(&arena);
}

static void no_changed_byte_of_a_cursor_is_taken(void **state)
{
    static const struct hash_key key = {{1, 2}};
    const struct cursor cursor = {.keys = {42}, .name = STR("ready")};
    struct arena arena;
    (void)state;
    arena_init(&arena, SIZE_MAX);
    const struct str text = cursor_format(&arena, &key, STR("asked"), &cursor);
    char *copy = arena_cstr(&arena, text);
    for (size_t i = 0; i < text.len; i++) {
        struct cursor back;
        struct err err;
        const char kept = copy[i];
        copy[i] = kept == 'A' ? 'B' : 'A';
        assert_int_equal(cursor_parse(&arena, &key, STR("asked"), str_from(copy), &back, &err),
                         ERR_BAD_CURSOR);
        copy[i] = kept;
        assert_int_equal(
            cursor_parse(&arena, &key, STR("asked"), str_slice(text, 0, i), &back, &err),
            ERR_BAD_CURSOR);
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_fills_its_struct),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(a_cursor_comes_back_as_it_went),
        cmocka_unit_test(no_changed_byte_of_a_cursor_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
