/*
 * tests/sim/world - a deterministic world around core: tenants, clients that forget, workers that
 * crash, nodes that die before or after the commit, answers that get lost, clocks that jump.
 *
 * Use      world_run(seed, options). One seed decides everything; the next event is the earliest,
 *          ties by kind and number. First a safety phase with faults, then everything is healed and
 *          all admissible work must end.
 * Errors   a broken invariant prints the seed and the last events and aborts.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "core/lease.h"
#include "lib/memory_ledger.h"

enum { WORLD_TENANTS = 6, WORLD_WORKERS = 10, WORLD_TYPES = 4, WORLD_LEASES = 8 };

struct world_options {
    int32_t steps;         /* Events of the safety phase. */
    int32_t fault_percent; /* Groups that are lost, or whose answer is lost. */
    bool verbose;
};

struct held {
    struct lease_id id;
    int64_t grant;
    struct report_item last; /* Sent and perhaps not answered: sent again. */
    bool has_last;
};

struct worker {
    char name[24];
    struct held leases[WORLD_LEASES];
    int32_t count;
    int64_t next_at;
};

struct world {
    uint64_t random;
    int64_t clock;
    struct memory_ledger *ledger;
    struct limits limits;
    struct tenant_id tenants[WORLD_TENANTS];
    int16_t shards[WORLD_TENANTS];
    struct worker workers[WORLD_WORKERS];
    struct world_options options;
    int64_t ticks;
    int64_t submitted;
    int64_t claimed;
    int64_t operated[WORLD_TENANTS]; /* Times that hosts or breakers of theirs were set. */
    int64_t lapsed_answers;          /* ERR_LEASE_LOST */
    int64_t erased;                  /* Payloads, by retention. */
    int64_t keys_dropped;
    int64_t restores;
    int64_t bulks;         /* Begun. */
    int64_t bulks_dropped; /* By retention. */
    bool healed;
    struct checker *checker;
};

/* Runs one world to its end. Returns the number of ticks. */
int64_t world_run(uint64_t seed, struct world_options options);

/* A number below `bound`. */
uint64_t world_draw(struct world *world, uint64_t bound);
/* True in `percent` of 100. */
bool world_chance(struct world *world, uint64_t percent);

enum world_answer {
    WORLD_ANSWERED,
    WORLD_LOST,   /* The group was not committed: nothing happened. */
    WORLD_UNTOLD, /* It was committed, and the answer got lost. */
};

/* Runs one command as a group of its own. */
enum world_answer world_do(struct world *world, struct command *command, struct tick *tick);

#endif
