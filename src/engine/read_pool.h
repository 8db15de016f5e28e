/*
 * engine/read_pool - a few threads with a reader each, behind a bounded queue.
 *
 * Threads  any. A read may take as long as it likes; it holds no lock.
 * Errors   ERR_OVERLOADED when the queue is full, ERR_SHUTTING_DOWN once it stops. What was
 *          accepted is run, also while stopping.
 */
#ifndef ENGINE_READ_POOL_H
#define ENGINE_READ_POOL_H

#include <pthread.h>

#include "ledger/ledger.h"

enum { READ_THREADS_MAX = 16, READS_MAX = 1024 };

struct waiting_read {
    void (*read)(void *ctx, struct reader *reader);
    void *ctx;
};

struct read_pool;

struct read_thread {
    struct read_pool *pool;
    pthread_t thread;
    struct reader *reader;
};

struct read_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct waiting_read waiting[READS_MAX]; /* Ring. */
    size_t first;
    size_t n;
    bool stopping;
    struct read_thread threads[READ_THREADS_MAX];
    int32_t thread_count;
};

void read_pool_init(struct read_pool *pool);
enum err_code read_pool_start(struct read_pool *pool, const struct ledger_target *target,
                              int32_t threads, struct err *err);
void read_pool_stop(struct read_pool *pool);
void read_pool_fini(struct read_pool *pool);
enum err_code read_pool_add(struct read_pool *pool, struct waiting_read read, struct err *err);

#endif
