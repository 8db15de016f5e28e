#include "core/due.h"

#include "base/check.h"
#include "base/time.h"
#include "core/attempt.h"
#include "core/bulk_work.h"
#include "core/config.h"
#include "core/quota_use.h"
#include "core/settle.h"
#include "core/submit.h"
#include "core/throttle.h"

enum { LAPSE_LEAST = 10 };

/* ---- Asking ---- */

static struct tenant_facts *tenant_at(struct facts *facts, int16_t shard, int32_t tenant)
{
    return facts_tenant(facts, shard, (struct tenant_id){tenant});
}

static bool want_settlings(struct facts *facts, const struct limits *limits,
                           const struct shard_facts *s)
{
    bool known = true;
    for (size_t i = 0; i < s->settling.n; i++) {
        const struct settling_row *row = (const struct settling_row *)s->settling.v[i];
        struct tenant_facts *t = tenant_at(facts, row->shard, row->tenant);
        known &= config_want(facts, t);
        known &=
            settle_want(facts, t, limits, row->pred, row->after_succ, (enum settle_mode)row->mode);
    }
    return known;
}

/* Why the lease is due; HOLD-like words become the failure's class. */
static struct str lapse_class(const struct leased_row *lease, int64_t now)
{
    if (lease->run_until > 0 && lease->run_until <= now) {
        return STR("timed_out");
    }
    return lease->until <= now ? STR("expired") : STR("stalled");
}

static bool is_canceled(const struct leased_row *lease, int64_t now)
{
    return lease->cancel_at > 0 && lease->cancel_at <= now;
}

/* What the end of an overdue lease tells the breakers of its services. */
static struct service_end end_of(const struct leased_row *lease, int64_t now)
{
    return (struct service_end){
        .result = lease->cancel_at > 0 ? SERVICE_SILENT : SERVICE_FAILED,
        .class = lapse_class(lease, now),
    };
}

static bool want_leases(struct facts *facts, const struct limits *limits,
                        const struct shard_facts *s)
{
    bool known = true;
    for (size_t i = 0; i < s->due_leased.n; i++) {
        const struct leased_row *row = (const struct leased_row *)s->due_leased.v[i];
        struct tenant_facts *t = tenant_at(facts, row->shard, row->tenant);
        if (row->due_at <= facts->now) {
            known &= config_want(facts, t);
            known &= quota_want(facts, t);
            known &= attempt_want(facts, t, limits, row);
            const struct service_end end = end_of(row, facts->now);
            known &= service_end_want(facts, t, limits, row, &end);
        }
    }
    return known;
}

static bool want_delayed(struct facts *facts, const struct shard_facts *s)
{
    bool known = true;
    for (size_t i = 0; i < s->due_delayed.n; i++) {
        const struct delayed_row *row = (const struct delayed_row *)s->due_delayed.v[i];
        if (row->due_at <= facts->now) {
            struct tenant_facts *t = tenant_at(facts, row->shard, row->tenant);
            known &= config_want(facts, t);
            known &= want(facts, t, WANT_LANE, row->carry.lane);
        }
    }
    return known;
}

static bool want_deadlines(struct facts *facts, const struct limits *limits,
                           const struct shard_facts *s)
{
    bool known = true;
    for (size_t i = 0; i < s->due_deadlines.n; i++) {
        const struct start_deadline_row *row =
            (const struct start_deadline_row *)s->due_deadlines.v[i];
        if (row->due_at <= facts->now) {
            struct tenant_facts *t = tenant_at(facts, row->shard, row->tenant);
            known &= config_want(facts, t);
            known &= row->job < 0 ? want(facts, t, WANT_RUN, -row->job)
                                  : job_want(facts, t, limits, (struct job_id){row->job}, true);
        }
    }
    return known;
}

/* Overrides whose time is over: what the bucket follows then is the tenant's configuration. */
static bool want_throttles(struct facts *facts, const struct shard_facts *s)
{
    bool known = true;
    for (size_t i = 0; i < s->due_throttles.n; i++) {
        const struct throttle_row *row = (const struct throttle_row *)s->due_throttles.v[i];
        if (row->set_until <= facts->now) {
            known &= config_want(facts, tenant_at(facts, row->shard, row->tenant));
        }
    }
    return known;
}

bool due_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    const int16_t shard = command->shard;
    bool known = want_of_shard(facts, shard, WANT_DUE_LEASED, limits->due_cap);
    known &= want_of_shard(facts, shard, WANT_DUE_DELAYED, limits->due_cap);
    known &= want_of_shard(facts, shard, WANT_DUE_DEADLINES, limits->due_cap);
    known &= want_of_shard(facts, shard, WANT_DUE_THROTTLES, limits->due_cap);
    known &= want_of_shard(facts, shard, WANT_ALL_SETTLING, 4);
    known &= bulk_due_want(facts, limits, shard);
    const struct shard_facts *s = facts_shard(facts, shard);
    known &= want_settlings(facts, limits, s);
    known &= want_leases(facts, limits, s);
    known &= want_delayed(facts, s);
    known &= want_throttles(facts, s);
    return want_deadlines(facts, limits, s) && known;
}

/* ---- Deciding ---- */

/* When to ask again, as far as this pass knows. */
struct next {
    int64_t at;
    bool more; /* Something due was left. */
};

static void next_at(struct next *next, int64_t at)
{
    next->at = at < next->at ? at : next->at;
}

static struct decision decision_for(struct facts *facts, const struct limits *limits,
                                    const struct command *command, int16_t shard, int32_t tenant)
{
    return (struct decision){
        .facts = facts,
        .t = tenant_at(facts, shard, tenant),
        .limits = limits,
        .actor = STR("timer"),
        .floor = quota_floor(command, tenant_at(facts, shard, tenant)),
    };
}

static void settle_due(const struct command *command, struct facts *facts,
                       const struct limits *limits, struct next *next)
{
    struct shard_facts *s = facts_shard(facts, command->shard);
    for (size_t i = 0; i < s->settling.n; i++) {
        const struct settling_row *row = (const struct settling_row *)s->settling.v[i];
        struct decision d = decision_for(facts, limits, command, row->shard, row->tenant);
        settle_now(&d, row->pred);
        next->more |= row_is_live(&row->row);
    }
    next->more |= facts->touched[TABLE_SETTLING].n > 0 || s->settling.n == 4;
}

static void promote(struct decision *d, struct delayed_row *delayed)
{
    struct carry carry = delayed->carry;
    const struct job_id job = {delayed->job};
    const struct job_place place = {.delayed = delayed, .carry = &delayed->carry};
    const int64_t start_by = job_start_by(d, &carry, d->facts->now);
    struct history_line line;
    struct json_writer *w =
        history_begin_job(&line, d->facts, d->t, d->actor, "job.eligible", job, &carry);
    if (start_by > 0) {
        JSON_INT(w, "start_by", start_by);
    }
    (void)history_end(&line);
    job_add_deadline(d, job, start_by);
    job_leave(d, &place);
    (void)job_add_ready(d, job, &carry);
}

static void delayed_due(const struct command *command, struct facts *facts,
                        const struct limits *limits, struct next *next)
{
    const struct shard_facts *s = facts_shard(facts, command->shard);
    for (size_t i = 0; i < s->due_delayed.n; i++) {
        struct delayed_row *row = (struct delayed_row *)s->due_delayed.v[i];
        if (row->due_at > facts->now) {
            next_at(next, row->due_at);
            return;
        }
        if (row_is_live(&row->row)) {
            struct decision d = decision_for(facts, limits, command, row->shard, row->tenant);
            promote(&d, row);
        }
    }
    next->more |= s->due_delayed.n == (size_t)limits->due_cap;
}

/* Only a lapse is put off after a gap: the other limits are the job type's own. */
static int64_t may_lapse_at(const struct shard_row *shard, const struct leased_row *lease)
{
    return shard->available_since + lease->ttl_ms * US_PER_MS;
}

/* Takes one from the second's allowance. */
static bool allowance_take(struct facts *facts, const struct limits *limits,
                           struct shard_row *shard, const struct tenant_row *tenant)
{
    if (facts->now >= shard->lapse_refill_at) {
        const int64_t share = tenant->inflight * limits->lapse_share_per_mille / 1000;
        shard->lapse_allowance = share < LAPSE_LEAST ? LAPSE_LEAST : share;
        shard->lapse_refill_at = facts->now + US_PER_S;
    }
    if (shard->lapse_allowance <= 0) {
        return false;
    }
    shard->lapse_allowance--;
    facts_change(facts, &shard->row);
    return true;
}

static void end_overdue(struct decision *d, struct leased_row *lease, struct str class)
{
    if (is_canceled(lease, d->facts->now)) {
        const struct service_end silent = end_of(lease, d->facts->now);
        service_ended(d, lease, &silent);
        const struct job_place place = {.leased = lease, .carry = &lease->carry};
        const struct ending ending = {.state = JOB_CANCELED, .class = STR("canceled")};
        const struct job_id job = {lease->job};
        job_end(d, job, place, &ending);
        settle_now(d, job.v);
        return;
    }
    const struct report_item item = {.class = class, .retry_after_us = -1, .requests_used = -1};
    (void)attempt_fail(d, lease, &item, ATTEMPT_LAPSED);
}

static void leases_due(const struct command *command, struct facts *facts,
                       const struct limits *limits, struct next *next)
{
    struct shard_facts *s = facts_shard(facts, command->shard);
    for (size_t i = 0; i < s->due_leased.n; i++) {
        struct leased_row *lease = (struct leased_row *)s->due_leased.v[i];
        if (!row_is_live(&lease->row)) {
            continue;
        }
        if (lease->due_at > facts->now) {
            next_at(next, lease->due_at);
            continue; /* A heartbeat of this tick may have moved it. */
        }
        struct decision d = decision_for(facts, limits, command, lease->shard, lease->tenant);
        if (!config_grant_holds(d.t->config, lease->carry.grant)) {
            (void)attempt_recall(&d, lease);
            continue;
        }
        const struct str class = lapse_class(lease, facts->now);
        const bool canceled = is_canceled(lease, facts->now);
        const bool lapses = !canceled && str_eq(class, STR("expired"));
        if (lapses && may_lapse_at(s->row, lease) > facts->now) {
            next_at(next, may_lapse_at(s->row, lease));
        } else if (lapses && !allowance_take(facts, limits, s->row, d.t->row)) {
            next_at(next, s->row->lapse_refill_at);
        } else {
            end_overdue(&d, lease, class);
        }
    }
    quota_settle_shard(facts, command->shard, command->actor);
    /* The list was cut: whatever comes after it is not earlier than its last. */
    if (s->due_leased.n == (size_t)limits->due_cap) {
        const struct row *last = s->due_leased.v[s->due_leased.n - 1];
        next_at(next, ((const struct leased_row *)last)->due_at);
    }
}

/* Whoever was submitting the run is gone: what there is of it is canceled. */
static void abandon(struct decision *d, struct run_row *run)
{
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "run.abandoned");
    JSON_INT(w, "run", run->run);
    JSON_INT(w, "total", run->present);
    (void)history_end(&line);
    run->total = run->present;
    facts_change(d->facts, &run->row);
    settle_begin(d, -run->run, SETTLE_ABANDON);
}

/* It waits, never started, and is ready for that long: a deadline from before it was retried is
 * none of its own. */
static bool missed_its_start(const struct decision *d, const struct job_place *place)
{
    const int64_t by =
        place->ready == NULL ? 0 : job_start_by(d, place->carry, place->ready->eligible_at);
    return by > 0 && by <= d->facts->now;
}

static void deadline_due(struct decision *d, struct start_deadline_row *row)
{
    const struct job_id job = {row->job};
    const struct job_place place = job_place(d->t, job);
    struct run_row *run = row->job < 0 ? job_run(d->t, -row->job) : NULL;
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "job.deadline_passed");
    JSON_INT(w, "due_at", row->due_at);
    JSON_INT(w, "job", row->job);
    (void)history_end(&line);
    facts_remove(d->facts, &row->row);
    if (run != NULL && run->present < run->total) {
        abandon(d, run);
    } else if (missed_its_start(d, &place)) {
        const struct ending ending = {.state = JOB_DEAD, .class = STR("not_started_in_time")};
        CHECK(job_may_move(JOB_PENDING, EVENT_START_DEADLINE, JOB_DEAD));
        job_end(d, job, place, &ending);
        settle_now(d, job.v);
    }
}

static void deadlines_due(const struct command *command, struct facts *facts,
                          const struct limits *limits, struct next *next)
{
    const struct shard_facts *s = facts_shard(facts, command->shard);
    for (size_t i = 0; i < s->due_deadlines.n; i++) {
        struct start_deadline_row *row = (struct start_deadline_row *)s->due_deadlines.v[i];
        if (row->due_at > facts->now) {
            next_at(next, row->due_at);
            return;
        }
        struct decision d = decision_for(facts, limits, command, row->shard, row->tenant);
        deadline_due(&d, row);
    }
    next->more |= s->due_deadlines.n == (size_t)limits->due_cap;
}

static void throttles_due(const struct command *command, struct facts *facts,
                          const struct limits *limits, struct next *next)
{
    const struct shard_facts *s = facts_shard(facts, command->shard);
    for (size_t i = 0; i < s->due_throttles.n; i++) {
        struct throttle_row *row = (struct throttle_row *)s->due_throttles.v[i];
        if (row->set_until > facts->now) {
            next_at(next, row->set_until); /* An operator may just have set it anew. */
        } else if (row->set_until > 0) {
            struct decision d = decision_for(facts, limits, command, row->shard, row->tenant);
            facts_build_config(facts, d.t);
            throttle_expire(&d, row);
        }
    }
    next->more |= s->due_throttles.n == (size_t)limits->due_cap;
}

static void bulks_due(const struct command *command, struct facts *facts,
                      const struct limits *limits, struct next *next)
{
    struct decision d = {.facts = facts, .limits = limits, .floor = command->floor};
    const int64_t at = bulk_due(&d, command->shard);
    next->more |= at <= facts->now;
    next_at(next, at);
}

void due_decide(struct command *command, struct facts *facts, const struct limits *limits)
{
    struct next next = {.at = INT64_MAX};
    struct shard_row *shard = facts_shard(facts, command->shard)->row;
    /* Reports and claims of this very tick have set timers that no load has seen. */
    const int64_t scheduled_at = facts_shard(facts, command->shard)->scheduled_at;
    /* What is scheduled from here on lowers it again. */
    shard->next_due_at = INT64_MAX;
    facts_change(facts, &shard->row);
    settle_due(command, facts, limits, &next);
    delayed_due(command, facts, limits, &next);
    leases_due(command, facts, limits, &next);
    deadlines_due(command, facts, limits, &next);
    throttles_due(command, facts, limits, &next);
    bulks_due(command, facts, limits, &next);
    shard_due(facts, command->shard, next.at);
    if (scheduled_at != 0) {
        shard_due(facts, command->shard, scheduled_at);
    }
    if (next.more) {
        shard_due(facts, command->shard, facts->now);
    }
    command->again = next.more;
}

/* ---- Recall ---- */

bool recall_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    bool known = want_of_shard(facts, command->shard, WANT_DUE_LEASED, limits->due_cap);
    const struct service_end silent = {.result = SERVICE_SILENT};
    const struct shard_facts *s = facts_shard(facts, command->shard);
    for (size_t i = 0; i < s->due_leased.n; i++) {
        const struct leased_row *row = (const struct leased_row *)s->due_leased.v[i];
        struct tenant_facts *t = tenant_at(facts, row->shard, row->tenant);
        known &= config_want(facts, t);
        known &= quota_want(facts, t);
        known &= attempt_want(facts, t, limits, row);
        known &= service_end_want(facts, t, limits, row, &silent);
    }
    return known;
}

void recall_decide(struct command *command, struct facts *facts, const struct limits *limits)
{
    const struct shard_facts *s = facts_shard(facts, command->shard);
    size_t recalled = 0;
    for (size_t i = 0; i < s->due_leased.n; i++) {
        struct leased_row *lease = (struct leased_row *)s->due_leased.v[i];
        struct decision d = decision_for(facts, limits, command, lease->shard, lease->tenant);
        d.actor = command->actor;
        if (row_is_live(&lease->row) && !config_grant_holds(d.t->config, lease->carry.grant)) {
            (void)attempt_recall(&d, lease);
            recalled++;
        }
    }
    quota_settle_shard(facts, command->shard, command->actor);
    command->again = recalled > 0 && s->due_leased.n == (size_t)limits->due_cap;
}
