/*
 * ledger/sqlite/database - one connection to a SQLite file: settings, statements, rows, errors.
 *
 * Use      included by the files of this folder only.
 * Errors   ERR_LEDGER_UNAVAILABLE for what can pass (full disk, I/O, memory). A failed fsync, a
 *          corrupt file and a refused constraint abort: nothing that follows could be trusted.
 */
#ifndef LEDGER_SQLITE_DATABASE_H
#define LEDGER_SQLITE_DATABASE_H

#include <sqlite3.h>

#include "core/tables.h"
#include "ledger/backend.h"

extern const struct statement_file sqlite_schema_001;
extern const struct statement_file sqlite_session;
extern const struct statement_file sqlite_load;
extern const struct statement_file sqlite_apply;
extern const struct statement_file sqlite_queries;

/* Who opens a file first after a crash recovers it; others wait that long. */
enum { BUSY_MS = 2000 };

/* The FILE of "sqlite:FILE". */
const char *database_path(const struct ledger_target *target);

/* Opens with `flags` of sqlite3_open_v2. ERR_LEDGER_OUTDATED when there is no file to open. */
enum err_code database_open(const char *path, int flags, sqlite3 **out, struct err *err);
/* The same for a connection that only reads and never checkpoints. */
enum err_code database_open_reading(const char *path, sqlite3 **out, struct err *err);
/* Finalizes every statement of the connection. */
void database_close(sqlite3 *db);
/* The last failure of the connection, as an error. */
enum err_code database_error(sqlite3 *db, struct err *err);

/* Prepares, to be kept; null aborts: the text is ours and the schema was checked. */
sqlite3_stmt *database_prepare(sqlite3 *db, const struct statement *statement);
sqlite3_stmt *database_prepare_named(sqlite3 *db, const struct statement_file *file,
                                     const char *name);
/* Runs a statement that gives no rows, and resets it. */
enum err_code database_run(sqlite3 *db, sqlite3_stmt *statement, struct err *err);
/* Runs a statement of session.sql once; its first number, when it gives a row. */
enum err_code database_once(sqlite3 *db, const char *name, int64_t *out_number, struct err *err);

/* Schema version and seed, or ERR_LEDGER_OUTDATED. */
enum err_code database_check_schema(sqlite3 *db, struct hash_key *out_seed, struct err *err);

/* Text and bytes as they are; the memory must live until the statement ran. */
void bind_text(sqlite3_stmt *statement, int index, struct str text);
void bind_bytes(sqlite3_stmt *statement, int index, struct str bytes);
/* Column i of the row to parameter i + 1; only those of the key when `keys_only`. */
void bind_row(sqlite3_stmt *statement, const struct table *table, const struct row *row,
              bool keys_only);
/* Text or bytes of the current result row, copied. */
struct str read_text(sqlite3_stmt *statement, int column, struct arena *arena);
/* The current result row, whose columns are those of the table. */
struct row *read_row(sqlite3_stmt *statement, enum table_id table, struct arena *arena);

#endif
