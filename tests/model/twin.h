/*
 * tests/model/twin - core's naive twin: one tenant, plain arrays, no indexes, no paging, nothing
 * done later. It knows the rules as a person would tell them, and shares no code with core.
 */
#ifndef TESTS_MODEL_TWIN_H
#define TESTS_MODEL_TWIN_H

#include <stdbool.h>
#include <stdint.h>

enum { TWIN_JOBS = 4000, TWIN_KEYS = 64, TWIN_RESTORE_GRANTS = 1000000 };

enum twin_state {
    TWIN_BLOCKED,
    TWIN_PENDING,
    TWIN_LEASED,
    TWIN_RUNNING,
    TWIN_SUCCEEDED,
    TWIN_DEAD,
    TWIN_CANCELED,
};

struct twin_job {
    enum twin_state state;
    int64_t submitted_at;
    int asked_priority; /* At submit. */
    int priority;
    int type;
    int pred;    /* Index + 1 of the job it needs, or 0. */
    bool always; /* Whatever way that one ended. */
    int cause;   /* Index + 1 of the job whose end canceled it, or 0. */
    int64_t grant;
    int spent;
    bool cancel_asked;
    int key;          /* Index + 1 of its key, or 0. */
    int64_t ended_at; /* 0 while it lives. */
};

struct twin {
    struct twin_job jobs[TWIN_JOBS];
    int count;
    int max_inflight;  /* Of the tenant; 0 = unlimited. */
    int type_limit[2]; /* Of each type. */
    int max_attempts;
    int64_t ageing_us;   /* What one point of priority is worth. */
    int64_t grant_floor; /* Grants up to it are of another time. */
    bool paused;
    int64_t key_retention; /* How long a key outlives its job. */
};

/* Index of the job. */
int twin_submit(struct twin *twin, int64_t now, int type, int priority, int pred, bool always,
                int key);
/* The job that has the key: it lives, or ended less than the retention ago; -1 when nobody has
 * it. */
int twin_holder(const struct twin *twin, int key, int64_t now);
bool twin_is_forgotten(const struct twin *twin, int job, int64_t now);
/* The job that the next lease goes to, or -1. */
int twin_next(const struct twin *twin);
void twin_lease(struct twin *twin, int job);

enum twin_report { TWIN_COMPLETE, TWIN_FAIL, TWIN_FAIL_FOR_GOOD, TWIN_RELEASE, TWIN_THROTTLED };

/* The report of a worker that holds the grant. */
void twin_report(struct twin *twin, int job, enum twin_report report);
void twin_heartbeat(struct twin *twin, int job);
/* False when the state does not allow it. */
bool twin_cancel(struct twin *twin, int job);
bool twin_retry(struct twin *twin, int job);
bool twin_prioritise(struct twin *twin, int job, int priority);
/* Everything is a backup's: nobody holds anything, and it is paused. */
void twin_restore(struct twin *twin, int64_t now);

#endif
