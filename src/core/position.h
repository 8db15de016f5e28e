/*
 * core/position - where a waiting job stands: what a claim for its type would take before it.
 *
 * Use      want WANT_LANE_HEADS of its lane (POSITION_AHEAD_MAX + 1), the open lanes of its type
 *          (POSITION_HEADS_MAX) and of all types, and the buckets of those; then position_find().
 * Threads  none; pure; changes no row.
 * Bounds   POSITION_AHEAD_MAX jobs of its own lane and POSITION_HEADS_MAX of each of the 64 best
 *          other lanes are looked at: beyond that it is a lower bound.
 */
#ifndef CORE_POSITION_H
#define CORE_POSITION_H

#include "core/config.h"
#include "core/facts.h"

enum { POSITION_AHEAD_MAX = 1000, POSITION_HEADS_MAX = 50 };

struct waiting_job {
    struct job_id job;
    int64_t rank;
    const struct lane_row *lane;
    const struct job_type *type;
    struct str host; /* Whose bucket its source takes from; empty for none. */
};

struct position {
    int64_t ahead_in_lane;
    int64_t ahead;           /* In all lanes of its type, its own too. */
    int64_t ahead_in_bucket; /* Of those, the ones that take from the same host's bucket. */
    bool is_more;            /* These are lower bounds. */
    int64_t lanes_ahead;     /* Of the open lanes, those whose first job comes before it. */
    int64_t open_lanes;      /* Of all types; at most 64 are looked at. */
};

void position_find(struct facts *facts, struct tenant_facts *t, const struct waiting_job *waiting,
                   struct position *out);

#endif
