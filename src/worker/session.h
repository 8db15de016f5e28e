/*
 * worker/session - the worker's side of the protocol as a state machine without input or output.
 *
 * Use      session_new(); then forever: session_next() until it says WAIT, doing each thing it
 *          says, and tell it what happened: session_answer(), session_ended(), session_drain().
 *          When it says DONE nothing is left to do.
 * Owns     leases: the driver borrows them from START until session_ended().
 * Threads  none; the caller serialises.
 * Time     every call takes `now` of CLOCK_BOOTTIME; nothing here reads a clock. The deadline of a
 *          lease is counted from the moment its request was sent.
 * Bounds   at most one request of a kind in flight; at most 2 * slots leases; delays at most
 *          BACKOFF_SERVER_MAX_US.
 *
 *      registering --registered--> working --drain--> draining --all reported--> done
 *        ^  |                         |  |               ^  |
 *        |  +--refused----------------+--refused---------+  +--grace time and linger over--> done
 *        +--operator: drained, quarantined--+   (what runs goes on; asked every SESSION_HOLD_US)
 *
 * Rules    a request without an answer is repeated with the same claim id, grants and content;
 *          a 5xx, 429 or silence never counts as a lost lease; "lease_lost" always does.
 */
#ifndef WORKER_SESSION_H
#define WORKER_SESSION_H

#include "base/hash.h"
#include "worker/lease.h"
#include "worker/wire.h"

/* How long reports may still be tried after the grace time of a drain. */
#define SESSION_LINGER_US (INT64_C(5) * US_PER_S)
/* How long a granted request may wait until it is made. */
#define SESSION_FRESH_US (INT64_C(1) * US_PER_S)

/* How often a worker that the operator holds asks whether it may go on. */
#define SESSION_HOLD_US (INT64_C(10) * US_PER_S)

struct session_config {
    struct wire_worker worker; /* Borrowed until session_free(). */
    struct hash_key seed;      /* For claim ids and jitter; different in every process. */
    int64_t grace_us;          /* How long a drain lets handlers finish. */
};

enum session_step {
    SESSION_SEND,   /* POST `body` to `path`; answer with `request`. */
    SESSION_ABORT,  /* Drop `request`: its answer is no longer wanted. */
    SESSION_START,  /* Run the handler of `lease`. */
    SESSION_NOTICE, /* Something about a running `lease` changed: stop, contact_lost, requests. */
    SESSION_SAY,    /* Log `text`. */
    SESSION_WAIT,   /* Nothing to do until `until`, or until something happens. */
    SESSION_DONE
};

struct session_action {
    uint64_t request;
    const char *path;       /* "/leases/claim" */
    struct str body;        /* Borrowed until the answer or the abort. */
    int64_t timeout_us;     /* How long to wait for the answer. */
    struct lease *lease;    /* Borrowed. */
    const char *text;       /* Borrowed until the next call. */
    struct mono_time until; /* May be in the past. */
};

struct session_answer {
    uint64_t request;
    int status;             /* 0: no answer. */
    struct str body;        /* Borrowed. */
    int64_t retry_after_ms; /* From Retry-After; 0: not said. */
};

struct session;

struct session *session_new(const struct session_config *config, struct mono_time now);
/* Null is allowed. */
void session_free(struct session *session);

/* What the wall clock says now (Unix time): registrations tell it, nothing is decided by it. */
void session_tell_clock(struct session *session, int64_t wall_ms);

/* The next thing to do. */
enum session_step session_next(struct session *session, struct mono_time now,
                               struct session_action *out);
/* An answer, or that there was none. Answers that nobody waits for any more are ignored. */
void session_answer(struct session *session, const struct session_answer *answer,
                    struct mono_time now);
/* Stop claiming; a second call ends the grace time. */
void session_drain(struct session *session, struct mono_time now);
/* The handler returned. Copies the report; the lease must not be used any more. */
void session_ended(struct session *session, struct lease *lease, const struct lease_report *report,
                   struct mono_time now);
/* The latest progress of a running lease. */
void session_progress(struct session *session, struct lease *lease, uint64_t done, uint64_t total,
                      struct str text);
/* A line of a running lease; true when the next thing to do comes sooner by that. */
bool session_log(struct lease *lease, int32_t level, struct str text, struct mono_time now);
/* Takes `n` requests off the allowance: false when there are too few, or when they have lain for
 * longer than SESSION_FRESH_US, since the host's bucket has grown in their place; then fresh ones
 * are asked for and a NOTICE follows when the allowance changed. */
bool session_take_requests(struct session *session, struct lease *lease, int64_t n,
                           struct mono_time now);
/* An answer of the job's host said that it takes `remaining` requests more until `reset`. */
void session_told(struct lease *lease, int64_t remaining, struct mono_time reset);

/* Why it ended: an empty code when it was drained in order. */
const struct wire_problem *session_failure(const struct session *session, int *out_status);

#endif
