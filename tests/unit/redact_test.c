/* What redaction takes, what it leaves, and that it does so wherever a text was cut. */
#include "lib/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "redact/redact.h"

static struct arena arena;
static struct redact_rules rules;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, SIZE_MAX);
    rules = (struct redact_rules){.value_count = 0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void expect(const char *text, const char *wanted)
{
    const struct str made = redact_copy(&rules, &arena, str_from(text));
    assert_string_equal(arena_cstr(&arena, made), wanted);
    assert_true(str_eq(redact_copy(&rules, &arena, made), made));
}

static void stays(const char *text)
{
    expect(text, text);
}

static void headers_and_credentials_are_taken(void **state)
{
    (void)state;
    expect("Authorization: Bearer abc.def-123 and more", "Authorization: [redacted:header]");
    expect("GET / \r\nCookie: sid=1; theme=dark\r\nHost: x",
           "GET / \r\nCookie: [redacted:header]\r\nHost: x");
    expect("curl -H 'X-Api-Key: hunter2' -H \"Authorization: Basic dXNlcjpwYXNz\" https://h",
           "curl -H 'X-Api-Key: [redacted:value]' -H \"Authorization: [redacted:header]\" "
           "https://h");
    expect("sent bearer dXNlcjpwYXNz9 twice", "sent bearer [redacted:credential] twice");
    stays("the server asks for Basic authentication");
    stays("bearer credentials were missing");
}

static void urls_lose_their_user_and_their_signature(void **state)
{
    (void)state;
    expect("fetching https://bob:s3cret@feeds.example/a.json now",
           "fetching https://[redacted:userinfo]@feeds.example/a.json now");
    expect("postgres://stella:p@ss@db/x", "postgres://[redacted:userinfo]@db/x");
    expect("https://b/x?X-Amz-Signature=0a1b2c3d4e5f&X-Amz-Expires=60",
           "https://b/x?X-Amz-Signature=[redacted:value]&X-Amz-Expires=60");
    expect("https://b/x?a=1&key=AB12cd34EF56", "https://b/x?a=1&key=[redacted:value]");
    stays("https://feeds.example/osv/GHSA-1.json?page=2");
    stays("mail to bob@example.org");
}

static void values_of_telling_names_are_taken(void **state)
{
    (void)state;
    expect("password=hunter2, user=bob", "password=[redacted:value], user=bob");
    expect("DB_PASSWORD = 'a b c' next", "DB_PASSWORD = '[redacted:value]' next");
    expect("{\"client_secret\":\"a\\\"b\",\"id\":7}",
           "{\"client_secret\":\"[redacted:value]\",\"id\":7}");
    expect("tool --password hunter2 --verbose", "tool --password [redacted:value] --verbose");
    expect("access_token=abc123def456", "access_token=[redacted:value]");
    stays("token: invalid");
    stays("tokens=5 next_token_at: soon");
    stays("secret_ref=env:FEED_TOKEN");
    stays("the password is wrong");
}

static void tokens_are_known_by_their_shape(void **state)
{
    (void)state;
    expect("push with ghp_0123456789abcdefABCDEF0123456789abcd failed",
           "push with [redacted:token] failed");
    expect("(glpat-abcdefghij0123456789)", "([redacted:token])");
    expect("AKIAIOSFODNN7EXAMPLE", "[redacted:cloudkey]");
    expect("x npm_abcdefghijklmnop0123456789ABCDEFGHIJ", "x [redacted:token]");
    expect("x pypi-AgEIcHlwaS5vcmcCJDU2Nzg5MDEy", "x [redacted:token]");
    expect("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl!", "[redacted:jwt]!");
    expect("stl_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs", "[redacted:token]");
    stays("sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    stays("job-17 of run-3, GHSA-jfh8-c2jp-5v3q in pkg:npm/left-pad@1.0.0");
}

static void private_keys_go_whole_also_line_by_line(void **state)
{
    (void)state;
    expect("a -----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY----- b",
           "a [redacted:privatekey] b");
    expect("-----BEGIN PRIVATE KEY-----\nMIIE", "[redacted:privatekey]");
    stays("-----BEGIN CERTIFICATE-----");
    static const char *const lines[] = {"-----BEGIN RSA PRIVATE KEY-----", "MIIEow", "AB12",
                                        "-----END RSA PRIVATE KEY----- after", "free again"};
    static const char *const wanted[] = {"[redacted:privatekey]", "[redacted:privatekey]",
                                         "[redacted:privatekey]", "[redacted:privatekey] after",
                                         "free again"};
    struct redact_state key = {false};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct buf out;
        buf_init(&out, 4096);
        (void)redact_text(&rules, &key, str_from(lines[i]), &out);
        assert_true(str_eq(buf_get(&out), str_from(wanted[i])));
        buf_fini(&out);
    }
    expect("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", "[redacted:base]");
}

static void known_values_are_taken_in_every_spelling(void **state)
{
    (void)state;
    redact_add_value(&rules, &arena, STR("corr\"ect horse/battery"));
    expect("got corr\"ect horse/battery back", "got [redacted:known] back");
    expect("?q=corr%22ect%20horse%2Fbattery&x", "?q=[redacted:known]&x");
    expect("{\"q\":\"corr\\\"ect horse/battery\"}", "{\"q\":\"[redacted:known]\"}");
    expect("Y29yciJlY3QgaG9yc2UvYmF0dGVyeQ==", "[redacted:known]eQ==");
}

static void a_known_value_is_found_on_both_sides_of_a_cut(void **state)
{
    (void)state;
    const struct str secret = STR("canary-0123456789-abcdefghij");
    redact_add_value(&rules, &arena, secret);
    for (size_t cut = 8; cut + 8 <= secret.len; cut++) {
        const struct str first = arena_format(&arena, "begin %.*s", (int)cut, secret.ptr);
        const struct str second =
            arena_format(&arena, "%.*s end", (int)(secret.len - cut), secret.ptr + cut);
        assert_true(str_eq(redact_copy(&rules, &arena, first), STR("begin [redacted:known]")));
        assert_true(str_eq(redact_copy(&rules, &arena, second), STR("[redacted:known] end")));
    }
}

static void patterns_of_the_operator_are_taken(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(redact_add_patterns(&rules, &arena, STR("ACME-* tkt{*}"), &err), ERR_OK);
    expect("id ACME-77/aa, tkt{x1} tkt{}", "id [redacted:pattern], [redacted:pattern] tkt{}");
    assert_int_equal(redact_add_patterns(&rules, &arena, STR("a*"), &err), ERR_USAGE);
}

static void json_keeps_its_shape(void **state)
{
    (void)state;
    const struct str made = redact_json_copy(
        &rules, &arena,
        STR("{\"password\" : \"a\\\\\",\"text\":\"Cookie: a=\\\"b\\\" c\",\"n\":[1,\"x\"]}"));
    assert_string_equal(arena_cstr(&arena, made),
                        "{\"password\" : \"[redacted:value]\",\"text\":\"Cookie: "
                        "[redacted:header]\",\"n\":[1,\"x\"]}");
}

/* Texts that would make a search that looks back, or ahead without a bound, slow. */
static void hostile_texts_cost_no_more_than_others(void **state)
{
    (void)state;
    static const char *const parts[] = {"sid=",    "eyJ",         "pass=//",   "://",  "bearer ",
                                        "a-",      "-----BEGIN ", "token=\"",  "\\\"", "acme-",
                                        "cookie:", "password",    "[redacted:"};

    enum { BYTES = 1 << 18 };
    struct err err;
    char *text = malloc(BYTES);
    assert_non_null(text);
    assert_int_equal(redact_add_patterns(&rules, &arena, STR("acme-*}"), &err), ERR_OK);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const size_t len = strlen(parts[i]);
        for (size_t at = 0; at < BYTES; at++) {
            text[at] = parts[i][at % len];
        }
        struct buf out;
        buf_init(&out, (size_t)BYTES * REDACT_GROWTH + 64);
        (void)redact_text(&rules, NULL, (struct str){text, BYTES}, &out);
        assert_false(out.overflow);
        buf_fini(&out);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(headers_and_credentials_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(urls_lose_their_user_and_their_signature, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(values_of_telling_names_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tokens_are_known_by_their_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(private_keys_go_whole_also_line_by_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(known_values_are_taken_in_every_spelling, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_known_value_is_found_on_both_sides_of_a_cut, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(patterns_of_the_operator_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(json_keeps_its_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile_texts_cost_no_more_than_others, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
