/*
 * base/vec - a growing array of any type, in an arena.
 *
 * Use      VEC(struct thing) things = {0}; VEC_PUSH(arena, &things, value); things.v[i], things.n.
 * Owns     nothing; old arrays stay in the arena until it is freed.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>

#include "base/arena.h"

#define VEC(type)   \
    struct {        \
        type *v;    \
        size_t n;   \
        size_t cap; \
    }

/* Makes room for one more; see VEC_PUSH. */
void vec_grow(struct arena *arena, void **v, size_t n, size_t *cap, size_t size);
/* See VEC_ADD. */
void *vec_add(struct arena *arena, void **v, size_t *n, size_t *cap, size_t size);

#define VEC_PUSH(arena, vec, value)                                                   \
    (vec_grow((arena), (void **)&(vec)->v, (vec)->n, &(vec)->cap, sizeof(*(vec)->v)), \
     (void)((vec)->v[(vec)->n++] = (value)))

/* A zeroed new element, as a pointer that lives until the next push. */
#define VEC_ADD(arena, vec)                                                             \
    ((__typeof__((vec)->v))vec_add((arena), (void **)&(vec)->v, &(vec)->n, &(vec)->cap, \
                                   sizeof(*(vec)->v)))

#endif
