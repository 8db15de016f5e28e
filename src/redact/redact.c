#include "redact/redact.h"

#include <string.h>

#include "base/check.h"
#include "redact/shapes.h"

enum { STAR_MAX = 256, PATTERN_LITERAL_MIN = 3, EDGE_MIN = 8, MARK_MAX = 32, PASSES_MAX = 16 };

/* ---- Rules ---- */

/* A value that stands in a mark would be found in what was redacted. */
static bool is_in_marks(struct str value)
{
    static const char marks[] = "[redacted:known] [redacted:pattern] [redacted:value] "
                                "[redacted:header] [redacted:token] [redacted:jwt] "
                                "[redacted:cloudkey] [redacted:credential] [redacted:userinfo] "
                                "[redacted:privatekey] [redacted:base]";
    return memmem(marks, sizeof(marks) - 1, value.ptr, value.len) != NULL;
}

static void put_value(struct redact_rules *rules, struct str value)
{
    if (rules->value_count == REDACT_VALUES_MAX || value.len < REDACT_VALUE_MIN ||
        is_in_marks(value)) {
        return;
    }
    size_t at = rules->value_count;
    for (size_t i = 0; i < rules->value_count; i++) {
        if (str_eq(rules->values[i], value)) {
            return;
        }
    }
    while (at > 0 && rules->values[at - 1].len < value.len) {
        rules->values[at] = rules->values[at - 1];
        at--;
    }
    rules->values[at] = value;
    rules->value_count++;
}

static struct str as_url(struct arena *arena, struct str value)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_alloc(arena, value.len * 3 + 1);
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        const char c = value.ptr[i];
        if (shape_is_word(c) || c == '-' || c == '_' || c == '.' || c == '~') {
            out[len++] = c;
        } else {
            out[len++] = '%';
            out[len++] = digits[(unsigned char)c >> 4];
            out[len++] = digits[(unsigned char)c & 15];
        }
    }
    return (struct str){out, len};
}

static struct str as_json(struct arena *arena, struct str value)
{
    char *out = arena_alloc(arena, value.len * 2 + 1);
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        const char c = value.ptr[i];
        if (c == '"' || c == '\\' || c == '\n' || c == '\t') {
            out[len++] = '\\';
        }
        out[len++] = c == '\n' ? 'n' : c == '\t' ? 't' : c;
    }
    return (struct str){out, len};
}

static struct str as_base64(struct arena *arena, struct str value)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = arena_alloc(arena, value.len / 3 * 4 + 1);
    size_t len = 0;
    /* Without the last incomplete group, which depends on what follows. */
    for (size_t i = 0; i + 3 <= value.len; i += 3) {
        const uint32_t bits = (uint32_t)(unsigned char)value.ptr[i] << 16 |
                              (uint32_t)(unsigned char)value.ptr[i + 1] << 8 |
                              (uint32_t)(unsigned char)value.ptr[i + 2];
        for (unsigned int shift = 24; shift > 0; shift -= 6) {
            out[len++] = digits[bits >> (shift - 6) & 63];
        }
    }
    return (struct str){out, len};
}

void redact_add_value(struct redact_rules *rules, struct arena *arena, struct str value)
{
    const struct str kept = arena_str(arena, str_slice(value, 0, REDACT_VALUE_MAX));
    if (kept.len < REDACT_VALUE_MIN) {
        return;
    }
    put_value(rules, kept);
    put_value(rules, as_url(arena, kept));
    put_value(rules, as_json(arena, kept));
    put_value(rules, as_base64(arena, kept));
}

enum err_code redact_add_patterns(struct redact_rules *rules, struct arena *arena, struct str text,
                                  struct err *err)
{
    struct str one;
    while (str_split(&text, ' ', &one)) {
        if (one.len == 0) {
            continue;
        }
        if (one.len > REDACT_PATTERN_MAX || str_find(one, '*') < PATTERN_LITERAL_MIN) {
            return err_set(err, ERR_USAGE,
                           "a pattern has at most %d bytes and begins with at least %d that are "
                           "not *",
                           REDACT_PATTERN_MAX, PATTERN_LITERAL_MIN);
        }
        if (rules->pattern_count == REDACT_PATTERNS_MAX) {
            return err_set(err, ERR_USAGE, "there are more than %d patterns", REDACT_PATTERNS_MAX);
        }
        rules->patterns[rules->pattern_count++] = arena_str(arena, one);
    }
    return ERR_OK;
}

/* ---- Known values ---- */

static void put_mark(struct buf *out, const char *kind)
{
    buf_format(out, "[redacted:%s]", kind);
}

/* Every value, one search each; a mark holds none of them again. */
static bool take_value(struct str value, struct str text, struct buf *out)
{
    size_t kept = 0;
    while (kept < text.len) {
        const char *found = memmem(text.ptr + kept, text.len - kept, value.ptr, value.len);
        if (found == NULL) {
            break;
        }
        const size_t at = (size_t)(found - text.ptr);
        buf_str(out, str_slice(text, kept, at));
        put_mark(out, "known");
        kept = at + value.len;
    }
    if (kept > 0) {
        buf_str(out, str_slice(text, kept, text.len));
    }
    return kept > 0;
}

/* A value that a cut went through: its end at the beginning of the text. */
static size_t head_cut_of(struct str value, struct str text)
{
    const struct str near = str_slice(text, 0, value.len - 1);
    const struct str mark = str_slice(value, value.len - EDGE_MIN, value.len);
    const char *found = near.len > 0 ? memmem(near.ptr, near.len, mark.ptr, mark.len) : NULL;
    const size_t len = found == NULL ? 0 : (size_t)(found - near.ptr) + EDGE_MIN;
    return len > 0 && str_ends(value, str_slice(near, 0, len)) ? len : 0;
}

/* Its beginning at the end of the text. */
static size_t tail_cut_of(struct str value, struct str text)
{
    const size_t from = text.len >= value.len ? text.len - value.len + 1 : 0;
    const struct str near = str_slice(text, from, text.len);
    const char *found = near.len > 0 ? memmem(near.ptr, near.len, value.ptr, EDGE_MIN) : NULL;
    const size_t at = found == NULL ? near.len : (size_t)(found - near.ptr);
    return at < near.len && str_starts(value, str_slice(near, at, near.len)) ? near.len - at : 0;
}

static size_t longest_cut(const struct redact_rules *rules, struct str text,
                          size_t (*cut_of)(struct str value, struct str text))
{
    size_t longest = 0;
    for (size_t i = 0; i < rules->value_count; i++) {
        const struct str value = rules->values[i];
        const size_t len = value.len > EDGE_MIN ? cut_of(value, text) : 0;
        longest = len > longest ? len : longest;
    }
    return longest;
}

static bool take_edges(const struct redact_rules *rules, struct str text, struct buf *out)
{
    const size_t head = longest_cut(rules, text, head_cut_of);
    const size_t tail = longest_cut(rules, str_slice(text, head, text.len), tail_cut_of);
    if (head == 0 && tail == 0) {
        return false;
    }
    if (head > 0) {
        put_mark(out, "known");
    }
    buf_str(out, str_slice(text, head, text.len - tail));
    if (tail > 0) {
        put_mark(out, "known");
    }
    return true;
}

static void swap(struct str *text, struct buf *held, struct buf *made)
{
    const struct buf other = *held;
    *held = *made;
    *made = other;
    buf_reset(made);
    *text = buf_get(held);
}

/* *text becomes the text without known values, in `held` when something was taken. */
static bool take_values(const struct redact_rules *rules, struct str *text, struct buf *held)
{
    struct buf made;
    bool changed = false;
    buf_init(&made, held->max);
    for (size_t i = 0; i < rules->value_count; i++) {
        if (take_value(rules->values[i], *text, &made)) {
            swap(text, held, &made);
            changed = true;
        }
    }
    if (take_edges(rules, *text, &made)) {
        swap(text, held, &made);
        changed = true;
    }
    buf_fini(&made);
    return changed;
}

/* ---- Shapes ---- */

struct pass {
    const struct redact_rules *rules;
    struct str text;
    struct buf *out;
    size_t at;
    size_t kept; /* Up to here it is in `out`. */
    bool changed;
};

static void replace(struct pass *pass, const struct shape_match *match)
{
    buf_str(pass->out, str_slice(pass->text, pass->kept, match->from));
    put_mark(pass->out, match->kind);
    pass->kept = match->to;
    pass->at = match->to;
    pass->changed = true;
}

static bool is_star(char c)
{
    return shape_is_word(c) || (c != 0 && strchr("_.~+/=-", c) != NULL);
}

/* Where the pattern ends that begins at `at`, or 0. A star takes all it can and gives nothing back.
 */
static size_t pattern_end(struct str pattern, struct str text, size_t at)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.ptr[i] != '*') {
            if (at == text.len || text.ptr[at] != pattern.ptr[i]) {
                return 0;
            }
            at++;
            continue;
        }
        const size_t from = at;
        while (at < text.len && at - from < STAR_MAX && is_star(text.ptr[at])) {
            at++;
        }
        if (at == from) {
            return 0;
        }
    }
    return at;
}

static bool match_pattern(const struct pass *pass, struct shape_match *out)
{
    const struct redact_rules *rules = pass->rules;
    for (size_t i = 0; rules != NULL && i < rules->pattern_count; i++) {
        const size_t end = pattern_end(rules->patterns[i], pass->text, pass->at);
        if (end > 0) {
            *out = (struct shape_match){pass->at, end, "pattern"};
            return true;
        }
    }
    return false;
}

static bool match_word(const struct pass *pass, struct shape_match *out)
{
    return shape_token(pass->text, pass->at, out) || shape_scheme(pass->text, pass->at, out) ||
           shape_assignment(pass->text, pass->at, out);
}

/* Past a mark that was put before, or 0. */
static size_t mark_end(const struct pass *pass)
{
    const struct str near = str_slice(pass->text, pass->at, pass->at + MARK_MAX);
    const size_t end = str_find(near, ']');
    return end < near.len && shape_is_mark(str_slice(near, 0, end + 1)) ? pass->at + end + 1 : 0;
}

static void step(struct pass *pass, struct redact_state *state)
{
    const struct str text = pass->text;
    const size_t marked = text.ptr[pass->at] == '[' ? mark_end(pass) : 0;
    if (marked > 0) {
        pass->at = marked;
        return;
    }
    const char c = text.ptr[pass->at];
    const char before = pass->at > 0 ? text.ptr[pass->at - 1] : '\n';
    struct shape_match match;
    bool open = false;
    if (match_pattern(pass, &match) ||
        (before == '\n' && shape_base64_line(text, pass->at, &match)) ||
        (shape_is_word(c) && !shape_is_word(before) && match_word(pass, &match)) ||
        (c == ':' && shape_userinfo(text, pass->at, &match))) {
        replace(pass, &match);
    } else if (c == '-' && shape_private_key(text, pass->at, &match, &open)) {
        replace(pass, &match);
        if (state != NULL) {
            state->in_key = open;
        }
    } else {
        pass->at++;
    }
}

/* The rest of a key that began in an earlier line. */
static void end_key(struct pass *pass, struct redact_state *state)
{
    const struct shape_match match = {0, shape_private_key_end(pass->text, &state->in_key),
                                      "privatekey"};
    if (!shape_is_mark(pass->text)) {
        replace(pass, &match);
    }
}

static bool run_pass(const struct redact_rules *rules, struct redact_state *state, struct str text,
                     struct buf *out)
{
    struct pass pass = {.rules = rules, .text = text, .out = out};
    if (state != NULL && state->in_key && text.len > 0) {
        end_key(&pass, state);
    }
    while (pass.at < text.len) {
        step(&pass, state);
    }
    buf_str(out, str_slice(text, pass.kept, text.len));
    return pass.changed;
}

/* What stood beside a secret may look like one now that it is gone: till nothing changes. Marks
 * stay, so every pass leaves less to look at. */
static bool run_passes(const struct redact_rules *rules, struct redact_state *state,
                       struct str text, struct buf *out)
{
    const size_t from = out->len;
    struct buf held;
    if (!run_pass(rules, state, text, out)) {
        return false;
    }
    buf_init(&held, out->max);
    bool changed = true;
    for (int turn = 0; changed && turn < PASSES_MAX && !out->overflow; turn++) {
        const struct str made = {out->ptr + from, out->len - from};
        buf_reset(&held);
        changed = run_pass(rules, NULL, made, &held);
        out->len = from;
        buf_str(out, buf_get(&held));
    }
    buf_fini(&held);
    return true;
}

bool redact_text(const struct redact_rules *rules, struct redact_state *state, struct str text,
                 struct buf *out)
{
    struct buf held;
    bool changed = false;
    if (rules == NULL || rules->value_count == 0) {
        return run_passes(rules, state, text, out);
    }
    buf_init(&held, text.len * REDACT_GROWTH + 64);
    changed |= take_values(rules, &text, &held);
    changed |= run_passes(rules, state, text, out);
    buf_fini(&held);
    return changed;
}

/* ---- JSON ---- */

static size_t string_end(struct str json, size_t at)
{
    while (at < json.len && json.ptr[at] != '"') {
        at += json.ptr[at] == '\\' && at + 1 < json.len ? 2 : 1;
    }
    return at < json.len ? at : json.len;
}

static bool is_named_secret(enum name_strength name, struct str value)
{
    return value.len > 0 && !shape_is_mark(value) && !str_starts(value, STR("env:")) &&
           !str_starts(value, STR("file:")) &&
           (name >= NAME_STRONG || (name == NAME_WEAK && shape_looks_secret(value)));
}

bool redact_json(const struct redact_rules *rules, struct str json, struct buf *out)
{
    enum name_strength name = NAME_PLAIN; /* Of the member whose value comes next. */
    bool changed = false;
    size_t at = 0;
    while (at < json.len) {
        const char c = json.ptr[at];
        buf_char(out, c);
        at++;
        if (c == ',' || c == '{' || c == '}' || c == ']') {
            name = NAME_PLAIN;
        }
        if (c != '"') {
            continue;
        }
        const size_t end = string_end(json, at);
        const struct str text = str_slice(json, at, end);
        if (is_named_secret(name, text)) {
            put_mark(out, "value");
            changed = true;
        } else {
            changed |= redact_text(rules, NULL, text, out);
        }
        size_t next = end + 1;
        while (next < json.len && (json.ptr[next] == ' ' || json.ptr[next] == '\n')) {
            next++;
        }
        name = next < json.len && json.ptr[next] == ':' ? shape_name(text) : NAME_PLAIN;
        if (end < json.len) {
            buf_char(out, '"');
        }
        at = end + 1;
    }
    return changed;
}

/* ---- Copies ---- */

struct str redact_copy(const struct redact_rules *rules, struct arena *arena, struct str text)
{
    struct buf out;
    buf_init(&out, text.len * REDACT_GROWTH + 64);
    const bool changed = redact_text(rules, NULL, text, &out);
    CHECK(!out.overflow);
    const struct str made = changed ? arena_str(arena, buf_get(&out)) : text;
    buf_fini(&out);
    return made;
}

struct str redact_json_copy(const struct redact_rules *rules, struct arena *arena, struct str json)
{
    struct buf out;
    buf_init(&out, json.len * REDACT_GROWTH + 64);
    const bool changed = redact_json(rules, json, &out);
    CHECK(!out.overflow);
    const struct str made = changed ? arena_str(arena, buf_get(&out)) : json;
    buf_fini(&out);
    return made;
}
