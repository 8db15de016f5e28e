#include "core/job.h"

#include "base/check.h"
#include "base/time.h"
#include "core/config.h"
#include "core/fairness.h"
#include "core/lease.h"
#include "core/settle.h"

int64_t job_rank(int64_t submitted_at, int16_t priority, const struct limits *limits)
{
    return submitted_at - priority * limits->ageing_step_us;
}

struct lane_row *job_lane(const struct tenant_facts *t, int32_t lane)
{
    struct row *row = facts_find(t, TABLE_LANES, lane);
    CHECK(row != NULL);
    return (struct lane_row *)row;
}

struct run_row *job_run(const struct tenant_facts *t, int64_t run)
{
    return run == 0 ? NULL : (struct run_row *)facts_find(t, TABLE_RUNS, run);
}

void shard_due(struct facts *facts, int16_t shard, int64_t at)
{
    struct shard_facts *s = facts_shard(facts, shard);
    struct shard_row *row = s->row;
    if (s->scheduled_at == 0 || at < s->scheduled_at) {
        s->scheduled_at = at;
    }
    if (at < row->next_due_at) {
        row->next_due_at = at;
        facts_change(facts, &row->row);
    }
}

/* ---- Looking ---- */

struct job_place job_place(const struct tenant_facts *t, struct job_id job)
{
    struct job_place place = {
        .blocked = (struct blocked_row *)facts_find(t, TABLE_BLOCKED, job.v),
        .ready = (struct ready_row *)facts_find(t, TABLE_READY, job.v),
        .delayed = (struct delayed_row *)facts_find(t, TABLE_DELAYED, job.v),
        .leased = (struct leased_row *)facts_find(t, TABLE_LEASED, job.v),
        .outcome = (struct outcome_row *)facts_find(t, TABLE_OUTCOMES, job.v),
    };
    if (place.blocked != NULL) {
        place.carry = &place.blocked->carry;
        place.state = JOB_BLOCKED;
    } else if (place.ready != NULL || place.delayed != NULL) {
        place.carry = place.ready != NULL ? &place.ready->carry : &place.delayed->carry;
        place.state = JOB_PENDING;
    } else if (place.leased != NULL) {
        place.carry = &place.leased->carry;
        place.state = place.leased->running ? JOB_RUNNING : JOB_LEASED;
    } else if (place.outcome != NULL) {
        place.carry = &place.outcome->carry;
        place.state = (enum job_state)place.outcome->state;
    }
    return place;
}

bool job_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
              struct job_id job, bool with_successors)
{
    bool known = want(facts, t, WANT_LEASED, job.v);
    known &= want(facts, t, WANT_WAITING, job.v);
    known &= want(facts, t, WANT_OUTCOME, job.v);
    const struct job_place place = job_place(t, job);
    if (!known || place.carry == NULL) {
        return known;
    }
    known &= want(facts, t, WANT_LANE, place.carry->lane);
    known &= place.carry->run == 0 || want(facts, t, WANT_RUN, place.carry->run);
    if (place.blocked != NULL) {
        known &= settle_own_want(facts, t, place.blocked);
    }
    if (with_successors && (place.carry->flags & JOB_HAS_SUCCESSORS) != 0) {
        known &= settle_want(facts, t, limits, job.v, 0, SETTLE_OK);
    }
    return known;
}

/* ---- Counting ---- */

static void count_lane(struct decision *d, int32_t lane_id, int waiting, int inflight)
{
    struct lane_row *lane = job_lane(d->t, lane_id);
    lane->waiting += waiting;
    lane->inflight += inflight;
    CHECK(lane->waiting >= 0);
    CHECK(lane->inflight >= 0);
    facts_change(d->facts, &lane->row);
    d->t->row->waiting += waiting;
    d->t->row->inflight += inflight;
    CHECK(d->t->row->waiting >= 0);
    CHECK(d->t->row->inflight >= 0);
    facts_change(d->facts, &d->t->row->row);
}

void job_count_live(struct decision *d, int delta)
{
    d->t->row->live += delta;
    CHECK(d->t->row->live >= 0);
    facts_change(d->facts, &d->t->row->row);
}

/* A run's count of blocked or leased jobs. */
static void count_run(struct decision *d, int64_t run_id, int blocked, int leased)
{
    struct run_row *run = job_run(d->t, run_id);
    if (run != NULL && (blocked != 0 || leased != 0)) {
        run->blocked += blocked;
        run->leased += leased;
        CHECK(run->blocked >= 0);
        CHECK(run->leased >= 0);
        facts_change(d->facts, &run->row);
    }
}

/* Nobody served this tenant: it does not bring a credit from its idle time. */
static void join_backlog(struct decision *d)
{
    struct tenant_row *tenant = d->t->row;
    const int64_t lift = fairness_lift(tenant->charged, tenant->lift, d->floor);
    if (tenant->waiting > 0 || lift == tenant->lift) {
        return;
    }
    struct history_line line;
    struct json_writer *w =
        history_begin_shard(&line, d->facts, d->t->shard, d->actor, "tenant.backlogged");
    JSON_INT(w, "lift", lift);
    JSON_INT(w, "tenant", tenant->tenant);
    (void)history_end(&line);
    tenant->lift = lift;
    facts_change(d->facts, &tenant->row);
}

void run_update_state(struct decision *d, struct run_row *run)
{
    const enum run_state state = run_state_of(run);
    if (state == (enum run_state)run->state) {
        return;
    }
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor,
                                          state == RUN_ACTIVE ? "run.reopened" : "run.ended");
    char id[ID_TEXT];
    run_id_format((struct run_id){run->run}, id);
    JSON_STR(w, "run", str_from(id));
    JSON_STR(w, "state", str_from(run_state_name(state)));
    (void)history_end(&line);
    run->state = (int16_t)state;
    run->ended_at = state == RUN_ACTIVE ? 0 : d->facts->now;
    facts_change(d->facts, &run->row);
}

/* ---- Moving ---- */

struct ready_row *job_add_ready(struct decision *d, struct job_id job, const struct carry *carry)
{
    join_backlog(d);
    struct lane_row *lane = job_lane(d->t, carry->lane);
    lane->rank = lane->waiting == 0 || carry->rank < lane->rank ? carry->rank : lane->rank;
    struct ready_row *ready = (struct ready_row *)facts_add(d->facts, d->t, TABLE_READY);
    ready->job = job.v;
    ready->carry = *carry;
    ready->eligible_at = d->facts->now;
    facts_index(d->facts, d->t, &ready->row);
    count_lane(d, carry->lane, 1, 0);
    return ready;
}

void job_add_delayed(struct decision *d, struct job_id job, const struct carry *carry,
                     int64_t due_at, enum hold_reason reason)
{
    struct delayed_row *delayed = (struct delayed_row *)facts_add(d->facts, d->t, TABLE_DELAYED);
    delayed->job = job.v;
    delayed->carry = *carry;
    delayed->due_at = due_at;
    delayed->reason = (int16_t)reason;
    facts_index(d->facts, d->t, &delayed->row);
    shard_due(d->facts, d->t->shard, due_at);
}

struct blocked_row *job_add_blocked(struct decision *d, struct job_id job,
                                    const struct carry *carry, int32_t remaining, int64_t delay_us)
{
    CHECK(remaining > 0);
    struct blocked_row *blocked = (struct blocked_row *)facts_add(d->facts, d->t, TABLE_BLOCKED);
    blocked->job = job.v;
    blocked->carry = *carry;
    blocked->remaining = remaining;
    blocked->delay_us = delay_us;
    facts_index(d->facts, d->t, &blocked->row);
    count_run(d, carry->run, 1, 0);
    return blocked;
}

int64_t job_start_by(const struct decision *d, const struct carry *carry, int64_t from)
{
    const struct job_type *type =
        config_job_type(d->t->config, job_lane(d->t, carry->lane)->job_type);
    return type == NULL || type->start_deadline_ms == 0 || carry->grant > 0
               ? 0
               : from + type->start_deadline_ms * US_PER_MS;
}

void job_add_deadline(struct decision *d, struct job_id job, int64_t due_at)
{
    if (due_at == 0) {
        return;
    }
    struct start_deadline_row *row =
        (struct start_deadline_row *)facts_add(d->facts, d->t, TABLE_START_DEADLINES);
    row->due_at = due_at;
    row->job = job.v;
    shard_due(d->facts, d->t->shard, due_at);
}

void job_leave(struct decision *d, const struct job_place *place)
{
    if (place->blocked != NULL) {
        facts_remove(d->facts, &place->blocked->row);
        count_run(d, place->carry->run, -1, 0);
    } else if (place->ready != NULL) {
        facts_remove(d->facts, &place->ready->row);
        count_lane(d, place->carry->lane, -1, 0);
    } else if (place->delayed != NULL) {
        facts_remove(d->facts, &place->delayed->row);
    } else if (place->leased != NULL) {
        facts_remove(d->facts, &place->leased->row);
        count_lane(d, place->carry->lane, 0, -1);
        count_run(d, place->carry->run, 0, -1);
    } else {
        CHECK(place->outcome != NULL);
        facts_remove(d->facts, &place->outcome->row);
    }
}

void job_release(struct decision *d, struct blocked_row *blocked)
{
    struct carry carry = blocked->carry;
    const struct job_id job = {blocked->job};
    const int64_t asked =
        blocked->delay_us >= 0 ? d->facts->now + blocked->delay_us : -blocked->delay_us;
    const int64_t due_at = asked > d->facts->now ? asked : 0;
    const int64_t start_by = due_at > 0 ? 0 : job_start_by(d, &carry, d->facts->now);
    struct history_line line;
    struct json_writer *w =
        history_begin_job(&line, d->facts, d->t, d->actor, "job.released", job, &carry);
    if (due_at > 0) {
        JSON_INT(w, "due_at", due_at);
    }
    if (start_by > 0) {
        JSON_INT(w, "start_by", start_by);
    }
    (void)history_end(&line);
    job_add_deadline(d, job, start_by);
    CHECK(job_may_move(JOB_BLOCKED, EVENT_RELEASE, JOB_PENDING));
    const struct job_place place = {.blocked = blocked, .carry = &blocked->carry};
    job_leave(d, &place);
    if (due_at > 0) {
        job_add_delayed(d, job, &carry, due_at, HOLD_DELAY);
    } else {
        (void)job_add_ready(d, job, &carry);
    }
}

/* The row lies in the order of rank, so a ready job gets another; it keeps its time. It comes
 * before the old one goes: the lane and the tenant never look idle. */
static void move_ready(struct decision *d, struct job_id job, struct ready_row *ready,
                       const struct carry *carry)
{
    const struct job_place old = {.ready = ready, .carry = &ready->carry};
    struct ready_row *moved = job_add_ready(d, job, carry);
    moved->eligible_at = ready->eligible_at;
    job_leave(d, &old);
}

void job_prioritise(struct decision *d, struct job_id job, const struct job_place *place,
                    int16_t priority)
{
    struct job_row *row = (struct job_row *)facts_find(d->t, TABLE_JOBS, job.v);
    struct carry carry = *place->carry;
    CHECK(row != NULL);
    carry.priority = priority;
    carry.rank = job_rank(row->submitted_at, priority, d->limits);
    struct history_line line;
    struct json_writer *w =
        history_begin_job(&line, d->facts, d->t, d->actor, "job.prioritised", job, &carry);
    JSON_INT(w, "priority", priority);
    JSON_INT(w, "rank", carry.rank);
    (void)history_end(&line);
    row->rank = carry.rank;
    facts_change(d->facts, &row->row);
    if (place->blocked != NULL) {
        place->blocked->carry = carry;
        facts_change(d->facts, &place->blocked->row);
    } else if (place->delayed != NULL) {
        place->delayed->carry = carry;
        facts_change(d->facts, &place->delayed->row);
    } else if (place->ready != NULL) {
        move_ready(d, job, place->ready, &carry);
    }
}

/* ---- Ending ---- */

/* The lease's worker-time is known now: the tenant pays what it took, the lane learns. */
static void settle_time(struct decision *d, const struct leased_row *lease)
{
    struct tenant_row *tenant = d->t->row;
    struct lane_row *lane = job_lane(d->t, lease->carry.lane);
    const int64_t actual_ms = (d->facts->now - lease->claimed_at) / US_PER_MS;
    tenant->charged =
        fairness_settle(tenant->charged, lease->charged_ms, actual_ms, tenant->weight);
    lane->estimate_ms = fairness_estimate(lane->estimate_ms, actual_ms);
    facts_change(d->facts, &tenant->row);
    facts_change(d->facts, &lane->row);
}

void job_end_attempt(struct decision *d, const struct leased_row *lease, enum attempt_ending how,
                     struct str class, struct str digest, struct str message, int64_t ended_seq)
{
    struct attempt_row *attempt = (struct attempt_row *)facts_add(d->facts, d->t, TABLE_ATTEMPTS);
    attempt->job = lease->job;
    attempt->grant = lease->carry.grant;
    attempt->ending = (int16_t)how;
    attempt->class = class;
    attempt->worker = lease->worker;
    attempt->claimed_at = lease->claimed_at;
    attempt->claimed_seq = lease->claimed_seq;
    attempt->ended_at = d->facts->now;
    attempt->ended_seq = ended_seq;
    attempt->digest = digest;
    attempt->message = message;
    settle_time(d, lease);
}

static void count_ended(struct decision *d, int64_t run_id, enum job_state state)
{
    struct run_row *run = job_run(d->t, run_id);
    job_count_live(d, -1);
    if (run == NULL) {
        return;
    }
    run->succeeded += state == JOB_SUCCEEDED;
    run->dead += state == JOB_DEAD;
    run->canceled += state == JOB_CANCELED;
    facts_change(d->facts, &run->row);
    run_update_state(d, run);
}

static const char *ending_line(enum job_state state)
{
    return state == JOB_SUCCEEDED ? "job.succeeded"
           : state == JOB_DEAD    ? "job.dead"
                                  : "job.canceled";
}

static int64_t write_ending(struct decision *d, struct job_id job, struct carry *carry,
                            const struct ending *ending)
{
    struct history_line line;
    struct json_writer *w =
        history_begin_job(&line, d->facts, d->t, d->actor, ending_line(ending->state), job, carry);
    if (ending->cause.v != 0) {
        JSON_INT(w, "cause", ending->cause.v);
    }
    JSON_STR(w, "class", ending->class);
    history_digest(w, JSON_MEMBER("digest"), ending->digest);
    if (ending->requests_used > 0) {
        JSON_INT(w, "requests_used", ending->requests_used);
    }
    JSON_INT(w, "spent", carry->spent);
    JSON_INT(w, "throttled_ms", carry->throttled_ms);
    return history_end(&line);
}

void job_end(struct decision *d, struct job_id job, struct job_place place,
             const struct ending *ending)
{
    struct carry carry = *place.carry;
    const struct leased_row *lease = place.leased;
    const int64_t seq = write_ending(d, job, &carry, ending);
    if (job.v <= d->t->row->erased_to) {
        carry.flags |= JOB_LATE; /* Retention has passed it. */
    }
    job_leave(d, &place);
    struct outcome_row *outcome = (struct outcome_row *)facts_add(d->facts, d->t, TABLE_OUTCOMES);
    outcome->job = job.v;
    outcome->carry = carry;
    outcome->state = (int16_t)ending->state;
    outcome->class = ending->class;
    outcome->cause = ending->cause.v;
    outcome->ended_at = d->facts->now;
    outcome->ended_seq = seq;
    outcome->digest = ending->digest;
    outcome->result = ending->result;
    if (lease != NULL) {
        outcome->worker = lease->worker;
        outcome->claimed_at = lease->claimed_at;
        outcome->claimed_seq = lease->claimed_seq;
        settle_time(d, lease);
    }
    facts_index(d->facts, d->t, &outcome->row);
    count_ended(d, carry.run, ending->state);
    if ((carry.flags & JOB_HAS_SUCCESSORS) != 0 && !ending->alone) {
        settle_begin(d, job.v, ending->state == JOB_SUCCEEDED ? SETTLE_OK : SETTLE_FAILED);
    }
}
