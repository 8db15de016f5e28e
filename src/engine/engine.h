/*
 * engine - runs ticks: takes the commands that wait, loads their facts, lets core decide, applies
 * one plan a commit group, then answers and wakes.
 *
 * Use      engine_open(), engine_start(); transport threads hand over requests and claims; each is
 *          answered exactly once through its `done`; engine_stop() drains.
 * Owns     a request and its commands stay the caller's; they must live until `done` was called.
 * Threads  every function may be called from any thread. `done` runs on a thread of the engine's,
 *          perhaps before the call that handed over has returned: it must not block and must not
 *          call back into the engine; it typically resumes a connection. Commands of one request
 *          may be decided at the same time on different threads.
 * Bounds   three bounded queues (reports; claims and control; submits), parked claims per
 *          credential; a full queue refuses with ERR_OVERLOADED, too many parked claims with
 *          ERR_TOO_MANY_CLAIMS.
 * Errors   per command in command.err; ERR_LEDGER_UNAVAILABLE when the ledger is down (nothing
 *          changed), ERR_SHUTTING_DOWN while stopping.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "core/command.h"
#include "core/explain.h"
#include "ledger/ledger.h"

struct engine;

struct engine_config {
    struct ledger_target target;
    struct limits limits;
    int32_t committers;     /* PostgreSQL: 2; SQLite: 1 whatever is said. */
    int32_t group_units;    /* Units of work (jobs asked, reported, submitted) of one group: 256. */
    int32_t queue_max;      /* Requests in each queue. */
    int32_t parked_max;     /* Parked claims of one credential. */
    int64_t park_max_us;    /* Longest wait of a claim: 20 s. */
    int64_t stop_us;        /* What was accepted is answered within that time of engine_stop(). */
    int64_t worker_seen_us; /* A type not asked for in that time has no worker. */
    int64_t gap_us;         /* No tick for that long while nobody served: leases get a full ttl. */
    int64_t look_up_us; /* After a start, claim ids are looked for in the ledger for that long. */
    int32_t read_threads;
    size_t job_cache_bytes; /* Jobs rows kept from their submit to their claim. */
    bool hints;             /* PostgreSQL: tell other nodes of commits, and listen to them. */
    int64_t look_us;   /* From one look at what other nodes committed to the next, without hints. */
    int64_t retain_us; /* From one run of retention to the next; 0 for none. */
    int64_t orphan_us; /* Blobs that nobody registered are swept after that. */
    /* One line of JSON per notable event (closed set in contract/log_events.json); may be null. */
    void (*log)(void *ctx, const char *event, struct str fields);
    void *log_ctx;
    /* Another node made or revoked a token, or may have; on a thread of the engine's; may be
     * null. Where there are no hints it is never called. */
    void (*tokens_changed)(void *ctx);
    void *tokens_ctx;
};

/* Where a request waits. */
enum engine_queue { QUEUE_REPORTS, QUEUE_CONTROL, QUEUE_SUBMITS };

/* One or several commands (parts for several tenants) that are answered together. */
struct engine_request {
    enum engine_queue queue;
    struct command *commands;
    size_t count;
    void (*done)(struct engine_request *request);
    void *ctx;
    /* The engine's own. */
    struct engine_request *next;
    size_t left;
    void *state;
};

/* What one tenant granted. */
struct claim_part {
    struct tenant_id tenant;
    struct str tenant_name;
    /* Copies in the claim's arena, whole but for job_type.retries. */
    struct lease_grant *grants;
    size_t count;
};

/* A worker asks for jobs, perhaps waiting for them. */
struct engine_claim {
    struct tenant_id tenant; /* 0: any tenant. */
    struct str worker;
    struct str actor;
    struct str credential; /* Bounds parking. */
    int64_t claim;         /* Hash of the claim id; the same again gives the same leases. */
    struct str types;      /* Each ended by '\n'. */
    int32_t max;
    int64_t wait_us;
    /* The socket is still there; asked before a grant. Any thread. May be null. */
    bool (*is_connected)(struct engine_claim *claim);
    void (*done)(struct engine_claim *claim);
    void *ctx;
    struct arena *arena;            /* Outputs. */
    struct err err;                 /* Output. */
    enum worker_state worker_state; /* Output: others than active get nothing. */
    VEC(struct claim_part) parts;   /* Output: grants, by tenant. */
    /* The engine's own. */
    void *state;
};

/* The defaults of contract/settings.json; the target is the caller's. */
struct engine_config engine_config_default(struct ledger_target target);

enum err_code engine_open(const struct engine_config *config, struct engine **out, struct err *err);
enum err_code engine_start(struct engine *engine, struct err *err);
/* Before the start: retention sweeps this store, which outlives the engine. */
void engine_sweep(struct engine *engine, struct blobs *blobs);
/* Refuses what is new, answers parked claims empty, finishes what was accepted, joins its threads.
 */
void engine_stop(struct engine *engine);
void engine_free(struct engine *engine);

/* Hands over; ERR_OK means that `done` will be called once. */
enum err_code engine_submit(struct engine *engine, struct engine_request *request, struct err *err);
enum err_code engine_claim(struct engine *engine, struct engine_claim *claim, struct err *err);
/* The claim's client went away: it is answered soon, with whatever it has. Not after `done`. */
void engine_claim_abandon(struct engine *engine, struct engine_claim *claim);

/* Where a tenant lives, from the node's directory (refreshed from the ledger). ERR_NOT_FOUND. */
enum err_code engine_tenant_by_name(struct engine *engine, struct str name,
                                    struct tenant_id *out_tenant, int16_t *out_shard,
                                    struct err *err);
enum err_code engine_tenant_name(struct engine *engine, struct tenant_id tenant,
                                 struct arena *arena, struct str *out_name, int16_t *out_shard,
                                 struct err *err);

/* What this node knows of workers that ask for jobs of the type, of the tenant or of any. */
void engine_workers_of(struct engine *engine, struct tenant_id tenant, struct str job_type,
                       struct explain_worker *out);

/* Runs `read` on a reader thread with a reader of its own; `read` finishes its caller itself.
 * ERR_OVERLOADED when too many wait. */
enum err_code engine_read(struct engine *engine, void (*read)(void *ctx, struct reader *reader),
                          void *ctx, struct err *err);

/* The ledger answers and ticks run. */
bool engine_is_ready(struct engine *engine);

/* Figures since start, for /metrics. */
struct engine_figures {
    uint64_t groups;         /* Committed. */
    uint64_t ticks;          /* Shards in those groups. */
    uint64_t units;          /* Work in those groups. */
    uint64_t loads;          /* Rounds of asking for facts after the first. */
    uint64_t commit_us;      /* Time from begin to committed, summed. */
    uint64_t group_size[16]; /* Groups with up to 2^i units. */
    uint64_t commit_ms[16];  /* Groups that took up to 2^i ms. */
    uint64_t submitted, claimed, succeeded, failed, dead, throttled, returned, lapsed, retried;
    uint64_t refused; /* For load. */
    uint64_t unknown_commits;
    uint64_t decided_anew;                         /* Groups run once more. */
    uint64_t breaker_told[FACTS_BREAKER_VERDICTS]; /* By enum breaker_verdict. */
    uint64_t breaker_did[FACTS_BREAKER_CHANGES];   /* By enum breaker_change. */
    uint64_t widened;      /* Groups decided anew under the lock of what tenants share. */
    uint64_t outages;      /* Times the ledger went away. */
    uint64_t clock_behind; /* Episodes. */
    uint64_t hints_told, hints_heard;
    uint64_t retained_keys, retained_requests, erased_payloads, swept_blobs; /* Removed. */
    uint64_t retain_runs;                                                    /* Whole ones. */
    uint64_t retain_failed;                                                  /* Cut short. */
    int64_t retain_last_at; /* End of the last whole run, wall clock; 0 for none. */
    int64_t retain_last_us; /* How long it took. */
    int64_t queued[3];      /* Requests accepted and not answered. */
    int64_t parked;
};

void engine_figures(struct engine *engine, struct engine_figures *out);

#endif
