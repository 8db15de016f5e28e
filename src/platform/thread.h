/*
 * platform/thread - threads, mutexes and wakes (timed waits) on POSIX threads.
 *
 * Threads  a started thread takes no signals: they are for whoever calls signals_wait().
 * Time     waits are relative and measured on CLOCK_MONOTONIC: a step of the clock does not
 *          prolong them.
 * Errors   misuse of a lock stops the process.
 */
#ifndef PLATFORM_THREAD_H
#define PLATFORM_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* `name` is shown by the system's tools; at most 15 characters. */
enum err_code thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *ctx,
                           struct err *err);
void thread_join(pthread_t thread);

void mutex_init(pthread_mutex_t *lock);
void mutex_fini(pthread_mutex_t *lock);
void mutex_take(pthread_mutex_t *lock);
void mutex_give(pthread_mutex_t *lock);

void wake_init(pthread_cond_t *wake);
void wake_fini(pthread_cond_t *wake);
void wake_one(pthread_cond_t *wake);
void wake_all(pthread_cond_t *wake);
/* Waits to be woken; may return for no reason. */
void wake_wait(pthread_cond_t *wake, pthread_mutex_t *lock);
/* The same, for at most `us`. */
void wake_wait_for(pthread_cond_t *wake, pthread_mutex_t *lock, int64_t us);

#endif
