#include "base/json.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/time.h"

#define JSON_INT_MAX ((INT64_C(1) << 53) - 1)

void json_begin(struct json_writer *w, struct buf *out)
{
    w->out = out;
    w->depth = 0;
    w->sorted = true;
    w->levels[0].has_members = false; /* open() makes the other levels. */
    w->after_key = false;
}

void json_resume(struct json_writer *w, struct buf *out, int depth)
{
    json_begin(w, out);
    CHECK(depth <= JSON_DEPTH_MAX);
    for (w->depth = 0; w->depth < depth;) {
        w->levels[w->depth++].has_members = true;
        w->levels[w->depth] = (struct json_level){0};
    }
}

static void before_value(struct json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
    } else if (w->levels[w->depth].has_members) {
        buf_char(w->out, ',');
    }
    w->levels[w->depth].has_members = true;
}

static void open(struct json_writer *w, char bracket)
{
    before_value(w);
    CHECK(w->depth < JSON_DEPTH_MAX);
    w->depth++;
    w->levels[w->depth].has_members = false;
    w->levels[w->depth].key_first = 0;
    buf_char(w->out, bracket);
}

static void close(struct json_writer *w, char bracket)
{
    CHECK(w->depth > 0 && !w->after_key);
    w->depth--;
    buf_char(w->out, bracket);
}

void json_put_object(struct json_writer *w)
{
    open(w, '{');
}

void json_put_object_end(struct json_writer *w)
{
    close(w, '}');
}

void json_put_array(struct json_writer *w)
{
    open(w, '[');
}

void json_put_array_end(struct json_writer *w)
{
    close(w, ']');
}

static void escape(struct buf *out, unsigned char c)
{
    static const char shorts[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                  ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    buf_char(out, '\\');
    if (c < sizeof(shorts) && shorts[c] != 0) {
        buf_char(out, shorts[c]);
        return;
    }
    buf_format(out, "u%04x", c);
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Sets the high bit of the first byte that is below `limit` (at most 0x80), and perhaps of bytes
 * behind it; see Warren, Hacker's Delight, 6-1. */
static uint64_t bytes_below(uint64_t eight, unsigned limit)
{
    return (eight - EACH_BYTE(limit)) & ~eight & EACH_BYTE(0x80);
}

/* The high bit of the first byte that a JSON string cannot hold as it is; 0 when there is none. */
static uint64_t special_in(uint64_t eight)
{
    return bytes_below(eight, 0x20) | bytes_below(eight ^ EACH_BYTE('"'), 1) |
           bytes_below(eight ^ EACH_BYTE('\\'), 1);
}

static uint64_t load_eight(const char *at)
{
    uint64_t eight;
    memcpy(&eight, at, sizeof(eight));
    return le64toh(eight);
}

/* Up to seven bytes; the others are zero, which is special. */
static uint64_t load_few(struct str text)
{
    uint64_t few = 0;
    for (size_t i = text.len; i > 0; i--) {
        few = few << 8 | (unsigned char)text.ptr[i - 1];
    }
    return few;
}

size_t json_plain_len(struct str text)
{
    if (text.len < sizeof(uint64_t)) {
        return (size_t)__builtin_ctzll(special_in(load_few(text))) / 8;
    }
    size_t at = 0;
    for (; at < text.len; at += sizeof(uint64_t)) {
        /* The last eight bytes overlap those before them, which are plain. */
        const size_t last = text.len - sizeof(uint64_t);
        at = at > last ? last : at;
        const uint64_t special = special_in(load_eight(text.ptr + at));
        if (special != 0) {
            return at + (size_t)__builtin_ctzll(special) / 8;
        }
    }
    return text.len;
}

/* Returns the end of what it wrote: the text and two quotes. */
static char *put_quoted(char *at, struct str s)
{
    *at++ = '"';
    if (s.len > 0) {
        memcpy(at, s.ptr, s.len);
    }
    at[s.len] = '"';
    return at + s.len + 1;
}

static void quoted(struct buf *out, struct str s)
{
    char *room = json_plain_len(s) == s.len ? buf_reserve(out, s.len + 2) : NULL;
    if (room != NULL) {
        out->len += (size_t)(put_quoted(room, s) - room);
        return;
    }
    buf_char(out, '"');
    for (;;) {
        const size_t plain = json_plain_len(s);
        buf_put(out, s.ptr, plain);
        if (plain == s.len) {
            break;
        }
        escape(out, (unsigned char)s.ptr[plain]);
        s = str_slice(s, plain + 1, s.len);
    }
    buf_char(out, '"');
}

/* The last key lies in the output otherwise than it sorts: the next one is not compared with it. */
#define KEY_ESCAPED SIZE_MAX

/* True when the key sorts behind the last one of the level. */
static bool ascends(const struct json_writer *w, const struct json_level *level, struct str key)
{
    if (!w->sorted || !level->has_members || w->out->overflow || level->key_len == KEY_ESCAPED) {
        return true;
    }
    return str_cmp((struct str){w->out->ptr + level->key_at, level->key_len}, key) < 0;
}

/* `len` as key_len. Nearly always the first bytes tell the order. */
static inline void before_key(struct json_writer *w, struct json_level *level, struct str key,
                              size_t len)
{
    const unsigned char first = key.len > 0 ? (unsigned char)key.ptr[0] : 0;
    CHECK(w->depth > 0 && !w->after_key);
    CHECK(first > level->key_first || ascends(w, level, key));
    level->key_at = w->out->len + level->has_members + 1;
    level->key_len = len;
    level->key_first = first;
    level->has_members = true;
}

/* Writes `,"key":` and makes room for `more` bytes behind it, which it returns; null when full. */
static inline char *begin_member(struct json_writer *w, struct str member, size_t more)
{
    struct json_level *level = &w->levels[w->depth];
    const bool follows = level->has_members;
    const struct str key = {member.ptr + 2, member.len - 4};
    before_key(w, level, key, key.len);
    char *at = buf_reserve(w->out, member.len - !follows + more);
    if (at == NULL) {
        return NULL;
    }
    *at = ',';
    memcpy(at + follows, member.ptr + 1, member.len - 1);
    return at + follows + member.len - 1;
}

static void advance(struct json_writer *w, const char *end)
{
    w->out->len = (size_t)(end - w->out->ptr);
}

void json_member(struct json_writer *w, struct str member)
{
    const char *end = begin_member(w, member, 0);
    w->after_key = true;
    if (end != NULL) {
        advance(w, end);
    }
}

void json_member_str(struct json_writer *w, struct str member, struct str value)
{
    if (json_plain_len(value) != value.len) {
        json_member(w, member);
        json_put_str(w, value);
        return;
    }
    char *at = begin_member(w, member, value.len + 2);
    if (at != NULL) {
        advance(w, put_quoted(at, value));
    }
}

enum { NUMBER_TEXT = 22 };

/* At most NUMBER_TEXT bytes; returns their end. */
static char *put_number(char *at, int64_t value)
{
    const bool large = value > JSON_INT_MAX || value < -JSON_INT_MAX;
    if (large) {
        *at++ = '"';
    }
    at = str_put_i64(at, value);
    if (large) {
        *at++ = '"';
    }
    return at;
}

void json_member_int(struct json_writer *w, struct str member, int64_t value)
{
    char text[NUMBER_TEXT];
    const size_t len = (size_t)(put_number(text, value) - text);
    char *at = begin_member(w, member, len);
    if (at != NULL) {
        advance(w, mempcpy(at, text, len));
    }
}

void json_member_hex(struct json_writer *w, struct str member, struct str bytes)
{
    char *at = begin_member(w, member, 2 * bytes.len + 2);
    if (at != NULL) {
        *at++ = '"';
        at = str_put_hex(at, bytes);
        *at++ = '"';
        advance(w, at);
    }
}

void json_put_key(struct json_writer *w, struct str key)
{
    struct json_level *level = &w->levels[w->depth];
    const bool follows = level->has_members;
    before_key(w, level, key, json_plain_len(key) == key.len ? key.len : KEY_ESCAPED);
    w->after_key = true;
    if (follows) {
        buf_char(w->out, ',');
    }
    quoted(w->out, key);
    buf_char(w->out, ':');
}

void json_put_str(struct json_writer *w, struct str value)
{
    before_value(w);
    quoted(w->out, value);
}

void json_put_int(struct json_writer *w, int64_t value)
{
    char text[NUMBER_TEXT];
    before_value(w);
    buf_put(w->out, text, (size_t)(put_number(text, value) - text));
}

void json_put_bool(struct json_writer *w, bool value)
{
    before_value(w);
    buf_str(w->out, value ? STR("true") : STR("false"));
}

void json_put_null(struct json_writer *w)
{
    before_value(w);
    buf_str(w->out, STR("null"));
}

void json_put_raw(struct json_writer *w, struct str value)
{
    before_value(w);
    buf_str(w->out, value);
}

void json_put_time(struct json_writer *w, int64_t us)
{
    char text[TIME_TEXT];
    time_format((struct wall_time){us}, text);
    json_put_str(w, str_from(text));
}

static void real(struct json_writer *w, double value)
{
    char text[40];
    before_value(w);
    if (value == 0) {
        value = 0; /* Negative zero is written as zero (RFC 8785 3.2.2.3). */
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    buf_str(w->out, str_from(text));
}

/* One step of the walk through a document; an explicit stack instead of recursion. */
struct frame {
    const json_t *value;
    const char **keys; /* Sorted, for objects. */
    size_t n;
    size_t next;
};

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct frame frame_open(struct json_writer *w, const json_t *value)
{
    struct frame frame = {.value = value};
    if (json_is_array(value)) {
        frame.n = json_array_size(value);
        json_put_array(w);
        return frame;
    }
    json_t *object = (json_t *)(uintptr_t)value; /* jansson iterates non-const only */
    frame.n = json_object_size(value);
    frame.keys = calloc(frame.n + 1, sizeof(*frame.keys));
    CHECK(frame.keys != NULL);
    const char *key = NULL;
    json_t *member = NULL;
    size_t i = 0;
    json_object_foreach(object, key, member)
    {
        frame.keys[i++] = key;
    }
    qsort(frame.keys, frame.n, sizeof(*frame.keys), by_bytes);
    json_put_object(w);
    return frame;
}

static void scalar(struct json_writer *w, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING: json_put_str(w, json_text(value)); break;
    case JSON_INTEGER:
        before_value(w);
        buf_i64(w->out, json_integer_value(value));
        break;
    case JSON_REAL: real(w, json_real_value(value)); break;
    case JSON_TRUE: json_put_bool(w, true); break;
    case JSON_FALSE: json_put_bool(w, false); break;
    case JSON_NULL: json_put_null(w); break;
    case JSON_OBJECT:
    case JSON_ARRAY: UNREACHABLE();
    }
}

void json_put_value(struct json_writer *w, const json_t *value)
{
    struct frame stack[JSON_DEPTH_MAX + 1];
    int depth = 0;
    if (!json_is_object(value) && !json_is_array(value)) {
        scalar(w, value);
        return;
    }
    stack[depth++] = frame_open(w, value);
    while (depth > 0) {
        struct frame *top = &stack[depth - 1];
        if (top->next == top->n) {
            if (top->keys != NULL) {
                free(top->keys);
                json_put_object_end(w);
            } else {
                json_put_array_end(w);
            }
            depth--;
            continue;
        }
        const json_t *member = NULL;
        if (top->keys != NULL) {
            json_put_key(w, str_from(top->keys[top->next]));
            member = json_object_get(top->value, top->keys[top->next]);
        } else {
            member = json_array_get(top->value, top->next);
        }
        top->next++;
        if (json_is_object(member) || json_is_array(member)) {
            CHECK(depth <= JSON_DEPTH_MAX);
            stack[depth++] = frame_open(w, member);
        } else {
            scalar(w, member);
        }
    }
}

/* jansson bounds its own recursion at 2048; ours is smaller and checked before parsing. */
static bool depth_ok(struct str text)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH_MAX) {
                return false;
            }
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return true;
}

enum err_code json_read(struct str text, json_t **out, struct err *err)
{
    *out = NULL;
    if (!depth_ok(text)) {
        return err_set(err, ERR_MALFORMED_JSON, "JSON nests deeper than %d levels", JSON_DEPTH_MAX);
    }
    /* jansson 2.14 overlooks a NUL byte behind a number or a literal. */
    if (text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL) {
        return err_set(err, ERR_MALFORMED_JSON, "not valid JSON: it holds a NUL byte");
    }
    json_error_t why;
    *out = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
                      &why);
    if (*out == NULL) {
        return err_set(err, ERR_MALFORMED_JSON, "not valid JSON at byte %d: %s", why.position,
                       why.text);
    }
    return ERR_OK;
}

struct str json_text(const json_t *value)
{
    if (!json_is_string(value)) {
        return (struct str){NULL, 0};
    }
    return (struct str){json_string_value(value), json_string_length(value)};
}

struct str json_pointer_below(struct arena *arena, struct str path, struct str name)
{
    char *room = arena_array(arena, char, path.len + 2 * name.len + 2);
    size_t n = 0;
    for (size_t i = 0; i < path.len; i++) {
        room[n++] = path.ptr[i];
    }
    room[n++] = '/';
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.ptr[i];
        const bool escaped = c == '~' || c == '/';
        room[n++] = escaped ? '~' : c;
        if (escaped) {
            room[n++] = c == '~' ? '0' : '1';
        }
    }
    return (struct str){room, n};
}
