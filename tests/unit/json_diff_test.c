/* Differences between documents: exact ones by hand, and what holds for any two. */
#include "lib/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "query/json_diff.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, SIZE_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct str diff(const json_t *before, const json_t *after)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, SIZE_MAX);
    json_begin(&w, &out);
    json_diff_put(&w, &arena, before, after);
    const struct str text = arena_str(&arena, buf_get(&out));
    buf_fini(&out);
    return text;
}

static void expect(const char *before, const char *after, const char *wanted)
{
    json_t *a = json_loads(before, JSON_DECODE_ANY, NULL);
    json_t *b = json_loads(after, JSON_DECODE_ANY, NULL);
    assert_non_null(a);
    assert_non_null(b);
    assert_string_equal(arena_cstr(&arena, diff(a, b)), wanted);
    json_decref(a);
    json_decref(b);
}

static void members_are_added_removed_and_replaced(void **state)
{
    (void)state;
    expect("{\"a\":1}", "{\"a\":1}", "[]");
    expect("{}", "{\"a\":null}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":null}]");
    expect("{\"a\":[1]}", "{}", "[{\"op\":\"remove\",\"path\":\"/a\",\"was\":[1]}]");
    expect("{\"a\":1}", "{\"a\":\"1\"}",
           "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":\"1\",\"was\":1}]");
    expect("{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1,\"c\":3}}",
           "[{\"op\":\"replace\",\"path\":\"/a/c\",\"value\":3,\"was\":2}]");
}

static void elements_are_compared_by_place(void **state)
{
    (void)state;
    expect("[1,2,3]", "[1,4]",
           "[{\"op\":\"replace\",\"path\":\"/1\",\"value\":4,\"was\":2},"
           "{\"op\":\"remove\",\"path\":\"/2\",\"was\":3}]");
    expect("[]", "{}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":{},\"was\":[]}]");
}

static void names_are_escaped_as_pointers_want(void **state)
{
    (void)state;
    expect("{}", "{\"a/b~c\":1}", "[{\"op\":\"add\",\"path\":\"/a~1b~0c\",\"value\":1}]");
    expect("{\"\":1}", "{\"\":2}", "[{\"op\":\"replace\",\"path\":\"/\",\"value\":2,\"was\":1}]");
}

/* ---- any two ---- */

enum { ROUNDS = 3000, WIDTH = 4, OPEN_MAX = 24 };

static uint64_t seed_state;

static uint64_t draw(uint64_t below)
{
    seed_state = seed_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed_state >> 33) % below;
}

static json_t *leaf(void)
{
    switch (draw(4)) {
    case 0: return json_null();
    case 1: return json_integer((json_int_t)draw(3));
    case 2: return json_string(draw(2) == 0 ? "x" : "y~/");
    default: return json_boolean(draw(2));
    }
}

/* Grown from the root on: what is open gets members or elements. */
static json_t *document(void)
{
    static const char *const names[] = {"a", "b", "a/b", "~", ""};
    json_t *root = draw(4) == 0 ? json_array() : json_object();
    json_t *open[OPEN_MAX] = {root};
    size_t n = 1;
    for (size_t at = 0; at < n; at++) {
        for (uint64_t left = draw(WIDTH + 1); left > 0; left--) {
            const char *name = names[draw(5)];
            const bool grows = n < OPEN_MAX && draw(2) == 0;
            json_t *value = !grows ? leaf() : draw(2) == 0 ? json_array() : json_object();
            if (json_object_get(open[at], name) != NULL) {
                json_decref(value);
                continue;
            }
            assert_int_equal(json_is_array(open[at]) ? json_array_append_new(open[at], value)
                                                     : json_object_set_new(open[at], name, value),
                             0);
            if (grows) {
                open[n++] = value;
            }
        }
    }
    return root;
}

/* "a~1b" is "a/b". */
static char *unescaped(struct str part)
{
    char *text = arena_cstr(&arena, part);
    size_t n = 0;
    for (size_t i = 0; i < part.len; i++) {
        const bool escaped = text[i] == '~';
        text[n++] = !escaped ? text[i] : text[i + 1] == '0' ? '~' : '/';
        i += escaped;
    }
    text[n] = '\0';
    return text;
}

static void put_at(json_t *parent, const char *name, const char *op, json_t *value)
{
    const size_t place = (size_t)strtoul(name, NULL, 10);
    const bool removes = strcmp(op, "remove") == 0;
    if (json_is_object(parent)) {
        assert_int_equal(
            removes ? json_object_del(parent, name) : json_object_set(parent, name, value), 0);
    } else if (removes) {
        assert_int_equal(json_array_remove(parent, json_array_size(parent) - 1), 0);
    } else if (place < json_array_size(parent)) {
        assert_int_equal(json_array_set(parent, place, value), 0);
    } else {
        assert_int_equal(json_array_append(parent, value), 0);
    }
}

/* One change, as JSON Patch has it; elements at the end are removed from the end. */
static json_t *apply(json_t *root, const json_t *change)
{
    struct str rest = json_text(json_object_get(change, "path"));
    const char *op = json_string_value(json_object_get(change, "op"));
    json_t *value = json_object_get(change, "value");
    if (rest.len == 0) {
        json_decref(root);
        return json_incref(value);
    }
    json_t *parent = root;
    struct str part;
    rest = str_slice(rest, 1, rest.len);
    while (str_find(rest, '/') < rest.len && str_split(&rest, '/', &part)) {
        const char *name = unescaped(part);
        parent = json_is_object(parent) ? json_object_get(parent, name)
                                        : json_array_get(parent, strtoul(name, NULL, 10));
        assert_non_null(parent);
    }
    put_at(parent, unescaped(rest), op, value);
    return root;
}

static void a_document_and_the_changes_give_the_other_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        seed_state = seed;
        json_t *before = document();
        json_t *after = document();
        json_t *changes = json_loads(arena_cstr(&arena, diff(before, after)), 0, NULL);
        json_t *made = json_deep_copy(before);
        for (size_t i = 0; i < json_array_size(changes); i++) {
            made = apply(made, json_array_get(changes, i));
        }
        if (!json_equal(made, after)) {
            fail_msg("seed %llu", (unsigned long long)seed);
        }
        assert_string_equal(arena_cstr(&arena, diff(made, after)), "[]");
        json_decref(made);
        json_decref(changes);
        json_decref(after);
        json_decref(before);
        arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_are_added_removed_and_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(elements_are_compared_by_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_escaped_as_pointers_want, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_document_and_the_changes_give_the_other_one, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
