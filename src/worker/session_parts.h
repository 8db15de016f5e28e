/*
 * worker/session_parts - what the files of the session share; nobody else includes it.
 *
 * One channel is one kind of request: at most one in flight, its own backoff, the leases that the
 * request speaks of, in the order of the answer.
 */
#ifndef WORKER_SESSION_PARTS_H
#define WORKER_SESSION_PARTS_H

#include "worker/backoff.h"
#include "worker/session.h"

enum {
    SESSION_LEASES_MAX = 2 * STELLA_SLOTS_MAX,
    SESSION_BATCH_MAX = 256,         /* Reports in one request. */
    SESSION_BATCH_BYTES = 512 << 10, /* About as many bytes, but at least one report. */
    SESSION_BODY_MAX = 32 << 20,
    SESSION_SAY_MAX = 512,
    SESSION_LAST_CLAIMS = 3 /* Tries, while draining, to learn what a claim was given. */
};

/* The first ones are the kinds of reports. */
enum channel_kind { CHANNEL_HEARTBEAT = REPORT_KINDS, CHANNEL_REGISTER, CHANNEL_CLAIM, CHANNELS };

struct channel {
    uint64_t request;      /* In flight; 0: none. */
    struct mono_time sent; /* When. */
    struct backoff backoff;
    struct buf body;
    struct lease *members[SESSION_LEASES_MAX];
    int64_t
        members_grant[SESSION_LEASES_MAX]; /* A lease may be another by the time of the answer. */
    size_t members_n;
    size_t batch_max; /* 1 after a batch was refused as a whole, to find the culprit. */
};

struct session {
    struct session_config config;
    struct lease *leases;
    size_t leases_n;
    struct channel channels[CHANNELS];
    uint64_t counter;     /* Request ids, claim ids and jitter all come from it. */
    bool registered;      /* And may claim. */
    bool held;            /* Drained or quarantined by the operator. */
    int64_t wall_ms;      /* What the driver said last; 0: never. */
    int64_t poll_us;      /* Longest claim. */
    int64_t heartbeat_us; /* Longest pause between heartbeats; 0: ttl / 3 alone. */
    char claim_id[48];    /* Of the claim whose outcome is not known; empty: none. */
    struct mono_time claim_first_sent;
    struct mono_time claims_held; /* No claims before: the node is stopping. */
    uint32_t idle_answers;        /* Empty answers in a row that did not wait. */
    bool draining;
    bool claim_hurried;   /* The claim in flight does not wait. */
    uint32_t last_claims; /* Hurried claims without an answer. */
    struct mono_time drain_deadline;
    struct wire_problem failure;
    int failure_status;
    char said[SESSION_SAY_MAX];
    bool has_said; /* Not yet told to the driver. */
};

/* What kind of answer it is, whatever was asked. */
enum answer_kind {
    ANSWER_OK,
    ANSWER_AGAIN, /* Silence, 408, 425, 429, 5xx: nothing is known, or later is better. */
    ANSWER_NO
};

enum answer_kind answer_kind_of(int status);

/* Whether a request of this channel may be sent now. */
bool channel_free(const struct channel *channel, struct mono_time now);
/* Marks it sent and fills the action. */
void channel_send(struct session *session, enum channel_kind kind, const char *path,
                  int64_t timeout_us, struct mono_time now, struct session_action *out);
void channel_failed(struct session *session, struct channel *channel, struct mono_time now,
                    int64_t base_us, int64_t max_us, int64_t retry_after_ms);
void session_say(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Claims nothing more when the answer says that the operator wants it so. Only a registration tells
 * that it is over. */
void session_heed(struct session *session, struct str body, struct mono_time now);
/* The server refuses this worker: stop as if drained, and say why. */
void session_fail(struct session *session, const struct session_answer *answer,
                  struct mono_time now);

/* Whether result `i` speaks of the lease that the request had there. */
bool channel_matches(const struct channel *channel, size_t i, const struct wire_result *result);

/* lease life */
bool lease_is_live(const struct lease *lease);
void lease_free(struct lease *lease);
/* The server gave it away. */
void lease_lose(struct lease *lease);
int64_t lease_beat_interval_us(const struct session *session, const struct lease *lease);

/* session_claim.c */
bool claim_next(struct session *session, struct mono_time now, struct session_action *out);
void claim_answered(struct session *session, const struct session_answer *answer,
                    struct mono_time now);
/* When a claim wants to be sent; false: not before something happens. */
bool claim_due(const struct session *session, struct mono_time *out_due);

/* session_beat.c */
/* Whether heartbeats speak of this lease. */
bool beat_wanted(const struct lease *lease);
bool beat_next(struct session *session, struct mono_time now, struct session_action *out);
void beat_answered(struct session *session, const struct session_answer *answer,
                   struct mono_time now);

/* session_report.c */
bool report_next(struct session *session, enum report_kind kind, struct mono_time now,
                 struct session_action *out);
void report_answered(struct session *session, enum report_kind kind,
                     const struct session_answer *answer, struct mono_time now);
/* Gives a lease back without having run it. */
void report_release(struct lease *lease);
/* True when a report of this kind waits to be sent. */
bool report_waits(const struct session *session, enum report_kind kind);

#endif
