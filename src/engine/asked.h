/*
 * engine/asked - when workers last asked this node for jobs of a type.
 *
 * Bounds   ASKED_SLOTS pairs of tenant and type; one that was asked for longest ago makes room.
 * Threads  none; the node's lock is held.
 * Time     monotonic.
 */
#ifndef ENGINE_ASKED_H
#define ENGINE_ASKED_H

#include <stddef.h>

#include "base/id.h"

enum { ASKED_SLOTS = 4096, ASKED_TRIES = 8 };

struct asked {
    int64_t since; /* It has been watched. */

    struct {
        uint64_t key;
        int64_t at;
    } slots[ASKED_SLOTS];
};

/* A claim of the tenant's (0: of any) asks for these types. */
void asked_note(struct asked *asked, struct tenant_id tenant, const uint64_t *types, size_t count);
/* When somebody last asked who may serve this tenant; 0 for never. */
int64_t asked_at(const struct asked *asked, struct tenant_id tenant, uint64_t type);

#endif
