#include "base/str.h"

#include <string.h>

struct str str_from(const char *text)
{
    return (struct str){text, text ? strlen(text) : 0};
}

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int str_cmp(struct str a, struct str b)
{
    const size_t common = a.len < b.len ? a.len : b.len;
    const int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_slice(s, 0, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_slice(s, s.len - suffix.len, s.len), suffix);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

size_t str_find(struct str s, char c)
{
    const char *hit = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);
    return hit ? (size_t)(hit - s.ptr) : s.len;
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    to = to > s.len ? s.len : to;
    from = from > to ? to : from;
    return (struct str){s.ptr ? s.ptr + from : NULL, to - from};
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    size_t from = 0;
    size_t to = s.len;
    while (from < to && is_space(s.ptr[from])) {
        from++;
    }
    while (to > from && is_space(s.ptr[to - 1])) {
        to--;
    }
    return str_slice(s, from, to);
}

bool str_split(struct str *rest, char sep, struct str *out_part)
{
    if (rest->ptr == NULL) {
        return false;
    }
    const size_t at = str_find(*rest, sep);
    *out_part = str_slice(*rest, 0, at);
    *rest = at < rest->len ? str_slice(*rest, at + 1, rest->len) : (struct str){NULL, 0};
    return true;
}

bool str_parse_i64(struct str s, int64_t *out_value)
{
    const bool negative = s.len > 0 && s.ptr[0] == '-';
    int64_t value = 0;
    if (s.len == (negative ? 1U : 0U)) {
        return false;
    }
    for (size_t i = negative ? 1 : 0; i < s.len; i++) {
        const int digit = s.ptr[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) {
            return false;
        }
    }
    if (!negative && value == INT64_MIN) {
        return false;
    }
    *out_value = negative ? value : -value;
    return true;
}

/* Decimal digits of the number; see Warren, Hacker's Delight, 11-4. */
static size_t digit_count(uint64_t value)
{
    static const uint64_t powers[] = {
        UINT64_C(0),
        UINT64_C(10),
        UINT64_C(100),
        UINT64_C(1000),
        UINT64_C(10000),
        UINT64_C(100000),
        UINT64_C(1000000),
        UINT64_C(10000000),
        UINT64_C(100000000),
        UINT64_C(1000000000),
        UINT64_C(10000000000),
        UINT64_C(100000000000),
        UINT64_C(1000000000000),
        UINT64_C(10000000000000),
        UINT64_C(100000000000000),
        UINT64_C(1000000000000000),
        UINT64_C(10000000000000000),
        UINT64_C(100000000000000000),
        UINT64_C(1000000000000000000),
        UINT64_C(10000000000000000000),
    };
    const unsigned bits = 64U - (unsigned)__builtin_clzll(value | 1);
    const unsigned about = bits * 1233U >> 12; /* log10(2) is 1233/4096. */
    return about + (value >= powers[about]);
}

char *str_put_u64(char *at, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char *end = at + (value == 0 ? 1 : digit_count(value));
    char *to = end;
    for (; value >= 10; value /= 100) {
        to -= 2;
        memcpy(to, pairs + 2 * (value % 100), 2);
    }
    if (to > at) {
        *at = (char)('0' + value);
    }
    return end;
}

char *str_put_i64(char *at, int64_t value)
{
    if (value < 0) {
        *at++ = '-';
    }
    return str_put_u64(at, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

char *str_put_hex(char *at, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        *at++ = "0123456789abcdef"[(unsigned char)bytes.ptr[i] >> 4];
        *at++ = "0123456789abcdef"[(unsigned char)bytes.ptr[i] & 15];
    }
    return at;
}

/* Length of the sequence that starts with `lead`, and the least code point it may hold. */
static size_t utf8_sequence(unsigned char lead, uint32_t *out_bits, uint32_t *out_least)
{
    if (lead >= 0xC2 && lead <= 0xDF) {
        *out_bits = lead & 0x1FU;
        *out_least = 0x80;
        return 2;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        *out_bits = lead & 0x0FU;
        *out_least = 0x800;
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        *out_bits = lead & 0x07U;
        *out_least = 0x10000;
        return 4;
    }
    return 0;
}

static bool eight_are_ascii(struct str s, size_t at)
{
    uint64_t eight = UINT64_MAX;
    if (s.len - at >= sizeof(eight)) {
        memcpy(&eight, s.ptr + at, sizeof(eight));
    }
    return (eight & UINT64_C(0x8080808080808080)) == 0;
}

bool str_is_utf8(struct str s)
{
    for (size_t i = 0; i < s.len;) {
        const unsigned char lead = (unsigned char)s.ptr[i];
        if (lead < 0x80) {
            i += eight_are_ascii(s, i) ? 8 : 1;
            continue;
        }
        uint32_t point = 0;
        uint32_t least = 0;
        const size_t length = utf8_sequence(lead, &point, &least);
        if (length == 0 || s.len - i < length) {
            return false;
        }
        for (size_t k = 1; k < length; k++) {
            const unsigned char next = (unsigned char)s.ptr[i + k];
            if ((next & 0xC0U) != 0x80) {
                return false;
            }
            point = point << 6 | (next & 0x3FU);
        }
        if (point < least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
            return false;
        }
        i += length;
    }
    return true;
}
