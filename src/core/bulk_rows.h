/* core/bulk_rows - bulk actions and their jobs, as rows; included by rows.h. */
#ifndef CORE_BULK_ROWS_H
#define CORE_BULK_ROWS_H

#include "core/row.h"

enum bulk_action {
    BULK_CANCEL,
    BULK_RETRY,
    BULK_REPLAY,
    BULK_PRIORITISE,
    BULK_ACTION_COUNT,
};

/* storing -> running -> done; storing -> failed; running -> canceled. */
enum bulk_state {
    BULK_STORING, /* Its jobs are being written down; nothing is done yet. */
    BULK_RUNNING,
    BULK_DONE,
    BULK_CANCELED,
    BULK_FAILED, /* Whoever asked for it went away while it was stored. */
    BULK_STATE_COUNT,
};

/* One action on many jobs, done over many ticks. */
struct bulk_action_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t bulk;   /* Number in "bulk-3". */
    int16_t action; /* enum bulk_action */
    int16_t state;  /* enum bulk_state */
    int16_t priority;
    int64_t run;          /* All its jobs that the action is for, found on the way; 0: by parts. */
    struct str selection; /* The filter as JSON; empty for a run. */
    struct str actor;
    struct str reason;
    struct str ticket;
    int64_t matched; /* Jobs it is about; of a run, those there were at its start. */
    int64_t stored;  /* Of those, written down in parts. */
    int64_t done;    /* Jobs with a result: the next one is this, counted from 0. */
    int64_t changed; /* Of `done`, as the two that follow. */
    int64_t already; /* They were as the action would have made them. */
    int64_t refused;
    int64_t after_job; /* Of a run: looked at up to and with this job. */
    int64_t started_at;
    int64_t ended_at;
    int64_t due_at; /* Running: its last turn. Storing: failed then. Ended: 0. */
};

/* BULK_PART jobs of a bulk action (the last part may have fewer), and what came of them. */
struct bulk_part_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t bulk;
    int64_t first;      /* Its first job's place among all, from 0. */
    struct str jobs;    /* JSON array of numbers. */
    struct str results; /* JSON array, as far as done: bulk.h */
};

#endif
