/*
 * cli/table - rows in aligned columns that fit the terminal.
 *
 * Use      cli_table_print() with the cells of all rows; cli_table_members() for one object.
 * Bounds   when a row is wider than the terminal (or COLUMNS), the widest texts are cut with "…";
 *          ids, states and numbers never are. --wide cuts nothing.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli/print.h"

/* `cells` holds `rows` times shape->count texts without control characters. */
void cli_table_print(const struct cli_call *call, struct arena *arena,
                     const struct cli_shape *shape, const struct str *cells, size_t rows);

/* A field and its value; long values go on in the next line. */
struct cli_field {
    const char *name;
    struct str value;
    enum cli_format format;
};

void cli_table_fields(const struct cli_call *call, const struct cli_field *fields, size_t count);

/* Columns that a line may have; 0: any number. */
size_t cli_table_room(const struct cli_call *call);
/* Columns that a text takes on a terminal. */
size_t cli_table_width(struct str text);
/* The text, or its beginning and "…", in at most `room` columns. */
struct str cli_table_cut(struct arena *arena, struct str text, size_t room);

#endif
