/*
 * query/job_view - a job as people see it, wherever its rows lie at the moment.
 *
 * Source   the view job_objects of both backends; columns as in queries.sql.
 */
#ifndef QUERY_JOB_VIEW_H
#define QUERY_JOB_VIEW_H

#include "core/state.h"
#include "ledger/ledger.h"

struct job_view {
    struct job_id job;
    int64_t run;
    int32_t lane;
    struct str job_type;
    struct str source;
    struct str name;
    struct str key;
    int64_t submitted_at;
    int64_t submit_seq;
    int64_t replay_of;
    int64_t rank;
    enum job_state state;
    int16_t priority;
    int64_t grant;
    int32_t spent;
    int32_t job_seq;
    int64_t remaining;
    int64_t delayed_until;
    enum hold_reason delayed_reason;
    enum hold_reason hold; /* Why it does not run: explained, not read; HOLD_NONE: nothing. */
    int64_t hold_until;    /* 0 when it depends on others. */
    struct str worker;
    int64_t claimed_at;
    int64_t claimed_seq;
    struct str progress;
    struct str class;
    int64_t cause;
    int64_t ended_at;
    int64_t ended_seq;
    struct str result;
};

struct job_view job_view_of(const struct query_result *result, size_t row);

#endif
