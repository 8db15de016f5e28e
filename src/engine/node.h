/*
 * engine/node - what the threads of one engine share, and the order in which it is locked.
 *
 * Shared mutable state, each with the lock that protects it:
 *   node.lock          queues and shards, summary, parked claims, timers, hints, figures, stage,
 *                      readiness
 *   configs.lock       cache of tenants' configuration
 *   directory.lock     cache of tenants' names
 *   directory.reader_lock  the reader behind it
 *   read_pool.lock     waiting reads
 *   jobs.lock          jobs rows of what waits
 *   claiming.lock      the outputs of one claim while several groups answer it
 * No thread holds two of them, but for directory.reader_lock and then directory.lock. Only
 * directory.reader_lock is held while the ledger is asked; none while `done` runs.
 *
 * A shard is handled by at most one committer at a time: `busy`. What only its committer touches
 * needs no lock.
 */
#ifndef ENGINE_NODE_H
#define ENGINE_NODE_H

#include <pthread.h>

#include "engine/asked.h"
#include "engine/config_cache.h"
#include "engine/directory.h"
#include "engine/engine.h"
#include "engine/job_cache.h"
#include "engine/park.h"
#include "engine/queue.h"
#include "engine/read_pool.h"
#include "engine/summary.h"

enum { COMMITTERS_MAX = 16 };

struct shard_state {
    struct task_list waiting[QUEUE_COUNT];
    int64_t units;          /* Of work in `waiting`. */
    bool busy;              /* A committer has it. */
    bool due;               /* Its timers are to be looked at. */
    int64_t next_due_at;    /* Ledger time; as committed last. */
    int64_t due_not_before; /* Mono: after a look that did not move next_due_at. */
    int64_t tick;           /* Last one seen. */
    bool stale;             /* Another node changed it since the summary was learned. */
    /* Only its committer's: where time went on when the clock was behind. */
    int64_t anchor_last;
    int64_t anchor_mono;
    struct command due_command;
    struct task due_task;
};

/* What nodes tell each other (hints.h). */
struct engine_hints {
    struct hints *ledger; /* Its thread's; null for none. */
    int bell;             /* Rung when something is to be told. */
    bool rung;
    uint64_t due; /* Shards to be told of. */
    bool tokens_due;
    int64_t others_until; /* Mono: other nodes are taken to be there. */
    uint64_t heard;       /* Shards that others told of, to be looked at. */
};

enum node_stage { NODE_OPEN, NODE_RUNNING, NODE_DRAINING, NODE_STOPPED };

struct engine;

struct committer {
    struct engine *engine;
    pthread_t thread;
    struct ledger *ledger;
    struct group *group;
    bool started;
};

struct engine {
    struct engine_config config;
    int32_t submit_cap; /* Jobs of submits in one group. */
    struct hash_key seed;
    struct config_cache configs;
    struct directory directory;
    struct job_cache jobs;
    struct read_pool reads;

    pthread_mutex_t lock;
    pthread_cond_t work;   /* Committers: something waits, or the stage changed. */
    pthread_cond_t timer;  /* The timer thread: something is due earlier, or to be answered. */
    pthread_cond_t retry;  /* Committers that wait for the ledger. */
    pthread_cond_t idle;   /* engine_stop(): a committer finished a group. */
    pthread_cond_t shared; /* Committers that wait for the shared shard. */
    enum node_stage stage;
    bool ready;
    int64_t ready_since;  /* Ledger time from which on this node served without a gap. */
    int64_t clock_offset; /* Ledger clock less this machine's. */
    int64_t clock_seen;   /* Ledger clock and CLOCK_BOOTTIME at the last group. */
    int64_t mono_seen;
    int64_t clock_behind_logged; /* Mono. */
    struct shard_state shards[SHARD_COUNT];
    uint64_t arrivals;           /* Tasks that came. */
    int64_t queued[QUEUE_COUNT]; /* Requests accepted and not answered. */
    int32_t busy_committers;
    int32_t idle_committers;    /* Waiting for work. */
    int32_t shared_waiters;     /* Committers that wait for the shared shard. */
    int64_t timer_sleeps_until; /* Mono: the timer thread looks again then. */
    uint64_t group_base;        /* Random; group ids count up from it. */
    struct summary summary;
    int32_t system_version; /* Of the installation's configuration, as seen last. */
    struct park park;
    struct asked asked;
    struct engine_hints hints;
    struct engine_figures figures;
    /* Until then a repeated claim is looked for in the ledger (mono). */
    int64_t look_up_claims_until;

    struct committer committers[COMMITTERS_MAX];
    int32_t committer_count;
    pthread_t timer_thread;
    pthread_t watch_thread;
    pthread_t hints_thread;
    pthread_t retention_thread;
    struct reader *watch_reader;
    struct reader *retention_reader;
    struct blobs *blobs; /* That retention sweeps; null for none. */
    pthread_cond_t watch;
    pthread_cond_t retention; /* Its command was answered, or the stage changed. */
    bool timer_started;
    bool watch_started;
    bool hints_started;
    bool retention_started;
};

/* One line of JSON of the event; `fields` is an object. */
void node_log(struct engine *engine, const char *event, struct str fields);
/* The same with the error's code and detail. */
void node_log_failure(struct engine *engine, const char *event, const struct err *err);

/* Lock held: what this machine takes for ledger time now. */
int64_t node_ledger_now(const struct engine *engine);

/* Lock held: what the ledger's clock said just now. A forward step of it is a gap as much as a stop
 * is. */
void node_see_clock(struct engine *engine, int64_t clock);

/* Lock held: puts a task into its shard's queue and wakes a committer when it should be taken. */
void node_enqueue(struct engine *engine, struct task *task);
/* Lock held: the same for one that goes on: it is the next of its queue. */
void node_put_back(struct engine *engine, struct task *task);
/* Lock held: takes the next off a queue; null when it is empty. */
struct task *node_dequeue(struct engine *engine, int16_t shard, enum engine_queue queue);
/* Lock held: a group should begin now. While one is running, the next waits until it is worth a
 * commit of its own: more groups at once are slower than larger ones. */
bool node_has_group(const struct engine *engine);

/* Lock held: something is due at that time (mono); the timer thread learns of it. */
void node_due_at(struct engine *engine, int64_t mono);

/* Lock held: the ledger does not answer, or does again. */
void node_set_ready(struct engine *engine, bool ready, int64_t ledger_now);

#endif
