/*
 * worker/lease - one lease that this worker holds, as data.
 *
 *      FREE --claimed--> RUNNING --handler returned--> ENDED --report answered--> FREE
 *                           |
 *                           +--lease_lost--> LOST --handler returned--> FREE
 *
 *      RUNNING   a handler has it, or is about to; it is kept alive.
 *      ENDED     the report waits for its answer; the lease is kept alive until then.
 *      LOST      the server gave it away; nothing about it is sent any more.
 *
 * Owns     its texts, in `arena`, until it is FREE again.
 * Threads  none; the session's caller serialises.
 */
#ifndef WORKER_LEASE_H
#define WORKER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/time.h"
#include "stella/worker.h"
#include "worker/log_buffer.h"

enum {
    LEASE_TEXT_CAP = 16 << 20, /* Bytes of texts of one lease, its report included. */
    LEASE_CLASS_MAX = 64,
    LEASE_PROGRESS_TEXT = 201
};

enum lease_state { LEASE_FREE, LEASE_RUNNING, LEASE_ENDED, LEASE_LOST };

/* What the server said when it gave the lease. */
struct lease_grant {
    struct str lease; /* "7.17" */
    struct str job, type, tenant, name, run, source, host, idempotency_key, traceparent;
    struct str payload;       /* Raw JSON. */
    struct str source_config; /* Raw JSON, or empty. */
    int64_t grant;            /* Fencing token. */
    int64_t attempt, max_attempts;
    int64_t ttl_us;
    int64_t requests_allowed; /* -1: not throttled. */
    bool stop_on_lost_contact;
};

/* An artifact to be named in the report. */
struct lease_artifact {
    struct str name, media_type;
    bool input; /* Read by the job rather than made by it. */
    uint64_t size;
    char sha256[STELLA_SHA256_TEXT];
};

enum report_kind { REPORT_COMPLETE, REPORT_FAIL, REPORT_THROTTLED, REPORT_RELEASE, REPORT_KINDS };

/* How a job ended. Texts are borrowed from the caller until the session has copied them. */
struct lease_report {
    enum report_kind kind;
    struct str result; /* JSON, or empty. */
    const struct lease_artifact *artifacts;
    size_t artifacts_n;
    struct str error_class, message;
    struct str host;
    bool permanent;
    int64_t retry_after_ms; /* 0: not said. */
};

struct lease {
    enum lease_state state;
    struct arena arena;
    struct lease_grant is;
    struct mono_time contact;  /* Last moment from which the whole ttl certainly counts. */
    struct mono_time beat_due; /* Next heartbeat. */
    bool start_told;           /* The driver has it. */
    enum stella_stop stop;     /* Asked of the handler. */
    enum stella_stop stop_told;
    bool contact_lost, contact_lost_told;
    /* progress, latest wins */
    bool has_progress;
    uint64_t done, total;
    char progress_text[LEASE_PROGRESS_TEXT];
    /* lines logged and not confirmed */
    struct log_buffer log;
    int64_t log_through; /* Of what the request in flight carries, the number after the last. */
    /* request tokens */
    int64_t requests_used;
    int64_t requests_wanted;      /* More than are allowed; 0: nobody waits. */
    bool requests_changed;        /* The driver has not been told of a new allowance. */
    bool requests_counted;        /* The handler counts them: what it did not use goes back. */
    bool requests_stale;          /* What is left has lain too long: fresh ones are asked for. */
    struct mono_time requests_at; /* When the oldest that are left came. */
    /* what the job's host said of its limits, last */
    bool has_told;
    int64_t told_remaining;
    struct mono_time told_reset;
    bool overloaded;
    uint32_t told_count; /* Counts what was said, so that an answer settles what it was about. */
    uint32_t told_sent;
    /* the end */
    struct lease_report report;
    bool report_in_flight;
    bool given_away; /* A heartbeat said so after the end: only the report is left to judge. */
    void *user;      /* The driver's. */
};

#endif
