/* OSV's evaluation of ranges. */
#include "workers/lib/affects.h"

#include "lib/cmocka.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const enum affects_kind I = AFFECTS_INTRODUCED;
static const enum affects_kind F = AFFECTS_FIXED;
static const enum affects_kind L = AFFECTS_LAST_AFFECTED;

struct step {
    enum affects_kind kind;
    const char *version;
};

static struct affects_answer decide(enum version_scheme scheme, const struct step *steps, size_t n,
                                    const char *version)
{
    struct affects_event events[8];
    struct affects_range range = {.events = events, .n = n};
    const struct affects_entry entry = {.ranges = &range, .ranges_count = 1};
    for (size_t i = 0; i < n; i++) {
        events[i] = (struct affects_event){steps[i].kind, str_from(steps[i].version), i};
    }
    affects_sort(scheme, &range);
    return affects_decide(scheme, &entry, str_from(version));
}

static void assert_decided(enum version_scheme scheme, const struct step *steps, size_t n,
                           const char *version, enum affected affected, const char *fixed)
{
    const struct affects_answer answer = decide(scheme, steps, n, version);
    if (answer.affected != affected || !str_eq(answer.fixed, str_from(fixed))) {
        print_error("%s: %s, fixed \"%.*s\"\n", version, affected_name(answer.affected),
                    STR_ARG(answer.fixed));
    }
    assert_int_equal(answer.affected, affected);
    assert_true(str_eq(answer.fixed, str_from(fixed)));
}

static void a_range_holds_from_introduced_to_just_below_fixed(void **state)
{
    (void)state;
    const struct step steps[] = {{I, "1.0.0"}, {F, "1.2.0"}};
    assert_decided(VERSION_SEMVER, steps, 2, "0.9.9", AFFECTED_NO, "");
    assert_decided(VERSION_SEMVER, steps, 2, "1.0.0-rc.1", AFFECTED_NO, "");
    assert_decided(VERSION_SEMVER, steps, 2, "1.0.0", AFFECTED_YES, "1.2.0");
    assert_decided(VERSION_SEMVER, steps, 2, "1.2.0-rc.1", AFFECTED_YES, "1.2.0");
    assert_decided(VERSION_SEMVER, steps, 2, "1.2.0", AFFECTED_NO, "");
}

static void last_affected_is_affected_itself_and_gives_no_fix(void **state)
{
    (void)state;
    const struct step steps[] = {{I, "0"}, {L, "2.3.1"}};
    assert_decided(VERSION_PEP440, steps, 2, "2.0.1+cu118", AFFECTED_YES, "");
    assert_decided(VERSION_PEP440, steps, 2, "2.3.1", AFFECTED_YES, "");
    assert_decided(VERSION_PEP440, steps, 2, "2.3.1.post1", AFFECTED_NO, "");
}

static void several_branches_each_have_their_own_fix_in_any_order(void **state)
{
    (void)state;
    const struct step steps[] = {{F, "7.5.2"}, {I, "7.0.0"}, {F, "5.7.2"},
                                 {I, "0"},     {I, "6.0.0"}, {F, "6.3.1"}};
    assert_decided(VERSION_SEMVER, steps, 6, "5.0.0", AFFECTED_YES, "5.7.2");
    assert_decided(VERSION_SEMVER, steps, 6, "5.7.2", AFFECTED_NO, "");
    assert_decided(VERSION_SEMVER, steps, 6, "6.3.0", AFFECTED_YES, "6.3.1");
    assert_decided(VERSION_SEMVER, steps, 6, "7.5.1", AFFECTED_YES, "7.5.2");
    assert_decided(VERSION_SEMVER, steps, 6, "8.0.0", AFFECTED_NO, "");
}

static void introduced_zero_is_below_every_pre_release(void **state)
{
    (void)state;
    const struct step steps[] = {{I, "0"}, {F, "0.0.1"}};
    assert_decided(VERSION_SEMVER, steps, 2, "0.0.0-0", AFFECTED_YES, "0.0.1");
}

static void what_the_scheme_cannot_read_is_unknown(void **state)
{
    (void)state;
    const struct step steps[] = {{I, "0"}, {F, "1.0.0"}};
    const struct step unreadable[] = {{I, "0"}, {F, "about 1.0"}};
    assert_decided(VERSION_SEMVER_LOOSE, steps, 2, "(devel)", AFFECTED_UNKNOWN, "");
    assert_decided(VERSION_SEMVER, steps, 2, "", AFFECTED_UNKNOWN, "");
    assert_decided(VERSION_SEMVER, unreadable, 2, "0.1.0", AFFECTED_UNKNOWN, "");
}

static void a_listed_version_is_affected_whatever_the_ranges_say(void **state)
{
    (void)state;
    const struct str versions[] = {STR("1.0"), STR("branch-x")};
    const struct affects_entry entry = {.versions = versions, .versions_count = 2};
    assert_int_equal(affects_decide(VERSION_PEP440, &entry, STR("1.0.0")).affected, AFFECTED_YES);
    assert_int_equal(affects_decide(VERSION_PEP440, &entry, STR("branch-x")).affected,
                     AFFECTED_YES);
    assert_int_equal(affects_decide(VERSION_PEP440, &entry, STR("1.0.1")).affected, AFFECTED_NO);
}

static void a_limit_ends_what_a_range_speaks_of(void **state)
{
    (void)state;
    const struct step limited[] = {{I, "0"}, {AFFECTS_LIMIT, "2.0.0"}};
    const struct step open[] = {{I, "0"}, {AFFECTS_LIMIT, "*"}};
    assert_decided(VERSION_SEMVER, limited, 2, "1.9.9", AFFECTED_YES, "");
    assert_decided(VERSION_SEMVER, limited, 2, "2.0.0", AFFECTED_NO, "");
    assert_decided(VERSION_SEMVER, open, 2, "2.0.0", AFFECTED_YES, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_holds_from_introduced_to_just_below_fixed),
        cmocka_unit_test(last_affected_is_affected_itself_and_gives_no_fix),
        cmocka_unit_test(several_branches_each_have_their_own_fix_in_any_order),
        cmocka_unit_test(introduced_zero_is_below_every_pre_release),
        cmocka_unit_test(what_the_scheme_cannot_read_is_unknown),
        cmocka_unit_test(a_listed_version_is_affected_whatever_the_ranges_say),
        cmocka_unit_test(a_limit_ends_what_a_range_speaks_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
