#include "workers/lib/purl.h"

#include <string.h>

#include "base/check.h"

static const struct ecosystem_info ecosystems[ECOSYSTEM_COUNT] = {
    [ECOSYSTEM_NONE] = {"", "", VERSION_SEMVER},
    [ECOSYSTEM_GO] = {"Go", "golang", VERSION_SEMVER_LOOSE},
    [ECOSYSTEM_NPM] = {"npm", "npm", VERSION_SEMVER},
    [ECOSYSTEM_PYPI] = {"PyPI", "pypi", VERSION_PEP440},
    [ECOSYSTEM_CRATES_IO] = {"crates.io", "cargo", VERSION_SEMVER},
    [ECOSYSTEM_PACKAGIST] = {"Packagist", "composer", VERSION_SEMVER_LOOSE},
};

const struct ecosystem_info *ecosystem_info(enum ecosystem ecosystem)
{
    CHECK(ecosystem < ECOSYSTEM_COUNT);
    return &ecosystems[ecosystem];
}

enum ecosystem ecosystem_from_osv(struct str name)
{
    const struct str base = str_slice(name, 0, str_find(name, ':'));
    for (enum ecosystem e = ECOSYSTEM_GO; e < ECOSYSTEM_COUNT; e++) {
        if (str_eq(base, str_from(ecosystems[e].osv_name))) {
            return e;
        }
    }
    return ECOSYSTEM_NONE;
}

enum ecosystem ecosystem_from_purl_type(struct str type)
{
    for (enum ecosystem e = ECOSYSTEM_GO; e < ECOSYSTEM_COUNT; e++) {
        if (str_eq(type, str_from(ecosystems[e].purl_type))) {
            return e;
        }
    }
    return ECOSYSTEM_NONE;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static struct str lower_copy(struct arena *arena, struct str s)
{
    char *out = arena_alloc(arena, s.len + 1);
    for (size_t i = 0; i < s.len; i++) {
        out[i] = lower(s.ptr[i]);
    }
    return (struct str){out, s.len};
}

/* PEP 503: lower case, every run of '-', '_' and '.' becomes one '-'. */
static struct str pypi_name(struct arena *arena, struct str name)
{
    char *out = arena_alloc(arena, name.len + 1);
    size_t len = 0;
    bool in_run = false;
    for (size_t i = 0; i < name.len; i++) {
        const char c = lower(name.ptr[i]);
        const bool separator = c == '-' || c == '_' || c == '.';
        if (!separator) {
            out[len++] = c;
        } else if (!in_run) {
            out[len++] = '-';
        }
        in_run = separator;
    }
    return (struct str){out, len};
}

struct str ecosystem_normal_name(struct arena *arena, enum ecosystem ecosystem, struct str name)
{
    switch (ecosystem) {
    case ECOSYSTEM_PYPI: return pypi_name(arena, name);
    case ECOSYSTEM_GO:
    case ECOSYSTEM_PACKAGIST: return lower_copy(arena, name);
    case ECOSYSTEM_NONE:
    case ECOSYSTEM_NPM:
    case ECOSYSTEM_CRATES_IO:
    case ECOSYSTEM_COUNT: break;
    }
    return name;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct str purl_decode(struct arena *arena, struct str text)
{
    if (str_find(text, '%') == text.len) {
        return text;
    }
    char *out = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        const bool escape = text.ptr[i] == '%' && i + 2 < text.len;
        const int high = escape ? hex_digit(text.ptr[i + 1]) : -1;
        const int low = escape ? hex_digit(text.ptr[i + 2]) : -1;
        if (high >= 0 && low >= 0 && high + low > 0) {
            out[len++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[len++] = text.ptr[i];
        }
    }
    const struct str decoded = {out, len};
    return str_is_utf8(decoded) ? decoded : text;
}

static size_t find_last(struct str s, char c)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.ptr[i - 1] == c) {
            return i - 1;
        }
    }
    return s.len;
}

static struct str strip_slashes(struct str s)
{
    while (s.len > 0 && s.ptr[0] == '/') {
        s = str_slice(s, 1, s.len);
    }
    while (s.len > 0 && s.ptr[s.len - 1] == '/') {
        s = str_slice(s, 0, s.len - 1);
    }
    return s;
}

/* Cuts the part behind the last `c` off *rest; empty when there is none. */
static struct str cut_last(struct str *rest, char c)
{
    const size_t at = find_last(*rest, c);
    const struct str tail = str_slice(*rest, at + 1, rest->len);
    *rest = str_slice(*rest, 0, at);
    return tail;
}

/* Letters, digits, '.', '+' and '-', not beginning with a digit. */
static bool type_valid(struct str type)
{
    for (size_t i = 0; i < type.len; i++) {
        const char c = lower(type.ptr[i]);
        const bool letter = c >= 'a' && c <= 'z';
        const bool other = (c >= '0' && c <= '9') || c == '.' || c == '+' || c == '-';
        if (!letter && (!other || (i == 0 && c >= '0' && c <= '9'))) {
            return false;
        }
    }
    return type.len > 0;
}

bool purl_parse(struct arena *arena, struct str text, struct purl *out_purl)
{
    struct str rest = text;
    memset(out_purl, 0, sizeof(*out_purl));
    if (text.len > PURL_MAX || !str_eq_nocase(str_slice(text, 0, 4), STR("pkg:"))) {
        return false;
    }
    rest = str_slice(rest, 4, rest.len);
    out_purl->subpath = cut_last(&rest, '#');
    out_purl->qualifiers = cut_last(&rest, '?');
    rest = strip_slashes(rest);
    const size_t slash = str_find(rest, '/');
    const struct str type = str_slice(rest, 0, slash);
    rest = strip_slashes(str_slice(rest, slash, rest.len));
    const size_t at = find_last(rest, '@');
    /* An '@' that begins a segment is an unescaped npm scope: a name cannot be empty. */
    if (at < rest.len && at > 0 && rest.ptr[at - 1] != '/') {
        out_purl->version = purl_decode(arena, str_slice(rest, at + 1, rest.len));
        rest = strip_slashes(str_slice(rest, 0, at));
    }
    const size_t last = find_last(rest, '/');
    const struct str name = last < rest.len ? str_slice(rest, last + 1, rest.len) : rest;
    if (!type_valid(type) || name.len == 0) {
        return false;
    }
    out_purl->type = lower_copy(arena, type);
    out_purl->name = purl_decode(arena, name);
    out_purl->namespace =
        purl_decode(arena, last < rest.len ? strip_slashes(str_slice(rest, 0, last)) : STR(""));
    return true;
}

struct str purl_full_name(struct arena *arena, const struct purl *purl)
{
    if (purl->namespace.len == 0) {
        return purl->name;
    }
    return arena_format(arena, "%.*s/%.*s", STR_ARG(purl->namespace), STR_ARG(purl->name));
}

struct str purl_qualifier(struct arena *arena, const struct purl *purl, struct str key)
{
    struct str rest = purl->qualifiers;
    struct str pair = {NULL, 0};
    while (rest.len > 0 && str_split(&rest, '&', &pair)) {
        const size_t equals = str_find(pair, '=');
        if (str_eq_nocase(str_slice(pair, 0, equals), key)) {
            return purl_decode(arena, str_slice(pair, equals + 1, pair.len));
        }
    }
    return (struct str){NULL, 0};
}

struct str purl_package_key(struct arena *arena, const struct purl *purl)
{
    const enum ecosystem ecosystem = ecosystem_from_purl_type(purl->type);
    const struct str name = ecosystem_normal_name(arena, ecosystem, purl_full_name(arena, purl));
    return arena_format(arena, "%.*s:%.*s", STR_ARG(purl->type), STR_ARG(name));
}

static struct str without_v(struct str version)
{
    return str_starts(version, STR("v")) ? str_slice(version, 1, version.len) : version;
}

bool purl_same_version(struct str a, struct str b)
{
    return str_eq(without_v(a), without_v(b));
}

bool purl_covers(struct arena *arena, const struct purl *wide, const struct purl *narrow)
{
    if (wide->version.len > 0 && !purl_same_version(wide->version, narrow->version)) {
        return false;
    }
    return str_eq(purl_package_key(arena, wide), purl_package_key(arena, narrow));
}
