/* The contract of the ledger's port, against one backend: contract_test sqlite|postgres. Without
 * STELLA_TEST_POSTGRES the postgres run says so and exits 77 (skipped). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/suite.h"
#include "platform/clock.h"

enum { SKIPPED = 77 };

static int run_part(const char *name, const struct CMUnitTest *tests, size_t count)
{
    return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}

int main(int argc, char **argv)
{
    rig_backend = argc > 1 ? argv[1] : "sqlite";
    if (strcmp(rig_backend, "postgres") == 0 && getenv("STELLA_TEST_POSTGRES") == NULL) {
        puts("skipped: STELLA_TEST_POSTGRES is not set");
        return SKIPPED;
    }
    const char *seed = getenv("STELLA_TEST_SEED");
    rig_seed = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)clock_wall().us;
    printf("backend %s, STELLA_TEST_SEED=%llu\n", rig_backend, (unsigned long long)rig_seed);
    int failed = 0;
    failed += run_part("open", open_tests, open_test_count);
    failed += run_part("statements", statements_tests, statements_test_count);
    failed += run_part("rows", rows_tests, rows_test_count);
    failed += run_part("wants", wants_tests, wants_test_count);
    failed += run_part("groups", groups_tests, groups_test_count);
    failed += run_part("queries", queries_tests, queries_test_count);
    failed += run_part("summaries", summaries_tests, summaries_test_count);
    failed += run_part("blobs", blobs_tests, blobs_test_count);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
