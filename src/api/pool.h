/*
 * api/pool - threads for what may block on a disk or the ledger's blobs.
 *
 * Threads  pool_run() from the call's transport thread; `work` runs on a pool thread while the
 *          exchange waits, so it may use the call.
 */
#ifndef API_POOL_H
#define API_POOL_H

#include "api/call.h"

struct blob_pool;

struct blob_pool *pool_new(int32_t threads);
/* Finishes what was handed over; what comes later fails with ERR_SHUTTING_DOWN. */
void pool_stop(struct blob_pool *pool);
void pool_free(struct blob_pool *pool);
/* Runs `work`, then goes on in `then`. */
void pool_run(struct call *call, call_step *work, call_step *then);
/* The same on another pool than the blobs'. */
void pool_run_on(struct blob_pool *pool, struct call *call, call_step *work, call_step *then);

#endif
