#include "engine/asked.h"

#include "platform/clock.h"

static uint64_t key_of(struct tenant_id tenant, uint64_t type)
{
    const uint64_t key = type ^ ((uint64_t)(uint32_t)tenant.v * UINT64_C(0x9E3779B97F4A7C15));
    return key == 0 ? 1 : key;
}

/* The key's slot, or of those where it may lie the one that was used longest ago. */
static size_t slot_of(const struct asked *asked, uint64_t key)
{
    size_t oldest = key % ASKED_SLOTS;
    for (size_t i = 0; i < ASKED_TRIES; i++) {
        const size_t slot = (key + i) % ASKED_SLOTS;
        if (asked->slots[slot].key == key) {
            return slot;
        }
        if (asked->slots[slot].at < asked->slots[oldest].at) {
            oldest = slot;
        }
    }
    return oldest;
}

void asked_note(struct asked *asked, struct tenant_id tenant, const uint64_t *types, size_t count)
{
    const int64_t now = clock_mono().us;
    for (size_t i = 0; i < count; i++) {
        const uint64_t key = key_of(tenant, types[i]);
        const size_t slot = slot_of(asked, key);
        asked->slots[slot].key = key;
        asked->slots[slot].at = now;
    }
}

static int64_t last_of(const struct asked *asked, uint64_t key)
{
    const size_t slot = slot_of(asked, key);
    return asked->slots[slot].key == key ? asked->slots[slot].at : 0;
}

int64_t asked_at(const struct asked *asked, struct tenant_id tenant, uint64_t type)
{
    const int64_t own = last_of(asked, key_of(tenant, type));
    const int64_t any = last_of(asked, key_of((struct tenant_id){0}, type));
    return own > any ? own : any;
}
