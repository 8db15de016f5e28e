#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { BUF_LEAST = 256 };

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_fini(struct buf *buf)
{
    free(buf->ptr);
    *buf = (struct buf){.max = buf->max};
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->overflow = false;
}

/* The slow half of buf_reserve(). */
char *buf_grow(struct buf *buf, size_t len)
{
    if (len > buf->max || buf->len > buf->max - len) {
        buf->overflow = true;
        return NULL;
    }
    size_t cap = buf->cap < BUF_LEAST ? BUF_LEAST : buf->cap * 2;
    cap = cap < buf->len + len ? buf->len + len : cap;
    cap = cap > buf->max ? buf->max : cap;
    char *grown = realloc(buf->ptr, cap);
    CHECK(grown != NULL);
    buf->ptr = grown;
    buf->cap = cap;
    return buf->ptr + buf->len;
}

void buf_put(struct buf *buf, const void *bytes, size_t len)
{
    if (len == 0) {
        return;
    }
    char *room = buf_reserve(buf, len);
    if (room != NULL) {
        memcpy(room, bytes, len);
        buf->len += len;
    }
}

void buf_str(struct buf *buf, struct str s)
{
    buf_put(buf, s.ptr, s.len);
}

void buf_u64(struct buf *buf, uint64_t value)
{
    char text[20];
    buf_put(buf, text, (size_t)(str_put_u64(text, value) - text));
}

void buf_i64(struct buf *buf, int64_t value)
{
    char text[20];
    buf_put(buf, text, (size_t)(str_put_i64(text, value) - text));
}

void buf_hex(struct buf *buf, const void *bytes, size_t len)
{
    char *out = buf_reserve(buf, len * 2);
    if (out != NULL) {
        buf->len += (size_t)(str_put_hex(out, (struct str){bytes, len}) - out);
    }
}

void buf_format(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);
    char *room = buf_reserve(buf, (size_t)len + 1);
    if (room == NULL) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(room, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

struct str buf_get(const struct buf *buf)
{
    return (struct str){buf->ptr, buf->len};
}
