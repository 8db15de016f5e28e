/* Secrets in configuration are references: what is one, and that none slips through. */
#include "lib/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "core/secret.h"

#define CANARY "canary-4f1d9c7e"

static void references_name_a_variable_or_a_plain_path(void **state)
{
    (void)state;
    static const char *const good[] = {"env:A", "env:_x9", "file:key", "file:a/b-c.d", "file:..a"};
    static const char *const bad[] = {"",          "env:",        "env:9A",  "env:A-B", "env:A B",
                                      "ENV:A",     "file:",       "file:/a", "file:a/", "file:a//b",
                                      "file:../a", "file:a/../b", "file:.",  "plain"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(secret_is_reference(str_from(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_false(secret_is_reference(str_from(bad[i])));
    }
    char name[140] = "env:";
    memset(name + 4, 'A', 129);
    assert_false(secret_is_reference(str_from(name)));
    assert_true(secret_is_reference((struct str){name, 4 + 128}));
}

static enum err_code check(const char *text, struct err *err)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    json_t *document = json_loads(text, 0, NULL);
    assert_non_null(document);
    *err = (struct err){0};
    const enum err_code code = secrets_check(&arena, document, STR("/settings"), err);
    json_decref(document);
    arena_fini(&arena);
    return code;
}

static void refused(const char *text, const char *pointer)
{
    struct err err;
    assert_int_equal(check(text, &err), ERR_LITERAL_SECRET);
    assert_string_equal(err.pointer, pointer);
    assert_null(strstr(err.message, CANARY));
}

static void a_literal_is_refused_with_its_pointer(void **state)
{
    (void)state;
    refused("{\"password\":\"" CANARY "\"}", "/settings/password");
    refused("{\"x\":[0,{\"API-Key\":\"" CANARY "\"}]}", "/settings/x/1/API-Key");
    refused("{\"token\":{\"deep\":[\"env:A\",\"" CANARY "\"]}}", "/settings/token/deep/1");
    refused("{\"client_secret\":7}", "/settings/client_secret");
    refused("{\"a/b\":{\"~token\":\"" CANARY "\"}}", "/settings/a~1b/~0token");
}

static void what_is_no_secret_or_says_nothing_passes(void **state)
{
    (void)state;
    struct err err;
    static const char *const fine[] = {
        "{\"name\":\"anything\"}",   "{\"password\":null}", "{\"password\":\"\"}",
        "{\"use_password\":true}",   "{\"token\":[]}",      "{\"token\":\"env:A\"}",
        "{\"tokens_per_second\":5}", "{\"x\":[]}",          "{\"secret\":\"file:a/b\"}",
    };
    for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++) {
        assert_int_equal(check(fine[i], &err), ERR_OK);
    }
}

/* However a telling name is written and however deep it stands. */
static void no_spelling_and_no_depth_hides_one(void **state)
{
    (void)state;
    static const char *const names[] = {"api_key",  "Api.Key",       "X-API-KEY",   "db_password",
                                        "PassWord", "Authorization", "private-key", "auth_token"};
    char text[4096];
    struct err err;
    for (size_t name = 0; name < sizeof(names) / sizeof(*names); name++) {
        for (int depth = 0; depth < 24; depth++) {
            size_t n = 0;
            for (int i = 0; i < depth; i++) {
                n += (size_t)snprintf(text + n, sizeof(text) - n, i % 2 ? "[0," : "{\"d\":");
            }
            n += (size_t)snprintf(text + n, sizeof(text) - n, "{\"%s\":\"" CANARY "\"}",
                                  names[name]);
            for (int i = depth - 1; i >= 0; i--) {
                n += (size_t)snprintf(text + n, sizeof(text) - n, i % 2 ? "]" : "}");
            }
            assert_int_equal(check(text, &err), ERR_LITERAL_SECRET);
            assert_non_null(strstr(err.pointer, names[name]));
            assert_null(strstr(err.message, CANARY));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_name_a_variable_or_a_plain_path),
        cmocka_unit_test(a_literal_is_refused_with_its_pointer),
        cmocka_unit_test(what_is_no_secret_or_says_nothing_passes),
        cmocka_unit_test(no_spelling_and_no_depth_hides_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
