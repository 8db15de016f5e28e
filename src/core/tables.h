/*
 * core/tables - the columns of every table as data: name, kind, place in the struct, role.
 *
 * Use      backends bind and read rows through it; dumps, fold and tests compare rows through it.
 *          The column order here is the order in the .sql statements.
 */
#ifndef CORE_TABLES_H
#define CORE_TABLES_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/rows.h"

enum column_kind { COLUMN_BOOL, COLUMN_I2, COLUMN_I4, COLUMN_I8, COLUMN_TEXT, COLUMN_BYTES };

enum column_role {
    COLUMN_PLAIN,
    COLUMN_KEY,    /* Part of the primary key; never updated. */
    COLUMN_FIXED,  /* Written with the row; never updated. */
    COLUMN_SOFT,   /* Changes without history. */
    COLUMN_BESIDE, /* Bytes beside the history. */
};

struct column {
    const char *name;
    enum column_kind kind;
    enum column_role role;
    size_t offset;
};

struct table {
    const char *name;
    size_t row_size;
    const struct column *columns;
    size_t column_count;
    bool is_outside; /* Nothing of it is in history: fold does not make it. */
};

/* The description of one table. */
const struct table *table_get(enum table_id id);

/* Integer value of a BOOL, I2, I4 or I8 column. */
int64_t column_int(const struct column *column, const struct row *row);
void column_set_int(const struct column *column, struct row *row, int64_t value);
/* Text or bytes of a TEXT or BYTES column. */
struct str column_str(const struct column *column, const struct row *row);
void column_set_str(const struct column *column, struct row *row, struct str value);

/* Order by the primary key: <0, 0, >0. Both rows are of `table`. */
int row_compare_keys(const struct table *table, const struct row *a, const struct row *b);
/* One line "table name=value …" of the columns that history determines (bytes as hexadecimal). */
void row_format(const struct row *row, struct buf *out);
/* A copy of the row with its texts, in `arena`. */
struct row *row_copy(struct arena *arena, const struct row *row);

#endif
