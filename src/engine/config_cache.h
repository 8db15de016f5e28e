/*
 * engine/config_cache - parsed job types and sources of tenants, kept between ticks.
 *
 * An entry is valid for one pair of versions: the tenant's config_version and the system tenant's.
 * Entries are counted: a group pins what its working set points to until it has been answered.
 *
 * Bounds   CONFIGS_MAX tenants; the cache is emptied when it is full.
 * Threads  any.
 */
#ifndef ENGINE_CONFIG_CACHE_H
#define ENGINE_CONFIG_CACHE_H

#include <pthread.h>

#include "core/config.h"
#include "core/facts.h"

enum { CONFIGS_MAX = 4096, CONFIG_SLOTS = 2 * CONFIGS_MAX };

struct config_entry {
    struct tenant_id tenant;
    int32_t pins; /* With the cache's own. */
    struct arena arena;
    const struct config *config;
};

struct config_cache {
    pthread_mutex_t lock;
    struct config_entry *slots[CONFIG_SLOTS]; /* By tenant, open addressing. */
    size_t n;
};

void config_cache_init(struct config_cache *cache);
void config_cache_fini(struct config_cache *cache);
/* Null when it is not there in these versions; else pinned. */
struct config_entry *config_cache_get(struct config_cache *cache, struct tenant_id tenant,
                                      int32_t tenant_version, int32_t system_version);
/* Parses and keeps; the entry is pinned. Rows as for config_new(), as committed. */
struct config_entry *config_cache_put(struct config_cache *cache, struct tenant_id tenant,
                                      struct row_span system, struct row_span own,
                                      int32_t tenant_version, int32_t system_version);
void config_cache_unpin(struct config_cache *cache, struct config_entry *entry);

#endif
