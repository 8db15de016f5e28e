/* What a handler asks of, and says about, its job. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/id.h"
#include "base/json.h"
#include "worker/parts.h"

/* What the server takes. */
#define LIMIT_MAX INT64_C(1000000000)

static const char *text(struct str s)
{
    return s.len > 0 ? s.ptr : ""; /* The arena put a NUL behind it. */
}

const char *stella_job_id(const struct stella_job *job)
{
    return text(job->lease->is.job);
}

const char *stella_job_type(const struct stella_job *job)
{
    return text(job->lease->is.type);
}

const char *stella_job_name(const struct stella_job *job)
{
    return text(job->lease->is.name);
}

const char *stella_job_run(const struct stella_job *job)
{
    return text(job->lease->is.run);
}

const char *stella_job_source(const struct stella_job *job)
{
    return text(job->lease->is.source);
}

const char *stella_job_host(const struct stella_job *job)
{
    return text(job->lease->is.host);
}

const char *stella_job_tenant(const struct stella_job *job)
{
    return text(job->lease->is.tenant);
}

const char *stella_job_traceparent(const struct stella_job *job)
{
    return text(job->lease->is.traceparent);
}

const char *stella_job_idempotency_key(const struct stella_job *job)
{
    return text(job->lease->is.idempotency_key);
}

static const char *raw(struct str json, size_t *len)
{
    if (len != NULL) {
        *len = json.len;
    }
    return text(json);
}

const char *stella_job_payload(const struct stella_job *job, size_t *len)
{
    return raw(job->lease->is.payload, len);
}

const char *stella_job_source_config(const struct stella_job *job, size_t *len)
{
    return raw(job->lease->is.source_config, len);
}

int32_t stella_job_attempt(const struct stella_job *job)
{
    return (int32_t)job->lease->is.attempt;
}

int32_t stella_job_max_attempts(const struct stella_job *job)
{
    return (int32_t)job->lease->is.max_attempts;
}

/* ---- while it runs ---- */

int32_t stella_job_stopped(const struct stella_job *job)
{
    return atomic_load(&job->stop);
}

int32_t stella_job_contact_lost(const struct stella_job *job)
{
    return atomic_load(&job->contact_lost) ? 1 : 0;
}

void stella_job_on_stop(struct stella_job *job, void (*callback)(void *context, int32_t stop),
                        void *context)
{
    pthread_mutex_lock(&job->worker->lock);
    job->on_stop = callback;
    job->on_stop_context = context;
    const int32_t stop = stella_job_stopped(job);
    pthread_mutex_unlock(&job->worker->lock);
    if (stop != STELLA_STOP_NONE && callback != NULL) {
        callback(context, stop);
    }
}

int32_t stella_job_wait(struct stella_job *job, uint32_t ms)
{
    struct timespec until;
    /* tidy: clock: the installed library has only its own files. */
    CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    int timed_out = 0;
    pthread_mutex_lock(&job->worker->lock);
    while (stella_job_stopped(job) == STELLA_STOP_NONE && timed_out == 0) {
        timed_out = pthread_cond_timedwait(&job->changed, &job->worker->lock, &until);
    }
    pthread_mutex_unlock(&job->worker->lock);
    return stella_job_stopped(job);
}

void stella_job_progress(struct stella_job *job, uint64_t done, uint64_t total,
                         const char *progress_text)
{
    pthread_mutex_lock(&job->worker->lock);
    session_progress(job->worker->session, job->lease, done, total, str_from(progress_text));
    pthread_mutex_unlock(&job->worker->lock);
}

void stella_log(struct stella_job *job, int32_t level, const char *line)
{
    worker_log(job->worker, level, stella_job_id(job), line);
    pthread_mutex_lock(&job->worker->lock);
    const struct str text = {line, worker_log_len(line)};
    const bool sooner = session_log(job->lease, level, text, worker_now());
    pthread_mutex_unlock(&job->worker->lock);
    if (sooner) {
        (void)curl_multi_wakeup(job->worker->multi);
    }
}

/* One after another: more than the host's burst never come at once. */
int32_t stella_job_take_requests(struct stella_job *job, uint32_t n, struct stella_error *error)
{
    struct stella_worker *worker = job->worker;
    uint32_t taken = 0;
    bool counted = false;
    pthread_mutex_lock(&worker->lock);
    while (stella_job_stopped(job) == STELLA_STOP_NONE && (taken < n || !counted)) {
        counted = true;
        if (session_take_requests(worker->session, job->lease, n > 0, worker_now())) {
            taken++;
            continue;
        }
        (void)curl_multi_wakeup(worker->multi); /* A heartbeat that asks for more is due. */
        (void)pthread_cond_wait(&job->changed, &worker->lock);
    }
    pthread_mutex_unlock(&worker->lock);
    return taken >= n ? STELLA_OK : fault(error, STELLA_STOPPED, "the job was asked to stop");
}

void stella_job_limit_seen(struct stella_job *job, uint64_t remaining, uint32_t reset_ms)
{
    struct mono_time reset = worker_now();
    reset.us += reset_ms * US_PER_MS;
    pthread_mutex_lock(&job->worker->lock);
    session_told(job->lease, remaining < LIMIT_MAX ? (int64_t)remaining : LIMIT_MAX, reset);
    pthread_mutex_unlock(&job->worker->lock);
}

void stella_job_overload_seen(struct stella_job *job)
{
    pthread_mutex_lock(&job->worker->lock);
    job->lease->overloaded = true;
    pthread_mutex_unlock(&job->worker->lock);
}

/* ---- how it ends ---- */

int32_t stella_job_result(struct stella_job *job, const char *json, size_t len,
                          struct stella_error *error)
{
    json_t *value = NULL;
    struct err err = {0};
    if (json == NULL || len > STELLA_RESULT_MAX) {
        return fault(error, STELLA_USAGE, "a result has at most %d bytes", STELLA_RESULT_MAX);
    }
    if (json_read((struct str){json, len}, &value, &err) != ERR_OK) {
        return fault(error, STELLA_USAGE, "the result is %s", err.message);
    }
    json_decref(value);
    if (arena_used(&job->arena) + len > JOB_ARENA_CAP / 2) {
        return fault(error, STELLA_MEMORY, "the result was set too often");
    }
    job->result = arena_str(&job->arena, (struct str){json, len});
    return STELLA_OK;
}

static struct str cut_copy(struct arena *arena, const char *from, size_t max)
{
    struct str all = str_from(from);
    size_t len = all.len < max ? all.len : max;
    for (int back = 0; back < 3 && len > 0 && !str_is_utf8(str_slice(all, 0, len)); back++) {
        len--; /* Not through the middle of a character. */
    }
    const struct str cut = str_slice(all, 0, len);
    return arena_str(arena, str_is_utf8(cut) ? cut : STR("(the text is not UTF-8)"));
}

int32_t stella_job_fail(struct stella_job *job, const char *error_class, const char *message,
                        int32_t permanent, uint32_t retry_after_ms)
{
    if (arena_used(&job->arena) > JOB_ARENA_CAP / 4 * 3) {
        return STELLA_FAILED; /* Said too often; what was said before stands. */
    }
    const bool valid = error_class != NULL && name_is_valid(str_from(error_class), LEASE_CLASS_MAX);
    job->error_class = valid ? cut_copy(&job->arena, error_class, LEASE_CLASS_MAX) : STR("failed");
    job->message = cut_copy(&job->arena, message, STELLA_MESSAGE_MAX);
    job->permanent = permanent != 0;
    job->retry_after_ms = retry_after_ms;
    return STELLA_FAILED;
}

int32_t stella_job_throttle(struct stella_job *job, const char *host, uint32_t retry_after_ms)
{
    const bool fits = arena_used(&job->arena) <= JOB_ARENA_CAP / 4 * 3;
    if (fits && host != NULL && name_is_valid(str_from(host), 255)) {
        job->host = arena_str(&job->arena, str_from(host));
    }
    job->retry_after_ms = retry_after_ms;
    return STELLA_THROTTLED;
}
