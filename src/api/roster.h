/*
 * api/roster - notes in the ledger, now and then, that a worker was seen.
 *
 * Use      roster_saw() with each claim and heartbeat; it costs a look at an array unless
 *          worker_note_ms have passed since the last note.
 * Owns     a note on its way owns itself.
 * Threads  any transport thread.
 * Bounds   ROSTER_SLOTS; two workers that fall on one slot are noted more often.
 */
#ifndef API_ROSTER_H
#define API_ROSTER_H

#include <stdatomic.h>

#include "api/call.h"

enum { ROSTER_SLOTS = 1 << 14 };

struct roster {
    _Atomic uint64_t seen[ROSTER_SLOTS]; /* 16 bits of the worker's hash, 48 bits of ms. */
};

struct roster *roster_new(void);
void roster_free(struct roster *roster);
/* `types` is a JSON array, for a worker that never registered; empty when not known. */
void roster_saw(struct call *call, struct str worker, struct str types);

/* It registers, which notes it as well. */
void roster_registers(struct call *call, struct str worker);

/* "active", "draining", "quarantined" */
const char *worker_state_name(enum worker_state state);

#endif
