/*
 * api/job_filter - which jobs are meant: filters, the walk that serves them, and the rest.
 *
 * One filter drives a walk along an index (run, key, state, worker, a time range, or all jobs by
 * number); the others are looked at on the way. A walk looks at no more than `list_scan_rows` jobs
 * at a time and then says where to go on, so that no listing costs more than another.
 *
 * Use      job_filter_take() each given filter, job_filter_choose(), then job_filter_read() on a
 *          reader thread as often as needed.
 * Owns     texts are borrowed from the call's arena.
 */
#ifndef API_JOB_FILTER_H
#define API_JOB_FILTER_H

#include "api/views.h"

/* Which rows a walk goes through. */
enum job_walk {
    WALK_ALL,
    WALK_RUN,
    WALK_BLOCKED,
    WALK_PENDING,
    WALK_HELD,
    WALK_LEASED,
    WALK_ENDED,
    WALK_KEY,
};

/* As given; a null pointer: not given. */
struct job_filter_texts {
    struct str state;
    struct str type;
    struct str source;
    struct str run;
    struct str key;
    struct str class;
    struct str worker;
    struct str submitted_after;
    struct str submitted_before;
};

struct job_filter {
    struct job_filter_texts given;
    enum job_walk walk;
    bool has_state;
    enum job_state state;
    struct run_id run;
    int64_t from; /* submitted_after; 0: not given. */
    int64_t to;   /* submitted_before; INT64_MAX: not given. */
    /* The caller's: it goes on page after page, so that a walk through every job will do. */
    bool is_patient;
};

typedef VEC(struct job_view) job_views;

/* Reads the texts and chooses the walk; a combination that none serves is refused. False: call->err
 * tells. */
bool job_filter_choose(struct call *call, struct job_filter *filter);
/* All filters in one piece: cursors and tokens are bound to it. */
struct str job_filter_text(struct call *call, const struct job_filter *filter);
/* Adds jobs that fit, in the walk's order, until there are `most`; moves *at behind the last job
 * looked at. *out_more: the walk is not at its end. Errors stand in call->err. */
void job_filter_read(struct call *call, struct reader *reader, const struct job_filter *filter,
                     struct cursor *at, size_t most, job_views *rows, bool *out_more);
/* Where the walk goes on after that job. */
struct cursor job_filter_after(const struct job_filter *filter, const struct job_view *view);

#endif
