/* Statements: each prepares, each want and each table has its own, recounts find what is wrong. */
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "contract/suite.h"
#include "contract/world.h"
#include "core/state.h"
#include "ledger/postgres/session.h"
#include "ledger/sqlite/database.h"

static void prepare_all(sqlite3 *db, const struct statement_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        sqlite3_stmt *prepared = NULL;
        if (sqlite3_prepare_v2(db, file->statements[i].sql, -1, &prepared, NULL) != SQLITE_OK) {
            fail_msg("%s: %s", file->statements[i].name, sqlite3_errmsg(db));
        }
        const size_t count = file->statements[i].arg_count;
        if (count > 0) {
            assert_int_equal(sqlite3_bind_parameter_count(prepared), count);
        }
        sqlite3_finalize(prepared);
    }
}

static void prepare_all_sqlite(const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    prepare_all(db, &sqlite_load);
    prepare_all(db, &sqlite_apply);
    prepare_all(db, &sqlite_queries);
    prepare_all(db, &shared_counters);
    sqlite3_close(db);
}

static void prepare_all_postgres(const char *url)
{
    static const struct statement_file *const files[] = {&postgres_load, &postgres_apply,
                                                         &postgres_queries, &shared_counters};
    PGconn *connection = PQconnectdb(url);
    assert_int_equal(PQstatus(connection), CONNECTION_OK);
    PQclear(PQexec(connection, "SET search_path = stella"));
    for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
        for (size_t i = 0; i < files[f]->count; i++) {
            PGresult *result = PQprepare(connection, files[f]->statements[i].name,
                                         files[f]->statements[i].sql, 0, NULL);
            if (PQresultStatus(result) != PGRES_COMMAND_OK) {
                fail_msg("%s: %s", files[f]->statements[i].name, PQerrorMessage(connection));
            }
            PQclear(result);
        }
    }
    PQfinish(connection);
}

static void every_statement_prepares(void **state)
{
    struct rig *rig = *state;
    if (strcmp(rig->backend, "sqlite") == 0) {
        prepare_all_sqlite(rig->url + strlen("sqlite:"));
    } else {
        prepare_all_postgres(rig->url);
    }
}

/* PostgreSQL's barrier after a lost COMMIT; SQLite's COMMIT is never lost. */
static bool is_of_one_only(const char *name)
{
    return strcmp(name, "touch_shards") == 0;
}

static void assert_has_all_of(const struct statement_file *one, const struct statement_file *other)
{
    for (size_t i = 0; i < one->count; i++) {
        const struct statement *statement = &one->statements[i];
        if (is_of_one_only(statement->name)) {
            continue;
        }
        const struct statement *same = statement_find(other, str_from(statement->name));
        if (same == NULL) {
            fail_msg("%s.sql of the other backend lacks %s", one->name, statement->name);
            return;
        }
        /* Loads and writes take rows, or arrays of them; only readers call by argument. */
        const size_t args = one == &sqlite_queries ? same->arg_count : 0;
        assert_true(args == 0 || args == statement->arg_count);
        for (size_t a = 0; a < args; a++) {
            assert_string_equal(statement->args[a], same->args[a]);
        }
    }
}

static void both_backends_have_the_same_statements(void **state)
{
    (void)state;
    static const struct statement_file *const pairs[][2] = {
        {&sqlite_load, &postgres_load},
        {&sqlite_apply, &postgres_apply},
        {&sqlite_queries, &postgres_queries},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_has_all_of(pairs[i][0], pairs[i][1]);
        assert_has_all_of(pairs[i][1], pairs[i][0]);
    }
}

static void every_table_can_be_written_and_dumped(void **state)
{
    (void)state;
    static const char *const verbs[] = {"insert", "delete", "dump"};
    for (int table = TABLE_SHARDS + 1; table < TABLE_COUNT; table++) {
        for (size_t i = 0; i < 3; i++) {
            char name[64];
            (void)snprintf(name, sizeof(name), "%s_%s", verbs[i],
                           table_get((enum table_id)table)->name);
            const struct statement_file *file = i == 2 ? &sqlite_queries : &sqlite_apply;
            assert_non_null(statement_find(file, str_from(name)));
        }
    }
}

static void every_want_has_its_statements(void **state)
{
    (void)state;
    for (int kind = 0; kind < WANT_COUNT; kind++) {
        const struct want_loads *loads = want_loads_of((enum want_kind)kind);
        assert_true(loads->count > 0);
        for (size_t i = 0; i < loads->count; i++) {
            assert_non_null(statement_find(&sqlite_load, str_from(loads->loads[i].statement)));
        }
    }
}

/* ---- Recounts ---- */

static counter_fault_list scrub(struct rig *rig)
{
    counter_fault_list faults = {0};
    rig_ok(rig, ledger_scrub(rig->reader, &rig->arena, &faults, &rig->err));
    return faults;
}

/* A tenant with one run and a job in each place; every counter right. */
static void write_counted(struct rig *rig)
{
    static const enum table_id places[] = {TABLE_BLOCKED, TABLE_READY,    TABLE_DELAYED,
                                           TABLE_LEASED,  TABLE_OUTCOMES, TABLE_OUTCOMES,
                                           TABLE_OUTCOMES};

    static const int64_t states[] = {0, 0, 0, 0, JOB_SUCCEEDED, JOB_DEAD, JOB_CANCELED};
    struct plan plan = {0};
    for (int64_t job = 1; job <= 7; job++) {
        const enum table_id tables[] = {TABLE_JOBS, places[job - 1]};

        for (size_t i = 0; i < 2; i++) {
            struct row *row = rig_row(rig, tables[i]);
            row_set(row, "shard", 3);
            row_set(row, "tenant", 2);
            row_set(row, "job", job);
            row_set(row, "run", 5);
            row_set(row, "lane", 1);
            if (tables[i] == TABLE_OUTCOMES) {
                row_set(row, "state", states[job - 1]);
            }
            VEC_PUSH(&rig->arena, &plan.inserts[tables[i]], row);
        }
    }
    struct row *tenant = rig_row(rig, TABLE_TENANTS);
    struct row *lane = rig_row(rig, TABLE_LANES);
    struct row *run = rig_row(rig, TABLE_RUNS);
    struct row *group = rig_row(rig, TABLE_QUOTA_GROUPS);
    struct row *member = rig_row(rig, TABLE_QUOTA_MEMBERS);
    struct row *const rows[] = {tenant, lane, run, group, member};
    for (size_t i = 0; i < 5; i++) {
        row_set(rows[i], "shard", 3);
        row_set(rows[i], "tenant", 2);
        VEC_PUSH(&rig->arena, &plan.inserts[rows[i]->table], rows[i]);
    }
    struct row *log = rig_row(rig, TABLE_JOB_LOGS);
    struct row *head = rig_row(rig, TABLE_LOG_HEADS);
    struct row *const logs[] = {log, head};
    for (size_t i = 0; i < 2; i++) {
        row_set(logs[i], "shard", 3);
        row_set(logs[i], "tenant", 2);
        row_set(logs[i], "job", 1);
        VEC_PUSH(&rig->arena, &plan.inserts[logs[i]->table], logs[i]);
    }
    row_set(log, "raw_len", 9);
    row_set(head, "stored", 9);
    row_set(tenant, "waiting", 1);
    row_set(tenant, "inflight", 1);
    row_set(tenant, "live", 4);
    row_set(lane, "lane", 1);
    row_set(lane, "waiting", 1);
    row_set(lane, "inflight", 1);
    row_set(group, "quota_group", 6);
    row_set(group, "members", 1);
    row_set(group, "nominal", 3);
    row_set(group, "floors", 2);
    row_set(group, "in_use", 1);
    row_set(member, "member", 2);
    row_set(member, "quota_group", 6);
    row_set(member, "nominal", 3);
    row_set(member, "floor", 2);
    row_set(member, "in_use", 1);
    row_set(run, "run", 5);
    row_set(run, "present", 7);
    static const char *const counts[] = {"blocked", "leased", "succeeded", "dead", "canceled"};
    for (size_t i = 0; i < 5; i++) {
        row_set(run, counts[i], 1);
    }
    rig_write(rig, &plan);
}

static void right_counters_pass_the_recount(void **state)
{
    struct rig *rig = *state;
    write_counted(rig);
    assert_int_equal(scrub(rig).n, 0);
}

static enum table_id table_named(struct str name)
{
    for (int table = 0; table < TABLE_COUNT; table++) {
        if (str_eq(str_from(table_get((enum table_id)table)->name), name)) {
            return (enum table_id)table;
        }
    }
    fail_msg("no table %.*s", STR_ARG(name));
    return TABLE_COUNT;
}

static void each_wrong_counter_is_found_by_its_recount(void **state)
{
    struct rig *rig = *state;
    write_counted(rig);
    for (size_t i = 0; i < shared_counters.count; i++) {
        const struct str name = str_from(shared_counters.statements[i].name);
        struct str column = name;
        struct str table_name = {0};
        assert_true(str_split(&column, '.', &table_name));
        const enum table_id table = table_named(table_name);
        const row_list rows = rig_dump(rig, table);
        const int64_t right = row_int(rows.v[0], arena_cstr(&rig->arena, column));
        for (int64_t delta = 1; delta >= 0; delta--) {
            row_set(rows.v[0], arena_cstr(&rig->arena, column), right + delta);
            struct plan plan = {0};
            plan.updates[table] = rows;
            rig_write(rig, &plan);
            const counter_fault_list faults = scrub(rig);
            assert_int_equal(faults.n, delta);
            if (delta == 1) {
                assert_string_equal(faults.v[0].counter, shared_counters.statements[i].name);
                assert_int_equal(faults.v[0].stored, right + 1);
                assert_int_equal(faults.v[0].counted, right);
                assert_int_equal(faults.v[0].shard, 3);
                assert_int_equal(faults.v[0].tenant, 2);
            }
        }
    }
}

const struct CMUnitTest statements_tests[] = {
    RIG_TEST(every_statement_prepares),
    cmocka_unit_test(both_backends_have_the_same_statements),
    cmocka_unit_test(every_table_can_be_written_and_dumped),
    cmocka_unit_test(every_want_has_its_statements),
    RIG_TEST(right_counters_pass_the_recount),
    RIG_TEST(each_wrong_counter_is_found_by_its_recount),
};
const size_t statements_test_count = sizeof(statements_tests) / sizeof(statements_tests[0]);
