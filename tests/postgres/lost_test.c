/* Connections that end at the worst moment, and servers that say no. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/backend.h"
#include "postgres/proxy.h"
#include "postgres/suite.h"

enum { SHARD = 5, TENANT = 7, TEXT = 512 };

static const int16_t shards[] = {SHARD};

/* The rig's ledger, and one that reaches the same database through the proxy. */
struct lost {
    struct rig *rig;
    struct proxy *proxy;
    struct ledger *ledger;
    struct facts facts;
    struct err err;
};

static int lost_setup(void **state)
{
    struct lost *lost = calloc(1, sizeof(*lost));
    assert_non_null(lost);
    rig_setup((void **)&lost->rig);
    lost->proxy = proxy_new(lost->rig->url);
    const struct ledger_target target = {.url = proxy_url(lost->proxy), .row_security = true};
    assert_int_equal(ledger_open(&target, &lost->ledger, &lost->err), ERR_OK);
    *state = lost;
    return 0;
}

static int lost_teardown(void **state)
{
    struct lost *lost = *state;
    ledger_close(lost->ledger);
    proxy_free(lost->proxy);
    rig_teardown((void **)&lost->rig);
    free(lost);
    return 0;
}

static enum err_code begin(struct lost *lost, int64_t group)
{
    facts_init(&lost->facts, &lost->rig->arena, ledger_seed(lost->ledger), group);
    return ledger_begin(lost->ledger, shards, 1, &lost->facts, &lost->err);
}

/* A plan of one tenant's row, named after the group. */
static enum err_code commit(struct lost *lost, int64_t group)
{
    struct tenant_row *row = (struct tenant_row *)rig_row(lost->rig, TABLE_TENANTS);
    row->shard = SHARD;
    row->tenant = TENANT + (int32_t)group;
    row->name = STR("lost");
    struct plan plan = {0};
    VEC_PUSH(&lost->rig->arena, &plan.inserts[TABLE_TENANTS], &row->row);
    const enum err_code code = ledger_commit(lost->ledger, &plan, &lost->facts, &lost->err);
    facts_fini(&lost->facts);
    return code;
}

static size_t tenants_in(struct lost *lost)
{
    return rig_dump(lost->rig, TABLE_TENANTS).n;
}

static bool was_committed(struct lost *lost, int64_t group)
{
    bool committed = false;
    assert_int_equal(ledger_was_committed(lost->ledger, shards, 1, group, &committed, &lost->err),
                     ERR_OK);
    return committed;
}

static void a_group_commits_after_all(struct lost *lost, int64_t group)
{
    const size_t before = tenants_in(lost);
    assert_int_equal(begin(lost, group), ERR_OK);
    assert_int_equal(commit(lost, group), ERR_OK);
    assert_true(was_committed(lost, group));
    assert_int_equal(tenants_in(lost), before + 1);
}

static void a_commit_that_the_server_did_not_get_is_unknown_and_not_there(void **state)
{
    struct lost *lost = *state;
    assert_int_equal(begin(lost, 1), ERR_OK);
    proxy_cut(lost->proxy, PROXY_CUT_BEFORE_COMMIT);
    assert_int_equal(commit(lost, 1), ERR_COMMIT_UNKNOWN);
    assert_false(was_committed(lost, 1));
    assert_int_equal(tenants_in(lost), 0);
    a_group_commits_after_all(lost, 2);
}

static void a_commit_whose_answer_is_lost_is_unknown_and_there(void **state)
{
    struct lost *lost = *state;
    assert_int_equal(begin(lost, 1), ERR_OK);
    proxy_cut(lost->proxy, PROXY_CUT_AFTER_COMMIT);
    assert_int_equal(commit(lost, 1), ERR_COMMIT_UNKNOWN);
    assert_true(was_committed(lost, 1));
    assert_int_equal(tenants_in(lost), 1);
    a_group_commits_after_all(lost, 2);
}

static void a_connection_lost_in_begin_changes_nothing(void **state)
{
    struct lost *lost = *state;
    proxy_cut(lost->proxy, PROXY_CUT_BEFORE_LOCKS);
    assert_int_equal(begin(lost, 1), ERR_LEDGER_UNAVAILABLE);
    facts_fini(&lost->facts);
    assert_true(lost->err.retry_after_ms > 0);
    a_group_commits_after_all(lost, 2);
}

static void a_connection_lost_before_commit_was_sent_changes_nothing(void **state)
{
    struct lost *lost = *state;
    assert_int_equal(begin(lost, 1), ERR_OK);
    proxy_cut(lost->proxy, PROXY_CUT_NOW);
    proxy_wait_cut(lost->proxy);
    assert_int_equal(commit(lost, 1), ERR_LEDGER_UNAVAILABLE);
    assert_int_equal(tenants_in(lost), 0);
    a_group_commits_after_all(lost, 2);
}

static void an_idle_connection_that_was_lost_is_made_anew(void **state)
{
    struct lost *lost = *state;
    a_group_commits_after_all(lost, 1);
    proxy_cut(lost->proxy, PROXY_CUT_NOW);
    proxy_wait_cut(lost->proxy);
    assert_int_equal(begin(lost, 2), ERR_OK);
    assert_int_equal(commit(lost, 2), ERR_OK);
}

/* Runs a statement as the login. */
static void run_sql(struct lost *lost, const char *sql)
{
    PGconn *conn = PQconnectdb(lost->rig->url);
    assert_int_equal(PQstatus(conn), CONNECTION_OK);
    PQclear(PQexec(conn, "SET default_transaction_read_only = off"));
    PGresult *result = PQexec(conn, sql);
    assert_true(PQresultStatus(result) == PGRES_TUPLES_OK ||
                PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
    PQfinish(conn);
}

static void a_backend_that_is_ended_by_the_administrator_is_given_up(void **state)
{
    struct lost *lost = *state;
    assert_int_equal(begin(lost, 1), ERR_OK);
    run_sql(lost, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                  "WHERE datname = current_database() AND state = 'idle in transaction'");
    const enum err_code code = commit(lost, 1);
    assert_true(code == ERR_LEDGER_UNAVAILABLE || code == ERR_COMMIT_UNKNOWN);
    assert_false(was_committed(lost, 1));
    a_group_commits_after_all(lost, 2);
}

static void a_server_that_became_read_only_is_left(void **state)
{
    struct lost *lost = *state;
    run_sql(lost, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only "
                  "= on', current_database()); END $$");
    proxy_cut(lost->proxy, PROXY_CUT_NOW);
    proxy_wait_cut(lost->proxy);
    assert_int_equal(begin(lost, 1), ERR_LEDGER_UNAVAILABLE);
    facts_fini(&lost->facts);
    assert_int_equal(begin(lost, 1), ERR_LEDGER_UNAVAILABLE);
    facts_fini(&lost->facts);
    run_sql(lost, "DO $$ BEGIN EXECUTE format('ALTER "
                  "DATABASE %I RESET default_transaction_read_only', current_database()); END $$");
    a_group_commits_after_all(lost, 2);
}

static void what_the_server_cannot_do_now_changes_nothing(void **state)
{
    struct lost *lost = *state;
    static const char *const refusals[] = {
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END $$",
        "CREATE OR REPLACE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$",
    };

    for (int64_t i = 0; i < 2; i++) {
        run_sql(lost, refusals[i]);
        if (i == 0) {
            run_sql(lost, "CREATE TRIGGER refuse BEFORE INSERT ON stella.tenants "
                          "FOR EACH ROW EXECUTE FUNCTION public.refuse()");
        }
        assert_int_equal(begin(lost, i + 1), ERR_OK);
        assert_int_equal(commit(lost, i + 1), ERR_LEDGER_UNAVAILABLE);
        /* A deadlock is over at once, a full disk is not. */
        assert_true(i == 0 ? lost->err.retry_after_ms >= 1000 : lost->err.retry_after_ms < 100);
        assert_false(was_committed(lost, i + 1));
    }
    run_sql(lost, "DROP FUNCTION public.refuse() CASCADE");
    a_group_commits_after_all(lost, 3);
}

/* As the server says when a standby did not confirm: it is committed here, perhaps not there. */
static void a_commit_with_a_warning_is_unknown(void **state)
{
    struct lost *lost = *state;
    run_sql(lost, "CREATE FUNCTION public.warn() RETURNS trigger LANGUAGE plpgsql AS "
                  "$$ BEGIN RAISE WARNING 'not replicated' USING ERRCODE = '01000'; "
                  "RETURN NULL; END $$");
    run_sql(lost, "CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON stella.tenants "
                  "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.warn()");
    assert_int_equal(begin(lost, 1), ERR_OK);
    assert_int_equal(commit(lost, 1), ERR_COMMIT_UNKNOWN);
    assert_true(was_committed(lost, 1));
    run_sql(lost, "DROP FUNCTION public.warn() CASCADE");
    a_group_commits_after_all(lost, 2);
}

static void a_failed_statement_undoes_the_group(void **state)
{
    struct lost *lost = *state;
    assert_int_equal(begin(lost, 1), ERR_OK);
    /* Row security: a row of a shard that this group has not locked. */
    struct tenant_row *row = (struct tenant_row *)rig_row(lost->rig, TABLE_TENANTS);
    row->shard = SHARD + 1;
    row->tenant = TENANT;
    row->name = STR("elsewhere");
    struct plan plan = {0};
    VEC_PUSH(&lost->rig->arena, &plan.inserts[TABLE_TENANTS], &row->row);
    assert_int_equal(ledger_commit(lost->ledger, &plan, &lost->facts, &lost->err), ERR_INTERNAL);
    facts_fini(&lost->facts);
    assert_non_null(strstr(lost->err.message, "row-level security"));
    assert_int_equal(tenants_in(lost), 0);
    a_group_commits_after_all(lost, 2);
}

#define LOST_TEST(test) cmocka_unit_test_setup_teardown(test, lost_setup, lost_teardown)

const struct CMUnitTest lost_tests[] = {
    LOST_TEST(a_commit_that_the_server_did_not_get_is_unknown_and_not_there),
    LOST_TEST(a_commit_whose_answer_is_lost_is_unknown_and_there),
    LOST_TEST(a_connection_lost_in_begin_changes_nothing),
    LOST_TEST(a_connection_lost_before_commit_was_sent_changes_nothing),
    LOST_TEST(an_idle_connection_that_was_lost_is_made_anew),
    LOST_TEST(a_backend_that_is_ended_by_the_administrator_is_given_up),
    LOST_TEST(a_server_that_became_read_only_is_left),
    LOST_TEST(what_the_server_cannot_do_now_changes_nothing),
    LOST_TEST(a_commit_with_a_warning_is_unknown),
    LOST_TEST(a_failed_statement_undoes_the_group),
};
const size_t lost_test_count = sizeof(lost_tests) / sizeof(lost_tests[0]);
