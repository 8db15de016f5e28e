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
void buf_i64(struct buf *buf, int64_t value);
void buf_u64(struct buf *buf, uint64_t value);
/* Lower-case hexadecimal. */
void buf_hex(struct buf *buf, const void *bytes, size_t len);
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *buf_grow(struct buf *buf, size_t len);

/* Room for at least `len` more bytes, or null past the maximum; buf->len is the caller's to move.
 * Inline, as buf_char: writers come here for every number and every comma. */
static inline char *buf_reserve(struct buf *buf, size_t len)
{
    return len <= buf->cap - buf->len ? buf->ptr + buf->len : buf_grow(buf, len);
}

static inline void buf_char(struct buf *buf, char c)
{
    char *room = buf_reserve(buf, 1);
    if (room != NULL) {
        *room = c;
        buf->len++;
    }
}

/* Borrows what is in it. */
struct str buf_get(const struct buf *buf);

#endif
