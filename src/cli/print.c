#include "cli/print.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/yaml.h"

enum { PAGE_MAX = 1000, LIST_LIMIT = 100, CELL_MAX = 256 * 1024, PATH_WORD = 64 };

struct str cli_clean(struct arena *arena, struct str text)
{
    const struct str copy = arena_str(arena, text);
    char *bytes = arena_cstr(arena, text);
    for (size_t i = 0; i < copy.len; i++) {
        const unsigned char c = (unsigned char)bytes[i];
        if (c < 0x20 || c == 0x7f) {
            bytes[i] = ' ';
        }
    }
    return (struct str){bytes, copy.len};
}

const char *cli_state_colour(struct str state)
{
    static const struct {
        const char *state;
        const char *colour;
    } table[] = {
        {"succeeded", "\033[32m"}, {"ok", "\033[32m"},       {"dead", "\033[31m"},
        {"failed", "\033[31m"},    {"canceled", "\033[33m"}, {"warn", "\033[33m"},
        {"running", "\033[36m"},   {"leased", "\033[36m"},   {"active", "\033[36m"},
    };

    for (size_t i = 0; i < CLI_COUNT(table); i++) {
        if (str_eq(state, str_from(table[i].state))) {
            return table[i].colour;
        }
    }
    return NULL;
}

static const json_t *member_at(const json_t *object, const char *path)
{
    struct str rest = str_from(path);
    struct str part;
    while (object != NULL && str_split(&rest, '.', &part)) {
        char name[PATH_WORD];
        CHECK(part.len < sizeof(name));
        memcpy(name, part.ptr, part.len);
        name[part.len] = '\0';
        object = json_object_get(object, name);
    }
    return object;
}

static struct str as_json(struct arena *arena, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    CHECK(text != NULL);
    const struct str copy = cli_clean(arena, str_from(text));
    free(text);
    return copy;
}

static struct str as_words(struct arena *arena, const json_t *array)
{
    struct buf out;
    buf_init(&out, CELL_MAX);
    for (size_t i = 0; i < json_array_size(array); i++) {
        buf_str(&out, i > 0 ? STR(",") : STR(""));
        buf_str(&out, json_text(json_array_get(array, i)));
    }
    const struct str text = cli_clean(arena, buf_get(&out));
    buf_fini(&out);
    return text;
}

/* "2026-01-02T03:04:05.000006Z" as people read it: "2026-01-02 03:04:05Z". */
static struct str as_time(struct arena *arena, struct str text)
{
    if (text.len != 27) {
        return cli_clean(arena, text);
    }
    return arena_format(arena, "%.10s %.8sZ", text.ptr, text.ptr + 11);
}

struct str cli_cell(struct arena *arena, const json_t *object, const struct cli_column *column)
{
    const json_t *value = member_at(object, column->member);
    if (value == NULL || json_is_null(value)) {
        return STR("");
    }
    if (column->format == CLI_WORDS && json_is_array(value)) {
        return as_words(arena, value);
    }
    if (!json_is_string(value) || column->format == CLI_JSON) {
        return as_json(arena, value);
    }
    return column->format == CLI_TIME ? as_time(arena, json_text(value))
                                      : cli_clean(arena, json_text(value));
}

static void print_table(const struct cli_call *call, struct arena *arena, const json_t *items,
                        const struct cli_shape *shape)
{
    const size_t rows = json_array_size(items);
    struct str *cells = arena_array(arena, struct str, rows * shape->count + 1);
    for (size_t i = 0; i < rows * shape->count; i++) {
        cells[i] = cli_cell(arena, json_array_get(items, i / shape->count),
                            &shape->columns[i % shape->count]);
    }
    cli_table_print(call, arena, shape, cells, rows);
}

static void print_plain(const struct cli_call *call, struct arena *arena, const json_t *items,
                        const struct cli_shape *shape)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        for (size_t c = 0; c < shape->count; c++) {
            const struct str text = cli_cell(arena, json_array_get(items, i), &shape->columns[c]);
            fprintf(call->out, "%s%.*s", c > 0 ? "\t" : "", STR_ARG(text));
        }
        fputc('\n', call->out);
    }
}

static void print_jsonl(const struct cli_call *call, const json_t *items)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        (void)json_dumpf(json_array_get(items, i), call->out, JSON_COMPACT | JSON_ENCODE_ANY);
        fputc('\n', call->out);
    }
}

/* RFC 4180. */
static void print_csv_field(const struct cli_call *call, struct arena *arena, bool first,
                            const json_t *value)
{
    struct str text = STR("");
    if (json_is_string(value)) {
        text = json_text(value);
    } else if (value != NULL && !json_is_null(value)) {
        text = as_json(arena, value);
    }
    const char *separator = first ? "" : ",";
    const bool is_plain = str_find(text, ',') == text.len && str_find(text, '"') == text.len &&
                          str_find(text, '\n') == text.len && str_find(text, '\r') == text.len;
    if (is_plain) {
        fprintf(call->out, "%s%.*s", separator, STR_ARG(text));
        return;
    }
    fprintf(call->out, "%s\"", separator);
    for (size_t i = 0; i < text.len; i++) {
        fprintf(call->out, text.ptr[i] == '"' ? "\"\"" : "%c", text.ptr[i]);
    }
    fputc('"', call->out);
}

/* A heading of member names, then a line for each item; values as the server gave them. */
static void print_csv(const struct cli_call *call, struct arena *arena, const json_t *items,
                      const struct cli_shape *shape)
{
    for (size_t c = 0; c < shape->count; c++) {
        fprintf(call->out, "%s%s", c > 0 ? "," : "", shape->columns[c].member);
    }
    fputs("\r\n", call->out);
    for (size_t i = 0; i < json_array_size(items); i++) {
        for (size_t c = 0; c < shape->count; c++) {
            print_csv_field(call, arena, c == 0,
                            member_at(json_array_get(items, i), shape->columns[c].member));
        }
        fputs("\r\n", call->out);
    }
}

static void print_csv_object(const struct cli_call *call, struct arena *arena, const json_t *object)
{
    const char *name = NULL;
    json_t *value = NULL;
    bool first = true;
    json_object_foreach((json_t *)object, name, value)
    {
        fprintf(call->out, "%s%s", first ? "" : ",", name);
        first = false;
    }
    fputs("\r\n", call->out);
    first = true;
    json_object_foreach((json_t *)object, name, value)
    {
        print_csv_field(call, arena, first, value);
        first = false;
    }
    fputs("\r\n", call->out);
}

static void print_name(const struct cli_call *call, const json_t *object, const char *id)
{
    const json_t *name = json_object_get(object, id);
    if (json_is_integer(name)) {
        fprintf(call->out, "%lld\n", (long long)json_integer_value(name));
    } else {
        fprintf(call->out, "%.*s\n", STR_ARG(json_text(name)));
    }
}

static void print_names(const struct cli_call *call, const json_t *items, const char *id)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        print_name(call, json_array_get(items, i), id);
    }
}

void cli_print_items(const struct cli_call *call, const json_t *items,
                     const struct cli_shape *shape)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    switch (call->output) {
    case CLI_OUTPUT_JSON:
        (void)json_dumpf(items, call->out, JSON_INDENT(2));
        fputc('\n', call->out);
        break;
    case CLI_OUTPUT_JSONL: print_jsonl(call, items); break;
    case CLI_OUTPUT_YAML: cli_yaml_print(items, call->out); break;
    case CLI_OUTPUT_CSV: print_csv(call, &arena, items, shape); break;
    case CLI_OUTPUT_NAME: print_names(call, items, shape->id); break;
    case CLI_OUTPUT_AUTO:
    case CLI_OUTPUT_TABLE:
        if (call->is_table) {
            print_table(call, &arena, items, shape);
        } else {
            print_plain(call, &arena, items, shape);
        }
        break;
    default: UNREACHABLE();
    }
    arena_fini(&arena);
}

static enum cli_format format_of(const char *member, const json_t *value)
{
    const struct str name = str_from(member);
    if (str_eq(name, STR("state"))) {
        return CLI_STATE;
    }
    return json_is_array(value) && json_is_string(json_array_get(value, 0)) ? CLI_WORDS : CLI_TEXT;
}

static void show_members(const struct cli_call *call, struct arena *arena, const json_t *object)
{
    struct cli_field *fields = arena_array(arena, struct cli_field, json_object_size(object) + 1);
    size_t count = 0;
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)object, name, value)
    {
        const struct cli_column column = {name, name, format_of(name, value)};
        fields[count++] = (struct cli_field){name, cli_cell(arena, object, &column), column.format};
    }
    if (call->is_table) {
        cli_table_fields(call, fields, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        fprintf(call->out, "%s\t%.*s\n", fields[i].name, STR_ARG(fields[i].value));
    }
}

void cli_show(const struct cli_call *call, const json_t *object, const struct cli_shape *shape)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    switch (call->output) {
    case CLI_OUTPUT_JSON:
        (void)json_dumpf(object, call->out, JSON_INDENT(2));
        fputc('\n', call->out);
        break;
    case CLI_OUTPUT_JSONL:
        (void)json_dumpf(object, call->out, JSON_COMPACT);
        fputc('\n', call->out);
        break;
    case CLI_OUTPUT_YAML: cli_yaml_print(object, call->out); break;
    case CLI_OUTPUT_CSV: print_csv_object(call, &arena, object); break;
    case CLI_OUTPUT_NAME: print_name(call, object, shape->id); break;
    case CLI_OUTPUT_AUTO:
    case CLI_OUTPUT_TABLE: show_members(call, &arena, object); break;
    default: UNREACHABLE();
    }
    arena_fini(&arena);
}

int cli_get_and_show(struct cli_call *call, struct str path, const struct cli_shape *shape)
{
    struct cli_reply reply;
    const int status = cli_get(call, path, &reply);
    if (status != CLI_OK) {
        return status;
    }
    cli_show(call, reply.json, shape);
    json_decref(reply.json);
    return CLI_OK;
}

int cli_list_whole(struct cli_call *call, struct str path, const char *member,
                   const struct cli_shape *shape)
{
    struct cli_reply reply;
    const int status = cli_get(call, path, &reply);
    if (status != CLI_OK) {
        return status;
    }
    if (call->output == CLI_OUTPUT_JSON || call->output == CLI_OUTPUT_YAML) {
        cli_show(call, reply.json, shape);
    } else {
        const json_t *items = json_object_get(reply.json, member);
        cli_print_items(call, items, shape);
        if (json_array_size(items) == 0) {
            cli_note(call, "There are none.");
        }
    }
    json_decref(reply.json);
    return CLI_OK;
}

/* Whether a page can be printed before the next is there. */
static bool is_streamed(const struct cli_call *call)
{
    return call->output == CLI_OUTPUT_JSONL || call->output == CLI_OUTPUT_NAME;
}

/* Fetches one page of at most `left` items; appends them to `all`, or prints them at once when
 * lines may be streamed. Moves *cursor (null at the end). */
static int take_page(struct cli_call *call, struct str path, int64_t left,
                     const struct cli_shape *shape, json_t *all, const char **cursor)
{
    char limit[24];
    (void)snprintf(limit, sizeof(limit), "%lld", (long long)(left < PAGE_MAX ? left : PAGE_MAX));
    struct str page = cli_query(call, path, "limit", limit);
    page = cli_query(call, page, "cursor", *cursor);
    struct cli_reply reply;
    const int status = cli_get(call, page, &reply);
    if (status != CLI_OK) {
        return status;
    }
    json_t *items = json_object_get(reply.json, "items");
    if (is_streamed(call)) {
        cli_print_items(call, items, shape);
        (void)fflush(call->out);
    }
    (void)json_array_extend(all, items);
    const struct str next = json_text(json_object_get(reply.json, "next_cursor"));
    *cursor = next.len > 0 ? arena_cstr(&call->arena, next) : NULL;
    json_decref(reply.json);
    return CLI_OK;
}

static void print_document(const struct cli_call *call, json_t *all, const char *cursor)
{
    json_t *document = json_pack("{s:O,s:s?}", "items", all, "next_cursor", cursor);
    CHECK(document != NULL);
    cli_show(call, document, NULL);
    json_decref(document);
}

int cli_list(struct cli_call *call, struct str path, const struct cli_shape *shape)
{
    int64_t limit = LIST_LIMIT;
    int status = cli_number(call, "limit", 1, 1000000000, &limit);
    limit = cli_flag(call, "all") ? INT64_MAX : limit;
    json_t *all = json_array();
    const char *cursor = NULL;
    bool is_more = status == CLI_OK;
    while (is_more) {
        const int64_t left = limit - (int64_t)json_array_size(all);
        status = take_page(call, path, left, shape, all, &cursor);
        if (!is_streamed(call)) {
            cli_progress(call, "fetched", (int64_t)json_array_size(all), 0);
        }
        is_more = status == CLI_OK && cursor != NULL && (int64_t)json_array_size(all) < limit;
    }
    cli_progress_end(call);
    if (status == CLI_OK && json_array_size(all) == 0) {
        cli_note(call, "There are none.");
    }
    if (status == CLI_OK && (call->output == CLI_OUTPUT_JSON || call->output == CLI_OUTPUT_YAML)) {
        print_document(call, all, cursor);
    } else if (status == CLI_OK && !is_streamed(call)) {
        cli_print_items(call, all, shape);
        if (cursor != NULL) {
            cli_note(call, "There is more: --limit N or --all.");
        }
    }
    json_decref(all);
    return status;
}

void cli_note(const struct cli_call *call, const char *format, ...)
{
    if (!call->is_table) {
        return;
    }
    va_list args;
    va_start(args, format);
    (void)vfprintf(call->log, format, args);
    va_end(args);
    fputc('\n', call->log);
}
