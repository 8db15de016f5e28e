#include "cli/table.h"

#include <langinfo.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { ROOM_DEFAULT = 80, ROOM_MAX = 10000, CUT_LEAST = 8, GAP = 1 };

size_t cli_table_room(const struct cli_call *call)
{
    const char *columns = getenv("COLUMNS");
    int64_t given = 0;
    struct winsize size = {0};
    if (cli_flag(call, "wide")) {
        return 0;
    }
    if (columns != NULL && str_parse_i64(str_from(columns), &given) && given > 0) {
        return (size_t)(given < ROOM_MAX ? given : ROOM_MAX);
    }
    if (isatty(STDOUT_FILENO) == 0) {
        return 0;
    }
    const bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return is_known ? size.ws_col : ROOM_DEFAULT;
}

/* Bytes of the next character and the columns it takes; a broken byte takes one. */
static size_t next_char(struct str text, size_t at, size_t *out_columns)
{
    wchar_t wide = 0;
    mbstate_t state = {0};
    const size_t n = mbrtowc(&wide, text.ptr + at, text.len - at, &state);
    if (n == 0 || n > text.len - at) {
        *out_columns = 1;
        return 1;
    }
    const int columns = wcwidth(wide);
    *out_columns = columns > 0 ? (size_t)columns : 0;
    return n;
}

size_t cli_table_width(struct str text)
{
    size_t width = 0;
    for (size_t at = 0; at < text.len;) {
        size_t columns = 0;
        at += next_char(text, at, &columns);
        width += columns;
    }
    return width;
}

struct str cli_table_cut(struct arena *arena, struct str text, size_t room)
{
    const char *mark = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "…" : "~";
    size_t end = 0;
    size_t width = 0;
    if (room == 0 || cli_table_width(text) <= room) {
        return text;
    }
    while (end < text.len) {
        size_t columns = 0;
        const size_t n = next_char(text, end, &columns);
        if (width + columns > room - 1) {
            break;
        }
        width += columns;
        end += n;
    }
    return arena_format(arena, "%.*s%s", (int)end, text.ptr, mark);
}

static bool may_be_cut(const struct cli_shape *shape, size_t column)
{
    const enum cli_format format = shape->columns[column].format;
    return column > 0 && (format == CLI_TEXT || format == CLI_WORDS || format == CLI_JSON);
}

/* Takes from the widest columns that may be cut until a row fits, or nothing is left to take. */
static void fit(const struct cli_shape *shape, size_t *widths, size_t room)
{
    size_t total = (shape->count - 1) * GAP;
    for (size_t c = 0; c < shape->count; c++) {
        widths[c] = may_be_cut(shape, c) && widths[c] > room ? room : widths[c];
        total += widths[c];
    }
    while (total > room) {
        size_t widest = shape->count;
        for (size_t c = 0; c < shape->count; c++) {
            if (may_be_cut(shape, c) && widths[c] > CUT_LEAST &&
                (widest == shape->count || widths[c] > widths[widest])) {
                widest = c;
            }
        }
        if (widest == shape->count) {
            return;
        }
        widths[widest]--;
        total--;
    }
}

static size_t *widths_of(struct arena *arena, const struct cli_shape *shape,
                         const struct str *cells, size_t rows, size_t room)
{
    size_t *widths = arena_array(arena, size_t, shape->count);
    for (size_t c = 0; c < shape->count; c++) {
        widths[c] = cli_table_width(str_from(shape->columns[c].title));
        for (size_t row = 0; row < rows; row++) {
            const size_t width = cli_table_width(cells[row * shape->count + c]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    if (room > 0) {
        fit(shape, widths, room);
    } else {
        memset(widths, 0, shape->count * sizeof(*widths));
    }
    return widths;
}

static struct libscols_table *new_table(const struct cli_call *call)
{
    struct libscols_table *table = scols_new_table();
    CHECK(table != NULL);
    (void)scols_table_set_stream(table, call->out);
    (void)scols_table_enable_colors(table, call->colour);
    return table;
}

static void set_cell(struct libscols_line *line, size_t at, const char *text, const char *colour)
{
    CHECK(scols_line_set_data(line, at, text) == 0);
    if (colour != NULL) {
        (void)scols_cell_set_color(scols_line_get_cell(line, at), colour);
    }
}

void cli_table_print(const struct cli_call *call, struct arena *arena,
                     const struct cli_shape *shape, const struct str *cells, size_t rows)
{
    struct libscols_table *table = new_table(call);
    const size_t *widths = widths_of(arena, shape, cells, rows, cli_table_room(call));
    (void)scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
    for (size_t c = 0; c < shape->count; c++) {
        const int flags = shape->columns[c].format == CLI_NUMBER ? SCOLS_FL_RIGHT : 0;
        CHECK(scols_table_new_column(table, shape->columns[c].title, 0, flags) != NULL);
    }
    for (size_t row = 0; row < rows; row++) {
        struct libscols_line *line = scols_table_new_line(table, NULL);
        CHECK(line != NULL);
        for (size_t c = 0; c < shape->count; c++) {
            const struct str text = cells[row * shape->count + c];
            set_cell(line, c, arena_cstr(arena, cli_table_cut(arena, text, widths[c])),
                     shape->columns[c].format == CLI_STATE ? cli_state_colour(text) : NULL);
        }
    }
    (void)scols_print_table(table);
    scols_unref_table(table);
}

void cli_table_fields(const struct cli_call *call, const struct cli_field *fields, size_t count)
{
    struct libscols_table *table = new_table(call);
    struct arena arena;
    const size_t room = cli_table_room(call);
    arena_init(&arena, SIZE_MAX);
    (void)scols_table_enable_noheadings(table, 1);
    (void)scols_table_set_termforce(table,
                                    room > 0 ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
    (void)scols_table_set_termwidth(table, room);
    CHECK(scols_table_new_column(table, "FIELD", 0, 0) != NULL);
    CHECK(scols_table_new_column(table, "VALUE", 0, SCOLS_FL_WRAP) != NULL);
    for (size_t i = 0; i < count; i++) {
        struct libscols_line *line = scols_table_new_line(table, NULL);
        CHECK(line != NULL);
        set_cell(line, 0, fields[i].name, NULL);
        set_cell(line, 1, arena_cstr(&arena, fields[i].value),
                 fields[i].format == CLI_STATE ? cli_state_colour(fields[i].value) : NULL);
    }
    (void)scols_print_table(table);
    scols_unref_table(table);
    arena_fini(&arena);
}
