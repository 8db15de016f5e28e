/* Base scores of the examples that FIRST publishes, and the corners of the formulas. */
#include "workers/lib/cvss.h"

#include "lib/cmocka.h"

struct example {
    const char *vector;
    int tenths;
};

static void base_scores_of_version_3_are_the_published_ones(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61},
        {"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64},
        {"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 31},
        {"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 99},
        {"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:L/E:P", 53},
        {"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98},
        {"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100},
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0},
        {"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 16},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        int tenths = -1;
        assert_true(cvss_base_v3(str_from(examples[i].vector), &tenths));
        if (tenths != examples[i].tenths) {
            print_error("%s\n", examples[i].vector);
        }
        assert_int_equal(tenths, examples[i].tenths);
    }
}

static void base_scores_of_version_2_are_the_published_ones(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"AV:N/AC:L/Au:N/C:P/I:P/A:P", 75}, {"AV:N/AC:L/Au:N/C:C/I:C/A:C", 100},
        {"AV:L/AC:H/Au:N/C:C/I:C/A:C", 62}, {"AV:N/AC:L/Au:N/C:N/I:N/A:C", 78},
        {"AV:N/AC:L/Au:N/C:N/I:N/A:N", 0},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        int tenths = -1;
        assert_true(cvss_base_v2(str_from(examples[i].vector), &tenths));
        assert_int_equal(tenths, examples[i].tenths);
    }
}

static void a_vector_that_lacks_a_metric_has_no_score(void **state)
{
    (void)state;
    int tenths = 0;
    assert_false(cvss_base_v3(STR(""), &tenths));
    assert_false(cvss_base_v3(STR("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/C:H/I:H/A:H"), &tenths));
    assert_false(cvss_base_v3(STR("CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), &tenths));
    assert_false(cvss_base_v2(STR("AV:N/AC:L/Au:N/C:P/I:P"), &tenths));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_scores_of_version_3_are_the_published_ones),
        cmocka_unit_test(base_scores_of_version_2_are_the_published_ones),
        cmocka_unit_test(a_vector_that_lacks_a_metric_has_no_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
