/*
 * base/buf - growing bytes with a maximum.
 *
 * Use      buf_init() with the most it may hold; append; read ptr and len; buf_fini().
 * Bounds   past the maximum it stops growing and `overflow` stays set until buf_reset(): check it
 *          once, at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct buf {
    char *ptr;     /* Owned. */
    size_t len;    /* Bytes in use. */
    size_t cap;    /* Bytes allocated. */
    size_t max;    /* Most bytes it may hold. */
    bool overflow; /* Something did not fit. */
};

void buf_init(struct buf *buf, size_t max);
void buf_fini(struct buf *buf);
/* Empties it; keeps the memory. */
void buf_reset(struct buf *buf);
void buf_put(struct buf *buf, const void *bytes, size_t len);
void buf_str(struct buf *buf, struct str s);
void buf_char(struct buf *buf, char c);
void buf_i64(struct buf *buf, int64_t value);
void buf_u64(struct buf *buf, uint64_t value);
/* Lower-case hexadecimal. */
void buf_hex(struct buf *buf, const void *bytes, size_t len);
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for at least `len` more bytes, or null past the maximum; buf->len is the caller's to move.
 */
char *buf_reserve(struct buf *buf, size_t len);
/* Borrows what is in it. */
struct str buf_get(const struct buf *buf);

#endif
