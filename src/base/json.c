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
    w->has_members[0] = false; /* open() makes the other levels. */
    w->after_key = false;
}

static void before_value(struct json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
    } else if (w->has_members[w->depth]) {
        buf_char(w->out, ',');
    }
    w->has_members[w->depth] = true;
}

static void open(struct json_writer *w, char bracket)
{
    before_value(w);
    CHECK(w->depth < JSON_DEPTH_MAX);
    w->depth++;
    w->has_members[w->depth] = false;
    w->last_key_len[w->depth] = 0;
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

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

size_t json_plain_len(struct str text)
{
    size_t at = 0;
    uint64_t eight;
    for (; at + sizeof(eight) <= text.len; at += sizeof(eight)) {
        memcpy(&eight, text.ptr + at, sizeof(eight));
        eight = le64toh(eight);
        const uint64_t special = bytes_below(eight, 0x20) | bytes_below(eight ^ EACH_BYTE('"'), 1) |
                                 bytes_below(eight ^ EACH_BYTE('\\'), 1);
        if (special != 0) {
            return at + (size_t)__builtin_ctzll(special) / 8;
        }
    }
    while (at < text.len && is_plain(text.ptr[at])) {
        at++;
    }
    return at;
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

static bool ascends(struct str last, struct str key)
{
    if (last.len > 0 && key.len > 0 && last.ptr[0] != key.ptr[0]) {
        return (unsigned char)last.ptr[0] < (unsigned char)key.ptr[0];
    }
    return str_cmp(last, key) < 0;
}

/* `len` as last_key_len. */
static void before_key(struct json_writer *w, struct str key, size_t len)
{
    const int d = w->depth;
    const struct buf *out = w->out;
    const bool follows = w->has_members[d];
    CHECK(d > 0 && !w->after_key);
    if (w->sorted && follows && !out->overflow && w->last_key_len[d] != KEY_ESCAPED) {
        const struct str last = {out->ptr + w->last_key_at[d], w->last_key_len[d]};
        CHECK(ascends(last, key));
    }
    w->last_key_at[d] = out->len + follows + 1;
    w->last_key_len[d] = len;
    w->has_members[d] = true;
    w->after_key = true;
}

void json_put_name(struct json_writer *w, struct str key)
{
    const bool follows = w->has_members[w->depth];
    before_key(w, key, key.len);
    char *room = buf_reserve(w->out, key.len + 4);
    if (room != NULL) {
        char *at = room;
        *at = ',';
        at = put_quoted(at + follows, key);
        *at++ = ':';
        w->out->len += (size_t)(at - room);
    }
}

void json_put_key(struct json_writer *w, struct str key)
{
    if (json_plain_len(key) == key.len) {
        json_put_name(w, key);
        return;
    }
    const bool follows = w->has_members[w->depth];
    before_key(w, key, KEY_ESCAPED);
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
    before_value(w);
    const bool large = value > JSON_INT_MAX || value < -JSON_INT_MAX;
    if (large) {
        buf_char(w->out, '"');
    }
    buf_i64(w->out, value);
    if (large) {
        buf_char(w->out, '"');
    }
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
