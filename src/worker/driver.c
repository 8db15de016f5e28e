/* The driving thread: does what the session says, and tells it what happened. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/check.h"
#include "worker/parts.h"

enum { TRANSFERS_MAX = 16, URL_MAX = 2048, POLL_MS_MAX = 60000 };

/* One request on its way. */
struct transfer {
    uint64_t request; /* 0: unused. */
    CURL *easy;
    struct curl_slist *headers;
    uint32_t token_serial;
    struct buf body;
};

struct driver {
    struct stella_worker *worker;
    struct transfer transfers[TRANSFERS_MAX];
};

static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
    struct transfer *transfer = context;
    buf_put(&transfer->body, bytes, size * n);
    return transfer->body.overflow ? 0 : size * n;
}

static struct curl_slist *post_headers(struct stella_worker *worker, uint32_t *out_serial)
{
    struct curl_slist *headers = worker_headers(worker, out_serial);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:"); /* No pause before larger bodies. */
    if (worker->tenant != NULL) {
        char line[256];
        (void)snprintf(line, sizeof(line), "X-Stella-Tenant: %s", worker->tenant);
        headers = curl_slist_append(headers, line);
    }
    CHECK(headers != NULL);
    return headers;
}

static void transfer_begin(struct driver *driver, const struct session_action *action)
{
    struct stella_worker *worker = driver->worker;
    struct transfer *transfer = driver->transfers;
    while (transfer->request != 0) {
        transfer++;
        CHECK(transfer < driver->transfers + TRANSFERS_MAX);
    }
    char url[URL_MAX];
    (void)snprintf(url, sizeof(url), "%.*s%s", STR_ARG(worker->base), action->path);
    CURL *easy = curl_easy_init();
    CHECK(easy != NULL);
    transfer->request = action->request;
    transfer->easy = easy;
    transfer->headers = post_headers(worker, &transfer->token_serial);
    buf_init(&transfer->body, WORKER_ANSWER_MAX);
    worker_prepare(worker, easy);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)action->body.len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, action->body.ptr);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(action->timeout_us / US_PER_MS) + 1);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    CHECK(curl_multi_add_handle(worker->multi, easy) == CURLM_OK);
}

static void transfer_end(struct driver *driver, struct transfer *transfer)
{
    (void)curl_multi_remove_handle(driver->worker->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    buf_fini(&transfer->body);
    memset(transfer, 0, sizeof(*transfer));
}

static void transfer_abort(struct driver *driver, uint64_t request)
{
    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        if (driver->transfers[i].request == request) {
            transfer_end(driver, &driver->transfers[i]);
        }
    }
}

static void transfer_answered(struct driver *driver, struct transfer *transfer, CURLcode result)
{
    struct stella_worker *worker = driver->worker;
    long status = 0;
    curl_off_t retry_after_s = 0;
    if (result == CURLE_OK) {
        (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    }
    if (status == 401 && worker_reload_token(worker, transfer->token_serial)) {
        status = 0; /* Refused with a token that is no longer ours: ask again with the new one. */
    }
    const int64_t bounded_s = retry_after_s > 3600 ? 3600 : (int64_t)retry_after_s;
    const struct session_answer answer = {
        .request = transfer->request,
        .status = (int)status,
        .body = buf_get(&transfer->body),
        .retry_after_ms = bounded_s * 1000,
    };
    pthread_mutex_lock(&worker->lock);
    session_answer(worker->session, &answer, worker_now());
    pthread_mutex_unlock(&worker->lock);
    transfer_end(driver, transfer);
}

/* ---- waiting ---- */

static void read_drains(struct stella_worker *worker)
{
    uint64_t times = 0;
    struct signalfd_siginfo signal;
    if (read(worker->drain_fd, &times, sizeof(times)) != (ssize_t)sizeof(times)) {
        times = 0;
    }
    while (worker->signal_fd >= 0 &&
           read(worker->signal_fd, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
        times++;
    }
    for (uint64_t i = 0; i < times && i < 2; i++) {
        pthread_mutex_lock(&worker->lock);
        session_drain(worker->session, worker_now());
        pthread_mutex_unlock(&worker->lock);
    }
}

/* Moves the transfers on; true when one of them was answered. */
static bool transfers_perform(struct driver *driver)
{
    int left = 0;
    bool answered = false;
    (void)curl_multi_perform(driver->worker->multi, &left);
    const CURLMsg *message = NULL;
    while ((message = curl_multi_info_read(driver->worker->multi, &left)) != NULL) {
        char *private = NULL;
        const CURLcode result = message->data.result;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        transfer_answered(driver, (struct transfer *)(void *)private, result);
        answered = true;
    }
    return answered;
}

static void wait_until(struct driver *driver, struct mono_time until)
{
    struct stella_worker *worker = driver->worker;
    const int64_t left_us = until.us - worker_now().us;
    const int64_t left_ms = left_us <= 0 ? 0 : left_us / US_PER_MS + 1;
    struct curl_waitfd fds[2] = {
        {.fd = worker->drain_fd, .events = CURL_WAIT_POLLIN},
        {.fd = worker->signal_fd, .events = CURL_WAIT_POLLIN},
    };
    if (transfers_perform(driver)) {
        return; /* The session may have something new to say: not a moment to sleep. */
    }
    const unsigned int fds_n = worker->signal_fd >= 0 ? 2 : 1;
    const int timeout_ms = left_ms > POLL_MS_MAX ? POLL_MS_MAX : (int)left_ms;
    (void)curl_multi_poll(worker->multi, fds, fds_n, timeout_ms, NULL);
    (void)transfers_perform(driver);
    read_drains(worker);
}

/* ---- the loop ---- */

/* One step of the session, taken under the lock. */
static enum session_step step(struct stella_worker *worker, struct session_action *action,
                              char said[512])
{
    pthread_mutex_lock(&worker->lock);
    session_tell_clock(worker->session, worker_wall_ms());
    const enum session_step next = session_next(worker->session, worker_now(), action);
    if (next == SESSION_START) {
        slots_push(worker, action->lease);
    } else if (next == SESSION_NOTICE) {
        slots_notice(action->lease);
    } else if (next == SESSION_SAY) {
        (void)snprintf(said, 512, "%s", action->text);
    }
    pthread_mutex_unlock(&worker->lock);
    return next;
}

static void drive(struct driver *driver)
{
    struct session_action action;
    char said[512];
    for (;;) {
        switch (step(driver->worker, &action, said)) {
        case SESSION_SEND: transfer_begin(driver, &action); break;
        case SESSION_ABORT: transfer_abort(driver, action.request); break;
        case SESSION_SAY: worker_log(driver->worker, STELLA_WARNING, NULL, said); break;
        case SESSION_WAIT: wait_until(driver, action.until); break;
        case SESSION_DONE: return;
        case SESSION_START:
        case SESSION_NOTICE: break; /* Done under the lock. */
        }
    }
}

static int32_t outcome(struct stella_worker *worker, struct stella_error *error)
{
    int status = 0;
    const struct wire_problem *why = session_failure(worker->session, &status);
    if (status == 0) {
        return STELLA_OK;
    }
    (void)fault(error, STELLA_REFUSED, "the server refuses this worker: HTTP %d %s: %s", status,
                why->code, why->detail);
    if (error != NULL) {
        error->http_status = status;
        (void)snprintf(error->name, sizeof(error->name), "%s", why->code);
    }
    return STELLA_REFUSED;
}

int32_t stella_worker_run(struct stella_worker *worker, struct stella_error *error)
{
    if (worker == NULL || worker->handlers_n == 0 || worker->session != NULL) {
        return fault(error, STELLA_USAGE, "a worker runs once, with at least one handler");
    }
    struct session_config config = {
        .worker = worker->is,
        .grace_us = (int64_t)worker->grace_ms * US_PER_MS,
    };
    if (getrandom(&config.seed, sizeof(config.seed), 0) != (ssize_t)sizeof(config.seed)) {
        return fault(error, STELLA_IO, "no randomness: %s", strerror(errno));
    }
    worker->session = session_new(&config, worker_now());
    const int32_t started = slots_start(worker, error);
    if (started != STELLA_OK) {
        slots_join(worker);
        return started;
    }
    struct driver driver = {.worker = worker};
    drive(&driver);
    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        if (driver.transfers[i].request != 0) {
            transfer_end(&driver, &driver.transfers[i]);
        }
    }
    slots_join(worker);
    return outcome(worker, error);
}
