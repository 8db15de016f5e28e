/*
 * core/job - moves a job between its hot rows, and keeps the counters that go with them.
 *
 * One live job has exactly one of: blocked, ready, delayed, leased; an ended one has an outcome.
 * Every move goes through here: row, tenant, lane and run counters change together, and the move
 * is checked against the closed table (state.h).
 */
#ifndef CORE_JOB_H
#define CORE_JOB_H

#include "core/command.h"
#include "core/history.h"

/* What the decisions of one command share. */
struct decision {
    struct facts *facts;
    struct tenant_facts *t;
    const struct limits *limits;
    struct str actor;
    int64_t floor; /* struct command.floor */
};

/* Where a live or ended job is; all null when it is unknown. */
struct job_place {
    struct blocked_row *blocked;
    struct ready_row *ready;
    struct delayed_row *delayed;
    struct leased_row *leased;
    struct outcome_row *outcome;
    struct carry *carry; /* Of whichever is set. */
    enum job_state state;
};

/* Asks for all that job_place() looks at, and the run, lane and successors of the job. True when
 * everything is known. */
bool job_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
              struct job_id job, bool with_successors);
struct job_place job_place(const struct tenant_facts *t, struct job_id job);

/* Adds the hot row; counts tenant.live for new jobs is the caller's (job_count_live). */
struct ready_row *job_add_ready(struct decision *d, struct job_id job, const struct carry *carry);
void job_add_delayed(struct decision *d, struct job_id job, const struct carry *carry,
                     int64_t due_at, enum hold_reason reason);
struct blocked_row *job_add_blocked(struct decision *d, struct job_id job,
                                    const struct carry *carry, int32_t remaining, int64_t delay_us);
/* Looks at the job (or -run) again at that time; 0: never. */
void job_add_deadline(struct decision *d, struct job_id job, int64_t due_at);
/* Takes the job out of the hot row where it is; `place` keeps pointing at the old row. */
void job_leave(struct decision *d, const struct job_place *place);
/* A job comes into being, or back to life: +1; ends: -1. */
void job_count_live(struct decision *d, int delta);

/* How a job ended. */
struct ending {
    enum job_state state; /* JOB_SUCCEEDED, JOB_DEAD, JOB_CANCELED */
    struct str class;
    struct job_id cause; /* Of dependency_failed. */
    struct str digest;   /* Of the report, or empty. */
    struct str result;
    int64_t requests_used;
    bool alone; /* Its successors are not settled: they are canceled by the same hand. */
};

/* Ends the job: takes it out of its hot row, writes line and outcome, settles the tenant's virtual
 * time, counts it in its run, and settles or queues its successors. */
void job_end(struct decision *d, struct job_id job, struct job_place place,
             const struct ending *ending);

/* Ends an attempt that is not the job's end: an attempts row, virtual time settled. */
void job_end_attempt(struct decision *d, const struct leased_row *lease, enum attempt_ending how,
                     struct str class, struct str digest, struct str message, int64_t ended_seq);

/* blocked -> ready or delayed, with its line. */
void job_release(struct decision *d, struct blocked_row *blocked);

/* A waiting job's priority, and with it its place in the lane: its hot row and the jobs row, by
 * which a ready row is found, change together. */
void job_prioritise(struct decision *d, struct job_id job, const struct job_place *place,
                    int16_t priority);

/* By when a job that is ready since `from` must have started; 0: its type has no limit, or it
 * started once. Needs lane and configuration. */
int64_t job_start_by(const struct decision *d, const struct carry *carry, int64_t from);
/* The rank of a job: submit time less what its priority is worth. Least is first. */
int64_t job_rank(int64_t submitted_at, int16_t priority, const struct limits *limits);

struct lane_row *job_lane(const struct tenant_facts *t, int32_t lane);
struct run_row *job_run(const struct tenant_facts *t, int64_t run);
/* After a run's counts changed: sets its state, with a line when it ended or reopened. */
void run_update_state(struct decision *d, struct run_row *run);

/* Lowers shards.next_due_at to `at`. */
void shard_due(struct facts *facts, int16_t shard, int64_t at);

#endif
