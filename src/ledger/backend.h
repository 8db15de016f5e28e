/*
 * ledger/backend - what the backends share; included by them and by ledger.c only.
 */
#ifndef LEDGER_BACKEND_H
#define LEDGER_BACKEND_H

#include "ledger/ledger.h"
#include "ledger/statements.h"

enum { SCHEMA_VERSION = 1 };

/* First member of each backend's ledger. */
struct ledger {
    const struct ledger_backend *backend;
    struct hash_key seed;
};

/* First member of each backend's reader. */
struct reader {
    const struct ledger_backend *backend;
};

extern const struct ledger_backend ledger_sqlite;
extern const struct ledger_backend ledger_postgres;

/* A reader's statement: of queries.sql, or a recount of counters.sql; null when neither has it. */
const struct statement *reader_statement(const struct statement_file *queries, const char *name);

/* Counters with their recount queries, the same text for every backend. */
extern const struct statement_file shared_counters;

#endif
