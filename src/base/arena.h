/*
 * base/arena - memory of one operation, freed in one call.
 *
 * Use      arena_init() once per request or tick, arena_new() as needed, arena_fini() at the end;
 *          arena_reset() keeps the largest block for the next operation.
 * Bounds   an arena has a cap; asking past it returns null once `try` is used, else aborts.
 *          Callers that hold tenant-grown data check arena_used() against their limit first.
 * Threads  none; one owner.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *head; /* Newest block, the one allocated from. */
    size_t used;              /* Bytes handed out since init or reset. */
    size_t cap;               /* Most bytes it may hand out. */
};

void arena_init(struct arena *arena, size_t cap);
void arena_fini(struct arena *arena);
/* Forgets all that was handed out; keeps one block. */
void arena_reset(struct arena *arena);
size_t arena_used(const struct arena *arena);

/* Zeroed memory, aligned for any object. Past the cap the process stops. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same, null past the cap. */
void *arena_try_alloc(struct arena *arena, size_t size);
/* Memory that the caller overwrites at once: not zeroed. Past the cap the process stops. */
void *arena_bytes(struct arena *arena, size_t size);
/* A copy of `s`, with a NUL behind it. */
struct str arena_str(struct arena *arena, struct str s);
/* A NUL-terminated copy. */
char *arena_cstr(struct arena *arena, struct str s);
/* Formatted text, with a NUL behind it. */
struct str arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define arena_new(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (count)))

#endif
