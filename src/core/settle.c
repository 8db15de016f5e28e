#include "core/settle.h"

#include "base/check.h"

enum { PREDS_MAX = RUN_JOBS_MAX };

/* One more than is settled at once, to know whether that was all. */
static int32_t page(const struct limits *limits)
{
    return limits->settle_cap + 1;
}

/* ---- Asking ---- */

bool settle_preds_want(struct facts *facts, struct tenant_facts *t, struct job_id job)
{
    if (!want_list_of(facts, t, WANT_EDGES_TO, job.v, INT64_MIN, PREDS_MAX)) {
        return false;
    }
    const row_list *edges = facts_list(t, WANT_EDGES_TO, job.v);
    bool known = true;
    for (size_t i = 0; i < edges->n; i++) {
        const int64_t pred = ((const struct edge_row *)edges->v[i])->pred;
        known &= pred < 0 || want(facts, t, WANT_OUTCOME, pred);
    }
    return known;
}

bool settle_own_want(struct facts *facts, struct tenant_facts *t, const struct blocked_row *blocked)
{
    return (blocked->carry.flags & JOB_HAS_SUCCESSORS) == 0 ||
           want(facts, t, WANT_SETTLING, blocked->job);
}

static bool want_blocked(struct facts *facts, struct tenant_facts *t, int64_t succ)
{
    bool known = want(facts, t, WANT_WAITING, succ);
    const struct blocked_row *blocked =
        (const struct blocked_row *)facts_find(t, TABLE_BLOCKED, succ);
    if (blocked != NULL) {
        known &= want(facts, t, WANT_LANE, blocked->carry.lane);
        known &= blocked->carry.run == 0 || want(facts, t, WANT_RUN, blocked->carry.run);
        known &= settle_own_want(facts, t, blocked);
    }
    return known;
}

static bool want_canceled(struct facts *facts, struct tenant_facts *t, int64_t succ)
{
    bool known = want(facts, t, WANT_OUTCOME, succ);
    const struct outcome_row *outcome =
        (const struct outcome_row *)facts_find(t, TABLE_OUTCOMES, succ);
    if (outcome != NULL) {
        known &= want(facts, t, WANT_SETTLING, succ);
        known &= want(facts, t, WANT_LANE, outcome->carry.lane);
        known &= outcome->carry.run == 0 || want(facts, t, WANT_RUN, outcome->carry.run);
        known &= settle_preds_want(facts, t, (struct job_id){succ});
    }
    return known;
}

static bool want_jobs(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                      int64_t run, int64_t after)
{
    bool known = want(facts, t, WANT_RUN, run);
    known &= want_list_of(facts, t, WANT_RUN_JOBS, run, after, page(limits));
    const row_list *jobs = facts_list(t, WANT_RUN_JOBS, run);
    for (size_t i = 0; i < jobs->n; i++) {
        const struct job_id job = {((const struct job_row *)jobs->v[i])->job};
        known &= job_want(facts, t, limits, job, false);
    }
    return known;
}

bool settle_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                 int64_t pred, int64_t after, enum settle_mode mode)
{
    bool known = want(facts, t, WANT_SETTLING, pred);
    if (mode == SETTLE_ABANDON) {
        return want_jobs(facts, t, limits, -pred, after) && known;
    }
    known &= want_list_of(facts, t, WANT_EDGES_FROM, pred, after, page(limits));
    if (mode == SETTLE_REVIVE) {
        known &= want_blocked(facts, t, pred);
    }
    const row_list *edges = facts_list(t, WANT_EDGES_FROM, pred);
    for (size_t i = 0; i < edges->n; i++) {
        const int64_t succ = ((const struct edge_row *)edges->v[i])->succ;
        known &= want_blocked(facts, t, succ);
        known &= mode != SETTLE_REVIVE || want_canceled(facts, t, succ);
    }
    return known;
}

/* ---- Deciding ---- */

void settle_begin(struct decision *d, int64_t pred, enum settle_mode mode)
{
    struct settling_row *settling = (struct settling_row *)facts_find(d->t, TABLE_SETTLING, pred);
    if (settling != NULL) { /* Only those that know of the last change learn of this one. */
        CHECK((settling->mode == SETTLE_REVIVE) != (mode == SETTLE_REVIVE));
        settling->mode = (int16_t)mode;
        settling->until_succ = settling->after_succ;
        settling->after_succ = 0;
        facts_list_forget(d->facts, d->t, WANT_EDGES_FROM, pred);
        facts_change(d->facts, &settling->row);
        shard_due(d->facts, d->t->shard, d->facts->now);
        return;
    }
    settling = (struct settling_row *)facts_add(d->facts, d->t, TABLE_SETTLING);
    settling->pred = pred;
    settling->mode = (int16_t)mode;
    settling->after_succ = 0;
    settling->until_succ = INT64_MAX;
    facts_index(d->facts, d->t, &settling->row);
    shard_due(d->facts, d->t->shard, d->facts->now);
}

bool settle_is_satisfied(const struct tenant_facts *t, const struct edge_row *edge)
{
    if (edge->pred < 0) {
        return true; /* The run was whole when the job could end. */
    }
    const struct outcome_row *outcome =
        (const struct outcome_row *)facts_find(t, TABLE_OUTCOMES, edge->pred);
    return outcome != NULL && (edge->kind == EDGE_ALWAYS || outcome->state == JOB_SUCCEEDED);
}

int32_t settle_awaited(const struct decision *d, struct job_id job)
{
    const row_list *edges = facts_list(d->t, WANT_EDGES_TO, job.v);
    int32_t awaited = 0;
    for (size_t i = 0; i < edges->n; i++) {
        awaited += !settle_is_satisfied(d->t, (const struct edge_row *)edges->v[i]);
    }
    return awaited;
}

static void one_less(struct decision *d, struct blocked_row *blocked)
{
    CHECK(blocked->remaining > 0);
    facts_change(d->facts, &blocked->row);
    if (--blocked->remaining == 0) {
        job_release(d, blocked);
    }
}

static void settle_edge(struct decision *d, const struct edge_row *edge, enum settle_mode mode)
{
    struct blocked_row *blocked = (struct blocked_row *)facts_find(d->t, TABLE_BLOCKED, edge->succ);
    if (blocked == NULL) {
        return; /* Canceled by somebody else meanwhile. */
    }
    if (mode == SETTLE_FAILED && edge->kind == EDGE_SUCCESS) {
        CHECK(job_may_move(JOB_BLOCKED, EVENT_PREDECESSOR_FAILED, JOB_CANCELED));
        const struct job_place place = {.blocked = blocked, .carry = &blocked->carry};
        const struct ending ending = {
            .state = JOB_CANCELED, .class = STR("dependency_failed"), .cause = {edge->pred}};
        job_end(d, (struct job_id){edge->succ}, place, &ending);
        return;
    }
    one_less(d, blocked);
}

/* A canceled successor comes back; one that still waits and had counted this predecessor's end
 * waits for it again. */
static void revive_edge(struct decision *d, const struct edge_row *edge)
{
    struct blocked_row *blocked = (struct blocked_row *)facts_find(d->t, TABLE_BLOCKED, edge->succ);
    if (blocked != NULL && edge->kind == EDGE_ALWAYS) {
        blocked->remaining++;
        facts_change(d->facts, &blocked->row);
        return;
    }
    struct outcome_row *outcome =
        (struct outcome_row *)facts_find(d->t, TABLE_OUTCOMES, edge->succ);
    if (outcome != NULL && outcome->state == JOB_CANCELED && outcome->cause == edge->pred &&
        (outcome->carry.flags & JOB_ERASED) == 0) {
        job_revive(d, (struct job_id){edge->succ}, outcome);
    }
}

static void write_settled(struct decision *d, const struct settling_row *settling, int64_t after,
                          bool done)
{
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "job.settled");
    JSON_INT(w, "after", after);
    JSON_BOOL(w, "done", done);
    JSON_INT(w, "mode", settling->mode);
    JSON_INT(w, "pred", settling->pred);
    (void)history_end(&line);
}

/* The rest waits for a following tick, or nothing is left. */
static void move_on(struct decision *d, struct settling_row *settling, int64_t after, bool done)
{
    if (!done) {
        settling->after_succ = after;
        facts_change(d->facts, &settling->row);
        shard_due(d->facts, d->t->shard, d->facts->now);
        return;
    }
    const bool revived = settling->mode == SETTLE_REVIVE;
    struct blocked_row *self =
        (struct blocked_row *)facts_find(d->t, TABLE_BLOCKED, settling->pred);
    facts_remove(d->facts, &settling->row);
    if (revived && self != NULL) {
        one_less(d, self); /* It waited for its descendants to be back. */
    }
}

/* Cancels the page's jobs; none of them was ever released. */
static void abandon_job(struct decision *d, const struct job_row *row)
{
    const struct job_id job = {row->job};
    const struct job_place place = job_place(d->t, job);
    if (place.carry != NULL && !job_has_ended(place.state)) {
        const struct ending ending = {
            .state = JOB_CANCELED, .class = STR("run_abandoned"), .alone = true};
        CHECK(job_may_move(place.state, EVENT_CANCEL, JOB_CANCELED));
        job_end(d, job, place, &ending);
    }
}

static void settle_one(struct decision *d, const struct row *row, enum settle_mode mode)
{
    if (mode == SETTLE_ABANDON) {
        abandon_job(d, (const struct job_row *)row);
    } else if (mode == SETTLE_REVIVE) {
        revive_edge(d, (const struct edge_row *)row);
    } else {
        settle_edge(d, (const struct edge_row *)row, mode);
    }
}

static int64_t place_in_list(const struct row *row, enum settle_mode mode)
{
    return mode == SETTLE_ABANDON ? ((const struct job_row *)row)->job
                                  : ((const struct edge_row *)row)->succ;
}

void settle_now(struct decision *d, int64_t pred)
{
    struct settling_row *settling = (struct settling_row *)facts_find(d->t, TABLE_SETTLING, pred);
    if (settling == NULL) {
        return;
    }
    const enum settle_mode mode = (enum settle_mode)settling->mode;
    const row_list *list = mode == SETTLE_ABANDON ? facts_list_find(d->t, WANT_RUN_JOBS, -pred)
                                                  : facts_list_find(d->t, WANT_EDGES_FROM, pred);
    if (list == NULL) {
        return; /* It began or turned in this tick: the next one knows its successors. */
    }
    const size_t cap = (size_t)d->limits->settle_cap;
    size_t from = 0; /* Somebody else may have asked for them from the first on. */
    while (from < list->n && place_in_list(list->v[from], mode) <= settling->after_succ) {
        from++;
    }
    size_t last = from;
    while (last < list->n && place_in_list(list->v[last], mode) <= settling->until_succ) {
        last++;
    }
    const size_t end = last - from > cap ? from + cap : last;
    const bool done = end == last && (last < list->n || list->n <= cap);
    if (end == from && !done) {
        return;
    }
    const int64_t after =
        end == from ? settling->after_succ : place_in_list(list->v[end - 1], mode);
    write_settled(d, settling, after, done);
    for (size_t i = from; i < end; i++) {
        settle_one(d, list->v[i], mode);
    }
    move_on(d, settling, after, done);
}

/* The last attempt is no longer the last one. */
static void outcome_to_attempt(struct decision *d, const struct outcome_row *outcome)
{
    if (outcome->claimed_seq == 0) {
        return; /* It ended without having been claimed. */
    }
    struct attempt_row *attempt = (struct attempt_row *)facts_add(d->facts, d->t, TABLE_ATTEMPTS);
    attempt->job = outcome->job;
    attempt->grant = outcome->carry.grant;
    attempt->ending = ATTEMPT_FAILED;
    attempt->class = outcome->class;
    attempt->worker = outcome->worker;
    attempt->claimed_at = outcome->claimed_at;
    attempt->claimed_seq = outcome->claimed_seq;
    attempt->ended_at = outcome->ended_at;
    attempt->ended_seq = outcome->ended_seq;
    attempt->digest = outcome->digest;
    attempt->message = outcome->result;
}

static void reopen_run(struct decision *d, const struct outcome_row *outcome)
{
    struct run_row *run = job_run(d->t, outcome->carry.run);
    if (run == NULL) {
        return;
    }
    run->dead -= outcome->state == JOB_DEAD;
    run->canceled -= outcome->state == JOB_CANCELED;
    facts_change(d->facts, &run->row);
    run_update_state(d, run);
}

void job_revive(struct decision *d, struct job_id job, struct outcome_row *outcome)
{
    struct carry carry = outcome->carry;
    const bool has_successors = (carry.flags & JOB_HAS_SUCCESSORS) != 0;
    const int32_t awaited = settle_awaited(d, job) + (has_successors ? 1 : 0);
    const enum job_state to = awaited > 0 ? JOB_BLOCKED : JOB_PENDING;
    CHECK(job_may_move((enum job_state)outcome->state, EVENT_RETRY, to));
    carry.spent = 0;
    carry.throttled_ms = 0;
    if (outcome->claimed_seq != 0) {
        carry.flags |= JOB_HAS_ATTEMPTS;
    }
    const int64_t start_by = awaited > 0 ? 0 : job_start_by(d, &carry, d->facts->now);
    struct history_line line;
    struct json_writer *w =
        history_begin_job(&line, d->facts, d->t, d->actor, "job.retried", job, &carry);
    JSON_INT(w, "flags", carry.flags);
    JSON_INT(w, "remaining", awaited);
    if (start_by > 0) {
        JSON_INT(w, "start_by", start_by);
    }
    (void)history_end(&line);
    job_add_deadline(d, job, start_by);
    outcome_to_attempt(d, outcome);
    facts_remove(d->facts, &outcome->row);
    job_count_live(d, 1);
    reopen_run(d, outcome);
    if (awaited > 0) {
        (void)job_add_blocked(d, job, &carry, awaited, 0);
    } else {
        (void)job_add_ready(d, job, &carry);
    }
    if (has_successors) {
        settle_begin(d, job.v, SETTLE_REVIVE);
    }
}
