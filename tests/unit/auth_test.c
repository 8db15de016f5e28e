/* Tokens, scopes, and what a node remembers of them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/principal.h"
#include "auth/token.h"
#include "lib/cmocka.h"

static void tokens_are_long_and_never_the_same(void **state)
{
    char one[TOKEN_TEXT];
    char two[TOKEN_TEXT];
    (void)state;
    token_make(one);
    token_make(two);
    assert_int_equal(strlen(one), 47);
    assert_string_not_equal(one, two);
    assert_true(token_is_well_formed(str_from(one)));
    one[20] = '!';
    assert_false(token_is_well_formed(str_from(one)));
    assert_false(token_is_well_formed(STR("stl_short")));
}

static void only_a_bearer_header_holds_a_token(void **state)
{
    char text[TOKEN_TEXT];
    char header[100];
    struct str found;
    (void)state;
    token_make(text);
    (void)snprintf(header, sizeof(header), "bearer  %s ", text);
    assert_true(token_of_header(str_from(header), &found));
    assert_true(str_eq(found, str_from(text)));
    (void)snprintf(header, sizeof(header), "Basic %s", text);
    assert_false(token_of_header(str_from(header), &found));
    assert_false(token_of_header(str_from(text), &found));
    assert_false(token_of_header((struct str){NULL, 0}, &found));
}

static void administrators_may_all_but_work(void **state)
{
    (void)state;
    assert_true(scope_allows(SCOPE_ADMIN, SCOPE_READ));
    assert_true(scope_allows(SCOPE_ADMIN, SCOPE_SUBMIT));
    assert_false(scope_allows(SCOPE_ADMIN, SCOPE_WORK));
    assert_true(scope_allows(SCOPE_WORK, SCOPE_WORK));
    assert_false(scope_allows(SCOPE_READ | SCOPE_SUBMIT, SCOPE_OPERATE));
    assert_true(scope_allows(SCOPE_READ, SCOPE_ANY));
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        int32_t bit = 0;
        int32_t found = 0;
        assert_true(scope_find(scope_name(i, &bit), &found) && bit == found);
    }
}

static void what_is_known_of_a_token_grows_old(void **state)
{
    struct arena arena;
    struct principal out;
    const struct sha256 hash = token_hash(STR("a token"));
    const struct principal who = {
        .token = 3, .name = STR("me"), .scopes = SCOPE_WORK, .job_types = STR("a\nb\n")};
    (void)state;
    arena_init(&arena, SIZE_MAX);
    struct principals *p = principals_new(5 * US_PER_S);
    const struct mono_time at = {1000};
    assert_false(principals_find(p, &hash, at, &arena, &out));
    principals_put(p, &hash, at, &who);
    assert_true(principals_find(p, &hash, (struct mono_time){at.us + 4999999}, &arena, &out));
    assert_true(out.token == 3 && str_eq(out.name, STR("me")));
    assert_true(principal_may_claim(&out, STR("b")) && !principal_may_claim(&out, STR("c")));
    assert_false(principals_find(p, &hash, (struct mono_time){at.us + 5000000}, &arena, &out));
    principals_forget(p, 3);
    assert_false(principals_find(p, &hash, at, &arena, &out));
    const struct principal nobody = {0};
    principals_put(p, &hash, at, &nobody);
    assert_true(principals_find(p, &hash, (struct mono_time){at.us + 999999}, &arena, &out));
    assert_int_equal(out.token, 0);
    assert_false(principals_find(p, &hash, (struct mono_time){at.us + 1000000}, &arena, &out));
    principals_free(p);
    arena_fini(&arena);
}

static void the_cache_is_bounded(void **state)
{
    struct arena arena;
    const struct principal who = {.token = 9, .name = STR("n")};
    (void)state;
    arena_init(&arena, SIZE_MAX);
    struct principals *p = principals_new(US_PER_S);
    for (int i = 0; i < 3 * PRINCIPALS_MAX; i++) {
        struct principal out;
        const struct sha256 hash = token_hash(arena_format(&arena, "token %d", i));
        principals_put(p, &hash, (struct mono_time){i + 1}, &who);
        assert_true(principals_find(p, &hash, (struct mono_time){i + 1}, &arena, &out));
    }
    principals_free(p);
    arena_fini(&arena);
}

static void a_token_file_is_made_once_and_kept_secret(void **state)
{
    char folder[] = "/tmp/stella-auth-XXXXXX";
    char path[64];
    char one[TOKEN_TEXT];
    char two[TOKEN_TEXT];
    struct stat what;
    struct err err;
    bool made = false;
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/token", folder);
    assert_int_equal(token_file(path, one, &made, &err), ERR_OK);
    assert_true(made);
    assert_int_equal(stat(path, &what), 0);
    assert_int_equal(what.st_mode & 0777, 0600);
    assert_int_equal(token_file(path, two, &made, &err), ERR_OK);
    assert_false(made);
    assert_string_equal(one, two);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(token_file(path, two, &made, &err), ERR_IO);
    assert_int_equal(chmod(path, 0600), 0);
    const int fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "garbage\n", 8), 8);
    assert_int_equal(close(fd), 0);
    assert_int_equal(token_file(path, two, &made, &err), ERR_IO);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_long_and_never_the_same),
        cmocka_unit_test(only_a_bearer_header_holds_a_token),
        cmocka_unit_test(administrators_may_all_but_work),
        cmocka_unit_test(what_is_known_of_a_token_grows_old),
        cmocka_unit_test(the_cache_is_bounded),
        cmocka_unit_test(a_token_file_is_made_once_and_kept_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
