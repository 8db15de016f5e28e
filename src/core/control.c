#include "core/control.h"

#include "base/check.h"
#include "core/config.h"
#include "core/lease.h"
#include "core/settle.h"
#include "core/submit.h"

void control_write(const struct command *command, struct decision *d, const char *action,
                   struct str about, enum err_code code)
{
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor,
                                          code == ERR_OK ? "control.accepted" : "control.denied");
    JSON_STR(w, "about", about);
    JSON_STR(w, "action", str_from(action));
    JSON_STR(w, "code", str_from(err_info(code)->name));
    JSON_STR(w, "reason", command->reason);
    JSON_STR(w, "ticket", command->ticket);
    (void)history_end(&line);
}

static void control_job(struct command *command, struct decision *d, const char *action)
{
    char id[ID_TEXT];
    job_id_format(command->job.job, id);
    control_write(command, d, action, str_from(id), command->err.code);
}

static struct tenant_facts *tenant_of(const struct command *command, struct facts *facts)
{
    return facts_tenant(facts, command->shard, command->tenant);
}

/* Fills err for a job that is not there, or whose state does not allow the event. */
static bool refuse(struct command *command, const struct job_place *place, const char *action)
{
    if (place->carry == NULL) {
        (void)err_set(&command->err, ERR_NOT_FOUND, "there is no such job");
        return true;
    }
    (void)err_set(&command->err, ERR_INVALID_TRANSITION, "a job that is %s cannot be %s",
                  job_state_name(place->state), action);
    return true;
}

/* What the job was asked to do is no longer known. */
static bool refuse_erased(struct command *command, const struct outcome_row *outcome,
                          const char *action)
{
    if ((outcome->carry.flags & JOB_ERASED) == 0) {
        return false;
    }
    (void)err_set(
        &command->err, ERR_PAYLOAD_ERASED,
        "the payload was erased (payload_retention_ms after the job had ended): it cannot "
        "be %s; submit it anew",
        action);
    return true;
}

/* ---- Cancel ---- */

/* Ends a waiting job, or asks the worker of a leased one to stop. */
static enum job_state cancel(struct decision *d, struct job_id job, struct job_place place)
{
    if (place.leased == NULL) {
        const struct ending ending = {.state = JOB_CANCELED, .class = STR("canceled")};
        CHECK(job_may_move(place.state, EVENT_CANCEL, JOB_CANCELED));
        job_end(d, job, place, &ending);
        return JOB_CANCELED;
    }
    struct leased_row *lease = place.leased;
    if (lease->cancel_at == 0) {
        struct history_line line;
        lease->cancel_at = d->facts->now + d->limits->cancel_grace_us;
        struct json_writer *w = history_begin_job(&line, d->facts, d->t, d->actor,
                                                  "job.cancel_asked", job, &lease->carry);
        JSON_INT(w, "cancel_at", lease->cancel_at);
        (void)history_end(&line);
        lease_set_due(lease);
        shard_due(d->facts, d->t->shard, lease->due_at);
        facts_change(d->facts, &lease->row);
    }
    return place.state;
}

bool job_cancel_want(const struct command *command, struct facts *facts,
                     const struct limits *limits)
{
    struct tenant_facts *t = tenant_of(command, facts);
    const bool known = config_want(facts, t);
    return job_want(facts, t, limits, command->job.job, true) && known;
}

void job_cancel_decide(struct command *command, struct decision *d)
{
    const struct job_id job = command->job.job;
    const struct job_place place = job_place(d->t, job);
    if (place.carry == NULL || job_has_ended(place.state)) {
        (void)refuse(command, &place, "canceled");
        control_job(command, d, "job.cancel");
        return;
    }
    control_job(command, d, "job.cancel");
    command->job.state = cancel(d, job, place);
    settle_now(d, job.v);
}

/* ---- Prioritise ---- */

bool job_prioritise_want(const struct command *command, struct facts *facts,
                         const struct limits *limits)
{
    struct tenant_facts *t = tenant_of(command, facts);
    bool known = want(facts, t, WANT_TENANT, 0);
    known &= want(facts, t, WANT_JOB, command->job.job.v);
    return job_want(facts, t, limits, command->job.job, false) && known;
}

void job_prioritise_decide(struct command *command, struct decision *d)
{
    const struct job_id job = command->job.job;
    const struct job_place place = job_place(d->t, job);
    if (place.state != JOB_BLOCKED && place.state != JOB_PENDING) {
        (void)refuse(command, &place, "prioritised");
    }
    control_job(command, d, "job.prioritise");
    if (command->err.code == ERR_OK) {
        command->job.state = place.state;
        if (place.carry->priority != command->job.priority) {
            job_prioritise(d, job, &place, command->job.priority);
        }
    }
}

/* ---- Retry ---- */

/* The job, or one before it, still has successors to settle: they would count it twice. */
static bool settling_want(struct facts *facts, struct tenant_facts *t, struct job_id job)
{
    bool known = want(facts, t, WANT_SETTLING, job.v);
    if (!settle_preds_want(facts, t, job)) {
        return false;
    }
    const row_list *edges = facts_list(t, WANT_EDGES_TO, job.v);
    for (size_t i = 0; i < edges->n; i++) {
        known &= want(facts, t, WANT_SETTLING, ((const struct edge_row *)edges->v[i])->pred);
    }
    return known;
}

static bool is_settling(struct decision *d, struct job_id job)
{
    const row_list *edges = facts_list(d->t, WANT_EDGES_TO, job.v);
    bool settling = facts_find(d->t, TABLE_SETTLING, job.v) != NULL;
    for (size_t i = 0; i < edges->n; i++) {
        const int64_t pred = ((const struct edge_row *)edges->v[i])->pred;
        settling |= facts_find(d->t, TABLE_SETTLING, pred) != NULL;
    }
    return settling;
}

bool job_retry_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    struct tenant_facts *t = tenant_of(command, facts);
    bool known = config_want(facts, t);
    known &= job_want(facts, t, limits, command->job.job, false);
    return settling_want(facts, t, command->job.job) && known;
}

void job_retry_decide(struct command *command, struct decision *d)
{
    const struct job_id job = command->job.job;
    const struct job_place place = job_place(d->t, job);
    if (place.outcome == NULL || place.state == JOB_SUCCEEDED) {
        (void)refuse(command, &place, "retried");
    } else if (is_settling(d, job)) {
        (void)err_set(&command->err, ERR_CONFLICT,
                      "the jobs around it are still being settled; try again in a moment");
    } else {
        (void)refuse_erased(command, place.outcome, "retried");
    }
    control_job(command, d, "job.retry");
    if (command->err.code == ERR_OK) {
        job_revive(d, job, place.outcome);
        command->job.state = job_place(d->t, job).state;
    }
}

/* ---- Replay ---- */

bool job_replay_want(const struct command *command, struct facts *facts,
                     const struct limits *limits)
{
    struct tenant_facts *t = tenant_of(command, facts);
    bool known = config_want(facts, t);
    known &= command->request_key.len == 0 ||
             want_text(facts, t, WANT_REQUEST_KEY, command->request_key, STR(""));
    known &= want(facts, t, WANT_JOB, command->job.job.v);
    return job_want(facts, t, limits, command->job.job, false) && known;
}

void job_replay_decide(struct command *command, struct decision *d)
{
    const struct job_id old = command->job.job;
    const struct job_place place = job_place(d->t, old);
    const struct job_row *row = (const struct job_row *)facts_find(d->t, TABLE_JOBS, old.v);
    if (request_is_answered(command, d)) {
        return;
    }
    if (row == NULL || place.outcome == NULL) {
        (void)refuse(command, &place, "replayed");
        control_job(command, d, "job.replay");
        return;
    }
    if (refuse_erased(command, place.outcome, "replayed")) {
        control_job(command, d, "job.replay");
        return;
    }
    const struct lane_row *lane = job_lane(d->t, row->lane);
    struct submit_item item = {
        .job_type = lane->job_type,
        .source = lane->source,
        .name = row->name,
        .payload = row->payload,
        .traceparent = row->traceparent,
        .priority = row->priority,
    };
    submit_digest(&item, 1);
    if (submit_validate(d, &item, &command->err) != ERR_OK) {
        control_job(command, d, "job.replay");
        return;
    }
    control_job(command, d, "job.replay");
    command->job.made.v = d->t->row->next_job++;
    const struct new_job job = {.item = &item, .id = command->job.made, .replay_of = old};
    command->job.state = submit_add(d, &job);
    request_store(command, d, STR("job"),
                  arena_format(d->facts->arena, "%lld", (long long)command->job.made.v));
}

/* ---- Whole runs ---- */

/* The next page of the run's jobs, and where each is. */
static bool run_jobs_want(const struct command *command, struct facts *facts,
                          const struct limits *limits)
{
    const struct run_control *run = &command->run_control;
    struct tenant_facts *t = tenant_of(command, facts);
    bool known = config_want(facts, t);
    known &= want(facts, t, WANT_RUN, run->run.v);
    known &= want_list_of(facts, t, WANT_RUN_JOBS, run->run.v, run->after, limits->settle_cap);
    const row_list *jobs = facts_list(t, WANT_RUN_JOBS, run->run.v);
    for (size_t i = 0; i < jobs->n; i++) {
        const struct job_id job = {((const struct job_row *)jobs->v[i])->job};
        known &= job_want(facts, t, limits, job, false);
    }
    return known;
}

/* The control line, once; false when the command is refused, which is in command->err. */
static bool run_begin(struct command *command, struct decision *d, const char *action)
{
    char id[ID_TEXT];
    struct run_control *asked = &command->run_control;
    if (!asked->begun) {
        asked->begun = true;
        run_id_format(asked->run, id);
        control_write(command, d, action, str_from(id), command->err.code);
    }
    return command->err.code == ERR_OK;
}

bool run_cancel_want(const struct command *command, struct facts *facts,
                     const struct limits *limits)
{
    return run_jobs_want(command, facts, limits);
}

void run_cancel_decide(struct command *command, struct decision *d)
{
    struct run_control *asked = &command->run_control;
    const struct run_row *run = job_run(d->t, asked->run.v);
    if (run == NULL) {
        (void)err_set(&command->err, ERR_NOT_FOUND, "there is no such run");
    } else if (!asked->begun && run->state != RUN_ACTIVE) {
        (void)err_set(&command->err, ERR_INVALID_TRANSITION, "the run has ended: %s",
                      run_state_name((enum run_state)run->state));
    }
    if (!run_begin(command, d, "run.cancel")) {
        return;
    }
    const row_list *jobs = facts_list(d->t, WANT_RUN_JOBS, asked->run.v);
    for (size_t i = 0; i < jobs->n; i++) {
        const struct job_id job = {((const struct job_row *)jobs->v[i])->job};
        const struct job_place place = job_place(d->t, job);
        asked->after = job.v;
        if (place.carry != NULL && !job_has_ended(place.state)) {
            (void)cancel(d, job, place);
            asked->changed++;
        }
    }
    command->again = jobs->n == (size_t)d->limits->settle_cap;
}

bool run_retry_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    struct tenant_facts *t = tenant_of(command, facts);
    bool known = run_jobs_want(command, facts, limits);
    const row_list *jobs = facts_list(t, WANT_RUN_JOBS, command->run_control.run.v);
    for (size_t i = 0; i < jobs->n; i++) {
        const struct job_id job = {((const struct job_row *)jobs->v[i])->job};
        if (job_place(t, job).state == JOB_DEAD) {
            known &= settling_want(facts, t, job);
        }
    }
    return known;
}

void run_retry_decide(struct command *command, struct decision *d)
{
    struct run_control *asked = &command->run_control;
    const struct run_row *run = job_run(d->t, asked->run.v);
    if (run == NULL) {
        (void)err_set(&command->err, ERR_NOT_FOUND, "there is no such run");
    } else if (!asked->begun && run->dead == 0) {
        (void)err_set(&command->err, ERR_INVALID_TRANSITION, "no job of the run is dead");
    }
    if (!run_begin(command, d, "run.retry")) {
        return;
    }
    const row_list *jobs = facts_list(d->t, WANT_RUN_JOBS, asked->run.v);
    for (size_t i = 0; i < jobs->n; i++) {
        const struct job_id job = {((const struct job_row *)jobs->v[i])->job};
        const struct job_place place = job_place(d->t, job);
        if (place.state == JOB_DEAD && is_settling(d, job)) {
            command->again = true; /* Its turn comes when those around it are settled. */
            return;
        }
        asked->after = job.v;
        if (place.state == JOB_DEAD && (place.outcome->carry.flags & JOB_ERASED) == 0) {
            job_revive(d, job, place.outcome);
            asked->changed++;
        }
    }
    command->again = jobs->n == (size_t)d->limits->settle_cap;
}
