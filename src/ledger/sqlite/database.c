#include "ledger/sqlite/database.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

const char *database_path(const struct ledger_target *target)
{
    return target->url + strlen("sqlite:");
}

/* Memory statistics cost a lock at each allocation and nobody reads them. Has no effect in a
 * program that used SQLite before. */
static void configure_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum err_code database_open(const char *path, int flags, sqlite3 **out, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, configure_library) == 0);
    sqlite3 *db = NULL;
    const int code = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        sqlite3_close(db);
        const bool is_there = access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
        return code == SQLITE_CANTOPEN && !is_there
                   ? err_set(err, ERR_LEDGER_OUTDATED, "There is no ledger at %s.", path)
                   : err_set(err, ERR_LEDGER_UNAVAILABLE, "The ledger at %s does not open: %s.",
                             path, sqlite3_errstr(code));
    }
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, BUSY_MS);
    *out = db;
    return ERR_OK;
}

enum err_code database_open_reading(const char *path, sqlite3 **out, struct err *err)
{
    TRY(database_open(path, SQLITE_OPEN_READONLY, out, err));
    CHECK(sqlite3_db_config(*out, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK);
    TRY(database_once(*out, "no_autocheckpoint", NULL, err));
    TRY(database_once(*out, "query_only", NULL, err));
    return database_once(*out, "reader_cache", NULL, err);
}

void database_close(sqlite3 *db)
{
    for (sqlite3_stmt *each = sqlite3_next_stmt(db, NULL); each != NULL;
         each = sqlite3_next_stmt(db, NULL)) {
        sqlite3_finalize(each);
    }
    CHECK(sqlite3_close(db) == SQLITE_OK);
}

enum err_code database_error(sqlite3 *db, struct err *err)
{
    const int code = sqlite3_extended_errcode(db);
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
        /* The kernel may have dropped the dirty pages: what is on disk is unknown until a restart
         * reads it again. */
        check_failed(__FILE__, __LINE__, "fsync of the ledger failed");
    }
    switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT:
        return err_set(err, ERR_LEDGER_UNAVAILABLE, "The ledger cannot store: %s.",
                       sqlite3_errmsg(db));
    case SQLITE_NOTADB:
        return err_set(err, ERR_LEDGER_UNAVAILABLE,
                       "The file is no ledger, or its beginning is damaged.");
    default: check_failed(__FILE__, __LINE__, sqlite3_errmsg(db));
    }
}

sqlite3_stmt *database_prepare(sqlite3 *db, const struct statement *statement)
{
    CHECK(statement != NULL);
    sqlite3_stmt *prepared = NULL;
    if (sqlite3_prepare_v3(db, statement->sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, NULL) !=
        SQLITE_OK) {
        check_failed(statement->name, __LINE__, sqlite3_errmsg(db));
    }
    return prepared;
}

sqlite3_stmt *database_prepare_named(sqlite3 *db, const struct statement_file *file,
                                     const char *name)
{
    return database_prepare(db, statement_find(file, str_from(name)));
}

enum err_code database_run(sqlite3 *db, sqlite3_stmt *statement, struct err *err)
{
    const int code = sqlite3_step(statement);
    enum err_code result = ERR_OK;
    if (code != SQLITE_DONE && code != SQLITE_ROW) {
        result = database_error(db, err);
    }
    sqlite3_reset(statement);
    return result;
}

enum err_code database_once(sqlite3 *db, const char *name, int64_t *out_number, struct err *err)
{
    const struct statement *statement = statement_find(&sqlite_session, str_from(name));
    CHECK(statement != NULL);
    sqlite3_stmt *prepared = NULL;
    if (sqlite3_prepare_v2(db, statement->sql, -1, &prepared, NULL) != SQLITE_OK) {
        return database_error(db, err);
    }
    const int code = sqlite3_step(prepared);
    enum err_code result = ERR_OK;
    if (code == SQLITE_ROW) {
        if (out_number != NULL) {
            *out_number = sqlite3_column_int64(prepared, 0);
        }
    } else if (code != SQLITE_DONE) {
        result = database_error(db, err);
    }
    sqlite3_finalize(prepared);
    return result;
}

static enum err_code read_meta(sqlite3 *db, int64_t *out_version, struct hash_key *out_seed,
                               struct err *err)
{
    sqlite3_stmt *meta = database_prepare_named(db, &sqlite_session, "meta");
    enum err_code result = ERR_OK;
    if (sqlite3_step(meta) != SQLITE_ROW) {
        result = err_set(err, ERR_LEDGER_OUTDATED, "The ledger's schema is not whole.");
    } else {
        *out_version = sqlite3_column_int64(meta, 0);
        CHECK(sqlite3_column_bytes(meta, 1) == (int)sizeof(*out_seed));
        memcpy(out_seed, sqlite3_column_blob(meta, 1), sizeof(*out_seed));
    }
    sqlite3_finalize(meta);
    return result;
}

enum err_code database_check_schema(sqlite3 *db, struct hash_key *out_seed, struct err *err)
{
    int64_t has_schema = 0;
    TRY(database_once(db, "has_schema", &has_schema, err));
    if (has_schema == 0) {
        return err_set(err, ERR_LEDGER_OUTDATED, "The ledger has no schema yet; run migrate.");
    }
    int64_t version = 0;
    TRY(read_meta(db, &version, out_seed, err));
    if (version != SCHEMA_VERSION) {
        return err_set(err, ERR_LEDGER_OUTDATED,
                       "The ledger has schema %lld, this program needs %d.", (long long)version,
                       SCHEMA_VERSION);
    }
    return ERR_OK;
}

/* ---- Rows ---- */

/* A null pointer would bind NULL; empty texts are texts. */
static const char *pointer_of(struct str s)
{
    return s.ptr != NULL ? s.ptr : "";
}

void bind_text(sqlite3_stmt *statement, int index, struct str text)
{
    CHECK(sqlite3_bind_text64(statement, index, pointer_of(text), text.len, SQLITE_STATIC,
                              SQLITE_UTF8) == SQLITE_OK);
}

void bind_bytes(sqlite3_stmt *statement, int index, struct str bytes)
{
    CHECK(sqlite3_bind_blob64(statement, index, pointer_of(bytes), bytes.len, SQLITE_STATIC) ==
          SQLITE_OK);
}

void bind_row(sqlite3_stmt *statement, const struct table *table, const struct row *row,
              bool keys_only)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (keys_only && column->role != COLUMN_KEY) {
            continue;
        }
        const int index = (int)i + 1;
        if (column->kind == COLUMN_TEXT) {
            bind_text(statement, index, column_str(column, row));
        } else if (column->kind == COLUMN_BYTES) {
            bind_bytes(statement, index, column_str(column, row));
        } else {
            CHECK(sqlite3_bind_int64(statement, index, column_int(column, row)) == SQLITE_OK);
        }
    }
}

struct str read_text(sqlite3_stmt *statement, int column, struct arena *arena)
{
    /* Asked as a blob, a text comes as it is stored: no conversion, no scan for its end. */
    const void *bytes = sqlite3_column_blob(statement, column);
    const size_t len = (size_t)sqlite3_column_bytes(statement, column);
    return len == 0 ? STR("") : arena_str(arena, (struct str){bytes, len});
}

struct row *read_row(sqlite3_stmt *statement, enum table_id table_id, struct arena *arena)
{
    const struct table *table = table_get(table_id);
    struct row *row = arena_alloc(arena, table->row_size);
    row->table = (uint8_t)table_id;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (column->kind == COLUMN_TEXT || column->kind == COLUMN_BYTES) {
            column_set_str(column, row, read_text(statement, (int)i, arena));
        } else {
            column_set_int(column, row, sqlite3_column_int64(statement, (int)i));
        }
    }
    return row;
}
