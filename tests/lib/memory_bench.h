/*
 * tests/lib/memory_bench - one tenant on a ledger in memory, and words to work with it.
 *
 * Use      bench_init(); commands by bench_run(), which must not be refused; bench->now is the clock.
 */
#ifndef TESTS_LIB_MEMORY_BENCH_H
#define TESTS_LIB_MEMORY_BENCH_H

#include "base/time.h"
#include "lib/memory_ledger.h"

enum { BENCH_SHARD = 3, BENCH_TENANT = 2 };

#define BENCH_NOW (INT64_C(1700000000) * US_PER_S)

struct memory_bench {
    struct memory_ledger *ledger;
    struct arena arena;
    struct limits limits;
    int64_t now;
};

/* Opens the system tenant, and the tenant with its limit of live leases (0: none). */
void bench_init(struct memory_bench *bench, int32_t max_inflight);
void bench_fini(struct memory_bench *bench);

struct command bench_command(struct memory_bench *bench, enum command_kind kind);
/* Runs it to its end. */
void bench_run(struct memory_bench *bench, struct command *command);
/* A job type or a source. */
void bench_put(struct memory_bench *bench, enum command_kind kind, struct str name,
               struct str body);
/* Submits jobs; the first of them. */
int64_t bench_submit(struct memory_bench *bench, struct str job_type, struct str source,
                     size_t count, int64_t delay_us);
/* Claims for types that are each ended by '\n'; how many it got. */
size_t bench_claim(struct memory_bench *bench, struct str types, int32_t max);
/* The shard's timers. */
void bench_due(struct memory_bench *bench);
/* How the job ended; null when it has not. */
const struct outcome_row *bench_outcome(const struct memory_bench *bench, int64_t job);

#endif
