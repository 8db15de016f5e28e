/*
 * core/row_set - rows of every table, each table sorted by its primary key.
 *
 * Use      what history folds into, and what tests keep instead of a database.
 * Owns     copies of the rows put in, in its arena.
 * Bounds   none of its own; inserting is linear in the table's size.
 */
#ifndef CORE_ROW_SET_H
#define CORE_ROW_SET_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/rows.h"

struct row_table {
    struct row **rows; /* By primary key. */
    size_t n;
    size_t cap;
};

struct row_set {
    struct arena arena;
    struct row_table tables[TABLE_COUNT];
};

void row_set_init(struct row_set *set);
void row_set_fini(struct row_set *set);
/* The row with the key of `like`, or null. */
struct row *row_set_find(const struct row_set *set, const struct row *like);
/* A copy is kept; the key must be new (insert) or known (update, delete). */
struct row *row_set_insert(struct row_set *set, const struct row *row);
void row_set_update(struct row_set *set, const struct row *row);
void row_set_delete(struct row_set *set, const struct row *row);
/* Every row that history determines, one line each, by table and key: equal sets, equal texts. */
void row_set_format(const struct row_set *set, struct buf *out);

#endif
