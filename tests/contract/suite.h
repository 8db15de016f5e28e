/* tests/contract/suite - the parts of the contract suite; contract_test.c runs them all. */
#ifndef TESTS_CONTRACT_SUITE_H
#define TESTS_CONTRACT_SUITE_H

#include "contract/rig.h"

#define RIG_TEST(test)  cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
#define BARE_TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup_bare, rig_teardown)

extern const struct CMUnitTest open_tests[];
extern const size_t open_test_count;
extern const struct CMUnitTest statements_tests[];
extern const size_t statements_test_count;
extern const struct CMUnitTest rows_tests[];
extern const size_t rows_test_count;
extern const struct CMUnitTest wants_tests[];
extern const size_t wants_test_count;
extern const struct CMUnitTest groups_tests[];
extern const size_t groups_test_count;
extern const struct CMUnitTest queries_tests[];
extern const struct CMUnitTest summaries_tests[];
extern const size_t queries_test_count;
extern const size_t summaries_test_count;
extern const struct CMUnitTest blobs_tests[];
extern const size_t blobs_test_count;

#endif
