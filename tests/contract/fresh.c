#include "contract/fresh.h"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cmocka.h"

static void run_postgres(const char *url, const char *sql)
{
    PGconn *connection = PQconnectdb(url);
    if (PQstatus(connection) != CONNECTION_OK) {
        fail_msg("%s", PQerrorMessage(connection));
    }
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    }
    PQclear(result);
    PQfinish(connection);
}

static void run_sqlite(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    sqlite3_close(db);
}

void fresh_execute(const char *url, const char *sql)
{
    const size_t scheme = strlen("sqlite:");
    if (strncmp(url, "sqlite:", scheme) == 0) {
        run_sqlite(url + scheme, sql);
    } else {
        char in_schema[512];
        (void)snprintf(in_schema, sizeof(in_schema), "SET search_path = stella; %s", sql);
        run_postgres(url, in_schema);
    }
}

static void run(const char *verb, const char *database)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql), "%s DATABASE %s", verb, database);
    run_postgres(getenv("STELLA_TEST_POSTGRES"), sql);
}

void fresh_postgres(char *out_url, size_t size)
{
    static int number;
    char database[64];
    (void)snprintf(database, sizeof(database), "stella_contract_%d_%d", (int)getpid(), ++number);
    run("CREATE", database);
    const char *url = getenv("STELLA_TEST_POSTGRES");
    const char *host = strstr(url, "://");
    assert_non_null(host);
    const char *slash = strchr(host + 3, '/');
    const char *options = strchr(host, '?');
    const size_t front = slash != NULL     ? (size_t)(slash - url)
                         : options != NULL ? (size_t)(options - url)
                                           : strlen(url);
    (void)snprintf(out_url, size, "%.*s/%s%s", (int)front, url, database,
                   options != NULL ? options : "");
}

void fresh_postgres_drop(const char *url)
{
    const char *name = strstr(url, "/stella_contract_");
    assert_non_null(name);
    char database[64];
    (void)snprintf(database, sizeof(database), "%.*s", (int)strcspn(name + 1, "?"), name + 1);
    run("DROP", database);
}
