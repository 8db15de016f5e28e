/*
 * core/breaker - the circuit breaker of one downstream service: evidence in, state out.
 *
 *               too many failures                     `open` is over, a probe is taken
 *      closed ────────────────────▶ open ────────────────────────────────▶ half-open
 *        ▲                           ▲     too many probes fail                │ │
 *        │                           └─────────────────────────────────────────┘ │
 *        └───────────────────────────────────────────────────────────────────────┘
 *                                enough probes succeed
 *
 * closed     jobs pass. For ramp_ms after it closed a tenant may have only so many leases of a job
 *            type at once (breaker_ramp()).
 * open       jobs wait until `until`. It is never half-open before a probe is taken then.
 * half-open  jobs pass as probes only, at most config.probes at once. A probe is a lease like any
 *            other; its end, however it comes, is the probe's result.
 *
 * Beside the state stands a mode that an operator sets, until a time or for good: forced_open holds
 * everything, disabled holds nothing and counts nothing, shadow counts and changes state but holds
 * nothing.
 *
 * Use      breaker_read() a row; ask and tell; breaker_write() it back. All calls that change it
 *          happen under the lock of the row's shard; breaker_ask() may look at an older row.
 * Time     every call takes `now`; nothing passes by itself, so a restart changes nothing.
 * Bounds   BREAKER_BUCKETS parts of the window, BREAKER_WORKERS workers (the one heard of longest
 *          ago is forgotten), BREAKER_PROBES_MAX probes.
 * Threads  none; pure; integers only.
 * Source   failure rate over a window and minimum calls: resilience4j, Polly. Consecutive failures
 *          and open time that grows and decays: Envoy's outlier detection. Evidence by several
 *          workers: Envoy's split of local from external errors.
 */
#ifndef CORE_BREAKER_H
#define CORE_BREAKER_H

#include "base/arena.h"
#include "base/hash.h"
#include "core/breaker_config.h"
#include "core/rows.h"

enum {
    BREAKER_BUCKETS = 12,
    BREAKER_WORKERS = 8,
};

enum breaker_state { BREAKER_CLOSED = 0, BREAKER_OPEN = 1, BREAKER_HALF_OPEN = 2 };

enum breaker_mode {
    BREAKER_AUTOMATIC = 0,
    BREAKER_FORCED_OPEN = 1,
    BREAKER_DISABLED = 2,
    BREAKER_SHADOW = 3,
};

/* What an event did to the state. */
enum breaker_change {
    BREAKER_STAYS,
    BREAKER_OPENS,
    BREAKER_REOPENS,
    BREAKER_PROBES, /* Half-open. */
    BREAKER_CLOSES,
    BREAKER_SUSPECTS,  /* It would open, but only one of several workers fails. */
    BREAKER_IS_FORCED, /* By an operator, as is the next. */
    BREAKER_IS_RESET,
};

struct breaker_bucket {
    int64_t calls;
    int64_t failures; /* Of the calls. */
    int64_t slow;     /* Of the calls, none of them a failure. */
};

struct breaker_worker {
    struct str name;
    int64_t called_at;
    int64_t failed_at; /* Last failure or slow call; 0 for none. */
};

/* A lease that probes. */
struct breaker_probe {
    int32_t tenant;
    int64_t job;
    int64_t grant;
};

struct breaker {
    enum breaker_state state;
    enum breaker_mode mode;
    int64_t mode_until; /* The mode is automatic from then on; 0: for good. */
    int64_t changed_at; /* Of the state; 0: it has never opened. */
    int64_t until;      /* Open: no probe before. */
    int32_t opens;      /* The next open time is open_ms x 2^opens; decays while closed. */
    int32_t in_a_row;   /* Failures since the last success. */
    int32_t probes_well;
    int32_t probes_ill;
    int64_t head; /* Number of the newest bucket: now / its length. */
    struct breaker_bucket buckets[BREAKER_BUCKETS]; /* Bucket b stands at b % BREAKER_BUCKETS. */
    struct breaker_worker workers[BREAKER_WORKERS];
    size_t worker_count;
    struct breaker_probe probes[BREAKER_PROBES_MAX];
    size_t probe_count;
};

/* Borrows the row's texts. */
void breaker_read(const struct breaker_row *row, struct breaker *out);
/* Texts are made in `arena`. */
void breaker_write(const struct breaker *breaker, struct arena *arena, struct breaker_row *row);

/* ---- Asking ---- */

enum breaker_pass {
    BREAKER_PASSES,
    BREAKER_PROBE, /* As a probe only: breaker_probe_take(), under the lock. */
    BREAKER_HOLDS,
};

struct breaker_answer {
    enum breaker_pass pass;
    int64_t ask_at; /* HOLDS: when it may be another, INT64_MAX for not by itself. */
};

/* The mode in force. */
enum breaker_mode breaker_mode_now(const struct breaker *breaker, int64_t now);
struct breaker_answer breaker_ask(const struct breaker *breaker,
                                  const struct breaker_config *config, int64_t now);
/* Leases of one job type that a tenant may have at once: config.probes doubled every eighth of
 * ramp_ms since it closed; 0 for no limit. *out_grows_at: when it doubles next. */
int64_t breaker_ramp(const struct breaker *breaker, const struct breaker_config *config,
                     int64_t now, int64_t *out_grows_at);
/* Probes that may still be taken. */
int64_t breaker_probes_left(const struct breaker *breaker, const struct breaker_config *config);
/* The window's sums as of now. */
struct breaker_bucket breaker_window(const struct breaker *breaker,
                                     const struct breaker_config *config, int64_t now);
/* Workers that failed within the window, or that called. */
size_t breaker_workers_failing(const struct breaker *breaker, const struct breaker_config *config,
                               int64_t now);
size_t breaker_workers_calling(const struct breaker *breaker, const struct breaker_config *config,
                               int64_t now);
/* What a call of that worker tells may have to be told at once: the breaker is not at rest. */
bool breaker_is_alert(const struct breaker *breaker, int64_t now);
bool breaker_is_probe(const struct breaker *breaker, const struct breaker_probe *probe);

/* ---- Telling ---- */

enum breaker_verdict { BREAKER_WELL, BREAKER_SLOW, BREAKER_ILL, BREAKER_SAYS_NOTHING };

struct breaker_call {
    enum breaker_verdict verdict;
    struct breaker_probe lease;
    struct str worker;
    int64_t before;  /* Successes before it that were not told yet. */
    int64_t others;  /* Workers of the kind that are known to be active, with this one. */
    uint64_t jitter; /* Any number that is the same whenever this is decided again. */
};

/* A lease of a job that needs the service has ended. */
enum breaker_change breaker_told(struct breaker *breaker, const struct breaker_config *config,
                                 const struct breaker_call *call, int64_t now);
/* A lease is granted as a probe; breaker_ask() has said so. */
enum breaker_change breaker_probe_take(struct breaker *breaker, const struct breaker_probe *lease,
                                       int64_t now);
/* Closed, with nothing known; jobs come back by the ramp when it was open. */
void breaker_reset(struct breaker *breaker, int64_t now);
void breaker_set_mode(struct breaker *breaker, enum breaker_mode mode, int64_t until);

/* open_ms x 2^opens, at most open_max_ms, then +- 20 % by `jitter`. */
int64_t breaker_open_us(const struct breaker_config *config, int32_t opens, uint64_t jitter);
/* What is left of `opens` after it was closed that long: one less for each decay_ms. */
int32_t breaker_decayed(const struct breaker_config *config, int32_t opens, int64_t closed_us);

const char *breaker_state_name(enum breaker_state state);
const char *breaker_mode_name(enum breaker_mode mode);
bool breaker_mode_find(struct str name, enum breaker_mode *out_mode);
const char *breaker_change_name(enum breaker_change change);

#endif
