#include "api/pool.h"

#include <stdlib.h>

#include "base/check.h"
#include "platform/thread.h"

/* A step that runs on a pool thread. */
struct pool_task {
    struct call *call;
    call_step *work;
    struct pool_task *next;
};

struct blob_pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct pool_task *first;
    struct pool_task **last;
    bool closing;
    int32_t count;
    pthread_t threads[];
};

static struct pool_task *take(struct blob_pool *pool)
{
    mutex_take(&pool->lock);
    while (pool->first == NULL && !pool->closing) {
        wake_wait(&pool->more, &pool->lock);
    }
    struct pool_task *task = pool->first;
    if (task != NULL) {
        pool->first = task->next;
        if (pool->first == NULL) {
            pool->last = &pool->first;
        }
    }
    mutex_give(&pool->lock);
    return task;
}

static void *work(void *arg)
{
    struct blob_pool *pool = arg;
    for (struct pool_task *task = take(pool); task != NULL; task = take(pool)) {
        struct call *call = task->call; /* The task is gone with the call once it is awake. */
        task->work(call);
        http_wake(call->exchange);
    }
    return NULL;
}

struct blob_pool *pool_new(int32_t threads)
{
    struct blob_pool *pool = calloc(1, sizeof(*pool) + (size_t)threads * sizeof(pthread_t));
    struct err err;
    CHECK(pool != NULL);
    mutex_init(&pool->lock);
    wake_init(&pool->more);
    pool->last = &pool->first;
    for (int32_t i = 0; i < threads; i++) {
        CHECK(thread_start(&pool->threads[i], "blobs", work, pool, &err) == ERR_OK);
        pool->count++;
    }
    return pool;
}

void pool_stop(struct blob_pool *pool)
{
    mutex_take(&pool->lock);
    const bool first = !pool->closing;
    pool->closing = true;
    wake_all(&pool->more);
    mutex_give(&pool->lock);
    for (int32_t i = 0; first && i < pool->count; i++) {
        thread_join(pool->threads[i]);
    }
}

void pool_free(struct blob_pool *pool)
{
    pool_stop(pool);
    wake_fini(&pool->more);
    mutex_fini(&pool->lock);
    free(pool);
}

static bool add(struct blob_pool *pool, struct pool_task *task)
{
    mutex_take(&pool->lock);
    const bool open = !pool->closing;
    if (open) {
        *pool->last = task;
        pool->last = &task->next;
        wake_one(&pool->more);
    }
    mutex_give(&pool->lock);
    return open;
}

void pool_run(struct call *call, call_step *work_step, call_step *then)
{
    pool_run_on(call->api->pool, call, work_step, then);
}

void pool_run_on(struct blob_pool *pool, struct call *call, call_step *work_step, call_step *then)
{
    struct pool_task *task = arena_new(call->arena, struct pool_task);
    *task = (struct pool_task){call, work_step, NULL};
    call->err = (struct err){0};
    call_wait(call, then);
    if (!add(pool, task)) {
        (void)err_set(&call->err, ERR_SHUTTING_DOWN, "%s", err_info(ERR_SHUTTING_DOWN)->title);
        http_wake(call->exchange);
    }
}
