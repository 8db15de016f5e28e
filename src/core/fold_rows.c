#include "core/fold_rows.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "core/fairness.h"
#include "core/lease.h"
#include "core/state.h"

/* ---- Reading facts ---- */

int64_t fold_int(const struct fold_event *e, const char *name)
{
    const json_t *value = json_object_get(e->facts, name);
    int64_t number = 0;
    if (json_is_string(value)) {
        return str_parse_i64(json_text(value), &number) ? number : 0;
    }
    return json_integer_value(value);
}

struct str fold_text(const struct fold_event *e, const char *name)
{
    return json_text(json_object_get(e->facts, name));
}

struct str fold_digest(struct fold *fold, const struct fold_event *e, const char *name)
{
    struct sha256 digest;
    if (!sha256_parse(fold_text(e, name), &digest)) {
        return (struct str){NULL, 0};
    }
    return arena_str(&fold->set.arena, (struct str){(const char *)digest.bytes, SHA256_SIZE});
}

/* ---- Finding rows ---- */

#define LIKE(type, table_id, ...) \
    ((struct type){               \
        .row = {.table = (table_id)}, .shard = fold->shard, .tenant = fold->tenant, __VA_ARGS__})

struct tenant_row *fold_tenant_row(struct fold *fold)
{
    const struct tenant_row like = {
        .row = {.table = TABLE_TENANTS}, .shard = fold->shard, .tenant = fold->tenant};
    struct row *row = row_set_find(&fold->set, &like.row);
    CHECK(row != NULL); /* The first line of a tenant opens it. */
    return (struct tenant_row *)row;
}

struct lane_row *fold_lane(struct fold *fold, int32_t lane)
{
    const struct lane_row like = LIKE(lane_row, TABLE_LANES, .lane = lane);
    struct row *row = row_set_find(&fold->set, &like.row);
    CHECK(row != NULL);
    return (struct lane_row *)row;
}

struct run_row *fold_run(struct fold *fold, int64_t run)
{
    const struct run_row like = LIKE(run_row, TABLE_RUNS, .run = run);
    struct row *row = row_set_find(&fold->set, &like.row);
    CHECK(row != NULL);
    return (struct run_row *)row;
}

void fold_put(struct fold *fold, const struct row *row)
{
    if (row_set_find(&fold->set, row) != NULL) {
        row_set_update(&fold->set, row);
    } else {
        (void)row_set_insert(&fold->set, row);
    }
}

void fold_settling_begin(struct fold *fold, int64_t pred, enum settle_mode mode)
{
    struct settling_row row = LIKE(settling_row, TABLE_SETTLING, .pred = pred,
                                   .mode = (int16_t)mode, .until_succ = INT64_MAX);
    const struct settling_row *old =
        (const struct settling_row *)row_set_find(&fold->set, &row.row);
    row.until_succ = old != NULL ? old->after_succ : row.until_succ;
    fold_put(fold, &row.row);
}

static struct blocked_row *blocked_of(struct fold *fold, int64_t job)
{
    const struct blocked_row like = LIKE(blocked_row, TABLE_BLOCKED, .job = job);
    return (struct blocked_row *)row_set_find(&fold->set, &like.row);
}

static struct delayed_row *delayed_of(struct fold *fold, int64_t job)
{
    const struct delayed_row like = LIKE(delayed_row, TABLE_DELAYED, .job = job);
    return (struct delayed_row *)row_set_find(&fold->set, &like.row);
}

static struct leased_row *leased_of(struct fold *fold, int64_t job)
{
    const struct leased_row like = LIKE(leased_row, TABLE_LEASED, .job = job);
    return (struct leased_row *)row_set_find(&fold->set, &like.row);
}

static struct outcome_row *outcome_of(struct fold *fold, int64_t job)
{
    const struct outcome_row like = LIKE(outcome_row, TABLE_OUTCOMES, .job = job);
    return (struct outcome_row *)row_set_find(&fold->set, &like.row);
}

/* A ready row is found by lane and rank: both stand in the job's row. */
static struct ready_row *ready_of(struct fold *fold, int64_t job_id)
{
    const struct job_row like_job = LIKE(job_row, TABLE_JOBS, .job = job_id);
    const struct job_row *job = (const struct job_row *)row_set_find(&fold->set, &like_job.row);
    if (job == NULL) {
        return NULL;
    }
    const struct ready_row like = LIKE(ready_row, TABLE_READY, .job = job_id,
                                       .carry = {.lane = job->lane, .rank = job->rank});
    return (struct ready_row *)row_set_find(&fold->set, &like.row);
}

/* Takes a live job out of whichever row has it; false when none has. */
static bool take(struct fold *fold, int64_t job, struct carry *out_carry,
                 struct leased_row *out_lease)
{
    struct blocked_row *blocked = blocked_of(fold, job);
    struct delayed_row *delayed = delayed_of(fold, job);
    struct leased_row *leased = leased_of(fold, job);
    struct ready_row *ready = ready_of(fold, job);
    struct row *row = NULL;
    memset(out_lease, 0, sizeof(*out_lease));
    if (blocked != NULL) {
        *out_carry = blocked->carry;
        row = &blocked->row;
    } else if (delayed != NULL) {
        *out_carry = delayed->carry;
        row = &delayed->row;
    } else if (leased != NULL) {
        *out_carry = leased->carry;
        *out_lease = *leased;
        row = &leased->row;
    } else if (ready != NULL) {
        *out_carry = ready->carry;
        row = &ready->row;
    } else {
        return false;
    }
    row_set_delete(&fold->set, row);
    return true;
}

static void add_ready(struct fold *fold, const struct fold_event *e, const struct carry *carry)
{
    const struct ready_row row =
        LIKE(ready_row, TABLE_READY, .job = e->job.v, .carry = *carry, .eligible_at = e->at);
    (void)row_set_insert(&fold->set, &row.row);
}

static void add_delayed(struct fold *fold, const struct fold_event *e, const struct carry *carry,
                        int64_t due_at, enum hold_reason reason)
{
    const struct delayed_row row =
        LIKE(delayed_row, TABLE_DELAYED, .job = e->job.v, .carry = *carry, .due_at = due_at,
             .reason = (int16_t)reason);
    (void)row_set_insert(&fold->set, &row.row);
}

/* ---- Coming into being ---- */

static void add_deadline(struct fold *fold, const struct fold_event *e)
{
    const struct start_deadline_row deadline =
        LIKE(start_deadline_row, TABLE_START_DEADLINES, .due_at = fold_int(e, "start_by"),
             .job = e->job.v);
    if (deadline.due_at > 0) {
        (void)row_set_insert(&fold->set, &deadline.row);
    }
}

static void add_job(struct fold *fold, const struct fold_event *e, const struct carry *carry)
{
    const struct job_row row =
        LIKE(job_row, TABLE_JOBS, .job = e->job.v, .run = carry->run, .lane = carry->lane,
             .priority = carry->priority, .rank = carry->rank, .submitted_at = e->at,
             .submit_seq = e->seq, .replay_of = fold_int(e, "replay_of"),
             .name = fold_text(e, "name"), .key = fold_text(e, "key"),
             .digest = fold_digest(fold, e, "digest"), .traceparent = fold_text(e, "traceparent"));
    (void)row_set_insert(&fold->set, &row.row);
    if (row.key.len > 0) {
        const struct job_key_row key =
            LIKE(job_key_row, TABLE_JOB_KEYS, .generation = (int32_t)fold_int(e, "generation"),
                 .hash = fold_int(e, "key_hash"), .job = e->job.v);
        (void)row_set_insert(&fold->set, &key.row);
    }
    add_deadline(fold, e);
}

bool fold_job_submitted(struct fold *fold, const struct fold_event *e)
{
    const struct carry carry = {
        .lane = (int32_t)fold_int(e, "lane"),
        .rank = fold_int(e, "rank"),
        .run = fold_int(e, "run"),
        .flags = (int16_t)fold_int(e, "flags"),
        .priority = (int16_t)fold_int(e, "priority"),
        .job_seq = e->job_seq,
    };
    const int64_t delay_us = fold_int(e, "delay_us");
    const int32_t remaining = (int32_t)fold_int(e, "remaining");
    add_job(fold, e, &carry);
    if (carry.run != 0) {
        fold_run(fold, carry.run)->present++;
    } else {
        fold_tenant_row(fold)->next_job++;
    }
    if (remaining > 0) {
        const struct blocked_row row =
            LIKE(blocked_row, TABLE_BLOCKED, .job = e->job.v, .carry = carry,
                 .remaining = remaining, .delay_us = delay_us);
        (void)row_set_insert(&fold->set, &row.row);
    } else if (delay_us > 0) {
        add_delayed(fold, e, &carry, e->at + delay_us, HOLD_DELAY);
    } else {
        add_ready(fold, e, &carry);
    }
    return true;
}

bool fold_job_released(struct fold *fold, const struct fold_event *e)
{
    struct carry carry;
    struct leased_row lease;
    if (blocked_of(fold, e->job.v) == NULL || !take(fold, e->job.v, &carry, &lease)) {
        return false;
    }
    carry.job_seq = e->job_seq;
    add_deadline(fold, e);
    if (fold_int(e, "due_at") > 0) {
        add_delayed(fold, e, &carry, fold_int(e, "due_at"), HOLD_DELAY);
    } else {
        add_ready(fold, e, &carry);
    }
    return true;
}

bool fold_job_eligible(struct fold *fold, const struct fold_event *e)
{
    struct carry carry;
    struct leased_row lease;
    if (delayed_of(fold, e->job.v) == NULL || !take(fold, e->job.v, &carry, &lease)) {
        return false;
    }
    carry.job_seq = e->job_seq;
    add_deadline(fold, e);
    add_ready(fold, e, &carry);
    return true;
}

bool fold_job_prioritised(struct fold *fold, const struct fold_event *e)
{
    const struct job_row like = LIKE(job_row, TABLE_JOBS, .job = e->job.v);
    struct job_row *job = (struct job_row *)row_set_find(&fold->set, &like.row);
    struct blocked_row *blocked = blocked_of(fold, e->job.v);
    struct delayed_row *delayed = delayed_of(fold, e->job.v);
    const struct ready_row *ready = ready_of(fold, e->job.v);
    struct carry carry;
    if (job == NULL || (blocked == NULL && delayed == NULL && ready == NULL)) {
        return false;
    }
    carry = blocked != NULL ? blocked->carry : delayed != NULL ? delayed->carry : ready->carry;
    carry.job_seq = e->job_seq;
    carry.priority = (int16_t)fold_int(e, "priority");
    carry.rank = fold_int(e, "rank");
    job->rank = carry.rank;
    if (blocked != NULL) {
        blocked->carry = carry;
    } else if (delayed != NULL) {
        delayed->carry = carry;
    } else {
        struct ready_row moved = *ready; /* The rank is part of its key. */
        row_set_delete(&fold->set, &ready->row);
        moved.carry = carry;
        (void)row_set_insert(&fold->set, &moved.row);
    }
    return true;
}

/* ---- Leases ---- */

bool fold_job_leased(struct fold *fold, const struct fold_event *e)
{
    struct carry carry;
    struct leased_row old;
    struct tenant_row *tenant = fold_tenant_row(fold);
    if (ready_of(fold, e->job.v) == NULL || !take(fold, e->job.v, &carry, &old)) {
        return false;
    }
    carry.job_seq = e->job_seq;
    if (fold_int(e, "grant") <= carry.grant) {
        return false;
    }
    carry.grant = fold_int(e, "grant");
    const struct leased_row row = LIKE(
        leased_row, TABLE_LEASED, .job = e->job.v, .carry = carry, .worker = fold_text(e, "worker"),
        .claim = fold_int(e, "claim"), .claimed_at = e->at, .claimed_seq = e->seq,
        .ttl_ms = (int32_t)fold_int(e, "ttl_ms"), .charged_ms = (int32_t)fold_int(e, "charged_ms"),
        .requests = fold_int(e, "requests"), .run_until = fold_int(e, "run_until"),
        .no_progress_ms = (int32_t)fold_int(e, "no_progress_ms"));
    (void)row_set_insert(&fold->set, &row.row);
    tenant->charged = fairness_charge(tenant->charged, row.charged_ms, tenant->weight);
    return true;
}

bool fold_job_running(struct fold *fold, const struct fold_event *e)
{
    struct leased_row *lease = leased_of(fold, e->job.v);
    if (lease == NULL) {
        return false;
    }
    lease->running = true;
    lease->carry.job_seq = e->job_seq;
    return true;
}

bool fold_job_requests(struct fold *fold, const struct fold_event *e)
{
    struct leased_row *lease = leased_of(fold, e->job.v);
    if (lease == NULL) {
        return false;
    }
    lease->requests = fold_int(e, "requests");
    lease->carry.job_seq = e->job_seq;
    return true;
}

bool fold_job_cancel_asked(struct fold *fold, const struct fold_event *e)
{
    struct leased_row *lease = leased_of(fold, e->job.v);
    if (lease == NULL) {
        return false;
    }
    lease->cancel_at = fold_int(e, "cancel_at");
    lease->carry.job_seq = e->job_seq;
    return true;
}

static void settle_time(struct fold *fold, const struct leased_row *lease, int64_t at)
{
    struct tenant_row *tenant = fold_tenant_row(fold);
    struct lane_row *lane = fold_lane(fold, lease->carry.lane);
    const int64_t actual_ms = (at - lease->claimed_at) / US_PER_MS;
    tenant->charged =
        fairness_settle(tenant->charged, lease->charged_ms, actual_ms, tenant->weight);
    lane->estimate_ms = fairness_estimate(lane->estimate_ms, actual_ms);
}

bool fold_job_put_off(struct fold *fold, const struct fold_event *e)
{
    struct carry carry;
    struct leased_row lease;
    if (leased_of(fold, e->job.v) == NULL || !take(fold, e->job.v, &carry, &lease)) {
        return false;
    }
    const enum attempt_ending ending = (enum attempt_ending)fold_int(e, "ending");
    const struct attempt_row attempt =
        LIKE(attempt_row, TABLE_ATTEMPTS, .job = e->job.v, .grant = carry.grant,
             .ending = (int16_t)ending, .class = fold_text(e, "class"), .worker = lease.worker,
             .claimed_at = lease.claimed_at, .claimed_seq = lease.claimed_seq, .ended_at = e->at,
             .ended_seq = e->seq, .digest = fold_digest(fold, e, "digest"));
    (void)row_set_insert(&fold->set, &attempt.row);
    settle_time(fold, &lease, e->at);
    carry.job_seq = e->job_seq;
    carry.flags |= JOB_HAS_ATTEMPTS;
    carry.spent = (int32_t)fold_int(e, "spent");
    carry.throttled_ms = fold_int(e, "throttled_ms");
    if (ending == ATTEMPT_RETURNED) {
        add_ready(fold, e, &carry);
    } else {
        add_delayed(fold, e, &carry, fold_int(e, "due_at"),
                    ending == ATTEMPT_THROTTLED ? HOLD_THROTTLED : HOLD_BACKOFF);
    }
    return true;
}

/* ---- Ends ---- */

bool fold_job_ended(struct fold *fold, const struct fold_event *e)
{
    struct carry carry;
    struct leased_row lease;
    if (!take(fold, e->job.v, &carry, &lease)) {
        return false;
    }
    const enum job_state state = str_eq(e->type, STR("job.succeeded")) ? JOB_SUCCEEDED
                                 : str_eq(e->type, STR("job.dead"))    ? JOB_DEAD
                                                                       : JOB_CANCELED;
    carry.job_seq = e->job_seq;
    carry.spent = (int32_t)fold_int(e, "spent");
    carry.throttled_ms = fold_int(e, "throttled_ms");
    if (e->job.v <= fold_tenant_row(fold)->erased_to) {
        carry.flags |= JOB_LATE;
    }
    const struct outcome_row row =
        LIKE(outcome_row, TABLE_OUTCOMES, .job = e->job.v, .carry = carry, .state = (int16_t)state,
             .class = fold_text(e, "class"), .cause = fold_int(e, "cause"), .worker = lease.worker,
             .claimed_at = lease.claimed_at, .claimed_seq = lease.claimed_seq, .ended_at = e->at,
             .ended_seq = e->seq, .digest = fold_digest(fold, e, "digest"));
    (void)row_set_insert(&fold->set, &row.row);
    if (lease.job != 0) {
        settle_time(fold, &lease, e->at);
    }
    if ((carry.flags & JOB_HAS_SUCCESSORS) != 0 &&
        !str_eq(fold_text(e, "class"), STR("run_abandoned"))) {
        fold_settling_begin(fold, e->job.v, state == JOB_SUCCEEDED ? SETTLE_OK : SETTLE_FAILED);
    }
    return true;
}

bool fold_job_retried(struct fold *fold, const struct fold_event *e)
{
    const struct outcome_row *found = outcome_of(fold, e->job.v);
    if (found == NULL) {
        return false;
    }
    const struct outcome_row outcome = *found;
    struct carry carry = outcome.carry;
    row_set_delete(&fold->set, &outcome.row);
    if (outcome.claimed_seq != 0) {
        const struct attempt_row attempt = LIKE(
            attempt_row, TABLE_ATTEMPTS, .job = e->job.v, .grant = carry.grant,
            .ending = ATTEMPT_FAILED, .class = outcome.class, .worker = outcome.worker,
            .claimed_at = outcome.claimed_at, .claimed_seq = outcome.claimed_seq,
            .ended_at = outcome.ended_at, .ended_seq = outcome.ended_seq, .digest = outcome.digest);
        (void)row_set_insert(&fold->set, &attempt.row);
    }
    carry.spent = 0;
    carry.throttled_ms = 0;
    carry.flags = (int16_t)fold_int(e, "flags");
    carry.job_seq = e->job_seq;
    add_deadline(fold, e);
    const int32_t remaining = (int32_t)fold_int(e, "remaining");
    if (remaining > 0) {
        const struct blocked_row row = LIKE(blocked_row, TABLE_BLOCKED, .job = e->job.v,
                                            .carry = carry, .remaining = remaining);
        (void)row_set_insert(&fold->set, &row.row);
    } else {
        add_ready(fold, e, &carry);
    }
    if ((carry.flags & JOB_HAS_SUCCESSORS) != 0) {
        fold_settling_begin(fold, e->job.v, SETTLE_REVIVE);
    }
    return true;
}

/* What one settled edge does to a successor that still waits. */
static void settle_edge(struct fold *fold, const struct edge_row *edge, enum settle_mode mode)
{
    struct blocked_row *blocked = blocked_of(fold, edge->succ);
    if (blocked == NULL) {
        return;
    }
    if (mode == SETTLE_REVIVE) {
        blocked->remaining += edge->kind == EDGE_ALWAYS;
    } else if (mode == SETTLE_OK || edge->kind == EDGE_ALWAYS) {
        blocked->remaining--;
    }
}

bool fold_job_settled(struct fold *fold, const struct fold_event *e)
{
    const int64_t pred = fold_int(e, "pred");
    const int64_t after = fold_int(e, "after");
    const struct settling_row like = LIKE(settling_row, TABLE_SETTLING, .pred = pred);
    struct settling_row *settling = (struct settling_row *)row_set_find(&fold->set, &like.row);
    if (settling == NULL || settling->mode != fold_int(e, "mode")) {
        return false;
    }
    const struct row_table *edges = &fold->set.tables[TABLE_DAG_EDGES];
    for (size_t i = 0; settling->mode != SETTLE_ABANDON && i < edges->n; i++) {
        const struct edge_row *edge = (const struct edge_row *)edges->rows[i];
        if (edge->tenant == fold->tenant && edge->pred == pred &&
            edge->succ > settling->after_succ && edge->succ <= after) {
            settle_edge(fold, edge, (enum settle_mode)settling->mode);
        }
    }
    settling->after_succ = after;
    if (json_is_true(json_object_get(e->facts, "done"))) {
        struct blocked_row *self = blocked_of(fold, pred);
        if (settling->mode == SETTLE_REVIVE && self != NULL) {
            self->remaining--;
        }
        row_set_delete(&fold->set, &settling->row);
    }
    return true;
}

bool fold_job_deadline_passed(struct fold *fold, const struct fold_event *e)
{
    const struct start_deadline_row like =
        LIKE(start_deadline_row, TABLE_START_DEADLINES, .due_at = fold_int(e, "due_at"),
             .job = fold_int(e, "job"));
    if (row_set_find(&fold->set, &like.row) == NULL) {
        return false;
    }
    row_set_delete(&fold->set, &like.row);
    return true;
}

bool fold_artifact_registered(struct fold *fold, const struct fold_event *e)
{
    const struct artifact_row row =
        LIKE(artifact_row, TABLE_ARTIFACTS, .job = fold_int(e, "job"),
             .role = (int16_t)fold_int(e, "role"), .name = fold_text(e, "name"),
             .grant = fold_int(e, "grant"), .run = fold_int(e, "run"),
             .sha256 = fold_digest(fold, e, "sha256"), .size = fold_int(e, "size"),
             .media_type = fold_text(e, "media_type"));
    (void)row_set_insert(&fold->set, &row.row);
    return true;
}

/* ---- Counters ---- */

static void count_hot_rows(struct fold *fold)
{
    for (int table = TABLE_BLOCKED; table <= TABLE_LEASED; table++) {
        const struct row_table *rows = &fold->set.tables[table];
        for (size_t i = 0; table != TABLE_START_DEADLINES && i < rows->n; i++) {
            /* The four hot rows begin alike. */
            const struct blocked_row *row = (const struct blocked_row *)rows->rows[i];
            fold_tenant(fold, row->shard, (struct tenant_id){row->tenant});
            struct tenant_row *tenant = fold_tenant_row(fold);
            struct lane_row *lane = fold_lane(fold, row->carry.lane);
            tenant->live++;
            tenant->waiting += table == TABLE_READY;
            tenant->inflight += table == TABLE_LEASED;
            lane->waiting += table == TABLE_READY;
            lane->inflight += table == TABLE_LEASED;
            if (row->carry.run != 0) {
                struct run_row *run = fold_run(fold, row->carry.run);
                run->blocked += table == TABLE_BLOCKED;
                run->leased += table == TABLE_LEASED;
            }
        }
    }
}

void fold_finish(struct fold *fold)
{
    count_hot_rows(fold);
    const struct row_table *outcomes = &fold->set.tables[TABLE_OUTCOMES];
    for (size_t i = 0; i < outcomes->n; i++) {
        const struct outcome_row *row = (const struct outcome_row *)outcomes->rows[i];
        if (row->carry.run == 0) {
            continue;
        }
        fold_tenant(fold, row->shard, (struct tenant_id){row->tenant});
        struct run_row *run = fold_run(fold, row->carry.run);
        run->succeeded += row->state == JOB_SUCCEEDED;
        run->dead += row->state == JOB_DEAD;
        run->canceled += row->state == JOB_CANCELED;
    }
}
