/* Who may see and do what; and that migrate makes it so, once, however often it is called. */
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "ledger/backend.h"
#include "ledger/postgres/session.h"
#include "postgres/suite.h"

extern const struct statement_file tests_sweep;

static PGconn *connect_as(const struct rig *rig, const char *role)
{
    char sql[128];
    PGconn *conn = PQconnectdb(rig->url);
    assert_int_equal(PQstatus(conn), CONNECTION_OK);
    (void)snprintf(sql, sizeof(sql), "SET search_path = stella; SET ROLE %s", role);
    PQclear(PQexec(conn, sql));
    return conn;
}

/* The one value that the query gives, as text; "" for none; "!SQLSTATE" when it is refused. */
static const char *ask(PGconn *conn, const char *sql)
{
    static char answer[128];
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        (void)snprintf(answer, sizeof(answer), "%s",
                       PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    } else if (PQresultStatus(result) == PGRES_COMMAND_OK) {
        (void)snprintf(answer, sizeof(answer), "%s", PQcmdTuples(result));
    } else {
        (void)snprintf(answer, sizeof(answer), "!%s", PQresultErrorField(result, PG_DIAG_SQLSTATE));
    }
    PQclear(result);
    return answer;
}

static void the_schema_has_no_way_round_row_security(void **state)
{
    struct rig *rig = *state;
    PGconn *conn = PQconnectdb(rig->url);
    for (size_t i = 0; i < tests_sweep.count; i++) {
        PGresult *result = PQexec(conn, tests_sweep.statements[i].sql);
        if (PQresultStatus(result) != PGRES_TUPLES_OK) {
            fail_msg("%s: %s", tests_sweep.statements[i].name, PQerrorMessage(conn));
        }
        if (PQntuples(result) != 0) {
            fail_msg("%s: %s", tests_sweep.statements[i].name, PQgetvalue(result, 0, 0));
        }
        PQclear(result);
    }
    PQfinish(conn);
}

/* Tenants 2 in shard 1 and 3 in shard 2, a job each. */
static void write_two_tenants(struct rig *rig)
{
    struct plan plan = {0};
    for (int16_t i = 1; i <= 2; i++) {
        struct tenant_row *tenant = (struct tenant_row *)rig_row(rig, TABLE_TENANTS);
        struct job_row *job = (struct job_row *)rig_row(rig, TABLE_JOBS);
        tenant->shard = job->shard = i;
        tenant->tenant = job->tenant = i + 1;
        job->job = 1;
        VEC_PUSH(&rig->arena, &plan.inserts[TABLE_TENANTS], &tenant->row);
        VEC_PUSH(&rig->arena, &plan.inserts[TABLE_JOBS], &job->row);
    }
    rig_write(rig, &plan);
}

static void the_engine_sees_and_changes_just_the_shards_it_named(void **state)
{
    struct rig *rig = *state;
    write_two_tenants(rig);
    PGconn *conn = connect_as(rig, "stella_engine");
    assert_string_equal(ask(conn, "SELECT count(*) FROM jobs"), "0");
    (void)ask(conn, "BEGIN");
    (void)ask(conn, "SELECT set_config('stella.shards', '{1}', true)");
    assert_string_equal(ask(conn, "SELECT count(*) FROM jobs"), "1");
    assert_string_equal(ask(conn, "UPDATE tenants SET weight = 9"), "1");
    assert_string_equal(ask(conn, "DELETE FROM tenants WHERE shard = 2"), "0");
    assert_string_equal(ask(conn, "UPDATE tenants SET shard = 2"), "!42501");
    (void)ask(conn, "ROLLBACK");
    /* After the transaction the setting is empty, not absent: still nothing. */
    assert_string_equal(ask(conn, "SELECT count(*) FROM jobs"), "0");
    assert_string_equal(ask(conn, "TRUNCATE jobs"), "!42501");
    assert_string_equal(ask(conn, "UPDATE history SET count = 0"), "!42501");
    assert_string_equal(ask(conn, "ALTER TABLE jobs DISABLE ROW LEVEL SECURITY"), "!42501");
    PQfinish(conn);
}

static void a_reader_sees_just_its_tenant_or_says_that_it_reads_across(void **state)
{
    struct rig *rig = *state;
    write_two_tenants(rig);
    PGconn *conn = connect_as(rig, "stella_reader");
    assert_string_equal(ask(conn, "SELECT count(*) FROM jobs"), "0");
    assert_string_equal(ask(conn, "SELECT count(*) FROM job_objects"), "0");
    (void)ask(conn, "BEGIN");
    (void)ask(conn, "SELECT set_config('stella.tenant', '2', true)");
    assert_string_equal(ask(conn, "SELECT count(*) FROM jobs"), "1");
    assert_string_equal(ask(conn, "SELECT tenant FROM job_objects"), "2");
    (void)ask(conn, "SELECT set_config('stella.tenant', '0', true)");
    assert_string_equal(ask(conn, "SELECT count(*) FROM jobs"), "2");
    (void)ask(conn, "COMMIT");
    assert_string_equal(ask(conn, "SELECT count(*) FROM jobs"), "0");
    assert_string_equal(ask(conn, "DELETE FROM jobs"), "!42501");
    assert_string_equal(ask(conn, "SELECT count(*) FROM blobs"), "!42501");
    PQfinish(conn);
}

static void even_the_owner_is_held_by_row_security(void **state)
{
    struct rig *rig = *state;
    write_two_tenants(rig);
    PGconn *conn = connect_as(rig, "stella_owner");
    assert_string_equal(ask(conn, "SELECT count(*) FROM jobs"), "0");
    PQfinish(conn);
}

static void a_ledger_without_row_security_is_refused(void **state)
{
    struct rig *rig = *state;
    struct ledger *ledger = NULL;
    PGconn *conn = connect_as(rig, "stella_owner");
    assert_string_equal(ask(conn, "ALTER TABLE jobs DISABLE ROW LEVEL SECURITY"), "");
    PQfinish(conn);
    assert_int_equal(ledger_open(&rig->target, &ledger, &rig->err), ERR_LEDGER_OUTDATED);
    assert_non_null(strstr(rig->err.message, "Row security"));
}

static void *migrate_once(void *ctx)
{
    const struct rig *rig = ctx;
    struct err err = {0};
    const enum err_code code = ledger_migrate(&rig->target, rig_progress, &err);
    if (code != ERR_OK) {
        printf("%s\n", err.message);
    }
    return code == ERR_OK ? NULL : ctx;
}

static void several_may_migrate_at_once_and_again(void **state)
{
    struct rig *rig = *state;
    PGconn *conn = PQconnectdb(rig->url);
    PQclear(PQexec(conn, "SET client_min_messages = warning; DROP SCHEMA stella CASCADE"));
    PQfinish(conn);
    rig_close(rig);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, migrate_once, rig), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_null(migrate_once(rig));
    rig_open(rig);
    assert_int_equal(rig_dump(rig, TABLE_SHARDS).n, SHARD_COUNT);
}

/* Results of load.sql must be in the order of core/tables.c: their names say so. */
static void loads_give_the_columns_in_order(void **state)
{
    struct rig *rig = *state;
    struct session session;
    session_init(&session, &rig->target, SESSION_ENGINE);
    session_add_file(&session, &postgres_load);
    rig_ok(rig, session_connect(&session, &rig->err));
    assert_int_equal(PQexitPipelineMode(session.conn), 1);
    for (int kind = 0; kind < WANT_COUNT; kind++) {
        const struct want_loads *loads = want_loads_of((enum want_kind)kind);
        for (size_t i = 0; i < loads->count; i++) {
            const struct table *table = table_get(loads->loads[i].table);
            PGresult *result = PQdescribePrepared(session.conn, loads->loads[i].statement);
            assert_int_equal(PQnfields(result), table->column_count + 2);
            assert_string_equal(PQfname(result, 1), "ctid");
            for (size_t c = 0; c < table->column_count; c++) {
                assert_string_equal(PQfname(result, (int)c + 2), table->columns[c].name);
            }
            PQclear(result);
        }
    }
    session_fini(&session);
}

const struct CMUnitTest schema_tests[] = {
    RIG_TEST(the_schema_has_no_way_round_row_security),
    RIG_TEST(the_engine_sees_and_changes_just_the_shards_it_named),
    RIG_TEST(a_reader_sees_just_its_tenant_or_says_that_it_reads_across),
    RIG_TEST(even_the_owner_is_held_by_row_security),
    RIG_TEST(a_ledger_without_row_security_is_refused),
    RIG_TEST(several_may_migrate_at_once_and_again),
    RIG_TEST(loads_give_the_columns_in_order),
};
const size_t schema_test_count = sizeof(schema_tests) / sizeof(schema_tests[0]);
