#include "core/row.h"

#include <string.h>

#include "core/tables.h"

static bool is_text(const struct column *column)
{
    return column->kind == COLUMN_TEXT || column->kind == COLUMN_BYTES;
}

int row_compare_keys(const struct table *table, const struct row *a, const struct row *b)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (column->role != COLUMN_KEY) {
            continue;
        }
        int order = 0;
        if (is_text(column)) {
            order = str_cmp(column_str(column, a), column_str(column, b));
        } else {
            const int64_t x = column_int(column, a);
            const int64_t y = column_int(column, b);
            order = (x > y) - (x < y);
        }
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

void row_format(const struct row *row, struct buf *out)
{
    const struct table *table = table_get((enum table_id)row->table);
    buf_str(out, str_from(table->name));
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (column->role == COLUMN_SOFT || column->role == COLUMN_BESIDE) {
            continue;
        }
        buf_char(out, ' ');
        buf_str(out, str_from(column->name));
        buf_char(out, '=');
        if (column->kind == COLUMN_TEXT) {
            buf_str(out, column_str(column, row));
        } else if (column->kind == COLUMN_BYTES) {
            const struct str bytes = column_str(column, row);
            buf_hex(out, bytes.ptr, bytes.len);
        } else {
            buf_i64(out, column_int(column, row));
        }
    }
    buf_char(out, '\n');
}

struct row *row_copy(struct arena *arena, const struct row *row)
{
    const struct table *table = table_get((enum table_id)row->table);
    struct row *copy = arena_alloc(arena, table->row_size);
    memcpy(copy, row, table->row_size);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (is_text(column)) {
            column_set_str(column, copy, arena_str(arena, column_str(column, row)));
        }
    }
    return copy;
}
