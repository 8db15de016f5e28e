/*
 * Plans are made once and kept. Made while the ledger was empty (and known to be), they must still
 * be good when it is full: keys are looked up, nothing is read whole. So must plans that the server
 * makes anew when it is full, still with the statistics of the empty ledger: it does that whenever
 * a session misses too many messages about the catalog, which a busy machine brings about. What is
 * counted is pages, not time.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ledger/backend.h"
#include "ledger/postgres/session.h"
#include "postgres/suite.h"

extern const struct statement_file tests_plans;

enum { KEYS = 100, TEXT = 4 * 1024, SQL_MAX = 64 * 1024 };

struct plans {
    struct rig *rig;
    struct session session;
    struct session reader;
    PGconn *conn; /* The session's, out of pipeline mode. */
    char ones[TEXT];
    char shards[TEXT];
    char tenants[TEXT];
    char jobs[TEXT];
    char hashes[TEXT];
};

static void run_as_login(const struct rig *rig, const char *name)
{
    PGconn *conn = PQconnectdb(rig->url);
    PGresult *result = PQexec(conn, session_sql(&tests_plans, name));
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail_msg("%s: %s", name, PQerrorMessage(conn));
    }
    PQclear(result);
    PQfinish(conn);
}

/* '{first,first+step,…}' of KEYS numbers. */
static void list_numbers(char *out, int64_t first, int64_t step)
{
    size_t len = 0;
    for (int i = 0; i < KEYS; i++) {
        const long long number = first + i * step;
        len += (size_t)snprintf(out + len, TEXT - len, "%s%lld", i == 0 ? "'{" : ",", number);
    }
    (void)snprintf(out + len, TEXT - len, "}'");
}

static PGresult *run_on(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    }
    return result;
}

static PGresult *run(struct plans *plans, const char *sql)
{
    return run_on(plans->conn, sql);
}

/* Fails when the plan of a statement reads a table whole. */
static void explain(struct plans *plans, const char *statement)
{
    char sql[1024];
    PGresult *described = PQdescribePrepared(plans->conn, statement);
    const int params = PQnparams(described);
    PQclear(described);
    int len = snprintf(sql, sizeof(sql), "EXPLAIN EXECUTE %s", statement);
    for (int i = 0; i < params; i++) {
        len += snprintf(sql + len, sizeof(sql) - (size_t)len, i == 0 ? "(NULL" : ",NULL");
    }
    (void)snprintf(sql + len, sizeof(sql) - (size_t)len, params > 0 ? ")" : "");
    PGresult *plan = run(plans, sql);
    for (int i = 0; i < PQntuples(plan); i++) {
        if (strstr(PQgetvalue(plan, i, 0), "Seq Scan") != NULL) {
            fail_msg("%s: %s", statement, PQgetvalue(plan, i, 0));
        }
    }
    PQclear(plan);
}

static void explain_all(struct plans *plans)
{
    const struct statement_file *const files[] = {&postgres_load, &postgres_apply};

    for (size_t f = 0; f < 2; f++) {
        for (size_t i = 0; i < files[f]->count; i++) {
            explain(plans, files[f]->statements[i].name);
        }
    }
}

static int64_t number_after(const char *text, const char *word)
{
    const char *at = strstr(text, word);
    return at == NULL ? 0 : strtoll(at + strlen(word), NULL, 10);
}

/* Pages that the statement touched. */
static int64_t pages_on(PGconn *conn, const char *statement, const char *args)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_format(&sql,
               "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF, FORMAT JSON) EXECUTE %s(%s)",
               statement, args);
    buf_char(&sql, '\0');
    PGresult *plan = run_on(conn, sql.ptr);
    const char *text = PQgetvalue(plan, 0, 0);
    const int64_t pages = number_after(text, "\"Shared Hit Blocks\": ") +
                          number_after(text, "\"Shared Read Blocks\": ");
    PQclear(plan);
    buf_fini(&sql);
    return pages;
}

static int64_t pages_of(struct plans *plans, const char *statement, const char *args)
{
    return pages_on(plans->conn, statement, args);
}

/* The first arguments are KEYS times shard 3 and tenant 2, the others as given, ended by null. */
static void expect(struct plans *plans, int64_t most, const char *statement,
                   const char *const *others)
{
    struct buf args;
    buf_init(&args, SQL_MAX);
    buf_format(&args, "%s,%s", plans->shards, plans->tenants);
    for (size_t i = 0; others[i] != NULL; i++) {
        buf_format(&args, ",%s", others[i]);
    }
    buf_char(&args, '\0');
    const int64_t pages = pages_of(plans, statement, args.ptr);
    buf_fini(&args);
    if (pages > most) {
        fail_msg("%s touched %lld pages, %lld are enough", statement, (long long)pages,
                 (long long)most);
    }
}

#define OTHERS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void list_all(struct plans *plans)
{
    list_numbers(plans->shards, 3, 0);
    list_numbers(plans->tenants, 2, 0);
    list_numbers(plans->ones, 1, 0);
    list_numbers(plans->jobs, 1000, 1900);
    list_numbers(plans->hashes, 7919000, INT64_C(7919) * 1900);
}

static int plans_teardown(void **state)
{
    struct plans *plans = *state;
    struct rig *rig = plans->rig;
    session_fini(&plans->reader);
    session_fini(&plans->session);
    free(plans);
    *state = rig;
    return rig_teardown(state);
}

/* A page of job objects, as a reader asks for it. */
static void expect_pages(struct plans *plans)
{
    static const char *const pages[] = {"jobs_page", "jobs_delayed_page", "jobs_blocked_page",
                                        "jobs_held_page"};

    PGconn *conn = plans->reader.conn;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        /* Seven rows an object, each three or four pages of an index and one of the table. */
        assert_true(pages_on(conn, pages[i], "3,2,1000,100") < 35 * 100);
    }
    assert_true(pages_on(conn, "jobs_ready_page", "3,2,0,0,0,100") < 35 * 100);
    assert_true(pages_on(conn, "jobs_leased_page", "3,2,0,100,false") < 35 * 100);
    assert_true(pages_on(conn, "jobs_of_run_page", "3,2,7,0,100") < 35 * 100);
    assert_true(pages_on(conn, "run_nodes_page", "3,2,7,0,100") < 35 * 100);
    assert_true(pages_on(conn, "run_payloads_page", "3,2,7,0,100") < 10 * 100);
    assert_true(pages_on(conn, "job_submitted_after", "3,2,1000") < 35);
}

static void connect_reader(struct plans *plans)
{
    struct rig *rig = plans->rig;
    session_init(&plans->reader, &rig->target, SESSION_READER);
    session_add_file(&plans->reader, &postgres_queries);
    rig_ok(rig, session_connect(&plans->reader, &rig->err));
    assert_int_equal(PQexitPipelineMode(plans->reader.conn), 1);
    PQclear(run_on(plans->reader.conn, "SET statement_timeout = 0"));
    PQclear(run_on(plans->reader.conn, "SET stella.tenant = '2'"));
    expect_pages(plans);
}

/* A session whose statements were prepared and planned while the ledger was empty, and the ledger
 * full. */
static int plans_setup(void **state)
{
    struct plans *plans = calloc(1, sizeof(*plans));
    assert_non_null(plans);
    if (rig_setup(state) != 0) {
        return -1;
    }
    struct rig *rig = plans->rig = *state;
    *state = plans;
    list_all(plans);
    run_as_login(rig, "keep_statistics");
    run_as_login(rig, "analyse");
    session_init(&plans->session, &rig->target, SESSION_ENGINE);
    session_add_file(&plans->session, &postgres_load);
    session_add_file(&plans->session, &postgres_apply);
    rig_ok(rig, session_connect(&plans->session, &rig->err));
    plans->conn = plans->session.conn;
    assert_int_equal(PQexitPipelineMode(plans->conn), 1);
    /* Filling takes its time, and nobody waits for this transaction. */
    PQclear(run(plans, "SET statement_timeout = 0"));
    PQclear(run(plans, "SET idle_in_transaction_session_timeout = 0"));
    PQclear(run(plans, "BEGIN"));
    explain_all(plans);
    PQclear(run(plans, "COMMIT"));
    connect_reader(plans);
    run_as_login(rig, "fill");
    PQclear(run(plans, "BEGIN"));
    PQclear(run(plans, "SELECT set_config('stella.shards', '{3}', true)"));
    return 0;
}

static void expect_loads(struct plans *plans)
{
    static const char *const by_job[] = {
        "load_leased",          "load_outcome",  "load_job", "load_waiting_blocked",
        "load_waiting_delayed", "load_settling", "load_run"};

    /* Three or four pages of the index, one of the table. */
    for (size_t i = 0; i < sizeof(by_job) / sizeof(by_job[0]); i++) {
        expect(plans, 6 * KEYS, by_job[i], OTHERS(plans->jobs));
    }
    expect(plans, 12 * KEYS, "load_waiting_ready", OTHERS(plans->jobs));
    expect(plans, 6 * KEYS, "load_lane", OTHERS(plans->ones));
    expect(plans, 6 * KEYS, "load_job_key", OTHERS(plans->hashes, plans->ones));
    /* All lanes of the tenant are looked at, and 64 x 10 heads. */
    assert_true(pages_of(plans, "load_open_heads", "'{3}','{2}','{\"ingest\\n\"}','{1}','{10}'") <
                2500);
    assert_true(pages_of(plans, "load_run_jobs", "'{3}','{2}','{7}','{0}','{100}'") < 300);
    assert_true(pages_of(plans, "load_edges_from", "'{3}','{2}','{7}','{0}','{100}'") < 10);
    assert_true(pages_of(plans, "load_edges_to", "'{3}','{2}','{7}','{0}','{100}'") < 10);
    assert_true(pages_of(plans, "load_old_job_keys", "'{3}','{2}','{64}'") < 100);
    assert_true(pages_of(plans, "load_old_request_keys", "'{3}','{2}','{64}'") < 200);
    assert_true(pages_of(plans, "load_jobs_after", "'{3}','{2}','{7}','{64}'") < 100);
    assert_true(pages_of(plans, "load_late_outcomes", "'{3}','{2}','{64}'") < 20);
    assert_true(pages_of(plans, "load_texts", "'{3}','{2}','{7}','{64}'") < 20);
    assert_true(pages_of(plans, "load_due_delayed", "'{3}','{100}'") < 300);
    assert_true(pages_of(plans, "load_due_deadlines", "'{3}','{100}'") < 300);
    assert_true(pages_of(plans, "load_all_settling", "'{3}','{100}'") < 300);
}

static void expect_writes(struct plans *plans)
{
    PGresult *places = run(plans, session_sql(&tests_plans, "places"));
    char quoted[TEXT];
    (void)snprintf(quoted, sizeof(quoted), "'%s'", PQgetvalue(places, 0, 0));
    PQclear(places);
    /* A page by its place, and what a new version of the row may need in the indexes. */
    expect(plans, 6 * KEYS, "delete_ready", OTHERS(quoted));
    expect(plans, 20 * KEYS, "update_delayed",
           OTHERS(quoted, plans->ones, plans->ones, plans->ones, plans->ones, plans->ones,
                  plans->ones, plans->ones, plans->ones, plans->ones, plans->ones, plans->ones));
}

static void plans_made_while_empty_are_good_when_full(void **state)
{
    struct plans *plans = *state;
    explain_all(plans);
    expect_loads(plans);
    expect_writes(plans);
    expect_pages(plans);
}

static void plans_made_when_full_by_old_statistics_are_good(void **state)
{
    struct plans *plans = *state;
    PQclear(run(plans, "DISCARD PLANS"));
    PQclear(run_on(plans->reader.conn, "DISCARD PLANS"));
    explain_all(plans);
    expect_loads(plans);
    expect_writes(plans);
    expect_pages(plans);
}

#define PLANS_TEST(test) cmocka_unit_test_setup_teardown(test, plans_setup, plans_teardown)

const struct CMUnitTest plans_tests[] = {
    PLANS_TEST(plans_made_while_empty_are_good_when_full),
    PLANS_TEST(plans_made_when_full_by_old_statistics_are_good),
};
const size_t plans_test_count = sizeof(plans_tests) / sizeof(plans_tests[0]);
