/*
 * tests/contract/world - random rows of a small world, where keys collide across shards and
 * tenants, so that a statement that forgets a condition gives a wrong row.
 */
#ifndef TESTS_CONTRACT_WORLD_H
#define TESTS_CONTRACT_WORLD_H

#include "contract/rig.h"

struct world {
    row_list rows[TABLE_COUNT];
};

/* Makes and writes one. */
void world_make(struct rig *rig, struct world *world);
/* A value of the world's small range for that column. */
int64_t world_int(struct rig *rig, const char *column);
struct str world_text(struct rig *rig, const char *column);

/* A column and the value that it must have. */
struct fits {
    const char *column;
    int64_t value;
};

/* The rows that have all these values. */
row_list rows_fitting(struct rig *rig, const row_list *rows, const struct fits *fits, size_t count);

#endif
