/*
 * circle - does a directed graph of named nodes have a circle.
 */
#ifndef WORKERS_LIB_CIRCLE_H
#define WORKERS_LIB_CIRCLE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

struct circle_edge {
    struct str from;
    struct str to;
};

/* The position of an edge that closes a circle, or n when there is none. */
size_t circle_find(struct arena *arena, const struct circle_edge *edges, size_t n);

#endif
