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

static struct tenant_facts *tenant_of(const struct command *command, struct facts *facts)
{
    return facts_tenant(facts, command->shard, command->tenant);
}

/* For a job that is not there, or whose state does not allow the event. */
static void refuse(const struct job_place *place, const char *action, struct err *err)
{
    if (place->carry == NULL) {
        (void)err_set(err, ERR_NOT_FOUND, "there is no such job");
    } else {
        (void)err_set(err, ERR_INVALID_TRANSITION, "a job that is %s cannot be %s",
                      job_state_name(place->state), action);
    }
}

/* What the job was asked to do is no longer known. */
static bool refuse_erased(const struct outcome_row *outcome, const char *action, struct err *err)
{
    if ((outcome->carry.flags & JOB_ERASED) == 0) {
        return false;
    }
    (void)err_set(
        err, ERR_PAYLOAD_ERASED,
        "the payload was erased (payload_retention_ms after the job had ended): it cannot "
        "be %s; submit it anew",
        action);
    return true;
}

/* ---- Cancel ---- */

static bool is_canceled(const struct job_control *asked, const struct job_place *place)
{
    (void)asked;
    return place->state == JOB_CANCELED || (place->leased != NULL && place->leased->cancel_at > 0);
}

static void check_cancel(struct decision *d, const struct job_control *asked,
                         const struct job_place *place, struct err *err)
{
    (void)d;
    (void)asked;
    if (place->carry == NULL || job_has_ended(place->state)) {
        refuse(place, "canceled", err);
    }
}

/* Ends a waiting job, or asks the worker of a leased one to stop. */
static void cancel(struct decision *d, struct job_control *asked, const struct job_place *place)
{
    const struct job_id job = asked->job;
    struct leased_row *lease = place->leased;
    asked->state = place->state;
    if (lease == NULL) {
        const struct ending ending = {.state = JOB_CANCELED, .class = STR("canceled")};
        CHECK(job_may_move(place->state, EVENT_CANCEL, JOB_CANCELED));
        job_end(d, job, *place, &ending);
        asked->state = JOB_CANCELED;
        return;
    }
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
}

/* ---- Prioritise ---- */

static bool is_prioritised(const struct job_control *asked, const struct job_place *place)
{
    return (place->state == JOB_BLOCKED || place->state == JOB_PENDING) &&
           place->carry->priority == asked->priority;
}

static void check_prioritise(struct decision *d, const struct job_control *asked,
                             const struct job_place *place, struct err *err)
{
    (void)d;
    (void)asked;
    if (place->state != JOB_BLOCKED && place->state != JOB_PENDING) {
        refuse(place, "prioritised", err);
    }
}

static void prioritise(struct decision *d, struct job_control *asked, const struct job_place *place)
{
    asked->state = place->state;
    if (place->carry->priority != asked->priority) {
        job_prioritise(d, asked->job, place, asked->priority);
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

static bool is_retried(const struct job_control *asked, const struct job_place *place)
{
    (void)asked;
    return place->carry != NULL && !job_has_ended(place->state);
}

static void check_retry(struct decision *d, const struct job_control *asked,
                        const struct job_place *place, struct err *err)
{
    if (place->outcome == NULL || place->state == JOB_SUCCEEDED) {
        refuse(place, "retried", err);
    } else if (is_settling(d, asked->job)) {
        (void)err_set(err, ERR_CONFLICT,
                      "the jobs around it are still being settled; try again in a moment");
    } else {
        (void)refuse_erased(place->outcome, "retried", err);
    }
}

static void retry(struct decision *d, struct job_control *asked, const struct job_place *place)
{
    job_revive(d, asked->job, place->outcome);
    asked->state = job_place(d->t, asked->job).state;
}

/* ---- Replay ---- */

static struct submit_item replay_item(struct decision *d, struct job_id job)
{
    const struct job_row *row = (const struct job_row *)facts_find(d->t, TABLE_JOBS, job.v);
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
    return item;
}

static void check_replay(struct decision *d, const struct job_control *asked,
                         const struct job_place *place, struct err *err)
{
    if (facts_find(d->t, TABLE_JOBS, asked->job.v) == NULL || place->outcome == NULL) {
        refuse(place, "replayed", err);
    } else if (!refuse_erased(place->outcome, "replayed", err)) {
        const struct submit_item item = replay_item(d, asked->job);
        (void)submit_validate(d, &item, err);
    }
}

static void replay(struct decision *d, struct job_control *asked, const struct job_place *place)
{
    (void)place;
    const struct submit_item item = replay_item(d, asked->job);
    asked->made.v = d->t->row->next_job++;
    const struct new_job job = {.item = &item, .id = asked->made, .replay_of = asked->job};
    asked->state = submit_add(d, &job);
}

/* ---- One job ---- */

static const struct control_room {
    const char *action;
    /* It is already as it would be made. */
    bool (*is_there)(const struct job_control *asked, const struct job_place *place);
    void (*check)(struct decision *d, const struct job_control *asked,
                  const struct job_place *place, struct err *err);
    void (*act)(struct decision *d, struct job_control *asked, const struct job_place *place);
} rooms[BULK_ACTION_COUNT] = {
    [BULK_CANCEL] = {"job.cancel", is_canceled, check_cancel, cancel},
    [BULK_RETRY] = {"job.retry", is_retried, check_retry, retry},
    [BULK_REPLAY] = {"job.replay", NULL, check_replay, replay},
    [BULK_PRIORITISE] = {"job.prioritise", is_prioritised, check_prioritise, prioritise},
};

bool control_item_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                       enum bulk_action action, struct job_id job)
{
    bool known = config_want(facts, t);
    if (action == BULK_REPLAY || action == BULK_PRIORITISE) {
        known &= want(facts, t, WANT_JOB, job.v);
    } else if (action == BULK_RETRY) {
        known &= settling_want(facts, t, job);
    }
    return job_want(facts, t, limits, job, false) && known;
}

enum control_outcome control_item_decide(struct decision *d, enum bulk_action action,
                                         struct job_control *asked, struct err *err)
{
    const struct control_room *room = &rooms[action];
    const struct job_place place = job_place(d->t, asked->job);
    if (room->is_there != NULL && room->is_there(asked, &place)) {
        return CONTROL_ALREADY;
    }
    room->check(d, asked, &place, err);
    if (err->code == ERR_CONFLICT) {
        return CONTROL_LATER;
    }
    if (err->code != ERR_OK) {
        return CONTROL_REFUSED;
    }
    room->act(d, asked, &place);
    return CONTROL_CHANGED;
}

/* With its line, whether it is taken or not. */
static void decide(struct command *command, struct decision *d, enum bulk_action action)
{
    char id[ID_TEXT];
    const struct control_room *room = &rooms[action];
    const struct job_place place = job_place(d->t, command->job.job);
    job_id_format(command->job.job, id);
    room->check(d, &command->job, &place, &command->err);
    control_write(command, d, room->action, str_from(id), command->err.code);
    if (command->err.code == ERR_OK) {
        room->act(d, &command->job, &place);
    }
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
    decide(command, d, BULK_CANCEL);
    settle_now(d, command->job.job.v);
}

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
    decide(command, d, BULK_PRIORITISE);
}

bool job_retry_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    return control_item_want(facts, tenant_of(command, facts), limits, BULK_RETRY,
                             command->job.job);
}

void job_retry_decide(struct command *command, struct decision *d)
{
    decide(command, d, BULK_RETRY);
}

bool job_replay_want(const struct command *command, struct facts *facts,
                     const struct limits *limits)
{
    struct tenant_facts *t = tenant_of(command, facts);
    const bool known = command->request_key.len == 0 ||
                       want_text(facts, t, WANT_REQUEST_KEY, command->request_key, STR(""));
    return control_item_want(facts, t, limits, BULK_REPLAY, command->job.job) && known;
}

void job_replay_decide(struct command *command, struct decision *d)
{
    if (request_is_answered(command, d)) {
        return;
    }
    decide(command, d, BULK_REPLAY);
    if (command->err.code == ERR_OK) {
        request_store(command, d, STR("job"),
                      arena_format(d->facts->arena, "%lld", (long long)command->job.made.v));
    }
}
