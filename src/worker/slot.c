/* Slots: the threads that run handlers. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "worker/parts.h"

static struct stella_job *job_new(struct stella_worker *worker, struct lease *lease)
{
    struct stella_job *job = calloc(1, sizeof(*job));
    CHECK(job != NULL);
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&job->changed, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    job->worker = worker;
    job->lease = lease;
    arena_init(&job->arena, JOB_ARENA_CAP);
    lease->user = job;
    return job;
}

static void job_free(struct stella_job *job)
{
    (void)pthread_cond_destroy(&job->changed);
    arena_fini(&job->arena);
    free(job);
}

void slots_push(struct stella_worker *worker, struct lease *lease)
{
    struct stella_job **tail = &worker->queue;
    while (*tail != NULL) {
        tail = &(*tail)->next;
    }
    *tail = job_new(worker, lease);
    (void)pthread_cond_signal(&worker->work);
}

void slots_notice(struct lease *lease)
{
    struct stella_job *job = lease->user;
    const int before = atomic_exchange(&job->stop, (int)lease->stop);
    atomic_store(&job->contact_lost, lease->contact_lost);
    (void)pthread_cond_broadcast(&job->changed);
    if (before == STELLA_STOP_NONE && lease->stop != STELLA_STOP_NONE && job->on_stop != NULL) {
        job->on_stop(job->on_stop_context, (int32_t)lease->stop);
    }
}

static const struct type_handler *find_handler(const struct stella_worker *worker, struct str type)
{
    for (size_t i = 0; i < worker->handlers_n; i++) {
        if (str_eq(worker->handlers[i].type, type)) {
            return &worker->handlers[i];
        }
    }
    return NULL;
}

static struct lease_report report_of(const struct stella_job *job, int32_t outcome)
{
    struct lease_report report = {
        .result = job->result,
        .artifacts = job->artifacts.v,
        .artifacts_n = job->artifacts.n,
        .error_class = job->error_class.len > 0 ? job->error_class : STR("failed"),
        .message = job->message,
        .host = job->host,
        .permanent = job->permanent,
        .retry_after_ms = job->retry_after_ms,
    };
    switch (outcome) {
    case STELLA_DONE: report.kind = REPORT_COMPLETE; break;
    case STELLA_FAILED: report.kind = REPORT_FAIL; break;
    case STELLA_THROTTLED: report.kind = REPORT_THROTTLED; break;
    case STELLA_RELEASED: report.kind = REPORT_RELEASE; break;
    default:
        report.kind = REPORT_FAIL;
        report.error_class = STR("bad_outcome");
        report.message = STR("the handler returned an outcome that does not exist");
        break;
    }
    return report;
}

static void log_failure(struct stella_job *job, const struct lease_report *report)
{
    char line[512];
    if (report->kind == REPORT_FAIL) {
        (void)snprintf(line, sizeof(line), "failed: %.*s: %.*s", STR_ARG(report->error_class),
                       STR_ARG(report->message));
        stella_log(job, STELLA_WARNING, line);
    }
}

static int32_t run_handler(struct stella_job *job)
{
    const struct type_handler *handler = find_handler(job->worker, job->lease->is.type);
    if (handler == NULL) {
        return stella_job_fail(job, "unexpected_type", "this worker has no handler for the type", 0,
                               0);
    }
    if (stella_job_stopped(job) != STELLA_STOP_NONE) {
        return STELLA_RELEASED; /* Stopped while it waited for its slot. */
    }
    return handler->run(handler->context, job);
}

/* The oldest waiting job, or null when the worker ends. */
static struct stella_job *pop(struct stella_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    while (worker->queue == NULL && !worker->ending) {
        (void)pthread_cond_wait(&worker->work, &worker->lock);
    }
    struct stella_job *job = worker->queue;
    if (job != NULL) {
        worker->queue = job->next;
    }
    pthread_mutex_unlock(&worker->lock);
    return job;
}

static void *slot_main(void *context)
{
    struct slot *slot = context;
    struct stella_worker *worker = slot->worker;
    struct stella_job *job = NULL;
    while ((job = pop(worker)) != NULL) {
        job->easy = slot->easy;
        const struct lease_report report = report_of(job, run_handler(job));
        log_failure(job, &report);
        pthread_mutex_lock(&worker->lock);
        session_ended(worker->session, job->lease, &report, worker_now());
        pthread_mutex_unlock(&worker->lock);
        job_free(job);
        (void)curl_multi_wakeup(worker->multi);
    }
    return NULL;
}

int32_t slots_start(struct stella_worker *worker, struct stella_error *error)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* Signals are for the program's threads. */
    worker->ending = false;
    int failed = 0;
    for (uint32_t i = 0; i < worker->is.slots && failed == 0; i++) {
        struct slot *slot = &worker->slots[i];
        slot->worker = worker;
        slot->easy = curl_easy_init();
        CHECK(slot->easy != NULL);
        failed = pthread_create(&slot->thread, NULL, slot_main, slot);
        if (failed != 0) {
            curl_easy_cleanup(slot->easy);
            break;
        }
        worker->slots_n++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        return fault(error, STELLA_IO, "cannot start a thread: %s", strerror(failed));
    }
    return STELLA_OK;
}

void slots_join(struct stella_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->ending = true;
    (void)pthread_cond_broadcast(&worker->work);
    pthread_mutex_unlock(&worker->lock);
    for (size_t i = 0; i < worker->slots_n; i++) {
        (void)pthread_join(worker->slots[i].thread, NULL);
        curl_easy_cleanup(worker->slots[i].easy);
    }
    worker->slots_n = 0;
}
