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

#endif
