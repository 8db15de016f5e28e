/*
 * cli/print - what the server answered, as a table, tab-separated lines, JSON or names.
 *
 * Use      cli_list() fetches pages and prints them; cli_show() prints one object;
 *          cli_print_items() prints an array that is at hand.
 * Bounds   texts of the server are printed without control characters, whatever they hold.
 */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include "cli/client.h"

enum cli_format {
    CLI_TEXT,
    CLI_NUMBER, /* Right-aligned. */
    CLI_STATE,  /* A state's word, coloured on a terminal. */
    CLI_TIME,   /* RFC 3339, to the second for people. */
    CLI_WORDS,  /* An array, joined by commas. */
    CLI_JSON,   /* Whatever it is, as JSON. */
};

struct cli_column {
    const char *title;
    const char *member; /* Path of members: "hold.reason". */
    enum cli_format format;
};

/* How things of one kind are listed. */
struct cli_shape {
    const char *id; /* Member that names it, for -o name. */
    const struct cli_column *columns;
    size_t count;
};

/* Lists `path` page by page up to --limit or --all. */
int cli_list(struct cli_call *call, struct str path, const struct cli_shape *shape);
/* GET of a list that comes whole, as `member` of the answer. */
int cli_list_whole(struct cli_call *call, struct str path, const char *member,
                   const struct cli_shape *shape);
/* GET and show one object. */
int cli_get_and_show(struct cli_call *call, struct str path, const struct cli_shape *shape);
void cli_show(const struct cli_call *call, const json_t *object, const struct cli_shape *shape);
void cli_print_items(const struct cli_call *call, const json_t *items,
                     const struct cli_shape *shape);
/* One column's text of an object; empty when the member is absent or null. */
struct str cli_cell(struct arena *arena, const json_t *object, const struct cli_column *column);
/* A copy without control characters. */
struct str cli_clean(struct arena *arena, struct str text);
/* "\033[32m" or another sequence for a state's word, or null. */
const char *cli_state_colour(struct str state);
/* For people, on the log stream: what was done and what to do next. Silent unless stdout is a
 * terminal. */
void cli_note(const struct cli_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
