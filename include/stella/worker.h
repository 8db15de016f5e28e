/*
 * stella/worker - a worker of the Source & Job Orchestrator: claims jobs, keeps them, reports them.
 *
 * Use      stella_worker_new(), stella_worker_handle() per job type, stella_worker_run() until it
 *          returns, stella_worker_free(). A handler does one job and returns its outcome:
 *
 *              static int32_t greet(void *context, struct stella_job *job)
 *              {
 *                  return stella_job_result(job, "{}", 2, NULL) == STELLA_OK ? STELLA_DONE
 *                                                                          : STELLA_FAILED;
 *              }
 *
 * Owns     handles are opaque and freed by the function that says so. Texts returned by an
 *          accessor are borrowed and live as long as the handle. What is passed in is copied.
 * Threads  a worker belongs to the thread that runs it; only stella_worker_drain() may be called
 *          from elsewhere. Handlers run on the worker's own threads, as many as it has slots. A
 *          job belongs to the handler it was given to, until that returns; the handler's own
 *          threads may call stella_job_stopped(), stella_job_wait() and stella_job_progress().
 * Globals  none; two workers in one process do not know of each other. Not to be used after fork().
 * Errors   a function that can fail returns enum stella_code: 0 is success, failures are negative
 *          and their numbers are never reused. `error` may be null; when it is not, it is filled on
 *          failure and untouched on success.
 * Promise  a job is executed at least once; what a handler reports counts exactly once, and only
 *          while its lease holds. Effects outside should use stella_job_idempotency_key().
 */
#ifndef STELLA_WORKER_H
#define STELLA_WORKER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
    #define STELLA_API __attribute__((visibility("default")))
#else
    #define STELLA_API
#endif

#define STELLA_WORKER_VERSION "0.1.0"

/* What a call can return. */
enum stella_code {
    STELLA_OK = 0,
    STELLA_USAGE = -1,       /* An argument is missing or out of bounds; a bug of the caller. */
    STELLA_UNREACHABLE = -2, /* The server did not answer, after the retries. */
    STELLA_REFUSED = -3,     /* The server said no; error.name has its code. */
    STELLA_LEASE_LOST = -4,  /* The job is no longer ours: return from the handler. */
    STELLA_STOPPED = -5,     /* The handler was asked to stop: see stella_job_stopped(). */
    STELLA_IO = -6,          /* The operating system refused something. */
    STELLA_DIGEST = -7,      /* Bytes received do not have the digest they were asked by. */
    STELLA_MEMORY = -8,      /* No memory, or a bound of this library was reached. */
    STELLA_ABORTED = -9      /* The caller's own callback said stop. */
};

/* Filled by a call that fails. */
struct stella_error {
    int32_t code;        /* enum stella_code. */
    int32_t http_status; /* 0 when no answer was involved. */
    uint8_t retryable;   /* 1: the same call later can succeed. */
    char name[64];       /* The server's code ("lease_lost"), or empty. */
    char message[256];   /* One sentence for people. */
};

/* What a handler returns. */
enum stella_outcome {
    STELLA_DONE = 0,      /* Succeeded, with the result and artifacts that were set. */
    STELLA_FAILED = 1,    /* Failed, as stella_job_fail() said. */
    STELLA_THROTTLED = 2, /* The upstream asked to come later, as stella_job_throttle() said. */
    STELLA_RELEASED =
        3 /* Give it back unharmed: costs no attempt. What a stopped handler returns. */
};

/* Why a handler should return. Once set it stays; STELLA_STOP_LEASE_LOST replaces the others. */
enum stella_stop {
    STELLA_STOP_NONE = 0,
    STELLA_STOP_CANCELED = 1,   /* An operator canceled the job. */
    STELLA_STOP_LEASE_LOST = 2, /* Another worker may have it; nothing we report counts. */
    STELLA_STOP_LOST_CONTACT =
        3,                   /* 0.8 of the lease without contact, and the job type says stop. */
    STELLA_STOP_DRAINING = 4 /* The worker's grace time is over. */
};

enum stella_level { STELLA_DEBUG = 0, STELLA_INFO = 1, STELLA_WARNING = 2, STELLA_ERROR = 3 };

enum {
    STELLA_SLOTS_MAX = 256,
    STELLA_RESULT_MAX = 16384,   /* Bytes of a result. */
    STELLA_MESSAGE_MAX = 8192,   /* Bytes of a failure's message and of a log line. */
    STELLA_ARTIFACTS_MAX = 1000, /* Artifacts of one job; inputs among them at most 900. */
    STELLA_SHA256_TEXT = 65      /* 64 hexadecimal digits and a NUL. */
};

struct stella_worker;
struct stella_job;
struct stella_artifact;

/* Called for every line that a handler or the library logs; from any of the worker's threads, one
 * at a time. `text` is not NUL-terminated and is cut at STELLA_MESSAGE_MAX. `job` may be null. */
typedef void stella_log_callback(void *context, int32_t level, const char *job, const char *text,
                                 size_t len);

/* How a worker is made. Start from STELLA_WORKER_OPTIONS_INIT. */
struct stella_worker_options {
    uint32_t size;          /* sizeof(struct stella_worker_options), for later versions. */
    uint32_t slots;         /* Jobs at once, 1 to STELLA_SLOTS_MAX. */
    const char *url;        /* "http://127.0.0.1:8700", without /api/v1. Must be given. */
    const char *token;      /* Bearer token; or */
    const char *token_file; /* a file that holds it, read again when the server refuses it. */
    const char *tenant;     /* For an installation token: work for this tenant alone; or null. */
    const char *name;       /* Shown to operators; null: host name and process id. */
    const char *version;    /* Of the program, shown to operators; null: this library's. */
    uint32_t grace_ms;      /* How long a drain lets handlers finish before it stops them. */
    stella_log_callback *on_log; /* Null: nothing is logged. */
    void *log_context;
};

#define STELLA_WORKER_OPTIONS_INIT                                                                \
    {                                                                                             \
        sizeof(struct stella_worker_options), 4, NULL, NULL, NULL, NULL, NULL, NULL, 25000, NULL, \
            NULL                                                                                  \
    }

/* Does one job. Returns enum stella_outcome. Must return soon after stella_job_stopped() is not
 * STELLA_STOP_NONE. Must not throw or longjmp through the library. */
typedef int32_t stella_handler(void *context, struct stella_job *job);

/* ---- worker ---------------------------------------------------------------------------------- */

/* This library's version, "0.1.0"; static storage. */
STELLA_API const char *stella_version(void);
/* Name of a code ("unreachable"); static storage, never null. */
STELLA_API const char *stella_code_name(int32_t code);

/* Makes a worker; does not touch the network. The caller frees *out. */
STELLA_API int32_t stella_worker_new(const struct stella_worker_options *options,
                                     struct stella_worker **out, struct stella_error *error);
/* Frees it; null is allowed. Not while stella_worker_run() is running. */
STELLA_API void stella_worker_free(struct stella_worker *worker);
/* Says who does the jobs of `type`; up to 100 types, each once, before stella_worker_run(). */
STELLA_API int32_t stella_worker_handle(struct stella_worker *worker, const char *type,
                                        stella_handler *handler, void *context,
                                        struct stella_error *error);
/* Registers, then claims and does jobs until it is drained; then all handlers have returned and
 * every report was answered (or the grace time passed without an answer). Blocks. Reconnects by
 * itself with bounded backoff; returns a failure only when the server refuses this worker. When the
 * operator drains or quarantines this worker on the server, it claims nothing until it is resumed,
 * and does not return: what started it would start it again. */
STELLA_API int32_t stella_worker_run(struct stella_worker *worker, struct stella_error *error);
/* Ends stella_worker_run() in order: no new claims, handlers may finish within the grace time, then
 * are stopped and their jobs released. A second call ends the grace time. Any thread, and safe in a
 * signal handler. */
STELLA_API void stella_worker_drain(struct stella_worker *worker);
/* Opt-in: SIGTERM and SIGINT drain this worker. Blocks the two signals in the calling thread, so
 * call it before threads are started. One worker per process should ask for it. */
STELLA_API int32_t stella_worker_drain_on_signals(struct stella_worker *worker,
                                                  struct stella_error *error);

/* ---- what a job is --------------------------------------------------------------------------- */

/* Borrowed texts; an absent one is "". */
STELLA_API const char *stella_job_id(const struct stella_job *job);     /* "job-17" */
STELLA_API const char *stella_job_type(const struct stella_job *job);   /* "advisory.ingest" */
STELLA_API const char *stella_job_name(const struct stella_job *job);   /* Its name in its run. */
STELLA_API const char *stella_job_run(const struct stella_job *job);    /* "run-4" */
STELLA_API const char *stella_job_source(const struct stella_job *job); /* The source's name. */
STELLA_API const char *stella_job_host(const struct stella_job *job);   /* Throttled host. */
STELLA_API const char *stella_job_tenant(const struct stella_job *job);
STELLA_API const char *stella_job_traceparent(const struct stella_job *job);
/* The same for each grant of this attempt; for effects outside the orchestrator. */
STELLA_API const char *stella_job_idempotency_key(const struct stella_job *job);
/* The payload as it was submitted, JSON; *len is set when not null. */
STELLA_API const char *stella_job_payload(const struct stella_job *job, size_t *len);
/* The configuration of the source, JSON, or "". */
STELLA_API const char *stella_job_source_config(const struct stella_job *job, size_t *len);
STELLA_API int32_t stella_job_attempt(const struct stella_job *job); /* 1 is the first. */
STELLA_API int32_t stella_job_max_attempts(const struct stella_job *job);

/* ---- while it runs --------------------------------------------------------------------------- */

/* enum stella_stop. Cheap; ask often. */
STELLA_API int32_t stella_job_stopped(const struct stella_job *job);
/* 1 while the server has not been reached for 0.8 of the lease and the handler may go on. */
STELLA_API int32_t stella_job_contact_lost(const struct stella_job *job);
/* Called once when the handler is asked to stop, on the driving thread: must not block and must not
 * call the library. Called at once, on this thread, when that has happened already. */
STELLA_API void stella_job_on_stop(struct stella_job *job,
                                   void (*callback)(void *context, int32_t stop), void *context);
/* Sleeps; returns early, with enum stella_stop, when the handler is asked to stop. */
STELLA_API int32_t stella_job_wait(struct stella_job *job, uint32_t ms);
/* Tells operators how far it is; the latest wins and travels with the next heartbeat. `text` may be
 * null and is cut at 200 bytes. */
STELLA_API void stella_job_progress(struct stella_job *job, uint64_t done, uint64_t total,
                                    const char *text);
/* Logs one line for this job, cut at STELLA_MESSAGE_MAX bytes: to on_log, and to the server, which
 * takes secrets out and shows it as `jobs logs`. Travels with heartbeats and the report; when lines
 * come faster than they can be sent the oldest are dropped, and a line says how many. */
STELLA_API void stella_log(struct stella_job *job, int32_t level, const char *text);

/* Counts `n` requests to the job's throttled host, before they are made. Asks the server for more
 * when the allowance runs low, and waits while it is refused. STELLA_STOPPED when the handler was
 * asked to stop meanwhile. Without a throttled host it only counts. A handler that counts gets
 * back to the host what it was granted and did not use; one that never calls this (with 0, too) is
 * taken to have used all. */
STELLA_API int32_t stella_job_take_requests(struct stella_job *job, uint32_t n,
                                            struct stella_error *error);
/* An answer of the job's host said how many requests it takes until when (RateLimit fields): the
 * latest wins, travels with the next heartbeat or report, and slows everybody who asks that host
 * before it has to refuse. */
STELLA_API void stella_job_limit_seen(struct stella_job *job, uint64_t remaining,
                                      uint32_t reset_ms);
/* The job's host answered 503 without saying for how long. It counts with stella_job_fail(): the
 * attempt is spent, and the host is asked less often. */
STELLA_API void stella_job_overload_seen(struct stella_job *job);

/* ---- how it ends ----------------------------------------------------------------------------- */

/* The result of a job that succeeds: one JSON value of at most STELLA_RESULT_MAX bytes. */
STELLA_API int32_t stella_job_result(struct stella_job *job, const char *json, size_t len,
                                     struct stella_error *error);
/* Why it failed: a short class that retries and incidents are grouped by ("http_5xx",
 * "parse_error"; at most 64 of [a-zA-Z0-9._:/@+-]) and a message. `permanent` 1: do not retry.
 * `retry_after_ms` 0: the job type's backoff. Returns STELLA_FAILED, to be returned. */
STELLA_API int32_t stella_job_fail(struct stella_job *job, const char *error_class,
                                   const char *message, int32_t permanent, uint32_t retry_after_ms);
/* The upstream refused for load. `host` null: the job's. Returns STELLA_THROTTLED. */
STELLA_API int32_t stella_job_throttle(struct stella_job *job, const char *host,
                                       uint32_t retry_after_ms);

/* ---- artifacts ------------------------------------------------------------------------------- */

/* Begins an output of this job. Names are 1 to 200 of [a-zA-Z0-9._:/@+-], each once in a job; media
 * types have at most 128 bytes. The bytes are kept (in memory, then in an unnamed temporary file)
 * and hashed as they are written. The caller ends it with close or discard. */
STELLA_API int32_t stella_artifact_open(struct stella_job *job, const char *name,
                                        const char *media_type, struct stella_artifact **out,
                                        struct stella_error *error);
/* Adds bytes. After a failure only discard is left. */
STELLA_API int32_t stella_artifact_write(struct stella_artifact *artifact, const void *bytes,
                                         size_t len, struct stella_error *error);
/* Uploads it by its digest and adds it to the job's report; frees the handle in every case.
 * `out_sha256` may be null. Retries within bounds; refused locally once the lease is lost. */
STELLA_API int32_t stella_artifact_close(struct stella_artifact *artifact,
                                         char out_sha256[STELLA_SHA256_TEXT],
                                         struct stella_error *error);
/* Forgets it; null is allowed. */
STELLA_API void stella_artifact_discard(struct stella_artifact *artifact);
/* Open, write and close in one call. */
STELLA_API int32_t stella_job_put_artifact(struct stella_job *job, const char *name,
                                           const char *media_type, const void *bytes, size_t len,
                                           char out_sha256[STELLA_SHA256_TEXT],
                                           struct stella_error *error);

/* Takes downloaded bytes as they arrive; anything but 0 ends the download (STELLA_ABORTED). The
 * digest is known only at the end: do not trust the bytes before the call succeeded. */
typedef int32_t stella_sink(void *context, const void *bytes, size_t len);
/* Downloads by content hash and verifies it. Not resumed after the first byte reached the sink. */
STELLA_API int32_t stella_job_get_artifact(struct stella_job *job, const char *sha256,
                                           stella_sink *sink, void *context,
                                           struct stella_error *error);
/* Records that this job read an artifact, for lineage; sent with the result. Names of inputs differ
 * from each other, as those of outputs do. STELLA_MEMORY when there are too many. */
STELLA_API int32_t stella_job_use_artifact(struct stella_job *job, const char *name,
                                           const char *sha256, uint64_t size,
                                           struct stella_error *error);

/* One artifact that a job of this run reported; texts borrowed for the call. */
struct stella_artifact_info {
    const char *job;
    const char *name;
    const char *role; /* "output" or "input" */
    const char *media_type;
    const char *sha256;
    uint64_t size; /* Bytes. */
};

/* Lists what the jobs of this job's run have reported so far, page by page, in the server's order.
 * Anything but 0 from `each` ends it (STELLA_ABORTED). STELLA_USAGE when the job has no run. */
STELLA_API int32_t stella_job_run_artifacts(
    struct stella_job *job, int32_t (*each)(void *context, const struct stella_artifact_info *info),
    void *context, struct stella_error *error);

#ifdef __cplusplus
}
#endif

#endif
