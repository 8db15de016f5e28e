/* Package URLs and the names that ecosystems make of them. */
#include "workers/lib/purl.h"

#include "lib/cmocka.h"

static struct arena arena;

static int start(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void assert_text(struct str actual, const char *expected)
{
    if (!str_eq(actual, str_from(expected))) {
        print_error("\"%.*s\" instead of \"%s\"\n", STR_ARG(actual), expected);
    }
    assert_true(str_eq(actual, str_from(expected)));
}

static struct purl parsed(const char *text)
{
    struct purl purl;
    assert_true(purl_parse(&arena, str_from(text), &purl));
    return purl;
}

static void purl_is_taken_apart_from_the_right(void **state)
{
    (void)state;
    const struct purl purl =
        parsed("pkg:GOLANG//github.com/Masterminds/semver/v3@v3.1.1?type=module&a=b%20c#sub/dir");
    assert_text(purl.type, "golang");
    assert_text(purl.namespace, "github.com/Masterminds/semver");
    assert_text(purl.name, "v3");
    assert_text(purl.version, "v3.1.1");
    assert_text(purl.subpath, "sub/dir");
    assert_text(purl_full_name(&arena, &purl), "github.com/Masterminds/semver/v3");
    assert_text(purl_qualifier(&arena, &purl, STR("type")), "module");
    assert_text(purl_qualifier(&arena, &purl, STR("a")), "b c");
    assert_text(purl_qualifier(&arena, &purl, STR("none")), "");
}

static void purl_npm_scope_may_be_escaped_or_not(void **state)
{
    (void)state;
    const struct purl escaped = parsed("pkg:npm/%40babel/core@7.1.0");
    const struct purl plain = parsed("pkg:npm/@babel/core@7.1.0");
    const struct purl bare = parsed("pkg:npm/@babel/core");
    assert_text(purl_full_name(&arena, &escaped), "@babel/core");
    assert_text(purl_full_name(&arena, &plain), "@babel/core");
    assert_text(plain.version, "7.1.0");
    assert_text(purl_full_name(&arena, &bare), "@babel/core");
    assert_text(bare.version, "");
}

static void purl_keeps_strange_versions_and_broken_escapes(void **state)
{
    (void)state;
    assert_text(parsed("pkg:golang/x/y@(devel)").version, "(devel)");
    assert_text(parsed("pkg:pypi/x@1.0%2Blocal").version, "1.0+local");
    assert_text(parsed("pkg:pypi/x@1%zz%4").version, "1%zz%4");
    assert_text(parsed("pkg:pypi/x@1%00").version, "1%00");
    assert_text(parsed("pkg:oci/a@sha256%3A12").version, "sha256:12");
}

static void purl_refuses_what_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",          "invalid purl", "pkg:",       "pkg:npm",  "pkg:npm/",
        "pkg:/name", "pkg:1a/b",     "http://a/b", "pkg:a b/c"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct purl purl;
        assert_false(purl_parse(&arena, str_from(texts[i]), &purl));
    }
}

static void names_are_normalised_as_their_ecosystem_does(void **state)
{
    (void)state;
    assert_text(ecosystem_normal_name(&arena, ECOSYSTEM_PYPI, STR("Zope._-Interface")),
                "zope-interface");
    assert_text(ecosystem_normal_name(&arena, ECOSYSTEM_GO, STR("github.com/Azure/X")),
                "github.com/azure/x");
    assert_text(ecosystem_normal_name(&arena, ECOSYSTEM_NPM, STR("JSONStream")), "JSONStream");
    assert_text(ecosystem_normal_name(&arena, ECOSYSTEM_CRATES_IO, STR("a_B")), "a_B");
}

static void ecosystems_are_found_by_both_names(void **state)
{
    (void)state;
    assert_int_equal(ecosystem_from_osv(STR("crates.io")), ECOSYSTEM_CRATES_IO);
    assert_int_equal(ecosystem_from_osv(STR("Packagist:https://packages.example.org")),
                     ECOSYSTEM_PACKAGIST);
    assert_int_equal(ecosystem_from_osv(STR("Maven")), ECOSYSTEM_NONE);
    assert_int_equal(ecosystem_from_purl_type(STR("cargo")), ECOSYSTEM_CRATES_IO);
    assert_int_equal(ecosystem_from_purl_type(STR("")), ECOSYSTEM_NONE);
}

static bool covers(const char *wide, const char *narrow)
{
    const struct purl w = parsed(wide);
    const struct purl n = parsed(narrow);
    return purl_covers(&arena, &w, &n);
}

static void covering_ignores_a_missing_version_and_the_leading_v(void **state)
{
    (void)state;
    assert_true(covers("pkg:golang/a/b", "pkg:golang/a/b@v1.0.0"));
    assert_true(covers("pkg:golang/a/b@1.0.0", "pkg:golang/A/b@v1.0.0"));
    assert_true(covers("pkg:golang/a/b@v1.0.0", "pkg:golang/a/b@1.0.0?type=module"));
    assert_false(covers("pkg:golang/a/b@v1.0.0", "pkg:golang/a/b"));
    assert_false(covers("pkg:golang/a/b@v1.0.0", "pkg:golang/a/b@v1.0.1"));
    assert_false(covers("pkg:golang/a/b", "pkg:golang/a/b/v2@v2.0.0"));
    assert_false(covers("pkg:npm/b", "pkg:pypi/b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(purl_is_taken_apart_from_the_right),
        cmocka_unit_test(purl_npm_scope_may_be_escaped_or_not),
        cmocka_unit_test(purl_keeps_strange_versions_and_broken_escapes),
        cmocka_unit_test(purl_refuses_what_is_none),
        cmocka_unit_test(names_are_normalised_as_their_ecosystem_does),
        cmocka_unit_test(ecosystems_are_found_by_both_names),
        cmocka_unit_test(covering_ignores_a_missing_version_and_the_leading_v),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
