/*
 * tests/lib/memory_ledger - a complete and slow ledger in memory, for tests of core and the
 * simulation.
 *
 * Use      memory_ledger_new(); tick_run() for one commit group.
 * Owns     rows and history lie in its arena until memory_ledger_free().
 */
#ifndef TESTS_LIB_MEMORY_LEDGER_H
#define TESTS_LIB_MEMORY_LEDGER_H

#include "core/command.h"
#include "core/plan.h"
#include "core/row_set.h"

/* All history of one tenant, or the log of one shard; lines ended by '\n'. */
struct memory_history {
    int16_t shard;
    int32_t tenant; /* 0: the shard's log. */
    struct buf lines;
    int64_t count;
};

enum { MEMORY_TENANTS_MAX = 512 };

struct memory_ledger {
    struct row_set set;
    struct memory_history history[MEMORY_TENANTS_MAX];
    size_t history_count;
    int64_t groups;
    struct hash_key seed;
};

struct memory_ledger *memory_ledger_new(void);
void memory_ledger_free(struct memory_ledger *ledger);

/* Loads what facts want. */
void memory_ledger_load(struct memory_ledger *ledger, struct facts *facts);
void memory_ledger_commit(struct memory_ledger *ledger, const struct plan *plan,
                          struct facts *facts);

/* What may go wrong with a group. */
enum tick_fate {
    TICK_COMMITS,
    TICK_IS_LOST, /* The node died before the commit: nothing happened. */
};

/* Runs one group over the commands: locks, wants, decisions in the order given, plan, commit.
 * `clock` is the ledger's clock. Outputs that point into the working set (grants) stay valid until
 * tick_fini(). */
struct tick {
    struct arena arena;
    struct facts facts;
    struct plan plan;
};

void tick_run(struct tick *tick, struct memory_ledger *ledger, struct command **commands,
              size_t count, const struct limits *limits, int64_t clock, enum tick_fate fate);
void tick_fini(struct tick *tick);

#endif
