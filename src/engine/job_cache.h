/*
 * engine/job_cache - the jobs rows of what was submitted at this node and waits, so that whoever
 * claims it here is answered without reading them back.
 *
 * Use      job_cache_put() once its submit is committed, before the shard is given back;
 *          job_cache_take() when it is granted, with the rank it waited with: a priority that was
 *          changed elsewhere has changed the row and the rank. Nothing else of a jobs row changes
 *          while it can be claimed. What is not here is read from the ledger.
 * Owns     copies; what was taken is the caller's to job_cache_free().
 * Threads  any; it has a lock of its own.
 * Bounds   `max` bytes. What was kept for JOB_KEPT_US makes room for what comes; else what comes
 *          is not kept, because the oldest are claimed first.
 */
#ifndef ENGINE_JOB_CACHE_H
#define ENGINE_JOB_CACHE_H

#include <pthread.h>

#include "base/time.h"
#include "core/rows.h"

#define JOB_KEPT_US (60 * US_PER_S)

struct kept_job;

struct job_cache {
    pthread_mutex_t lock;
    size_t max; /* 0: nothing is kept. */
    size_t bytes;
    struct kept_job **slots;
    size_t slot_count; /* A power of two. */
    struct kept_job *oldest;
    struct kept_job *newest;
};

void job_cache_init(struct job_cache *cache, size_t max);
void job_cache_fini(struct job_cache *cache);
void job_cache_put(struct job_cache *cache, const struct job_row *row, int64_t mono);
/* Null when it is not here, or not with that rank. */
struct job_row *job_cache_take(struct job_cache *cache, int32_t tenant, int64_t job, int64_t rank);
void job_cache_free(struct job_row *row);

#endif
