#include "platform/thread.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "platform/clock.h"

enum err_code thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *ctx,
                           struct err *err)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    const int failed = pthread_create(out, NULL, run, ctx);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (failed != 0) {
        return err_set(err, ERR_IO, "a thread cannot be started: %s", strerror(failed));
    }
    (void)pthread_setname_np(*out, name);
    return ERR_OK;
}

void thread_join(pthread_t thread)
{
    CHECK(pthread_join(thread, NULL) == 0);
}

void mutex_init(pthread_mutex_t *lock)
{
    CHECK(pthread_mutex_init(lock, NULL) == 0);
}

void mutex_fini(pthread_mutex_t *lock)
{
    CHECK(pthread_mutex_destroy(lock) == 0);
}

void mutex_take(pthread_mutex_t *lock)
{
    CHECK(pthread_mutex_lock(lock) == 0);
}

void mutex_give(pthread_mutex_t *lock)
{
    CHECK(pthread_mutex_unlock(lock) == 0);
}

void wake_init(pthread_cond_t *wake)
{
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(wake, &attributes) == 0);
    CHECK(pthread_condattr_destroy(&attributes) == 0);
}

void wake_fini(pthread_cond_t *wake)
{
    CHECK(pthread_cond_destroy(wake) == 0);
}

void wake_one(pthread_cond_t *wake)
{
    CHECK(pthread_cond_signal(wake) == 0);
}

void wake_all(pthread_cond_t *wake)
{
    CHECK(pthread_cond_broadcast(wake) == 0);
}

void wake_wait(pthread_cond_t *wake, pthread_mutex_t *lock)
{
    CHECK(pthread_cond_wait(wake, lock) == 0);
}

void wake_wait_for(pthread_cond_t *wake, pthread_mutex_t *lock, int64_t us)
{
    const struct timespec until = clock_deadline(us);
    const int ended = pthread_cond_timedwait(wake, lock, &until);
    CHECK(ended == 0 || ended == ETIMEDOUT);
}
