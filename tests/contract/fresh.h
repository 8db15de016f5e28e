/*
 * tests/contract/fresh - what the suite does to a store behind the ledger's back: an empty
 * PostgreSQL database for one test, a statement of its own.
 *
 * Use      STELLA_TEST_POSTGRES is the URL of a database whose user may create others.
 */
#ifndef TESTS_CONTRACT_FRESH_H
#define TESTS_CONTRACT_FRESH_H

#include <stddef.h>

/* Makes a database and writes its URL. */
void fresh_postgres(char *out_url, size_t size);
void fresh_postgres_drop(const char *url);
/* Runs one statement on the ledger at the URL, of either backend. */
void fresh_execute(const char *url, const char *sql);

#endif
