/* Policies: the first rule that matches gives the verdict. */
#include "workers/lib/policy.h"

#include "lib/cmocka.h"

#include <string.h>

static struct arena arena;
static struct policy policy;

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

static void read_default(void)
{
    struct err err = {0};
    assert_int_equal(policy_read(&arena, policy_default_text(), &policy, &err), ERR_OK);
}

static enum verdict decide(enum affected affected, enum vex_status vex, bool informational)
{
    return policy_decide(&policy, &(struct policy_facts){.affected = affected,
                                                         .vex = vex,
                                                         .ecosystem = ECOSYSTEM_NPM,
                                                         .informational = informational});
}

static void the_default_gives_each_kind_of_finding_its_verdict(void **state)
{
    (void)state;
    read_default();
    assert_int_equal(decide(AFFECTED_NO, VEX_NONE, true), VERDICT_PASS);
    assert_int_equal(decide(AFFECTED_YES, VEX_NOT_AFFECTED, true), VERDICT_SUPPRESSED);
    assert_int_equal(decide(AFFECTED_YES, VEX_FIXED, false), VERDICT_SUPPRESSED);
    assert_int_equal(decide(AFFECTED_UNKNOWN, VEX_NONE, false), VERDICT_WARN);
    assert_int_equal(decide(AFFECTED_YES, VEX_NONE, true), VERDICT_WARN);
    assert_int_equal(decide(AFFECTED_YES, VEX_AFFECTED, false), VERDICT_FAIL);
    assert_int_equal(decide(AFFECTED_YES, VEX_UNDER_INVESTIGATION, false), VERDICT_FAIL);
    assert_int_equal(decide(AFFECTED_YES, VEX_NONE, false), VERDICT_FAIL);
}

static void all_conditions_of_a_rule_must_hold(void **state)
{
    (void)state;
    struct err err = {0};
    const struct str text =
        STR("{\"id\":\"a\",\"version\":\"2\",\"rules\":["
            "{\"when\":{\"affected\":[\"yes\",\"unknown\"],\"ecosystem\":\"npm\","
            "\"informational\":false,\"vex\":[\"none\"]},\"verdict\":\"warn\"},"
            "{\"when\":{\"ecosystem\":[\"PyPI\"]},\"verdict\":\"pass\"}]}");
    assert_int_equal(policy_read(&arena, text, &policy, &err), ERR_OK);
    assert_int_equal(decide(AFFECTED_UNKNOWN, VEX_NONE, false), VERDICT_WARN);
    assert_int_equal(decide(AFFECTED_YES, VEX_NONE, true), VERDICT_FAIL);
    assert_int_equal(decide(AFFECTED_YES, VEX_FIXED, false), VERDICT_FAIL);
    assert_true(str_eq(policy.version, STR("2")));
}

static void a_gap_in_the_rules_fails(void **state)
{
    (void)state;
    struct err err = {0};
    const struct str text = STR("{\"id\":\"a\",\"version\":\"1\",\"rules\":[]}");
    assert_int_equal(policy_read(&arena, text, &policy, &err), ERR_OK);
    assert_int_equal(decide(AFFECTED_NO, VEX_NONE, false), VERDICT_FAIL);
}

static void the_digest_is_that_of_the_content_not_of_the_spelling(void **state)
{
    (void)state;
    struct err err = {0};
    struct policy other;
    const struct str one = STR("{\"id\":\"a\",\"version\":\"1\",\"rules\":[]}");
    const struct str two = STR(" {\"rules\": [], \"version\": \"1\", \"id\": \"\\u0061\"}\n");
    assert_int_equal(policy_read(&arena, one, &policy, &err), ERR_OK);
    assert_int_equal(policy_read(&arena, two, &other, &err), ERR_OK);
    assert_true(sha256_eq(&policy.digest, &other.digest));
    read_default();
    assert_false(sha256_eq(&policy.digest, &other.digest));
}

static void assert_refused(const char *text, enum err_code code, const char *pointer)
{
    struct err err = {0};
    assert_int_equal(policy_read(&arena, str_from(text), &policy, &err), code);
    assert_string_equal(err.pointer, pointer);
}

static void a_policy_with_a_slip_is_refused_with_its_place(void **state)
{
    (void)state;
    assert_refused("{", ERR_MALFORMED_JSON, "");
    assert_refused("[]", ERR_UNPROCESSABLE, "");
    assert_refused("{\"id\":\"a\",\"rules\":[]}", ERR_UNPROCESSABLE, "");
    assert_refused("{\"id\":\"a\",\"version\":\"1\",\"rules\":[],\"x\":1}", ERR_UNPROCESSABLE, "");
    assert_refused("{\"id\":\"a\",\"version\":\"1\",\"rules\":[{\"when\":{},\"verdict\":\"no\"}]}",
                   ERR_UNPROCESSABLE, "/rules/0");
    assert_refused("{\"id\":\"a\",\"version\":\"1\",\"rules\":[{\"when\":{\"affected\":\"y\"},"
                   "\"verdict\":\"warn\"}]}",
                   ERR_UNPROCESSABLE, "/rules/0/when/affected");
    assert_refused("{\"id\":\"a\",\"version\":\"1\",\"rules\":[{\"when\":{\"severity\":\"high\"},"
                   "\"verdict\":\"warn\"}]}",
                   ERR_UNPROCESSABLE, "/rules/0/when/severity");
    assert_refused("{\"id\":\"a\",\"version\":\"1\",\"rules\":[{\"when\":{\"ecosystem\":[]},"
                   "\"verdict\":\"warn\"}]}",
                   ERR_UNPROCESSABLE, "/rules/0/when/ecosystem");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_gives_each_kind_of_finding_its_verdict),
        cmocka_unit_test(all_conditions_of_a_rule_must_hold),
        cmocka_unit_test(a_gap_in_the_rules_fails),
        cmocka_unit_test(the_digest_is_that_of_the_content_not_of_the_spelling),
        cmocka_unit_test(a_policy_with_a_slip_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
