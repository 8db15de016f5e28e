/* Orders of versions: Semantic Versioning 2.0 and PEP 440. */
#include "workers/lib/version.h"

#include "lib/cmocka.h"

static int order_of(enum version_scheme scheme, const char *a, const char *b)
{
    int order = 99;
    if (!version_compare(scheme, str_from(a), str_from(b), &order)) {
        print_error("cannot compare \"%s\" and \"%s\"\n", a, b);
    }
    return order;
}

/* Every text is older than every later one, both ways round. */
static void assert_ascending(enum version_scheme scheme, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            const int expected = (i > j) - (i < j);
            const int order = order_of(scheme, texts[i], texts[j]);
            if (order != expected) {
                print_error("\"%s\" against \"%s\"\n", texts[i], texts[j]);
            }
            assert_int_equal(order, expected);
        }
    }
}

static void assert_equal_versions(enum version_scheme scheme, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            assert_int_equal(order_of(scheme, texts[i], texts[j]), 0);
        }
    }
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void semver_orders_as_its_chapter_11_says(void **state)
{
    (void)state;
    static const char *const texts[] = {"0.0.0-0",
                                        "0.0.0",
                                        "0.0.1",
                                        "1.0.0-alpha",
                                        "1.0.0-alpha.1",
                                        "1.0.0-alpha.beta",
                                        "1.0.0-beta",
                                        "1.0.0-beta.2",
                                        "1.0.0-beta.11",
                                        "1.0.0-rc.1",
                                        "1.0.0",
                                        "1.0.1",
                                        "1.2.0",
                                        "1.10.0",
                                        "2.0.0",
                                        "99999999999999999999999.0.0",
                                        "100000000000000000000000.0.0"};
    assert_ascending(VERSION_SEMVER, texts, COUNT(texts));
}

static void semver_pseudo_versions_are_pre_releases(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "v0.0.0-20150717181359-44718f8a89b0",
        "v0.0.0-20210107192922-496545a6307b",
        "v0.0.0",
        "v1.2.3-0.20200101000000-abcdefabcdef",
        "v1.2.3-alpha",
        "v1.2.3-alpha.0.20200101000000-abcdefabcdef",
        "v1.2.3",
        "v1.2.4-0.20190101000000-abcdefabcdef",
        "v1.2.4",
    };
    assert_ascending(VERSION_SEMVER_LOOSE, texts, COUNT(texts));
}

static void semver_ignores_build_metadata_and_the_leading_v(void **state)
{
    (void)state;
    static const char *const texts[] = {"v2.0.0+incompatible", "2.0.0", "2.0.0+build.001-x"};
    assert_equal_versions(VERSION_SEMVER_LOOSE, texts, COUNT(texts));
}

static void semver_refuses_what_is_not_a_version(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",       "(devel)",   "0.14",           "1",        "1.2.3.4",
        "01.2.3", "1.02.3",    "1.2.3-",         "1.2.3-01", "1.2.3-a..b",
        "1.2.3+", "1.2.3+a_b", "v1.2.3",         "1.2.3 ",   ":python-version",
        "1.2.-3", "latest",    "1.2.3-\xc3\xa9", "-1.2.3",   "1..2"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_false(version_valid(VERSION_SEMVER, str_from(texts[i])));
    }
    assert_true(version_valid(VERSION_SEMVER_LOOSE, STR("v1.2.3")));
    assert_false(version_valid(VERSION_SEMVER_LOOSE, STR("vv1.2.3")));
    assert_false(version_valid(VERSION_SEMVER_LOOSE, STR("(devel)")));
}

static void pep440_orders_development_pre_release_post_and_local(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "0.9.dev2",
                                        "0.9",
                                        "1.0.dev456",
                                        "1.0a1.dev1",
                                        "1.0a1",
                                        "1.0a2.dev456",
                                        "1.0a12.dev456",
                                        "1.0a12",
                                        "1.0b1.dev456",
                                        "1.0b2",
                                        "1.0b2.post345.dev456",
                                        "1.0b2.post345",
                                        "1.0rc1.dev456",
                                        "1.0rc1",
                                        "1.0rc2",
                                        "1.0",
                                        "1.0+abc.5",
                                        "1.0+abc.7",
                                        "1.0+5",
                                        "1.0+5.1",
                                        "1.0+10",
                                        "1.0.post456.dev34",
                                        "1.0.post456",
                                        "1.0.post457",
                                        "1.0.1a1",
                                        "1.0.15",
                                        "1.1.dev1",
                                        "1.1",
                                        "1.10",
                                        "2024.1",
                                        "1!0.1",
                                        "1!1.0",
                                        "2!0"};
    assert_ascending(VERSION_PEP440, texts, COUNT(texts));
}

static void pep440_reads_every_spelling_as_the_same_version(void **state)
{
    (void)state;
    static const char *const zeros[] = {"1", "1.0", "1.0.0", "v1.0", "V1", " 1.0 ", "0!1", "01.00"};
    static const char *const alphas[] = {"1.0a1",  "1.0.a1", "1.0-a1",    "1.0_a1",     "1.0A1",
                                         "1.0a.1", "1.0a-1", "1.0alpha1", "1.0Alpha_1", "1a01"};
    static const char *const candidates[] = {"1.0rc1",    "1.0c1",       "1.0pre1",
                                             "1.0-pre-1", "1.0preview1", "1.0.RC.1"};
    static const char *const posts[] = {"1.0.post1", "1.0post1",   "1.0-1",    "1.0rev1",
                                        "1.0-r1",    "1.0_post_1", "1.0.POST1"};
    static const char *const implicit[] = {"1.0a", "1.0a0", "1.0alpha"};
    static const char *const locals[] = {"1.0+ubuntu.1", "1.0+ubuntu-1", "1.0+Ubuntu_1"};
    assert_equal_versions(VERSION_PEP440, zeros, COUNT(zeros));
    assert_equal_versions(VERSION_PEP440, alphas, COUNT(alphas));
    assert_equal_versions(VERSION_PEP440, candidates, COUNT(candidates));
    assert_equal_versions(VERSION_PEP440, posts, COUNT(posts));
    assert_equal_versions(VERSION_PEP440, implicit, COUNT(implicit));
    assert_equal_versions(VERSION_PEP440, locals, COUNT(locals));
}

static void pep440_local_versions_are_newer_than_the_release(void **state)
{
    (void)state;
    assert_int_equal(order_of(VERSION_PEP440, "2.0.1+cu118", "2.0.1"), 1);
    assert_int_equal(order_of(VERSION_PEP440, "2.0.1+cu118", "2.0.2"), -1);
    assert_int_equal(order_of(VERSION_PEP440, "1.0+a.1", "1.0+a"), 1);
}

static void pep440_refuses_what_is_not_a_version(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",       "latest", ":python-version", "1.0+",    "1.0+a..b",
        "1.0+a.", "1.0 1",  "1.0gamma1",       "1..0",    "!1.0",
        "1.0-",   "a1",     "1.0+\xc3\xa9",    "1.0-a-b", "2004d"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (version_valid(VERSION_PEP440, str_from(texts[i]))) {
            print_error("\"%s\" was read\n", texts[i]);
        }
        assert_false(version_valid(VERSION_PEP440, str_from(texts[i])));
    }
}

static void over_long_texts_are_no_versions(void **state)
{
    (void)state;
    static char digits[VERSION_MAX + 1];
    for (size_t i = 0; i < sizeof(digits); i++) {
        digits[i] = '1';
    }
    assert_true(version_valid(VERSION_PEP440, (struct str){digits, VERSION_MAX}));
    assert_false(version_valid(VERSION_PEP440, (struct str){digits, VERSION_MAX + 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(semver_orders_as_its_chapter_11_says),
        cmocka_unit_test(semver_pseudo_versions_are_pre_releases),
        cmocka_unit_test(semver_ignores_build_metadata_and_the_leading_v),
        cmocka_unit_test(semver_refuses_what_is_not_a_version),
        cmocka_unit_test(pep440_orders_development_pre_release_post_and_local),
        cmocka_unit_test(pep440_reads_every_spelling_as_the_same_version),
        cmocka_unit_test(pep440_local_versions_are_newer_than_the_release),
        cmocka_unit_test(pep440_refuses_what_is_not_a_version),
        cmocka_unit_test(over_long_texts_are_no_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
