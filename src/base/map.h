/*
 * base/map - hash map from a 64-bit number or a text to a pointer, in an arena.
 *
 * Use      struct map m = {0}; map_put(arena, &m, key, value); map_find(&m, key).
 *          Text keys: map_put_str / map_find_str; the key bytes are borrowed.
 * Bounds   grows with what is put in; never shrinks. Iteration order is insertion order, so that
 *          nothing that is decided depends on hashing.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct map_entry {
    uint64_t key;    /* The number, or the text's hash. */
    struct str text; /* Text key, empty for numbers. */
    void *value;
};

struct map {
    struct map_entry *entries; /* In insertion order. */
    size_t n;
    size_t entries_cap;
    uint32_t *slots; /* Index into entries + 1, or 0. */
    size_t slots_cap;
};

void *map_find(const struct map *map, uint64_t key);
/* Adds or replaces. */
void map_put(struct arena *arena, struct map *map, uint64_t key, void *value);
void *map_find_str(const struct map *map, struct str key);
void map_put_str(struct arena *arena, struct map *map, struct str key, void *value);

#endif
