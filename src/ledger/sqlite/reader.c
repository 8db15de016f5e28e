#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "ledger/sqlite/backend.h"

struct sqlite_reader {
    struct reader base;
    sqlite3 *db;
    sqlite3_stmt **queries;  /* One per statement of queries.sql, prepared at first use. */
    sqlite3_stmt **counters; /* The same of counters.sql. */
    struct loader loader;    /* Prepared at the first snapshot. */
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
};

static enum err_code open_file(struct sqlite_reader *reader, const struct ledger_target *target,
                               struct err *err)
{
    struct hash_key seed;
    TRY(database_open_reading(database_path(target), &reader->db, err));
    return database_check_schema(reader->db, &seed, err);
}

enum err_code sqlite_reader_open(const struct ledger_target *target, struct reader **out,
                                 struct err *err)
{
    struct sqlite_reader *reader = calloc(1, sizeof(*reader));
    CHECK(reader != NULL);
    reader->base.backend = &ledger_sqlite;
    reader->queries = calloc(sqlite_queries.count, sizeof(sqlite3_stmt *));
    reader->counters = calloc(shared_counters.count, sizeof(sqlite3_stmt *));
    CHECK(reader->queries != NULL && reader->counters != NULL);
    const enum err_code result = open_file(reader, target, err);
    if (result != ERR_OK) {
        sqlite_reader_close(&reader->base);
        return result;
    }
    *out = &reader->base;
    return ERR_OK;
}

void sqlite_reader_close(struct reader *base)
{
    struct sqlite_reader *reader = (struct sqlite_reader *)base;
    if (reader->db != NULL) {
        database_close(reader->db);
    }
    free(reader->queries);
    free(reader->counters);
    free(reader);
}

static sqlite3_stmt *prepared(struct sqlite_reader *reader, const struct query *query)
{
    const struct statement *statement = reader_statement(&sqlite_queries, query->name);
    CHECK(statement != NULL);
    CHECK(statement->arg_count == query->arg_count);
    const bool is_query = statement >= sqlite_queries.statements &&
                          statement < sqlite_queries.statements + sqlite_queries.count;
    sqlite3_stmt **slot = is_query ? &reader->queries[statement - sqlite_queries.statements]
                                   : &reader->counters[statement - shared_counters.statements];
    if (*slot == NULL) {
        *slot = database_prepare(reader->db, statement);
    }
    return *slot;
}

static void bind_arg(sqlite3_stmt *statement, int index, const struct query_value *arg)
{
    switch (arg->kind) {
    case QUERY_INT: CHECK(sqlite3_bind_int64(statement, index, arg->number) == SQLITE_OK); break;
    case QUERY_TEXT: bind_text(statement, index, arg->text); break;
    case QUERY_BYTES: bind_bytes(statement, index, arg->text); break;
    case QUERY_NULL: CHECK(sqlite3_bind_null(statement, index) == SQLITE_OK); break;
    }
}

static struct query_value value_at(sqlite3_stmt *statement, int column, struct arena *arena)
{
    struct query_value value = {.kind = QUERY_NULL, .text = STR("")};
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        value.kind = QUERY_INT;
        value.number = sqlite3_column_int64(statement, column);
        break;
    case SQLITE_TEXT:
        value.kind = QUERY_TEXT;
        value.text = read_text(statement, column, arena);
        break;
    case SQLITE_BLOB:
        value.kind = QUERY_BYTES;
        value.text = read_text(statement, column, arena);
        break;
    case SQLITE_NULL: break;
    default: UNREACHABLE(); /* No column has fractions. */
    }
    return value;
}

static void name_columns(sqlite3_stmt *statement, struct query_result *out, struct arena *arena)
{
    out->columns = (size_t)sqlite3_column_count(statement);
    const char **names = arena_array(arena, const char *, out->columns);
    for (size_t i = 0; i < out->columns; i++) {
        names[i] = arena_cstr(arena, str_from(sqlite3_column_name(statement, (int)i)));
    }
    out->names = names;
}

enum err_code sqlite_reader_query(struct reader *base, const struct query *query,
                                  struct query_result *out, struct err *err)
{
    struct sqlite_reader *reader = (struct sqlite_reader *)base;
    sqlite3_stmt *statement = prepared(reader, query);
    for (size_t i = 0; i < query->arg_count; i++) {
        bind_arg(statement, (int)i + 1, &query->args[i]);
    }
    VEC(struct query_value) values = {0};
    *out = (struct query_result){0};
    name_columns(statement, out, query->arena);
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        for (size_t i = 0; i < out->columns; i++) {
            VEC_PUSH(query->arena, &values, value_at(statement, (int)i, query->arena));
        }
        out->rows++;
    }
    const enum err_code result = code == SQLITE_DONE ? ERR_OK : database_error(reader->db, err);
    /* Ends the read transaction, so that the writer can start its log anew. */
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    out->values = values.v;
    return result;
}

/* ---- Snapshots ---- */

enum err_code sqlite_snapshot_begin(struct reader *base, struct tenant_id tenant,
                                    struct facts *facts, struct err *err)
{
    struct sqlite_reader *reader = (struct sqlite_reader *)base;
    (void)tenant; /* Every statement names it; there is no row security. */
    if (reader->loader.db == NULL) {
        loader_prepare(&reader->loader, reader->db);
        reader->begin = database_prepare_named(reader->db, &sqlite_session, "begin_read");
        reader->commit = database_prepare_named(reader->db, &sqlite_session, "commit");
    }
    TRY(database_run(reader->db, reader->begin, err));
    facts->clock = ledger_sqlite_now();
    return ERR_OK;
}

enum err_code sqlite_snapshot_load(struct reader *base, struct facts *facts, struct err *err)
{
    struct sqlite_reader *reader = (struct sqlite_reader *)base;
    return loader_answer(&reader->loader, facts, err);
}

void sqlite_snapshot_end(struct reader *base)
{
    struct sqlite_reader *reader = (struct sqlite_reader *)base;
    struct err ignored = {0};
    if (sqlite3_get_autocommit(reader->db) == 0) {
        (void)database_run(reader->db, reader->commit, &ignored);
    }
}
