#include "api/flight.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "platform/thread.h"

struct entry {
    struct entry *next;
    struct tenant_id tenant;
    size_t len;
    char key[];
};

/* At most one entry a connection: a list will do. */
struct flight {
    pthread_mutex_t lock;
    struct entry *entries;
};

struct flight *flight_new(void)
{
    struct flight *flight = calloc(1, sizeof(*flight));
    CHECK(flight != NULL);
    mutex_init(&flight->lock);
    return flight;
}

void flight_free(struct flight *flight)
{
    CHECK(flight->entries == NULL);
    mutex_fini(&flight->lock);
    free(flight);
}

/* The link that points at the entry, or at null. */
static struct entry **find(struct flight *flight, struct tenant_id tenant, struct str key)
{
    struct entry **at = &flight->entries;
    while (*at != NULL &&
           ((*at)->tenant.v != tenant.v || !str_eq((struct str){(*at)->key, (*at)->len}, key))) {
        at = &(*at)->next;
    }
    return at;
}

bool flight_enter(struct flight *flight, struct tenant_id tenant, struct str key)
{
    mutex_take(&flight->lock);
    const bool is_new = *find(flight, tenant, key) == NULL;
    if (is_new) {
        struct entry *entry = malloc(sizeof(*entry) + key.len);
        CHECK(entry != NULL);
        *entry = (struct entry){flight->entries, tenant, key.len};
        memcpy(entry->key, key.ptr, key.len);
        flight->entries = entry;
    }
    mutex_give(&flight->lock);
    return is_new;
}

void flight_leave(struct flight *flight, struct tenant_id tenant, struct str key)
{
    mutex_take(&flight->lock);
    struct entry **at = find(flight, tenant, key);
    struct entry *entry = *at;
    CHECK(entry != NULL);
    *at = entry->next;
    mutex_give(&flight->lock);
    free(entry);
}
