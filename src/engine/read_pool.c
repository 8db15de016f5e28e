#include "engine/read_pool.h"

#include <string.h>

#include "platform/thread.h"

void read_pool_init(struct read_pool *pool)
{
    memset(pool, 0, sizeof(*pool));
    mutex_init(&pool->lock);
    wake_init(&pool->work);
}

void read_pool_fini(struct read_pool *pool)
{
    wake_fini(&pool->work);
    mutex_fini(&pool->lock);
}

static void *run(void *ctx)
{
    struct read_thread *self = ctx;
    struct read_pool *pool = self->pool;
    mutex_take(&pool->lock);
    for (;;) {
        while (pool->n == 0 && !pool->stopping) {
            wake_wait(&pool->work, &pool->lock);
        }
        if (pool->n == 0) {
            break;
        }
        const struct waiting_read next = pool->waiting[pool->first];
        pool->first = (pool->first + 1) % READS_MAX;
        pool->n--;
        mutex_give(&pool->lock);
        next.read(next.ctx, self->reader);
        mutex_take(&pool->lock);
    }
    mutex_give(&pool->lock);
    return NULL;
}

enum err_code read_pool_start(struct read_pool *pool, const struct ledger_target *target,
                              int32_t threads, struct err *err)
{
    CHECK(threads >= 1 && threads <= READ_THREADS_MAX);
    while (pool->thread_count < threads) {
        struct read_thread *thread = &pool->threads[pool->thread_count];
        thread->pool = pool;
        TRY(reader_open(target, &thread->reader, err));
        const enum err_code code = thread_start(&thread->thread, "reader", run, thread, err);
        if (code != ERR_OK) {
            reader_close(thread->reader);
            return code;
        }
        pool->thread_count++;
    }
    return ERR_OK;
}

void read_pool_stop(struct read_pool *pool)
{
    mutex_take(&pool->lock);
    pool->stopping = true;
    wake_all(&pool->work);
    mutex_give(&pool->lock);
    for (int32_t i = 0; i < pool->thread_count; i++) {
        thread_join(pool->threads[i].thread);
        reader_close(pool->threads[i].reader);
    }
    pool->thread_count = 0;
}

enum err_code read_pool_add(struct read_pool *pool, struct waiting_read read, struct err *err)
{
    mutex_take(&pool->lock);
    const bool stopping = pool->stopping;
    const bool full = pool->n == READS_MAX;
    if (!stopping && !full) {
        pool->waiting[(pool->first + pool->n) % READS_MAX] = read;
        pool->n++;
        wake_one(&pool->work);
    }
    mutex_give(&pool->lock);
    if (stopping) {
        return err_set(err, ERR_SHUTTING_DOWN, "this node is stopping");
    }
    return full ? err_set(err, ERR_OVERLOADED, "too many reads wait") : ERR_OK;
}
