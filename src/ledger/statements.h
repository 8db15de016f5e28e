/*
 * ledger/statements - the named statements of the .sql files, as tables made at build time.
 *
 * Use      tools/generate_sql.py turns each file of a backend's sql/ folder into one
 *          struct statement_file, named <backend>_<file> (sqlite_load, postgres_queries, …).
 *          A statement begins with the comment line "-- name: load_leased", may go on with
 *          "-- args: shard, tenant, a", and ends before the next name. Both backends have the
 *          same names with the same arguments; a test compares them.
 */
#ifndef LEDGER_STATEMENTS_H
#define LEDGER_STATEMENTS_H

#include "core/facts.h"

enum { STATEMENT_ARGS_MAX = 12, WANT_LOADS_MAX = 4 };

struct statement {
    const char *name;
    const char *sql;
    const char *args[STATEMENT_ARGS_MAX]; /* Names, in the order of the parameters. */
    size_t arg_count;
};

struct statement_file {
    const char *name; /* "load" */
    const struct statement *statements;
    size_t count;
};

/* Null when there is none of that name. */
const struct statement *statement_find(const struct statement_file *file, struct str name);

/* Which statements of load.sql answer a want, and the table whose rows each gives. The arguments
 * are members of struct want, by name. The heads of WANT_OPEN_LANES are apart: load_open_heads. */
struct want_load {
    const char *statement;
    enum table_id table;
};

struct want_loads {
    struct want_load loads[WANT_LOADS_MAX];
    size_t count;
};

const struct want_loads *want_loads_of(enum want_kind kind);

#endif
