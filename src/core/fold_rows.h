/* core/fold_rows - the lines about jobs, and what every line needs. Used by fold.c only. */
#ifndef CORE_FOLD_ROWS_H
#define CORE_FOLD_ROWS_H

#include <jansson.h>

#include "core/fold.h"

/* A parsed line; texts live as long as the line's JSON. */
struct fold_event {
    const json_t *facts;
    struct str type;
    struct str actor;
    int64_t at;
    int64_t seq;
    struct job_id job;
    int32_t job_seq;
};

/* 0 and empty when the fact is absent; numbers beyond 2^53 come as texts. */
int64_t fold_int(const struct fold_event *e, const char *name);
struct str fold_text(const struct fold_event *e, const char *name);
/* The bytes of a hexadecimal digest, in the fold's arena. */
struct str fold_digest(struct fold *fold, const struct fold_event *e, const char *name);

struct tenant_row *fold_tenant_row(struct fold *fold);
struct lane_row *fold_lane(struct fold *fold, int32_t lane);
struct run_row *fold_run(struct fold *fold, int64_t run);
/* Adds or replaces. */
void fold_put(struct fold *fold, const struct row *row);
void fold_settling_begin(struct fold *fold, int64_t pred, enum settle_mode mode);

/* Each is false when the line does not fit. */
bool fold_job_submitted(struct fold *fold, const struct fold_event *e);
bool fold_job_prioritised(struct fold *fold, const struct fold_event *e);
bool fold_job_released(struct fold *fold, const struct fold_event *e);
bool fold_job_eligible(struct fold *fold, const struct fold_event *e);
bool fold_job_leased(struct fold *fold, const struct fold_event *e);
bool fold_job_running(struct fold *fold, const struct fold_event *e);
bool fold_job_requests(struct fold *fold, const struct fold_event *e);
bool fold_job_cancel_asked(struct fold *fold, const struct fold_event *e);
bool fold_job_put_off(struct fold *fold, const struct fold_event *e);
bool fold_job_ended(struct fold *fold, const struct fold_event *e);
bool fold_job_retried(struct fold *fold, const struct fold_event *e);
bool fold_job_settled(struct fold *fold, const struct fold_event *e);
bool fold_job_deadline_passed(struct fold *fold, const struct fold_event *e);
bool fold_artifact_registered(struct fold *fold, const struct fold_event *e);

#endif
