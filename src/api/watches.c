#include "api/watches.h"

#include <stdlib.h>

#include "base/check.h"
#include "platform/thread.h"

struct waiter {
    struct http_exchange *exchange;
    struct waiter *next;
};

struct watches {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct waiter *waiting;
    int32_t count;
    int32_t max;
    bool stopping;
    pthread_t thread;
};

static void wake_waiters(struct waiter *waiter)
{
    while (waiter != NULL) {
        struct waiter *next = waiter->next; /* Gone with its call once it is awake. */
        http_wake(waiter->exchange);
        waiter = next;
    }
}

static void *turn(void *arg)
{
    struct watches *watches = arg;
    mutex_take(&watches->lock);
    while (!watches->stopping) {
        if (watches->waiting == NULL) {
            wake_wait(&watches->changed, &watches->lock);
            continue;
        }
        wake_wait_for(&watches->changed, &watches->lock, WATCH_TURN_US);
        struct waiter *waiting = watches->waiting;
        watches->waiting = NULL;
        watches->count = 0;
        mutex_give(&watches->lock);
        wake_waiters(waiting);
        mutex_take(&watches->lock);
    }
    mutex_give(&watches->lock);
    return NULL;
}

struct watches *watches_new(int32_t max)
{
    struct watches *watches = calloc(1, sizeof(*watches));
    struct err err;
    CHECK(watches != NULL);
    mutex_init(&watches->lock);
    wake_init(&watches->changed);
    watches->max = max;
    CHECK(thread_start(&watches->thread, "watches", turn, watches, &err) == ERR_OK);
    return watches;
}

void watches_stop(struct watches *watches)
{
    mutex_take(&watches->lock);
    struct waiter *waiting = watches->waiting;
    watches->waiting = NULL;
    watches->stopping = true;
    wake_all(&watches->changed);
    mutex_give(&watches->lock);
    wake_waiters(waiting);
}

void watches_free(struct watches *watches)
{
    watches_stop(watches);
    thread_join(watches->thread);
    wake_fini(&watches->changed);
    mutex_fini(&watches->lock);
    free(watches);
}

void watches_wait(struct call *call, call_step *then)
{
    struct watches *watches = call->api->watches;
    struct waiter *waiter = arena_new(call->arena, struct waiter);
    waiter->exchange = call->exchange;
    mutex_take(&watches->lock);
    const bool stopping = watches->stopping;
    const bool full = watches->count >= watches->max;
    if (!stopping && !full) {
        call_wait(call, then);
        waiter->next = watches->waiting;
        watches->waiting = waiter;
        watches->count++;
        wake_one(&watches->changed);
    }
    mutex_give(&watches->lock);
    if (stopping) {
        then(call);
    } else if (full) {
        call_refuse(call, ERR_OVERLOADED, "too many watches of history are waiting");
    }
}
