/*
 * base/str - a read-only piece of text or bytes: pointer and length, passed by value.
 *
 * Owns     nothing; the bytes live as long as whoever made them says. Not NUL-terminated.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *ptr; /* May be null only when len is 0. */
    size_t len;      /* Bytes. */
};

/* A literal as a struct str. */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

/* Borrows a NUL-terminated text; null becomes empty. */
struct str str_from(const char *text);
bool str_eq(struct str a, struct str b);
/* Bytewise order, shorter first on a common prefix: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Equal without regard to ASCII case. */
bool str_eq_nocase(struct str a, struct str b);
/* First position of `c`, or s.len. */
size_t str_find(struct str s, char c);
/* The part [from, to), bounds clamped to the string. */
struct str str_slice(struct str s, size_t from, size_t to);
/* Without ASCII white space at both ends. */
struct str str_trim(struct str s);
/* Takes the part before `sep` off the front of *rest; false when *rest is used up. */
bool str_split(struct str *rest, char sep, struct str *out_part);
/* Decimal integer, whole string, no sign but '-', no overflow. */
bool str_parse_i64(struct str s, int64_t *out_value);
/* Writes the number in decimal, at most 20 bytes and no NUL; returns their end. */
char *str_put_u64(char *at, uint64_t value);
char *str_put_i64(char *at, int64_t value);
/* Two lower-case hexadecimal digits for each byte; returns their end. */
char *str_put_hex(char *at, struct str bytes);
/* True for well-formed UTF-8 (no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);

#endif
