#include "workers/lib/version.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_alphanumeric(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.ptr[i])) {
            return false;
        }
    }
    return s.len > 0;
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

/* Decimal numbers of any length; an empty text is 0. */
static int compare_numbers(struct str a, struct str b)
{
    while (a.len > 0 && a.ptr[0] == '0') {
        a = str_slice(a, 1, a.len);
    }
    while (b.len > 0 && b.ptr[0] == '0') {
        b = str_slice(b, 1, b.len);
    }
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return a.len == 0 ? 0 : sign(memcmp(a.ptr, b.ptr, a.len));
}

/* Takes the digits at the front of *rest. */
static struct str take_digits(struct str *rest)
{
    size_t n = 0;
    while (n < rest->len && is_digit(rest->ptr[n])) {
        n++;
    }
    const struct str digits = str_slice(*rest, 0, n);
    *rest = str_slice(*rest, n, rest->len);
    return digits;
}

static bool take_char(struct str *rest, char c)
{
    if (rest->len == 0 || rest->ptr[0] != c) {
        return false;
    }
    *rest = str_slice(*rest, 1, rest->len);
    return true;
}

/* ---- Semantic Versioning ---- */

struct semver {
    struct str numbers[3];
    struct str pre; /* Without the hyphen; empty when there is none. */
};

/* Dot-separated identifiers; numeric ones of a pre-release have no leading zero. */
static bool identifiers_valid(struct str list, bool strict_numbers)
{
    size_t from = 0;
    for (size_t i = 0; i <= list.len; i++) {
        if (i < list.len && list.ptr[i] != '.') {
            if (!is_alphanumeric(list.ptr[i]) && list.ptr[i] != '-') {
                return false;
            }
            continue;
        }
        const struct str one = str_slice(list, from, i);
        if (one.len == 0 ||
            (strict_numbers && one.len > 1 && one.ptr[0] == '0' && all_digits(one))) {
            return false;
        }
        from = i + 1;
    }
    return true;
}

static bool semver_parse(struct str text, bool loose, struct semver *out)
{
    struct str rest = text;
    if (loose) {
        (void)take_char(&rest, 'v');
    }
    for (int i = 0; i < 3; i++) {
        if (i > 0 && !take_char(&rest, '.')) {
            return false;
        }
        out->numbers[i] = take_digits(&rest);
        if (out->numbers[i].len == 0 ||
            (out->numbers[i].len > 1 && out->numbers[i].ptr[0] == '0')) {
            return false;
        }
    }
    const size_t plus = str_find(rest, '+');
    if (plus < rest.len && !identifiers_valid(str_slice(rest, plus + 1, rest.len), false)) {
        return false;
    }
    out->pre = str_slice(rest, 0, plus);
    if (out->pre.len == 0) {
        return true;
    }
    return take_char(&out->pre, '-') && identifiers_valid(out->pre, true);
}

static int semver_compare_identifier(struct str a, struct str b)
{
    const bool a_number = all_digits(a);
    const bool b_number = all_digits(b);
    if (a_number && b_number) {
        return compare_numbers(a, b);
    }
    if (a_number != b_number) {
        return a_number ? -1 : 1;
    }
    return sign(str_cmp(a, b));
}

static int semver_compare_pre(struct str a, struct str b)
{
    if (a.len == 0 || b.len == 0) {
        return (a.len == 0) - (b.len == 0); /* A release is newer than its pre-releases. */
    }
    for (;;) {
        struct str left = {NULL, 0};
        struct str right = {NULL, 0};
        const bool has_left = str_split(&a, '.', &left);
        const bool has_right = str_split(&b, '.', &right);
        if (!has_left || !has_right) {
            return has_left - has_right;
        }
        const int order = semver_compare_identifier(left, right);
        if (order != 0) {
            return order;
        }
    }
}

static int semver_order(const struct semver *a, const struct semver *b)
{
    for (int i = 0; i < 3; i++) {
        const int order = compare_numbers(a->numbers[i], b->numbers[i]);
        if (order != 0) {
            return order;
        }
    }
    return semver_compare_pre(a->pre, b->pre);
}

/* ---- PEP 440 ---- */

enum pep440_pre { PRE_NONE, PRE_ALPHA, PRE_BETA, PRE_CANDIDATE };

struct pep440 {
    struct str epoch;
    struct str release; /* "1.2.3" */
    enum pep440_pre pre;
    struct str pre_number;
    bool has_post;
    struct str post_number;
    bool has_dev;
    struct str dev_number;
    struct str local; /* "ubuntu.1", separators as written. */
};

static bool is_separator(char c)
{
    return c == '-' || c == '_' || c == '.';
}

static void skip_separator(struct str *rest)
{
    if (rest->len > 0 && is_separator(rest->ptr[0])) {
        *rest = str_slice(*rest, 1, rest->len);
    }
}

static bool take_word(struct str *rest, struct str word)
{
    if (!str_eq_nocase(str_slice(*rest, 0, word.len), word)) {
        return false;
    }
    *rest = str_slice(*rest, word.len, rest->len);
    return true;
}

/* [separator] word [separator] [digits]; nothing is taken when no word of the list follows. */
static bool take_segment(struct str *rest, const char *const *words, size_t *out_word,
                         struct str *out_number)
{
    struct str at = *rest;
    skip_separator(&at);
    for (size_t i = 0; words[i] != NULL; i++) {
        if (take_word(&at, str_from(words[i]))) {
            skip_separator(&at);
            *out_number = take_digits(&at);
            *out_word = i;
            *rest = at;
            return true;
        }
    }
    return false;
}

static void take_pre(struct str *rest, struct pep440 *out)
{
    /* Longer spellings stand before their prefixes. */
    static const char *const words[] = {"alpha", "a",  "beta", "b", "preview",
                                        "pre",   "rc", "c",    NULL};

    static const enum pep440_pre kinds[] = {PRE_ALPHA,     PRE_ALPHA,     PRE_BETA,
                                            PRE_BETA,      PRE_CANDIDATE, PRE_CANDIDATE,
                                            PRE_CANDIDATE, PRE_CANDIDATE};

    size_t word = 0;
    if (take_segment(rest, words, &word, &out->pre_number)) {
        out->pre = kinds[word];
    }
}

static void take_post(struct str *rest, struct pep440 *out)
{
    static const char *const words[] = {"post", "rev", "r", NULL};
    size_t word = 0;
    if (rest->len > 1 && rest->ptr[0] == '-' && is_digit(rest->ptr[1])) {
        *rest = str_slice(*rest, 1, rest->len);
        out->post_number = take_digits(rest);
        out->has_post = true;
        return;
    }
    out->has_post = take_segment(rest, words, &word, &out->post_number);
}

/* [epoch!]release, the release being numbers joined by dots. */
static bool take_release(struct str *rest, struct pep440 *out)
{
    struct str at = *rest;
    const struct str epoch = take_digits(&at);
    if (epoch.len > 0 && take_char(&at, '!')) {
        out->epoch = epoch;
        *rest = at;
    }
    size_t len = 0;
    while (len < rest->len && is_digit(rest->ptr[len])) {
        while (len < rest->len && is_digit(rest->ptr[len])) {
            len++;
        }
        if (len + 1 < rest->len && rest->ptr[len] == '.' && is_digit(rest->ptr[len + 1])) {
            len++;
        }
    }
    out->release = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len, rest->len);
    return len > 0;
}

/* Alphanumeric parts joined by single separators. */
static bool local_valid(struct str local)
{
    bool in_part = false;
    for (size_t i = 0; i < local.len; i++) {
        if (is_separator(local.ptr[i])) {
            if (!in_part) {
                return false;
            }
            in_part = false;
        } else if (is_alphanumeric(local.ptr[i])) {
            in_part = true;
        } else {
            return false;
        }
    }
    return in_part;
}

static bool pep440_parse(struct str text, struct pep440 *out)
{
    static const char *const dev_words[] = {"dev", NULL};
    struct str rest = str_trim(text);
    memset(out, 0, sizeof(*out));
    if (!take_char(&rest, 'v')) {
        (void)take_char(&rest, 'V');
    }
    if (!take_release(&rest, out)) {
        return false;
    }
    take_pre(&rest, out);
    take_post(&rest, out);
    size_t word = 0;
    out->has_dev = take_segment(&rest, dev_words, &word, &out->dev_number);
    if (take_char(&rest, '+')) {
        out->local = rest;
        return local_valid(rest);
    }
    return rest.len == 0;
}

/* Missing numbers at the end are zeros: 1.0 is 1.0.0. */
static int pep440_compare_release(struct str a, struct str b)
{
    while (a.len > 0 || b.len > 0) {
        struct str left = {NULL, 0};
        struct str right = {NULL, 0};
        (void)str_split(&a, '.', &left);
        (void)str_split(&b, '.', &right);
        const int order = compare_numbers(left, right);
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

/*
 * Where a version stands among those of its release, before numbers are looked at: a development
 * release of the release itself comes first, then alpha, beta, candidate, then release and posts.
 */
static int pep440_phase(const struct pep440 *v)
{
    if (v->pre != PRE_NONE) {
        return (int)v->pre;
    }
    return v->has_dev && !v->has_post ? 0 : PRE_CANDIDATE + 1;
}

static struct str take_local_part(struct str *rest)
{
    size_t n = 0;
    while (n < rest->len && !is_separator(rest->ptr[n])) {
        n++;
    }
    const struct str part = str_slice(*rest, 0, n);
    *rest = str_slice(*rest, n + 1, rest->len);
    return part;
}

static int compare_nocase(struct str a, struct str b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < n; i++) {
        const int order = (unsigned char)lower(a.ptr[i]) - (unsigned char)lower(b.ptr[i]);
        if (order != 0) {
            return sign(order);
        }
    }
    return (a.len > b.len) - (a.len < b.len);
}

/* No local part is oldest; numbers are newer than words; a longer list is newer. */
static int pep440_compare_local(struct str a, struct str b)
{
    while (a.len > 0 && b.len > 0) {
        const struct str left = take_local_part(&a);
        const struct str right = take_local_part(&b);
        const bool left_number = all_digits(left);
        const bool right_number = all_digits(right);
        if (left_number != right_number) {
            return left_number ? 1 : -1;
        }
        const int order = left_number ? compare_numbers(left, right) : compare_nocase(left, right);
        if (order != 0) {
            return order;
        }
    }
    return (a.len > 0) - (b.len > 0);
}

static int pep440_order(const struct pep440 *a, const struct pep440 *b)
{
    int order = compare_numbers(a->epoch, b->epoch);
    order = order != 0 ? order : pep440_compare_release(a->release, b->release);
    order = order != 0 ? order : pep440_phase(a) - pep440_phase(b);
    order = order != 0 ? order : compare_numbers(a->pre_number, b->pre_number);
    order = order != 0 ? order : a->has_post - b->has_post;
    order = order != 0 ? order : compare_numbers(a->post_number, b->post_number);
    order = order != 0 ? order : b->has_dev - a->has_dev;
    order = order != 0 ? order : compare_numbers(a->dev_number, b->dev_number);
    order = order != 0 ? order : pep440_compare_local(a->local, b->local);
    return sign(order);
}

/* ---- */

bool version_valid(enum version_scheme scheme, struct str text)
{
    int order = 0;
    return version_compare(scheme, text, text, &order);
}

bool version_compare(enum version_scheme scheme, struct str a, struct str b, int *out_order)
{
    if (a.len == 0 || b.len == 0 || a.len > VERSION_MAX || b.len > VERSION_MAX) {
        return false;
    }
    if (scheme == VERSION_PEP440) {
        struct pep440 left;
        struct pep440 right;
        if (!pep440_parse(a, &left) || !pep440_parse(b, &right)) {
            return false;
        }
        *out_order = pep440_order(&left, &right);
        return true;
    }
    struct semver left = {0};
    struct semver right = {0};
    const bool loose = scheme == VERSION_SEMVER_LOOSE;
    if (!semver_parse(a, loose, &left) || !semver_parse(b, loose, &right)) {
        return false;
    }
    *out_order = semver_order(&left, &right);
    return true;
}
