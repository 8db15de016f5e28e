/* Needs STELLA_TEST_POSTGRES: the URL of a database whose user may create others and roles. */
#include <stdio.h>
#include <stdlib.h>

#include "postgres/suite.h"

enum { SKIPPED = 77 };

int main(void)
{
    if (getenv("STELLA_TEST_POSTGRES") == NULL) {
        printf("skipped: STELLA_TEST_POSTGRES is not set\n");
        return SKIPPED;
    }
    rig_backend = "postgres";
    int failed = _cmocka_run_group_tests("schema", schema_tests, schema_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("plans", plans_tests, plans_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("lost", lost_tests, lost_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("nodes", nodes_tests, nodes_test_count, NULL, NULL);
    return failed == 0 ? 0 : 1;
}
