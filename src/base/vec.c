#include "base/vec.h"

#include <string.h>

void vec_grow(struct arena *arena, void **v, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) {
        return;
    }
    const size_t grown = *cap == 0 ? 8 : *cap * 2;
    char *copy = arena_bytes(arena, grown * size);
    if (n > 0) {
        memcpy(copy, *v, n * size);
    }
    *v = copy;
    *cap = grown;
}

void *vec_add(struct arena *arena, void **v, size_t *n, size_t *cap, size_t size)
{
    vec_grow(arena, v, *n, cap, size);
    return memset((char *)*v + size * (*n)++, 0, size);
}
