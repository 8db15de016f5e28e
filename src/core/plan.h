/*
 * core/plan - what one commit group writes: data, nothing else.
 *
 * Use      plan_from_facts() after the last decision; the ledger applies it; tests print it.
 * Owns     borrows the working set's rows and lines.
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "core/facts.h"

/* What one tick adds to a tenant's history, or to a shard's log. */
struct chunk {
    int16_t shard;
    int32_t tenant;   /* 0: the shard's log. */
    int64_t seq;      /* Of its first line. */
    int32_t count;    /* Lines. */
    int64_t at;       /* Ledger time of the tick. */
    struct str lines; /* Canonical JSON lines, each ended by '\n'; uncompressed. */
};

struct plan {
    row_list inserts[TABLE_COUNT];
    row_list updates[TABLE_COUNT];
    row_list deletes[TABLE_COUNT];
    VEC(struct chunk) chunks;
    size_t rows; /* All of the above rows. */
};

struct plan plan_from_facts(struct facts *facts);

#endif
