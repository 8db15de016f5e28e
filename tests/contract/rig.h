/*
 * tests/contract/rig - a fresh ledger of the backend under test, and words to write to it.
 *
 * Use      the program is called with "sqlite" or "postgres". rig_setup()/rig_teardown() are the
 *          fixture of every test; *state is the rig.
 */
#ifndef TESTS_CONTRACT_RIG_H
#define TESTS_CONTRACT_RIG_H

#include "lib/cmocka.h"

#include "core/tables.h"
#include "ledger/ledger.h"

enum { RIG_TEXT = 512 };

struct rig {
    const char *backend; /* "sqlite", "postgres" */
    char url[RIG_TEXT];
    char folder[RIG_TEXT]; /* Temporary; removed at teardown. */
    struct ledger_target target;
    struct ledger *ledger;
    struct reader *reader;
    struct arena arena;
    struct err err;
    uint64_t random;
    int64_t group;
};

/* "sqlite" or "postgres": what the program was called with. */
extern const char *rig_backend;
/* Of this run; printed, and taken from STELLA_TEST_SEED when set. */
extern uint64_t rig_seed;

int rig_setup(void **state);
/* The same without a schema and without opening anything. */
int rig_setup_bare(void **state);
int rig_teardown(void **state);
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);
void rig_progress(const char *line);

/* 0..bound-1. */
int64_t rig_random(struct rig *rig, int64_t bound);
uint64_t rig_random_bits(struct rig *rig);

/* Fails the test with the error's message unless OK. */
void rig_ok(const struct rig *rig, enum err_code code);

/* Begins a group on all shards. */
void rig_begin(struct rig *rig, struct facts *facts);
/* ledger_load(); gives the rows that were told, in order, instead of learning them. */
row_list rig_load(struct rig *rig, struct facts *facts);
/* The same of the reader's snapshot. */
row_list rig_load_snapshot(struct rig *rig, struct facts *facts);
/* One group on all shards that writes just this; what it changes or deletes is loaded first, as
 * the port has it. */
void rig_write(struct rig *rig, const struct plan *plan);
/* All rows of the table, by dump_<table>. */
row_list rig_dump(struct rig *rig, enum table_id table);
/* Runs a query; arguments: one letter each, i int64_t, t const char *, b struct str. */
struct query_result rig_query(struct rig *rig, const char *name, const char *kinds, ...);

struct row *rig_row(struct rig *rig, enum table_id table);
bool rows_equal(const struct row *a, const struct row *b);
void assert_rows_equal(const struct row *a, const struct row *b);
/* By column name. */
int64_t row_int(const struct row *row, const char *column);
struct str row_text(const struct row *row, const char *column);
void row_set(struct row *row, const char *column, int64_t value);
void row_set_text(struct row *row, const char *column, struct str value);
/* Sorts by the named columns, ended by null; text bytewise. */
void rows_sort(row_list *rows, const char *const *columns);
void rows_sort_by_key(row_list *rows);

#endif
