/*
 * worker/wire - the worker calls as text: requests written, answers read.
 *
 * Use      the session writes with wire_put_…() and reads with wire_get_…().
 * Errors   a reader returns false when the answer has not the promised form; unknown members are
 *          passed over, since a newer server may say more.
 */
#ifndef WORKER_WIRE_H
#define WORKER_WIRE_H

#include "base/buf.h"
#include "worker/lease.h"

enum { WIRE_CODE_MAX = 64, WIRE_TTL_MAX_MS = 24 * 3600 * 1000 };

struct wire_worker {
    struct str name, version;
    uint32_t slots;
    const struct str *types; /* Ascending is not needed. */
    size_t types_n;
};

struct wire_claim {
    struct str claim_id;
    uint32_t max;
    int64_t wait_ms;
};

/* One line of the answer to a heartbeat or a batch of reports. */
struct wire_result {
    char lease[WIRE_CODE_MAX];
    char code[WIRE_CODE_MAX]; /* "ok", "lease_lost", … */
    bool cancel, drain;
    int64_t ttl_ms;           /* 0: not said. */
    int64_t requests_allowed; /* -1: no limit. */
    bool has_requests_allowed;
    int64_t requests_granted;  /* Of those that were wanted. */
    int64_t requests_after_ms; /* None: when to ask again; 0: not said. */
};

/* A problem document's code, and whether the body was one. */
struct wire_problem {
    char code[WIRE_CODE_MAX];
    char detail[192];
};

/* `clock_ms`: the wall clock, Unix time; 0: not said. */
void wire_put_register(struct buf *out, const struct wire_worker *worker, int64_t clock_ms);
void wire_put_claim(struct buf *out, const struct wire_worker *worker,
                    const struct wire_claim *claim);
/* Lines of the log up to each lease's log_through go along. */
void wire_put_heartbeat(struct buf *out, struct str worker, struct lease *const *leases, size_t n,
                        struct mono_time now);
/* All of `leases` have a report of `kind`. */
void wire_put_reports(struct buf *out, enum report_kind kind, struct str worker,
                      struct lease *const *leases, size_t n, struct mono_time now);

/* Reads {"heartbeat_ms","poll_ms"}; absent ones are left as they are. */
bool wire_get_register(struct str body, int64_t *heartbeat_ms, int64_t *poll_ms);
/* Finds the list of leases in the answer to a claim. */
bool wire_get_leases(struct str body, struct str *out_list);
/* Reads one of them; its texts are copied to `arena`. */
bool wire_get_lease(struct str text, struct arena *arena, struct lease_grant *out_grant);
/* The answer to registering, a claim or a heartbeat says that the operator drains or quarantines
 * this worker. */
bool wire_says_hold(struct str body);
/* Reads exactly `n` results. */
bool wire_get_results(struct str body, struct wire_result *results, size_t n);
/* Reads a problem document; the code stays empty when it is none. */
void wire_get_problem(struct str body, struct wire_problem *out_problem);

#endif
