#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "worker/backoff.h"
#include "worker/parts.h"

#define CALL_BASE_US (INT64_C(200) * US_PER_MS)
#define CALL_MAX_US  (INT64_C(10) * US_PER_S)

enum { CALL_TRIES = 8, URL_MAX = 2048, PROBLEM_MAX = 16 << 10, STALL_S = 60 };

/* What one try of a call has done so far. */
struct attempt {
    struct stella_job *job;
    const struct call *call;
    uint64_t sent;      /* Bytes of the body. */
    bool delivered;     /* The sink has seen bytes: cannot be repeated. */
    bool sink_stopped;  /* The caller's sink said stop. */
    struct buf problem; /* Body of an answer that is not 2xx. */
    int64_t retry_after_ms;
    long status;
    uint32_t token_serial; /* Which token it was sent with. */
};

static size_t send_body(char *bytes, size_t size, size_t n, void *context)
{
    struct attempt *attempt = context;
    const ssize_t got = pread(attempt->call->body_fd, bytes, size * n, (off_t)attempt->sent);
    if (got < 0) {
        return CURL_READFUNC_ABORT;
    }
    attempt->sent += (uint64_t)got;
    return (size_t)got;
}

/* curl begins anew when a kept connection turned out dead. */
static int rewind_body(void *context, curl_off_t offset, int origin)
{
    struct attempt *attempt = context;
    if (origin != SEEK_SET || offset < 0) {
        return CURL_SEEKFUNC_CANTSEEK;
    }
    attempt->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
    struct attempt *attempt = context;
    const size_t len = size * n;
    (void)curl_easy_getinfo(attempt->job->easy, CURLINFO_RESPONSE_CODE, &attempt->status);
    if (attempt->status < 200 || attempt->status > 299) {
        buf_put(&attempt->problem, bytes, len);
        return len; /* What does not fit is not needed. */
    }
    attempt->delivered = true;
    if (attempt->call->digest != NULL) {
        sha256_stream_add(attempt->call->digest, (struct str){bytes, len});
    }
    if (attempt->call->sink != NULL &&
        attempt->call->sink(attempt->call->sink_context, bytes, len) != 0) {
        attempt->sink_stopped = true;
        return 0;
    }
    return len;
}

static int watch_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct attempt *attempt = context;
    (void)a, (void)b, (void)c, (void)d;
    return stella_job_stopped(attempt->job) == STELLA_STOP_LEASE_LOST;
}

static struct curl_slist *call_headers(struct stella_job *job, const struct call *call,
                                       uint32_t *out_serial)
{
    char line[512];
    const struct lease_grant *is = &job->lease->is;
    struct curl_slist *headers = worker_headers(job->worker, out_serial);
    (void)snprintf(line, sizeof(line), "X-Stella-Lease: %.*s/%lld", STR_ARG(is->lease),
                   (long long)is->grant);
    headers = curl_slist_append(headers, line);
    if (is->tenant.len > 0) {
        (void)snprintf(line, sizeof(line), "X-Stella-Tenant: %.*s", STR_ARG(is->tenant));
        headers = curl_slist_append(headers, line);
    }
    if (call->content_type != NULL) {
        (void)snprintf(line, sizeof(line), "Content-Type: %s", call->content_type);
        headers = curl_slist_append(headers, line);
    }
    headers = curl_slist_append(headers, "Expect:");
    CHECK(headers != NULL);
    return headers;
}

static CURLcode try_once(struct attempt *attempt)
{
    struct stella_job *job = attempt->job;
    const struct call *call = attempt->call;
    CURL *easy = job->easy;
    char url[URL_MAX];
    (void)snprintf(url, sizeof(url), "%.*s%s", STR_ARG(job->worker->base), call->path);
    struct curl_slist *headers = call_headers(job, call, &attempt->token_serial);
    curl_easy_reset(easy);
    worker_prepare(job->worker, easy);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, attempt);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, watch_stop);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, attempt);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    if (call->body_fd >= 0) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->body_len);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, send_body);
        curl_easy_setopt(easy, CURLOPT_READDATA, attempt);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_body);
        curl_easy_setopt(easy, CURLOPT_SEEKDATA, attempt);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    const CURLcode result = curl_easy_perform(easy);
    curl_off_t retry_after_s = 0;
    attempt->status = 0;
    if (result == CURLE_OK) {
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &attempt->status);
        (void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    }
    attempt->retry_after_ms = (retry_after_s > 300 ? 300 : (int64_t)retry_after_s) * 1000;
    curl_slist_free_all(headers);
    return result;
}

/* True when the same call may be made again after a pause. */
static bool may_repeat(struct attempt *attempt, CURLcode result)
{
    if (attempt->delivered || attempt->sink_stopped || result == CURLE_ABORTED_BY_CALLBACK) {
        return false;
    }
    if (attempt->status == 401) {
        return worker_reload_token(attempt->job->worker, attempt->token_serial);
    }
    return attempt->status == 0 || attempt->status >= 500 || attempt->status == 429 ||
           attempt->status == 408;
}

/* Sleeps before the next try; false when the lease was lost meanwhile. A handler that was only
 * asked to stop may still finish its calls. */
static bool pause_before(struct stella_job *job, uint32_t tries, int64_t asked_ms)
{
    const struct hash_key key = {{(uint64_t)job->lease->is.grant, (uint64_t)worker_now().us}};
    const int64_t own_ms =
        backoff_delay_us(&key, tries, tries, CALL_BASE_US, CALL_MAX_US) / US_PER_MS;
    const int64_t wait_ms = own_ms > asked_ms ? own_ms : asked_ms;
    return stella_job_wait(job, (uint32_t)wait_ms) == STELLA_STOP_NONE;
}

static int32_t judge(struct attempt *attempt, CURLcode result, struct stella_error *error)
{
    if (stella_job_stopped(attempt->job) == STELLA_STOP_LEASE_LOST) {
        return fault(error, STELLA_LEASE_LOST, "the lease is lost");
    }
    if (attempt->sink_stopped) {
        return fault(error, STELLA_ABORTED, "the receiver of the bytes stopped");
    }
    if (attempt->status >= 200 && attempt->status < 300) {
        return STELLA_OK;
    }
    if (attempt->status != 0) {
        return fault_refused(error, (int)attempt->status, buf_get(&attempt->problem));
    }
    return fault(error, STELLA_UNREACHABLE, "%s %s: %s", attempt->call->method, attempt->call->path,
                 curl_easy_strerror(result));
}

int32_t call_run(struct stella_job *job, const struct call *call, struct stella_error *error)
{
    int32_t code = STELLA_OK;
    for (uint32_t tries = 0; tries < CALL_TRIES; tries++) {
        struct attempt attempt = {.job = job, .call = call};
        if (stella_job_stopped(job) == STELLA_STOP_LEASE_LOST) {
            return fault(error, STELLA_LEASE_LOST, "the lease is lost");
        }
        buf_init(&attempt.problem, PROBLEM_MAX);
        const CURLcode result = try_once(&attempt);
        code = judge(&attempt, result, error);
        buf_fini(&attempt.problem);
        const bool again = code != STELLA_OK && code != STELLA_LEASE_LOST &&
                           may_repeat(&attempt, result) && tries + 1 < CALL_TRIES;
        if (!again || !pause_before(job, tries, attempt.retry_after_ms)) {
            break;
        }
    }
    return code;
}
