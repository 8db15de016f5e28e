/* Opening, migrating, locking. */
#include <string.h>

#include "contract/fresh.h"
#include "contract/suite.h"

static void a_ledger_without_schema_is_outdated(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(ledger_open(&rig->target, &rig->ledger, &rig->err), ERR_LEDGER_OUTDATED);
    assert_int_equal(reader_open(&rig->target, &rig->reader, &rig->err), ERR_LEDGER_OUTDATED);
}

static void migrating_twice_changes_nothing(void **state)
{
    struct rig *rig = *state;
    const struct hash_key seed = ledger_seed(rig->ledger);
    rig_close(rig);
    rig_ok(rig, ledger_migrate(&rig->target, rig_progress, &rig->err));
    rig_open(rig);
    const struct hash_key again = ledger_seed(rig->ledger);
    assert_memory_equal(&seed, &again, sizeof(seed));
    assert_int_equal(rig_dump(rig, TABLE_SHARDS).n, SHARD_COUNT);
}

static void two_ledgers_have_different_seeds(void **state)
{
    struct rig *rig = *state;
    void *second = NULL;
    rig_setup(&second);
    const struct hash_key a = ledger_seed(rig->ledger);
    const struct hash_key b = ledger_seed(((struct rig *)second)->ledger);
    assert_memory_not_equal(&a, &b, sizeof(a));
    rig_teardown(&second);
}

static void another_schema_is_refused(void **state)
{
    struct rig *rig = *state;
    rig_close(rig);
    fresh_execute(rig->url, "UPDATE ledger SET schema_version = 99");
    assert_int_equal(ledger_open(&rig->target, &rig->ledger, &rig->err), ERR_LEDGER_OUTDATED);
    assert_int_equal(reader_open(&rig->target, &rig->reader, &rig->err), ERR_LEDGER_OUTDATED);
    assert_int_equal(ledger_migrate(&rig->target, rig_progress, &rig->err), ERR_LEDGER_OUTDATED);
}

static void a_single_writer_locks_everyone_else_out(void **state)
{
    struct rig *rig = *state;
    if (!ledger_backend(rig->ledger)->single_writer) {
        struct ledger *second = NULL;
        rig_ok(rig, ledger_open(&rig->target, &second, &rig->err));
        ledger_close(second);
        return;
    }
    struct ledger *second = NULL;
    assert_int_equal(ledger_open(&rig->target, &second, &rig->err), ERR_LEDGER_LOCKED);
    assert_int_equal(ledger_migrate(&rig->target, rig_progress, &rig->err), ERR_LEDGER_LOCKED);
    rig_close(rig);
    rig_open(rig);
}

static void an_unknown_scheme_is_refused(void **state)
{
    struct rig *rig = *state;
    const struct ledger_target target = {.url = "mysql://x"};
    assert_int_equal(ledger_open(&target, &rig->ledger, &rig->err), ERR_USAGE);
}

static void what_was_committed_is_there_after_reopening(void **state)
{
    struct rig *rig = *state;
    struct plan plan = {0};
    struct tenant_row *tenant = (struct tenant_row *)rig_row(rig, TABLE_TENANTS);
    tenant->shard = 3;
    tenant->tenant = 7;
    tenant->name = STR("acme");
    VEC_PUSH(&rig->arena, &plan.inserts[TABLE_TENANTS], &tenant->row);
    rig_write(rig, &plan);
    rig_close(rig);
    rig_open(rig);
    const row_list found = rig_dump(rig, TABLE_TENANTS);
    assert_int_equal(found.n, 1);
    assert_rows_equal(found.v[0], &tenant->row);
}

const struct CMUnitTest open_tests[] = {
    BARE_TEST(a_ledger_without_schema_is_outdated),
    RIG_TEST(migrating_twice_changes_nothing),
    RIG_TEST(two_ledgers_have_different_seeds),
    RIG_TEST(another_schema_is_refused),
    RIG_TEST(a_single_writer_locks_everyone_else_out),
    BARE_TEST(an_unknown_scheme_is_refused),
    RIG_TEST(what_was_committed_is_there_after_reopening),
};
const size_t open_test_count = sizeof(open_tests) / sizeof(open_tests[0]);
