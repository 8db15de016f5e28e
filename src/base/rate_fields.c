#include "base/rate_fields.h"

enum dialect { DIALECT_ITEMS, DIALECT_PAIR, DIALECT_X };

/* Beyond it a reset is a time, not a span. */
#define EPOCH_LEAST INT64_C(100000000)
/* Larger numbers are nobody's limit; a week is nobody's window. */
#define REMAINING_MAX INT64_C(1000000000)
#define RESET_MAX_S   (INT64_C(7) * 24 * 3600)

void rate_fields_clear(struct rate_fields *fields)
{
    for (int i = 0; i < RATE_DIALECTS; i++) {
        fields->said[i] = (struct rate_said){-1, -1};
    }
}

/* ---- Structured fields, as far as these need them ---- */

struct reader {
    struct str text;
    size_t at;
    bool broken;
};

static char peek(const struct reader *r)
{
    return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static bool skip(struct reader *r, char c)
{
    const bool is = r->at < r->text.len && r->text.ptr[r->at] == c;
    r->at += is;
    return is;
}

static void skip_spaces(struct reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t') {
        r->at++;
    }
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '*' || c == ':' || c == '/' || c == '?' || c == '%' ||
           c == '+' || c == '=' || c == '@';
}

/* A quoted text, passed over. */
static void pass_quoted(struct reader *r)
{
    while (r->at < r->text.len && peek(r) != '"') {
        r->at += peek(r) == '\\' ? 2 : 1;
    }
    r->broken |= !skip(r, '"');
}

/* A key: up to '=', ';', ',' or a space. */
static struct str take_key(struct reader *r)
{
    const size_t from = r->at;
    while (is_word(peek(r)) && peek(r) != '=') {
        r->at++;
    }
    r->broken |= r->at == from;
    return str_slice(r->text, from, r->at);
}

/* A bare value; *out is its number, or -1 when it is something else. */
static void take_value(struct reader *r, int64_t *out)
{
    const size_t from = r->at;
    *out = -1;
    if (skip(r, '"')) {
        pass_quoted(r);
        return;
    }
    while (is_word(peek(r))) {
        r->at++;
    }
    r->broken |= r->at == from;
    int64_t number = 0;
    if (str_parse_i64(str_slice(r->text, from, r->at), &number) && number >= 0) {
        *out = number;
    }
}

static void note(struct rate_said *said, struct str key, int64_t value)
{
    if (str_eq(key, STR("r")) || str_eq(key, STR("remaining"))) {
        said->remaining = value;
    } else if (str_eq(key, STR("t")) || str_eq(key, STR("reset"))) {
        said->reset_s = value;
    }
}

static bool is_whole(const struct rate_said *said)
{
    return said->remaining >= 0 && said->reset_s > 0;
}

/* `a` allows less a second than `b`. */
static bool is_stricter(const struct rate_said *a, const struct rate_said *b)
{
    const int64_t x = a->remaining < REMAINING_MAX ? a->remaining : REMAINING_MAX;
    const int64_t y = b->remaining < REMAINING_MAX ? b->remaining : REMAINING_MAX;
    const int64_t s = a->reset_s < RESET_MAX_S ? a->reset_s : RESET_MAX_S;
    const int64_t t = b->reset_s < RESET_MAX_S ? b->reset_s : RESET_MAX_S;
    return x * t < y * s || (x == y && x == 0 && s > t);
}

/* One member of the list: `"name";r=1;t=2`, `name;…`, or `key=value`, whose parts make one limit
 * together. */
static void take_member(struct reader *r, struct rate_said *whole, struct rate_said *parts)
{
    struct rate_said own = {-1, -1};
    int64_t value = -1;
    struct str key = {0};
    if (skip(r, '"')) {
        pass_quoted(r);
    } else {
        key = take_key(r);
        if (skip(r, '=')) {
            take_value(r, &value);
            note(parts, key, value);
        }
    }
    skip_spaces(r);
    while (!r->broken && skip(r, ';')) {
        skip_spaces(r);
        key = take_key(r);
        value = -1;
        if (skip(r, '=')) {
            take_value(r, &value);
        }
        note(&own, key, value);
        skip_spaces(r);
    }
    if (is_whole(&own) && (!is_whole(whole) || is_stricter(&own, whole))) {
        *whole = own;
    }
}

static struct rate_said read_items(struct str text)
{
    struct reader r = {.text = text};
    struct rate_said whole = {-1, -1};
    struct rate_said parts = {-1, -1};
    int items = 0;
    do {
        skip_spaces(&r);
        take_member(&r, &whole, &parts);
    } while (!r.broken && ++items < RATE_ITEMS_MAX && skip(&r, ','));
    if (r.broken || r.at < r.text.len) {
        return (struct rate_said){-1, -1};
    }
    return is_whole(&whole) ? whole : parts;
}

/* ---- Fields ---- */

/* A number, perhaps followed by what older drafts put behind it ("10, 10;w=1"). */
static int64_t read_number(struct str value)
{
    int64_t number = 0;
    const struct str first = str_trim(str_slice(value, 0, str_find(value, ',')));
    return str_parse_i64(first, &number) && number >= 0 ? number : -1;
}

void rate_fields_take(struct rate_fields *fields, struct str name, struct str value)
{
    static const struct {
        const char *name;
        enum dialect dialect;
        bool is_reset;
    } known[] = {
        {"ratelimit-remaining", DIALECT_PAIR, false}, {"ratelimit-reset", DIALECT_PAIR, true},
        {"x-ratelimit-remaining", DIALECT_X, false},  {"x-ratelimit-reset", DIALECT_X, true},
        {"x-rate-limit-remaining", DIALECT_X, false}, {"x-rate-limit-reset", DIALECT_X, true},
    };
    const struct str text = str_trim(value);
    if (text.len > RATE_FIELD_MAX) {
        return;
    }
    if (str_eq_nocase(name, STR("ratelimit"))) {
        fields->said[DIALECT_ITEMS] = read_items(text);
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (str_eq_nocase(name, str_from(known[i].name))) {
            struct rate_said *said = &fields->said[known[i].dialect];
            *(known[i].is_reset ? &said->reset_s : &said->remaining) = read_number(text);
        }
    }
}

/* A span, whatever it was written as; 0 when it is over or none. */
static int64_t span_of(int64_t reset_s, int64_t now_s)
{
    const int64_t span = reset_s >= EPOCH_LEAST ? reset_s - now_s : reset_s;
    return span <= 0 ? 0 : span < RESET_MAX_S ? span : RESET_MAX_S;
}

bool rate_fields_get(const struct rate_fields *fields, int64_t now_s, struct rate_limit *out)
{
    for (int i = 0; i < RATE_DIALECTS; i++) {
        const struct rate_said *said = &fields->said[i];
        const int64_t span = span_of(said->reset_s, now_s);
        if (is_whole(said) && span > 0) {
            out->remaining = said->remaining < REMAINING_MAX ? said->remaining : REMAINING_MAX;
            out->reset_ms = span * 1000;
            return true;
        }
    }
    return false;
}
