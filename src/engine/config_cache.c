#include "engine/config_cache.h"

#include <stdlib.h>
#include <string.h>

#include "core/tables.h"
#include "platform/thread.h"

#define CONFIG_BYTES_MAX ((size_t)256 << 20)

void config_cache_init(struct config_cache *cache)
{
    memset(cache, 0, sizeof(*cache));
    mutex_init(&cache->lock);
}

/* Lock held. */
static void unpin(struct config_entry *entry)
{
    if (--entry->pins == 0) {
        arena_fini(&entry->arena);
        free(entry);
    }
}

static void empty(struct config_cache *cache)
{
    for (size_t i = 0; i < CONFIG_SLOTS; i++) {
        if (cache->slots[i] != NULL) {
            unpin(cache->slots[i]);
            cache->slots[i] = NULL;
        }
    }
    cache->n = 0;
}

void config_cache_fini(struct config_cache *cache)
{
    empty(cache);
    mutex_fini(&cache->lock);
}

/* Where the tenant is, or would be. */
static struct config_entry **slot_of(struct config_cache *cache, struct tenant_id tenant)
{
    size_t at = ((uint32_t)tenant.v * UINT32_C(2654435761)) % CONFIG_SLOTS;
    while (cache->slots[at] != NULL && cache->slots[at]->tenant.v != tenant.v) {
        at = (at + 1) % CONFIG_SLOTS;
    }
    return &cache->slots[at];
}

static bool is_version(const struct config_entry *entry, int32_t tenant_version,
                       int32_t system_version)
{
    return entry->config->tenant_version == tenant_version &&
           entry->config->system_version == system_version;
}

struct config_entry *config_cache_get(struct config_cache *cache, struct tenant_id tenant,
                                      int32_t tenant_version, int32_t system_version)
{
    mutex_take(&cache->lock);
    struct config_entry *entry = *slot_of(cache, tenant);
    if (entry != NULL && is_version(entry, tenant_version, system_version)) {
        entry->pins++;
    } else {
        entry = NULL;
    }
    mutex_give(&cache->lock);
    return entry;
}

/* The snapshot may borrow from its rows: it gets its own. */
static struct row_span copy_rows(struct arena *arena, struct row_span rows)
{
    struct row **copies = arena_array(arena, struct row *, rows.n + 1);
    for (size_t i = 0; i < rows.n; i++) {
        copies[i] = row_copy(arena, rows.v[i]);
    }
    return (struct row_span){copies, rows.n};
}

struct config_entry *config_cache_put(struct config_cache *cache, struct tenant_id tenant,
                                      struct row_span system, struct row_span own,
                                      int32_t tenant_version, int32_t system_version)
{
    struct config_entry *entry = calloc(1, sizeof(*entry));
    CHECK(entry != NULL);
    arena_init(&entry->arena, CONFIG_BYTES_MAX);
    entry->tenant = tenant;
    entry->pins = 2;
    entry->config = config_new(&entry->arena, copy_rows(&entry->arena, system),
                               copy_rows(&entry->arena, own), system_version, tenant_version);
    mutex_take(&cache->lock);
    if (cache->n == CONFIGS_MAX) {
        empty(cache);
    }
    struct config_entry **slot = slot_of(cache, tenant);
    if (*slot != NULL) {
        unpin(*slot);
    } else {
        cache->n++;
    }
    *slot = entry;
    mutex_give(&cache->lock);
    return entry;
}

void config_cache_unpin(struct config_cache *cache, struct config_entry *entry)
{
    mutex_take(&cache->lock);
    unpin(entry);
    mutex_give(&cache->lock);
}
