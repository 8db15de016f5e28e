/*
 * engine/park - claims from their arrival to their answer: offered to shards, parked while nothing
 * can be had, answered once.
 *
 *   engine_claim() ─▶ QUEUED ─────────────▶ FINISHED
 *        │  ▲            │ ▲ nothing granted    ▲
 *        │  └─ LOOKING ◀─┘ │ other tenants      │ granted, failed, abandoned
 *        └──────────────▶ PARKED ───────────────┘ time over, shutdown
 *
 * QUEUED   commands of it wait or are being decided (`left` of them).
 * PARKED   in the list of parked claims; holds no connection.
 * LOOKING  a reader looks whether its claim id was answered before (LOOKING is left by the reader).
 *
 * Bounds   claims of one credential; claim ids remembered: RECENT_SLOTS, the newest of a slot.
 * Threads  node.lock is held, but where said.
 */
#ifndef ENGINE_PARK_H
#define ENGINE_PARK_H

#include <pthread.h>

#include "engine/queue.h"
#include "engine/summary.h"

enum { CLAIM_TYPES_MAX = 100, CLAIM_BUCKETS = 1024, RECENT_SLOTS = 1 << 17 };

enum claim_stage { CLAIM_QUEUED, CLAIM_PARKED, CLAIM_LOOKING, CLAIM_FINISHED };

/* A lease that was granted to this claim id before. */
struct repeat {
    int16_t shard;
    struct tenant_id tenant;
    struct job_id job;
    int32_t lane;
};

/* The part of a claim that one tenant is asked for. */
struct claim_ask {
    struct offer offer;
    struct command command;
    struct task task;
    int64_t granted;              /* Jobs, by the last decision. */
    const struct repeat *repeats; /* Give these leases again instead of deciding. */
    size_t repeat_count;
};

struct claiming {
    struct engine *engine;
    struct engine_claim *claim;
    enum claim_stage stage;
    bool abandoned;
    bool waited;   /* It was parked: its client may have gone. */
    int64_t until; /* Mono: answered then at the latest. */
    uint64_t types[CLAIM_TYPES_MAX];
    size_t type_count;
    struct arena arena;
    pthread_mutex_t lock;   /* Of claim's outputs. */
    struct claim_ask *asks; /* Of this round. */
    size_t ask_cap;
    size_t left;       /* Asks not answered. */
    struct map visits; /* Tenant -> struct visit */
    struct repeat *repeats;
    size_t repeat_count;
    int64_t granted;    /* Jobs so far. */
    enum err_code code; /* Why an ask failed. */
    int32_t *credential_count;
    struct claiming *previous; /* Parked. */
    struct claiming *next;     /* Parked, or finished. */
    struct claiming *same_bucket;
};

struct park {
    struct arena arena;
    struct map credentials; /* siphash -> int32_t: claims at once. */
    struct claiming *buckets[CLAIM_BUCKETS];
    struct claiming *first; /* Parked, oldest first. */
    struct claiming *last;
    int64_t parked;
    int64_t active;            /* Claims not answered. */
    int64_t next_until;        /* Lower bound of the parked claims' `until`. */
    struct claiming *finished; /* To be answered. */
    int64_t *recent;           /* RECENT_SLOTS claim ids that were answered with leases. */
};

void park_init(struct park *park);
void park_fini(struct park *park);

/* A claim begins; ERR_TOO_MANY_CLAIMS, ERR_IDEMPOTENCY_IN_FLIGHT. */
enum err_code park_admit(struct engine *engine, struct claiming *claiming, struct err *err);
bool park_was_answered(const struct engine *engine, int64_t claim);

/* Finishes parked claims whose time is over; all of them when `all`. */
void park_expire(struct engine *engine, int64_t mono, bool all);
/* To be answered with what it has. */
void park_finish(struct engine *engine, struct claiming *claiming);
/* Into and out of the list of parked claims. */
void park_add(struct engine *engine, struct claiming *claiming);
void park_remove(struct park *park, struct claiming *claiming);
/* Leaves the finished claims to the timer thread, when the caller's must not call `done`. */
void park_hand_over(struct engine *engine);
/* Takes the finished claims off; then, without the lock, answers them. */
struct claiming *park_take_finished(struct engine *engine);
void park_answer(struct engine *engine, struct claiming *finished);

/* Without the lock: a new claiming of the claim, with its types. */
struct claiming *claiming_new(struct engine *engine, struct engine_claim *claim);
void claiming_free(struct claiming *claiming);

#endif
