#include "core/row_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/tables.h"

void row_set_init(struct row_set *set)
{
    memset(set, 0, sizeof(*set));
    arena_init(&set->arena, SIZE_MAX / 2);
}

void row_set_fini(struct row_set *set)
{
    for (int i = 0; i < TABLE_COUNT; i++) {
        free(set->tables[i].rows);
    }
    arena_fini(&set->arena);
}

/* First position whose key is not below that of `like`. */
static size_t position(const struct row_table *table, const struct row *like)
{
    const struct table *desc = table_get((enum table_id)like->table);
    size_t low = 0;
    size_t high = table->n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (row_compare_keys(desc, table->rows[middle], like) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const struct row_table *table, size_t at, const struct row *like)
{
    return at < table->n &&
           row_compare_keys(table_get((enum table_id)like->table), table->rows[at], like) == 0;
}

struct row *row_set_find(const struct row_set *set, const struct row *like)
{
    const struct row_table *table = &set->tables[like->table];
    const size_t at = position(table, like);
    return is_at(table, at, like) ? table->rows[at] : NULL;
}

struct row *row_set_insert(struct row_set *set, const struct row *row)
{
    struct row_table *table = &set->tables[row->table];
    const size_t at = position(table, row);
    CHECK(!is_at(table, at, row));
    if (table->n == table->cap) {
        table->cap = table->cap == 0 ? 64 : table->cap * 2;
        table->rows = realloc(table->rows, table->cap * sizeof(struct row *));
        CHECK(table->rows != NULL);
    }
    memmove(&table->rows[at + 1], &table->rows[at], (table->n - at) * sizeof(struct row *));
    table->rows[at] = row_copy(&set->arena, row);
    table->n++;
    return table->rows[at];
}

void row_set_update(struct row_set *set, const struct row *row)
{
    struct row_table *table = &set->tables[row->table];
    const size_t at = position(table, row);
    CHECK(is_at(table, at, row));
    table->rows[at] = row_copy(&set->arena, row);
}

void row_set_delete(struct row_set *set, const struct row *row)
{
    struct row_table *table = &set->tables[row->table];
    const size_t at = position(table, row);
    CHECK(is_at(table, at, row));
    memmove(&table->rows[at], &table->rows[at + 1], (table->n - at - 1) * sizeof(struct row *));
    table->n--;
}

void row_set_format(const struct row_set *set, struct buf *out)
{
    for (int table = TABLE_SHARDS + 1; table < TABLE_COUNT; table++) {
        const bool shown = !table_get((enum table_id)table)->is_outside;
        for (size_t i = 0; shown && i < set->tables[table].n; i++) {
            row_format(set->tables[table].rows[i], out);
        }
    }
}
