/*
 * core/explain - why a job waits, and the least that would let it start.
 *
 * Use      explain_want() until it returns true (as command_want()), on any consistent set of
 *          facts; then explain_job(). Every gate is asked through the functions that a claim asks
 *          (gate.h); nothing is decided here that the tick decides elsewhere.
 *          EXPLAIN_HOLD answers only with the first gate that refuses, for lists; it loads less.
 * Owns     the explanation's rows and lists lie in the facts' arena.
 * Threads  none; pure; changes no row.
 * Bounds   predecessors are counted all, EXPLAIN_PREDECESSORS_MAX of them are named; the position
 *          is bounded as position.h says.
 */
#ifndef CORE_EXPLAIN_H
#define CORE_EXPLAIN_H

#include "core/gate.h"
#include "core/job.h"
#include "core/position.h"

enum {
    EXPLAIN_PREDECESSORS_MAX = 20,
    EXPLAIN_NUMBERS_MAX = 6,
};

enum explain_depth { EXPLAIN_HOLD, EXPLAIN_ALL };

/* In the order in which they are asked. */
enum explain_gate_id {
    EXPLAIN_PAUSE,        /* The installation goes on. */
    EXPLAIN_RUN,          /* The run is whole. */
    EXPLAIN_PREDECESSORS, /* The jobs before it have ended as it needs. */
    EXPLAIN_RELEASE,      /* Its turn among the successors of what has ended came. */
    EXPLAIN_TIME,         /* Delay, backoff, throttle are over. */
    EXPLAIN_SOURCE,
    EXPLAIN_TENANT,
    EXPLAIN_QUOTA, /* The slots that it shares with other tenants. */
    EXPLAIN_TYPE,
    EXPLAIN_SERVICE, /* The downstream services that it needs are well. */
    EXPLAIN_HOST,
    EXPLAIN_TOKENS,
    EXPLAIN_LANE,   /* The lane is asked again. */
    EXPLAIN_WORKER, /* Somebody serves the type. */
    EXPLAIN_TURN,   /* A claim asks for enough jobs to reach it. */
    EXPLAIN_GATES,
};

/* Who can lift it. */
enum explain_lift {
    LIFT_TIME,      /* It passes by itself at a time that is known. */
    LIFT_JOBS,      /* Other jobs end. */
    LIFT_SUBMITTER, /* Whoever submits the run. */
    LIFT_OPERATOR,  /* A change of configuration, or a retry. */
    LIFT_WORKER,    /* A worker asks. */
};

enum explain_kind { EXPLAIN_NUMBER, EXPLAIN_AT, EXPLAIN_SWITCH, EXPLAIN_WORD };

struct explain_value {
    const char *name;
    enum explain_kind kind;
    int64_t value;
    const char *word; /* EXPLAIN_WORD */
};

struct explain_gate {
    enum explain_gate_id id;
    enum hold_reason hold;                             /* HOLD_NONE: passed. */
    struct str about;                                  /* The service that is meant, or empty. */
    struct explain_value numbers[EXPLAIN_NUMBERS_MAX]; /* By name. */
    size_t number_count;
    int64_t not_before; /* Not passed before that; 0: depends on others, or passed. */
    enum explain_lift lift;
    struct explain_value free; /* Refused: the least value of its parameter that passes. */
};

struct explain_predecessor {
    struct job_id job;
    enum edge_kind kind;
    enum job_state state;
    bool is_stuck; /* It ended otherwise than is needed: forever, until it is retried. */
};

/* What the shell knows of workers that ask for the job's type. */
struct explain_worker {
    bool serves;      /* Somebody asked lately, or nothing is known yet. */
    int64_t asked_at; /* Last time; 0 for never, as far as is known. */
};

struct explanation {
    enum job_state state; /* JOB_NONE: there is no such job. */
    struct job_place place;
    const struct lane_row *lane;
    const struct run_row *run; /* Null for none. */
    const struct source *source;
    const struct pause *pause; /* Null: it is not paused. */
    struct explain_gate gates[EXPLAIN_GATES];
    size_t gate_count;
    int64_t not_before;                           /* The latest of those known; 0 for none. */
    bool depends;                                 /* A refusing gate has no time. */
    VEC(struct explain_predecessor) predecessors; /* Not ended as needed; the stuck ones first. */
    int32_t awaited;                              /* All of them … */
    int32_t stuck;                                /* … and those that are stuck. */
    struct position position;
    enum job_state
        retry; /* Ended: what a retry would make it; JOB_NONE when it cannot be retried. */
};

/* Asks for what explain_job() looks at. */
bool explain_want(struct facts *facts, struct tenant_facts *t, struct job_id job,
                  enum explain_depth depth);
void explain_job(struct facts *facts, struct tenant_facts *t, struct job_id job,
                 enum explain_depth depth, const struct explain_worker *worker,
                 struct explanation *out);

/* The first gate that refuses: the job's hold. Null when none does. */
const struct explain_gate *explain_first(const struct explanation *told);

const char *explain_gate_name(enum explain_gate_id id);
const char *explain_lift_name(enum explain_lift lift);

#endif
