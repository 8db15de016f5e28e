#include "base/map.h"

#include <stdbool.h>
#include <string.h>

#include "base/hash.h"

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    x ^= x >> 27;
    x *= UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

/* The slot of the key, or the empty slot where it would go. */
static size_t slot_of(const struct map *map, uint64_t key, struct str text)
{
    const size_t mask = map->slots_cap - 1;
    for (size_t at = mix(key) & mask;; at = (at + 1) & mask) {
        if (map->slots[at] == 0) {
            return at;
        }
        const struct map_entry *entry = &map->entries[map->slots[at] - 1];
        if (entry->key == key && str_eq(entry->text, text)) {
            return at;
        }
    }
}

static void *find(const struct map *map, uint64_t key, struct str text)
{
    if (map->n == 0) {
        return NULL;
    }
    const uint32_t index = map->slots[slot_of(map, key, text)];
    return index == 0 ? NULL : map->entries[index - 1].value;
}

static void grow(struct arena *arena, struct map *map)
{
    if (map->n == map->entries_cap) {
        const size_t cap = map->entries_cap == 0 ? 16 : map->entries_cap * 2;
        struct map_entry *entries = arena_bytes(arena, cap * sizeof(*entries));
        if (map->n > 0) {
            memcpy(entries, map->entries, map->n * sizeof(*entries));
        }
        map->entries = entries;
        map->entries_cap = cap;
        map->slots_cap = cap * 2;
        map->slots = arena_array(arena, uint32_t, map->slots_cap);
        for (size_t i = 0; i < map->n; i++) {
            map->slots[slot_of(map, entries[i].key, entries[i].text)] = (uint32_t)(i + 1);
        }
    }
}

static void put(struct arena *arena, struct map *map, struct map_entry entry)
{
    grow(arena, map);
    const size_t slot = slot_of(map, entry.key, entry.text);
    if (map->slots[slot] != 0) {
        map->entries[map->slots[slot] - 1].value = entry.value;
        return;
    }
    map->entries[map->n++] = entry;
    map->slots[slot] = (uint32_t)map->n;
}

void *map_find(const struct map *map, uint64_t key)
{
    return find(map, key, (struct str){NULL, 0});
}

void map_put(struct arena *arena, struct map *map, uint64_t key, void *value)
{
    put(arena, map, (struct map_entry){.key = key, .value = value});
}

/* Not secret: maps live for one operation and their size is bounded. */
static const struct hash_key text_key = {{0x7374656c6c61ULL, 0x6d6170ULL}};

void *map_find_str(const struct map *map, struct str key)
{
    return find(map, hash_keyed(&text_key, key), key);
}

void map_put_str(struct arena *arena, struct map *map, struct str key, void *value)
{
    put(arena, map,
        (struct map_entry){.key = hash_keyed(&text_key, key), .text = key, .value = value});
}
