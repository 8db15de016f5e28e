/* tests/postgres/suite - what only PostgreSQL has: its schema, its plans, its ways to fail. */
#ifndef TESTS_POSTGRES_SUITE_H
#define TESTS_POSTGRES_SUITE_H

#include "contract/rig.h"

#define RIG_TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

extern const struct CMUnitTest schema_tests[];
extern const size_t schema_test_count;
extern const struct CMUnitTest plans_tests[];
extern const size_t plans_test_count;
extern const struct CMUnitTest lost_tests[];
extern const size_t lost_test_count;
extern const struct CMUnitTest nodes_tests[];
extern const size_t nodes_test_count;

#endif
