/*
 * worker/parts - what the files of the blocking driver share; nobody else includes it.
 *
 * Threads  the driving thread (stella_worker_run) owns the transfers and steps the session; each
 *          slot thread runs one handler at a time and owns its curl handle. `lock` guards the
 *          session, the queue, the token and the shared part of each job; it is never held while
 *          something blocks or a handler runs, so no handler can starve the heartbeats.
 */
#ifndef WORKER_PARTS_H
#define WORKER_PARTS_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "stella/worker.h"
#include "worker/session.h"

enum {
    WORKER_TYPES_MAX = 100,
    WORKER_TOKEN_MAX = 512,
    WORKER_ANSWER_MAX = 64 << 20, /* Bytes of an answer to a worker call. */
    JOB_ARTIFACTS_MAX = 1000,     /* Of one report, the server's bound. */
    JOB_INPUTS_MAX = 900,         /* Of them, so that there is always room for outputs. */
    JOB_ARENA_CAP = 4 << 20
};

struct type_handler {
    struct str type;
    stella_handler *run;
    void *context;
};

struct slot {
    struct stella_worker *worker;
    pthread_t thread;
    CURL *easy; /* For the artifact calls of its jobs; keeps its connection. */
};

struct stella_worker {
    struct arena arena; /* Texts of the options. */
    struct str base;    /* "http://127.0.0.1:8700/api/v1" */
    bool loopback;      /* Then no proxy is asked. */
    const char *token_file;
    const char *tenant; /* Or null. */
    struct wire_worker is;
    uint32_t grace_ms;
    stella_log_callback *on_log;
    void *log_context;
    pthread_mutex_t log_lock;
    struct type_handler handlers[WORKER_TYPES_MAX];
    struct str types[WORKER_TYPES_MAX];
    size_t handlers_n;
    int drain_fd;  /* eventfd: written once per stella_worker_drain(). */
    int signal_fd; /* Or -1. */
    CURLM *multi;

    pthread_mutex_t lock; /* Guards what follows. */
    pthread_cond_t work;  /* The queue has something, or `ending`. */
    char token[WORKER_TOKEN_MAX];
    uint32_t token_serial; /* Counts its changes. */
    struct session *session;
    struct stella_job *queue; /* Jobs that wait for a slot; the oldest first. */
    bool ending;              /* Slots return when the queue is empty. */
    struct slot slots[STELLA_SLOTS_MAX];
    size_t slots_n; /* Threads that were started. */
};

struct stella_job {
    struct stella_worker *worker;
    struct lease *lease; /* Its texts may be read without the lock; the rest not. */
    struct stella_job *next;
    CURL *easy; /* The slot's. */
    atomic_int stop;
    atomic_bool contact_lost;
    pthread_cond_t changed; /* With the worker's lock: stop or requests changed. */
    void (*on_stop)(void *context, int32_t stop);
    void *on_stop_context;
    /* The report, the handler's alone. */
    struct arena arena;
    struct str result;
    struct str error_class, message;
    struct str host;
    bool permanent;
    int64_t retry_after_ms;
    VEC(struct lease_artifact) artifacts;
};

/* fault.c: fills *error, which may be null, and returns the code. */
int32_t fault(struct stella_error *error, enum stella_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* From a problem document and its status. */
int32_t fault_refused(struct stella_error *error, int status, struct str body);

/* worker.c */
struct mono_time worker_now(void);
/* Unix time, for the server to compare. */
int64_t worker_wall_ms(void);
/* Bytes of a line that are logged. */
size_t worker_log_len(const char *text);
void worker_log(struct stella_worker *worker, int32_t level, const char *job, const char *text);
/* A request with token `serial` was refused: reads the token file again. True when the token is
 * another one by now, whoever noticed first. Takes the lock. */
bool worker_reload_token(struct stella_worker *worker, uint32_t serial);
/* The Authorization header, and which token it has. Takes the lock. */
struct curl_slist *worker_headers(struct stella_worker *worker, uint32_t *out_serial);
/* Options that every transfer has. */
void worker_prepare(const struct stella_worker *worker, CURL *easy);

/* slot.c */
int32_t slots_start(struct stella_worker *worker, struct stella_error *error);
/* Lets the threads end and joins them. Without the lock. */
void slots_join(struct stella_worker *worker);
/* Queues a job for the lease. With the lock. */
void slots_push(struct stella_worker *worker, struct lease *lease);
/* Tells a running job what changed. With the lock. */
void slots_notice(struct lease *lease);

/* call.c: one blocking request of a handler's thread. */
struct call {
    const char *method; /* "GET", "PUT" */
    const char *path;   /* Below the base, "/artifacts/…". */
    const char *content_type;
    int body_fd; /* The body, from its start; -1: none. */
    uint64_t body_len;
    stella_sink *sink; /* Takes the body of a 2xx answer. */
    void *sink_context;
    struct sha256_stream *digest; /* Of what the sink was given; or null. */
};

/* Repeats within bounds until it has an answer; 2xx is success. */
int32_t call_run(struct stella_job *job, const struct call *call, struct stella_error *error);

#endif
