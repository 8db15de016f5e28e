/*
 * query/explained - explanations of jobs, all from one snapshot of the ledger.
 *
 * Use      explained_read() on a reader thread; what it gives lies in the arena.
 * Bounds   EXPLAINED_ROUNDS_MAX rounds of asking; core needs no more.
 */
#ifndef QUERY_EXPLAINED_H
#define QUERY_EXPLAINED_H

#include "core/explain.h"
#include "ledger/ledger.h"

struct explained {
    struct job_id job;
    struct explanation told;
};

/* Whom to ask for workers of a job type. */
struct explained_workers {
    void (*of)(void *ctx, struct tenant_id tenant, struct str job_type, struct explain_worker *out);
    void *ctx;
};

/* Explains each job of `items`; *out_as_of is the snapshot's time. */
enum err_code explained_read(struct reader *reader, int16_t shard, struct tenant_id tenant,
                             const struct explained_workers *workers, enum explain_depth depth,
                             struct explained *items, size_t count, struct arena *arena,
                             int64_t *out_as_of, struct err *err);

#endif
