#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { BLOCK_LEAST = 16 * 1024, ALIGN = alignof(max_align_t) };

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t cap)
{
    *arena = (struct arena){.cap = cap};
}

void arena_fini(struct arena *arena)
{
    for (struct arena_block *block = arena->head; block != NULL;) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->head = NULL;
    arena->used = 0;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *keep = arena->head;
    if (keep == NULL) {
        return;
    }
    arena->head = keep->next;
    arena_fini(arena);
    keep->next = NULL;
    keep->used = 0;
    arena->head = keep;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

static struct arena_block *block_new(struct arena *arena, size_t least)
{
    size_t size = arena->head ? arena->head->size * 2 : BLOCK_LEAST;
    if (size > 1024 * 1024) {
        size = 1024 * 1024;
    }
    size = size < least ? least : size;
    struct arena_block *block = malloc(sizeof(*block) + size);
    CHECK(block != NULL);
    block->next = arena->head;
    block->size = size;
    block->used = 0;
    arena->head = block;
    return block;
}

static void *take(struct arena *arena, size_t size)
{
    if (size > arena->cap || arena->used > arena->cap - size) {
        return NULL;
    }
    const size_t rounded = (size + ALIGN - 1) / ALIGN * ALIGN;
    struct arena_block *block = arena->head;
    if (block == NULL || block->size - block->used < rounded) {
        block = block_new(arena, rounded);
    }
    void *result = block->bytes + block->used;
    block->used += rounded;
    arena->used += rounded;
    return result;
}

void *arena_try_alloc(struct arena *arena, size_t size)
{
    void *result = take(arena, size);
    return result == NULL ? NULL : memset(result, 0, size);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *result = arena_try_alloc(arena, size);
    CHECK(result != NULL);
    return result;
}

void *arena_bytes(struct arena *arena, size_t size)
{
    void *result = take(arena, size);
    CHECK(result != NULL);
    return result;
}

char *arena_cstr(struct arena *arena, struct str s)
{
    char *copy = arena_bytes(arena, s.len + 1);
    if (s.len > 0) {
        memcpy(copy, s.ptr, s.len);
    }
    copy[s.len] = '\0';
    return copy;
}

struct str arena_str(struct arena *arena, struct str s)
{
    return s.len == 0 ? STR("") : (struct str){arena_cstr(arena, s), s.len};
}

struct str arena_format(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);
    char *text = arena_alloc(arena, (size_t)len + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return (struct str){text, (size_t)len};
}
