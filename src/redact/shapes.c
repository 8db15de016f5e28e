#include "redact/shapes.h"

#include <string.h>

enum {
    NAME_MAX_BYTES = 64,
    SPACES_MAX = 8,
    LABEL_MAX = 64,
    SECRET_MIN = 8,
    BASE64_LINE_MIN = 48,
    TOKEN_PARTS_MAX = 5,
    WEAK_MAX = 512,
};

/* ---- Letters ---- */

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool shape_is_word(char c)
{
    return is_lower(c) || is_upper(c) || is_digit(c);
}

static bool is_base64url(char c)
{
    return shape_is_word(c) || c == '_' || c == '-';
}

static bool is_token68(char c)
{
    return is_base64url(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
}

static bool is_name(char c)
{
    return is_base64url(c) || c == '.';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == 0;
}

static char lowered(char c)
{
    return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

static struct str rest_of(struct str text, size_t at)
{
    return str_slice(text, at, text.len);
}

static size_t run(struct str text, size_t at, bool (*is_of)(char c))
{
    while (at < text.len && is_of(text.ptr[at])) {
        at++;
    }
    return at;
}

static bool has(struct str text, const char *part)
{
    return text.len > 0 && memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

bool shape_is_mark(struct str text)
{
    const struct str begin = STR("[redacted:");
    if (!str_starts(text, begin)) {
        return false;
    }
    const size_t end = run(text, begin.len, is_lower);
    return end > begin.len && (end == text.len || (end + 1 == text.len && text.ptr[end] == ']'));
}

bool shape_looks_secret(struct str value)
{
    bool letter = false;
    bool digit = false;
    bool camel = false;
    if (value.len < SECRET_MIN || has(value, "[redacted:")) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        const char c = value.ptr[i];
        letter |= is_lower(c) || is_upper(c);
        digit |= is_digit(c);
        camel |= i > 0 && is_upper(c) && is_lower(value.ptr[i - 1]);
    }
    return letter && (digit || camel);
}

/* ---- Names ---- */

static bool has_any(struct str name, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (has(name, *list)) {
            return true;
        }
    }
    return false;
}

static bool is_any(struct str name, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (str_eq(name, str_from(*list))) {
            return true;
        }
    }
    return false;
}

enum name_strength shape_name(struct str name)
{
    static const char *const headers[] = {"authorization", "cookie", NULL};
    static const char *const strong[] = {"password",   "passwd",     "passphrase", "secret",
                                         "privatekey", "apikey",     "accesskey",  "accountkey",
                                         "sharedkey",  "credential", NULL};
    static const char *const strong_words[] = {"pwd", "pass", NULL};
    static const char *const weak[] = {"token", "signature", "session", NULL};
    static const char *const weak_words[] = {"auth", "sig", "jwt", "bearer", "sid", NULL};
    char plain[NAME_MAX_BYTES];
    size_t len = 0;
    for (size_t i = 0; i < name.len && len < sizeof(plain); i++) {
        if (shape_is_word(name.ptr[i])) {
            plain[len++] = lowered(name.ptr[i]);
        }
    }
    const struct str text = {plain, len};
    if (has_any(text, headers)) {
        return NAME_HEADER;
    }
    if (has_any(text, strong) || is_any(text, strong_words)) {
        return NAME_STRONG;
    }
    return has_any(text, weak) || is_any(text, weak_words) ? NAME_WEAK : NAME_PLAIN;
}

/* ---- Tokens of known shape ---- */

struct token_shape {
    const char *prefix;
    size_t rest_min; /* Bytes after it; less than a whole token has, for those that were cut. */
    const char *kind;
    bool is_path; /* Has slashes. */
};

static const struct token_shape token_shapes[] = {
    {"stl_", 12, "token", false},
    {"eyJ", 8, "jwt", false},
    {"ghp_", 10, "token", false},
    {"gho_", 10, "token", false},
    {"ghu_", 10, "token", false},
    {"ghs_", 10, "token", false},
    {"ghr_", 10, "token", false},
    {"github_pat_", 10, "token", false},
    {"glpat-", 10, "token", false},
    {"gldt-", 10, "token", false},
    {"glrt-", 10, "token", false},
    {"glcbt-", 10, "token", false},
    {"glptt-", 10, "token", false},
    {"npm_", 16, "token", false},
    {"pypi-", 16, "token", false},
    {"AKIA", 12, "cloudkey", false},
    {"ASIA", 12, "cloudkey", false},
    {"ABIA", 12, "cloudkey", false},
    {"AIza", 20, "cloudkey", false},
    {"ya29.", 10, "cloudkey", false},
    {"xoxa-", 10, "token", false},
    {"xoxb-", 10, "token", false},
    {"xoxp-", 10, "token", false},
    {"xoxr-", 10, "token", false},
    {"xoxs-", 10, "token", false},
    {"sk_live_", 10, "token", false},
    {"sk_test_", 10, "token", false},
    {"rk_live_", 10, "token", false},
    {"sk-", 20, "token", false},
    {"SG.", 20, "token", false},
    {"hvs.", 10, "token", false},
    {"dop_v1_", 16, "token", false},
    {"AGE-SECRET-KEY-1", 10, "token", false},
    {"hooks.slack.com/services/", 8, "token", true},
};

static bool is_token(char c)
{
    return is_base64url(c) || c == '/';
}

/* Parts of a token, joined by dots. */
static size_t token_end(struct str text, size_t at, bool (*is_of)(char c))
{
    size_t end = run(text, at, is_of);
    for (int i = 1; i < TOKEN_PARTS_MAX && end + 1 < text.len && text.ptr[end] == '.' &&
                    is_of(text.ptr[end + 1]);
         i++) {
        end = run(text, end + 1, is_of);
    }
    return end;
}

bool shape_token(struct str text, size_t at, struct shape_match *out)
{
    const struct str rest = rest_of(text, at);
    for (size_t i = 0; i < sizeof(token_shapes) / sizeof(token_shapes[0]); i++) {
        const struct token_shape *shape = &token_shapes[i];
        if (rest.ptr[0] != shape->prefix[0] || !str_starts(rest, str_from(shape->prefix))) {
            continue;
        }
        const size_t body = at + strlen(shape->prefix);
        bool (*const is_of)(char c) = shape->is_path ? is_token : is_base64url;
        if (run(text, body, is_of) - body < shape->rest_min) {
            return false;
        }
        *out = (struct shape_match){at, token_end(text, body, is_of), shape->kind};
        return true;
    }
    return false;
}

/* ---- Schemes ---- */

static bool starts_word(struct str rest, struct str word)
{
    return rest.len > word.len && str_eq_nocase(str_slice(rest, 0, word.len), word) &&
           !shape_is_word(rest.ptr[word.len]);
}

static size_t skip_spaces(struct str text, size_t at)
{
    const size_t max = at + SPACES_MAX;
    while (at < text.len && at < max && (text.ptr[at] == ' ' || text.ptr[at] == '\t')) {
        at++;
    }
    return at;
}

bool shape_scheme(struct str text, size_t at, struct shape_match *out)
{
    static const struct str schemes[] = {{"bearer", 6}, {"basic", 5}, {"digest", 6}};
    const struct str rest = rest_of(text, at);
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (!starts_word(rest, schemes[i])) {
            continue;
        }
        const size_t after = at + schemes[i].len;
        const size_t from = skip_spaces(text, after);
        const size_t to = run(text, from, is_token68);
        if (from > after && shape_looks_secret(str_slice(text, from, to))) {
            *out = (struct shape_match){from, to, "credential"};
            return true;
        }
    }
    return false;
}

/* ---- name = value ---- */

/* Past an optional quote, perhaps escaped; the quote, or 0. */
static size_t skip_quote(struct str text, size_t at, char *out_quote)
{
    size_t end = at;
    if (end + 1 < text.len && text.ptr[end] == '\\') {
        end++;
    }
    if (end < text.len && (text.ptr[end] == '"' || text.ptr[end] == '\'')) {
        *out_quote = text.ptr[end];
        return end + 1;
    }
    *out_quote = 0;
    return at;
}

static size_t quoted_end(struct str text, size_t at, char quote, bool escaped)
{
    while (at < text.len && text.ptr[at] != '\n') {
        const char c = text.ptr[at];
        const bool pair = c == '\\' && at + 1 < text.len;
        if (c == quote || (pair && escaped && text.ptr[at + 1] == quote)) {
            return at;
        }
        at += pair ? 2 : 1;
    }
    return at < text.len ? at : text.len;
}

static bool ends_value(char c)
{
    return is_space(c) || c == '"' || c == '\'' || c == '&' || c == '<';
}

/* Punctuation after it belongs to the sentence. A backslash keeps what it escapes. */
static size_t bare_end(struct str text, size_t from)
{
    size_t end = from;
    while (end < text.len && !ends_value(text.ptr[end])) {
        end += text.ptr[end] == '\\' && end + 1 < text.len ? 2 : 1;
    }
    while (end > from && strchr(",;)}]>.", text.ptr[end - 1]) != NULL) {
        end--;
    }
    return end;
}

/* A weak name looks no further than that; what is longer is a secret. */
static bool looks_secret_at(struct str text, size_t from, size_t to)
{
    return to - from >= WEAK_MAX || shape_looks_secret(str_slice(text, from, to));
}

static size_t line_end(struct str text, size_t at)
{
    while (at < text.len && text.ptr[at] != '\n' && text.ptr[at] != '\r') {
        at++;
    }
    return at;
}

/* The value's beginning after a name that ends at `at`, or 0. */
static size_t value_begin(struct str text, size_t at, bool is_flag, char *out_separator)
{
    char quote = 0;
    size_t next = skip_spaces(text, skip_quote(text, at, &quote));
    if (next < text.len && (text.ptr[next] == '=' || text.ptr[next] == ':')) {
        *out_separator = text.ptr[next];
        next++;
        if (next < text.len && (text.ptr[next] == '=' || text.ptr[next] == '>')) {
            next++;
        }
        return skip_spaces(text, next);
    }
    *out_separator = ' ';
    return is_flag && next > at && next < text.len && text.ptr[next] != '-' ? next : 0;
}

/* Where a secret is kept, and not the secret. */
static bool is_reference(struct str value)
{
    return str_starts(value, STR("env:")) || str_starts(value, STR("file:")) ||
           str_starts(value, STR("//"));
}

static enum name_strength strength_at(struct str text, size_t at, size_t name_end)
{
    const struct str name = str_slice(text, at, name_end);
    const char before = at > 0 ? text.ptr[at - 1] : ' ';
    const bool is_parameter = before == '?' || before == '&';
    return is_parameter && str_eq(name, STR("key")) ? NAME_WEAK : shape_name(name);
}

static size_t value_end(struct str text, size_t begin, size_t from, char quote)
{
    return quote != 0 ? quoted_end(text, from, quote, text.ptr[begin] == '\\')
                      : bare_end(text, from);
}

bool shape_assignment(struct str text, size_t at, struct shape_match *out)
{
    const size_t name_end = run(str_slice(text, 0, at + NAME_MAX_BYTES), at, is_name);
    const enum name_strength strength = strength_at(text, at, name_end);
    const bool is_flag = at >= 2 && text.ptr[at - 1] == '-' && text.ptr[at - 2] == '-';
    const char before = at > 0 ? text.ptr[at - 1] : ' ';
    char separator = 0;
    char quote = 0;
    const size_t begin =
        strength == NAME_PLAIN ? 0 : value_begin(text, name_end, is_flag, &separator);
    if (begin == 0) {
        return false;
    }
    const size_t from = skip_quote(text, begin, &quote);
    if (is_reference(rest_of(text, from))) {
        return false;
    }
    if (strength == NAME_WEAK) {
        const struct str near = str_slice(text, 0, from + WEAK_MAX);
        if (!looks_secret_at(text, from, value_end(near, begin, from, quote))) {
            return false;
        }
    }
    size_t to = value_end(text, begin, from, quote);
    if (strength == NAME_HEADER && quote == 0 && separator == ':') {
        to = before == '"' || before == '\'' ? quoted_end(text, from, before, false)
                                             : line_end(text, from);
    }
    const struct str value = str_slice(text, from, to);
    if (value.len == 0 || shape_is_mark(value)) {
        return false;
    }
    *out = (struct shape_match){from, to, strength == NAME_HEADER ? "header" : "value"};
    return true;
}

/* ---- URLs ---- */

bool shape_userinfo(struct str text, size_t at, struct shape_match *out)
{
    const size_t from = at + 3;
    size_t end = from;
    size_t last_at = 0;
    if (!str_starts(rest_of(text, at), STR("://"))) {
        return false;
    }
    while (end < text.len && !is_space(text.ptr[end]) &&
           strchr("/?#\"'<>", text.ptr[end]) == NULL) {
        last_at = text.ptr[end] == '@' ? end : last_at;
        end++;
    }
    if (last_at <= from || shape_is_mark(str_slice(text, from, last_at))) {
        return false;
    }
    *out = (struct shape_match){from, last_at, "userinfo"};
    return true;
}

/* ---- Key blocks ---- */

size_t shape_private_key_end(struct str text, bool *out_open)
{
    static const char mark[] = "-----END ";
    const char *end = text.len > 0 ? memmem(text.ptr, text.len, mark, sizeof(mark) - 1) : NULL;
    *out_open = end == NULL;
    if (end == NULL) {
        return text.len;
    }
    const size_t label = (size_t)(end - text.ptr) + sizeof(mark) - 1;
    const struct str rest = str_slice(text, label, label + LABEL_MAX);
    const char *close = rest.len > 0 ? memmem(rest.ptr, rest.len, "-----", 5) : NULL;
    return close == NULL ? label + rest.len : (size_t)(close - text.ptr) + 5;
}

bool shape_private_key(struct str text, size_t at, struct shape_match *out, bool *out_open)
{
    const struct str begin = STR("-----BEGIN ");
    if (!str_starts(rest_of(text, at), begin)) {
        return false;
    }
    const struct str label = str_slice(text, at + begin.len, at + begin.len + LABEL_MAX);
    const char *close = label.len > 0 ? memmem(label.ptr, label.len, "-----", 5) : NULL;
    const size_t len = close == NULL ? 0 : (size_t)(close - label.ptr);
    if (!has(str_slice(label, 0, len), "PRIVATE KEY")) {
        return false;
    }
    const size_t body = at + begin.len + len + 5;
    const size_t end = shape_private_key_end(rest_of(text, body), out_open);
    *out = (struct shape_match){at, body + end, "privatekey"};
    return true;
}

static bool is_base64(char c)
{
    return shape_is_word(c) || c == '+' || c == '/' || c == '=';
}

bool shape_base64_line(struct str text, size_t at, struct shape_match *out)
{
    const size_t end = run(text, at, is_base64);
    bool lower = false;
    bool upper = false;
    bool digit = false;
    if (end - at < BASE64_LINE_MIN || (end < text.len && text.ptr[end] != '\n' &&
                                       text.ptr[end] != '\r' && text.ptr[end] != '\\')) {
        return false;
    }
    for (size_t i = at; i < end; i++) {
        lower |= is_lower(text.ptr[i]);
        upper |= is_upper(text.ptr[i]);
        digit |= is_digit(text.ptr[i]);
    }
    *out = (struct shape_match){at, end, "base"};
    return lower && upper && digit;
}
