#include "api/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"

enum { FEW_KEYS = 16 };

bool scan_failed(const struct scan *s)
{
    return s->err.code != ERR_OK;
}

static void malformed(struct scan *s, const char *what)
{
    if (!scan_failed(s)) {
        (void)err_set(&s->err, ERR_MALFORMED_JSON, "not valid JSON at byte %zu: %s", s->at, what);
    }
}

/* RFC 6901 of the value being read; cut when it does not fit. */
static void pointer_of(const struct scan *s, char out[ERR_TEXT])
{
    struct buf text;
    buf_init(&text, ERR_TEXT - 1);
    for (int i = 1; i <= s->depth; i++) {
        const struct scan_level *level = &s->levels[i];
        if (!level->has_member) {
            break;
        }
        buf_char(&text, '/');
        if (!level->is_object) {
            buf_u64(&text, level->index);
            continue;
        }
        for (size_t k = 0; k < level->last_key.len; k++) {
            const char c = level->last_key.ptr[k];
            buf_str(&text, c == '~' ? STR("~0") : c == '/' ? STR("~1") : (struct str){&c, 1});
        }
    }
    (void)snprintf(out, ERR_TEXT, "%.*s", (int)text.len, text.ptr ? text.ptr : "");
    buf_fini(&text);
}

void scan_refuse(struct scan *s, enum err_code code, const char *format, ...)
{
    if (scan_failed(s)) {
        return;
    }
    va_list args;
    char pointer[ERR_TEXT];
    char message[ERR_TEXT];
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    pointer_of(s, pointer);
    (void)err_at(&s->err, code, pointer, "%s", message);
}

void scan_begin(struct scan *s, struct str text, struct arena *arena)
{
    memset(s, 0, sizeof(*s));
    s->text = text;
    s->arena = arena;
    if (!str_is_utf8(text)) {
        malformed(s, "the body is not UTF-8");
    }
}

/* The byte at the cursor behind white space; 0 at the end (which no JSON text contains). */
static char peek(struct scan *s)
{
    while (s->at < s->text.len) {
        const char c = s->text.ptr[s->at];
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
            return c;
        }
        s->at++;
    }
    return 0;
}

static bool take(struct scan *s, char c)
{
    if (scan_failed(s) || peek(s) != c) {
        return false;
    }
    s->at++;
    return true;
}

static void open(struct scan *s, bool is_object)
{
    if (s->depth == JSON_DEPTH_MAX) {
        malformed(s, "it nests too deep");
        return;
    }
    s->levels[++s->depth] = (struct scan_level){.is_object = is_object, .keys_from = s->keys.n};
}

static int by_value(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a;
    const uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Large objects are checked once, at their end. */
static void check_many_keys(struct scan *s, const struct scan_level *level)
{
    const size_t n = s->keys.n - level->keys_from;
    if (n <= FEW_KEYS) {
        return;
    }
    uint64_t *keys = s->keys.v + level->keys_from;
    qsort(keys, n, sizeof(*keys), by_value);
    for (size_t i = 1; i < n; i++) {
        if (keys[i] == keys[i - 1]) {
            malformed(s, "a member is there twice in the object that ends here");
        }
    }
}

static void close(struct scan *s)
{
    const struct scan_level *level = &s->levels[s->depth--];
    if (level->is_object) {
        check_many_keys(s, level);
        s->keys.n = level->keys_from;
    }
}

/* A short key stands for itself (there is no NUL in it), which is most of them. */
static uint64_t hash_of(struct str key)
{
    static const struct hash_key fixed = {{0x7374656c6c61u, 0x6b657973u}};
    uint64_t text = 0;
    if (key.len > sizeof(text)) {
        return hash_keyed(&fixed, key);
    }
    for (size_t i = 0; i < key.len; i++) {
        text = text << 8 | (unsigned char)key.ptr[i];
    }
    return text;
}

static void note_key(struct scan *s, struct str key)
{
    struct scan_level *level = &s->levels[s->depth];
    const uint64_t hash = hash_of(key);
    level->last_key = key;
    const size_t n = s->keys.n - level->keys_from;
    for (size_t i = 0; n < FEW_KEYS && i < n; i++) {
        if (s->keys.v[level->keys_from + i] == hash) {
            malformed(s, "a member is there twice");
        }
    }
    VEC_PUSH(s->arena, &s->keys, hash);
}

static int hex4(struct scan *s)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        const char c = s->at < s->text.len ? s->text.ptr[s->at] : 0;
        int digit = -1;
        if (c >= '0' && c <= '9') {
            digit = c - '0';
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (c | 0x20) - 'a' + 10;
        }
        if (digit < 0) {
            malformed(s, "a \\u escape needs four hexadecimal digits");
            return -1;
        }
        value = value * 16 + digit;
        s->at++;
    }
    return value;
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* After "\u". */
static size_t unicode_escape(struct scan *s, char *out)
{
    const int high = hex4(s);
    if (high < 0) {
        return 0;
    }
    if (high < 0xd800 || high > 0xdfff) {
        if (high == 0) {
            malformed(s, "U+0000 is not taken");
        }
        return put_utf8(out, (uint32_t)high);
    }
    if (high > 0xdbff || s->text.len - s->at < 6 || s->text.ptr[s->at] != '\\' ||
        s->text.ptr[s->at + 1] != 'u') {
        malformed(s, "a lone surrogate");
        return 0;
    }
    s->at += 2;
    const int low = hex4(s);
    if (low < 0xdc00 || low > 0xdfff) {
        malformed(s, "a lone surrogate");
        return 0;
    }
    return put_utf8(out, 0x10000u + (((uint32_t)high - 0xd800u) << 10) + ((uint32_t)low - 0xdc00u));
}

/* After a backslash; at most 4 bytes, never more than the escape had. */
static size_t escape(struct scan *s, char *out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char c = s->at < s->text.len ? s->text.ptr[s->at++] : 0;
    if (c == 'u') {
        return unicode_escape(s, out);
    }
    const char *found = c == 0 ? NULL : strchr(from, c);
    if (found == NULL) {
        malformed(s, "an unknown escape");
        return 0;
    }
    out[0] = to[found - from];
    return 1;
}

/* From behind the opening quote to behind the closing one; decoded when `out` is not null. */
static void string_escaped(struct scan *s, size_t from, struct str *out)
{
    size_t end = s->at;
    while (end < s->text.len && s->text.ptr[end] != '"') {
        end += s->text.ptr[end] == '\\' ? 2 : 1;
    }
    char *room = out ? arena_array(s->arena, char, end - from + 4) : NULL;
    size_t n = s->at - from;
    if (room != NULL) {
        memcpy(room, s->text.ptr + from, n);
    }
    char skipped[4];
    while (!scan_failed(s) && s->at < s->text.len && s->text.ptr[s->at] != '"') {
        const char c = s->text.ptr[s->at];
        if ((unsigned char)c < 0x20) {
            malformed(s, "a control character in a string");
        } else if (c == '\\') {
            s->at++;
            n += escape(s, room ? room + n : skipped);
        } else {
            if (room != NULL) {
                room[n] = c;
            }
            n++;
            s->at++;
        }
    }
    if (out != NULL) {
        *out = (struct str){room, n};
    }
}

static void string(struct scan *s, struct str *out)
{
    const size_t from = s->at;
    const char *text = s->text.ptr;
    s->at += json_plain_len(str_slice(s->text, from, s->text.len));
    if (out != NULL) {
        *out = (struct str){text + from, s->at - from};
    }
    if (s->at < s->text.len && text[s->at] != '"') {
        string_escaped(s, from, out);
    }
    if (!scan_failed(s) && s->at >= s->text.len) {
        malformed(s, "a string does not end");
    }
    s->at++;
}

static bool digits(struct scan *s)
{
    const size_t from = s->at;
    while (s->at < s->text.len && s->text.ptr[s->at] >= '0' && s->text.ptr[s->at] <= '9') {
        s->at++;
    }
    return s->at > from;
}

static bool at_char(const struct scan *s, char c)
{
    return s->at < s->text.len && s->text.ptr[s->at] == c;
}

/* True when it has neither fraction nor exponent. */
static bool number(struct scan *s, struct str *out)
{
    const size_t from = s->at;
    bool whole = true;
    s->at += at_char(s, '-');
    const bool zero = at_char(s, '0');
    const size_t first = s->at;
    if (!digits(s) || (zero && s->at > first + 1)) {
        malformed(s, "a number is not well formed");
    }
    if (at_char(s, '.')) {
        whole = false;
        s->at++;
        if (!digits(s)) {
            malformed(s, "a number is not well formed");
        }
    }
    if (at_char(s, 'e') || at_char(s, 'E')) {
        whole = false;
        s->at++;
        s->at += at_char(s, '+') || at_char(s, '-');
        if (!digits(s)) {
            malformed(s, "a number is not well formed");
        }
    }
    *out = str_slice(s->text, from, s->at);
    return whole;
}

static bool literal(struct scan *s, struct str word)
{
    if (!str_starts(str_slice(s->text, s->at, s->text.len), word)) {
        return false;
    }
    s->at += word.len;
    return true;
}

void scan_object(struct scan *s)
{
    if (take(s, '{')) {
        open(s, true);
    } else {
        scan_refuse(s, ERR_UNPROCESSABLE, "must be an object");
    }
}

void scan_array(struct scan *s)
{
    if (take(s, '[')) {
        open(s, false);
    } else {
        scan_refuse(s, ERR_UNPROCESSABLE, "must be an array");
    }
}

/* Moves to the next member or item; false at the closing bracket, which it takes. */
static bool go_on(struct scan *s, char bracket)
{
    if (scan_failed(s)) {
        return false;
    }
    struct scan_level *level = &s->levels[s->depth];
    if (take(s, bracket)) {
        close(s);
        return false;
    }
    if (level->has_member && !take(s, ',')) {
        malformed(s, "a comma or a closing bracket is missing");
        return false;
    }
    level->index += level->has_member;
    level->has_member = true;
    return true;
}

bool scan_member(struct scan *s, struct str *out_key)
{
    *out_key = STR("");
    if (!go_on(s, '}')) {
        return false;
    }
    if (!take(s, '"')) {
        malformed(s, "a member needs a name in quotes");
        return false;
    }
    string(s, out_key);
    if (scan_failed(s)) {
        return false;
    }
    note_key(s, *out_key);
    if (!take(s, ':')) {
        malformed(s, "a colon is missing");
    }
    return !scan_failed(s);
}

bool scan_item(struct scan *s)
{
    return go_on(s, ']');
}

struct str scan_text(struct scan *s)
{
    struct str text = STR("");
    if (take(s, '"')) {
        string(s, &text);
    } else {
        scan_refuse(s, ERR_UNPROCESSABLE, "must be a string");
    }
    return scan_failed(s) ? STR("") : text;
}

int64_t scan_int(struct scan *s)
{
    struct str text = STR("");
    int64_t value = 0;
    const char c = scan_failed(s) ? 0 : peek(s);
    if (c != '-' && (c < '0' || c > '9')) {
        scan_refuse(s, ERR_UNPROCESSABLE, "must be a whole number");
        return 0;
    }
    if (!number(s, &text) || !str_parse_i64(text, &value)) {
        scan_refuse(s, ERR_UNPROCESSABLE, "must be a whole number");
    }
    return scan_failed(s) ? 0 : value;
}

int64_t scan_bounded(struct scan *s, int64_t min, int64_t max)
{
    const int64_t value = scan_int(s);
    if (value >= min && value <= max && !scan_failed(s)) {
        return value;
    }
    scan_refuse(s, ERR_UNPROCESSABLE, "must be from %lld to %lld", (long long)min, (long long)max);
    return min;
}

bool scan_flag(struct scan *s)
{
    if (!scan_failed(s)) {
        (void)peek(s);
        if (literal(s, STR("true"))) {
            return true;
        }
        if (!literal(s, STR("false"))) {
            scan_refuse(s, ERR_UNPROCESSABLE, "must be true or false");
        }
    }
    return false;
}

bool scan_null(struct scan *s)
{
    return !scan_failed(s) && peek(s) == 'n' && literal(s, STR("null"));
}

/* A value that has no members, or the opening of one that has. */
static void value_head(struct scan *s)
{
    struct str ignored;
    const char c = peek(s);
    if (c == '{' || c == '[') {
        s->at++;
        open(s, c == '{');
    } else if (c == '"') {
        s->at++;
        string(s, NULL);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        (void)number(s, &ignored);
    } else if (!literal(s, STR("true")) && !literal(s, STR("false")) && !literal(s, STR("null"))) {
        malformed(s, "a value is missing");
    }
}

struct str scan_raw(struct scan *s)
{
    struct str key;
    if (scan_failed(s)) {
        return STR("");
    }
    (void)peek(s);
    const size_t from = s->at;
    const int floor = s->depth;
    value_head(s);
    while (!scan_failed(s) && s->depth > floor) {
        const bool more = s->levels[s->depth].is_object ? scan_member(s, &key) : scan_item(s);
        if (more) {
            value_head(s);
        }
    }
    return scan_failed(s) ? STR("") : str_slice(s->text, from, s->at);
}

/* The text is one JSON value. */
static void check_whole(struct scan *s)
{
    (void)scan_raw(s);
    if (!scan_failed(s) && peek(s) == 0 && s->at < s->text.len) {
        malformed(s, "a NUL byte");
    }
    if (!scan_failed(s) && s->at < s->text.len) {
        malformed(s, "something follows the value");
    }
}

enum err_code scan_end(struct scan *s, struct err *err)
{
    if (!scan_failed(s)) {
        if (peek(s) != 0 || s->at < s->text.len) {
            malformed(s, "something follows the value");
        }
    } else if (s->err.code != ERR_MALFORMED_JSON) {
        /* What is no JSON at all is told first, wherever it is broken. */
        struct scan whole;
        scan_begin(&whole, s->text, s->arena);
        check_whole(&whole);
        if (scan_failed(&whole)) {
            s->err = whole.err;
        }
    }
    if (scan_failed(s)) {
        *err = s->err;
    }
    return s->err.code;
}
