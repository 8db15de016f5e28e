#include "core/report.h"

#include "base/check.h"
#include "base/time.h"
#include "core/attempt.h"
#include "core/config.h"
#include "core/job_log.h"
#include "core/lease.h"
#include "core/quota_use.h"
#include "core/submit.h"
#include "core/throttle.h"

enum { ATTEMPTS_MAX = 10000 };

/* ---- Heartbeats ---- */

bool heartbeat_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    (void)limits;
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    bool known = config_want(facts, t);
    for (size_t i = 0; i < command->heartbeat.count; i++) {
        const struct heartbeat_item *item = &command->heartbeat.items[i];
        known &= want(facts, t, WANT_LEASED, item->job.v);
        known &= job_log_want(facts, t, item->job, &item->log);
        const struct leased_row *lease =
            (const struct leased_row *)facts_find(t, TABLE_LEASED, item->job.v);
        if (lease == NULL || (item->requests_wanted == 0 && !item->told.is_known) ||
            t->config == NULL) {
            continue;
        }
        known &= want(facts, t, WANT_LANE, lease->carry.lane);
        const struct lane_row *lane =
            (const struct lane_row *)facts_find(t, TABLE_LANES, lease->carry.lane);
        known &= lane == NULL || throttle_want(facts, t, config_source(t->config, lane->source));
    }
    return known;
}

static void begin_running(struct decision *d, struct leased_row *lease)
{
    struct history_line line;
    CHECK(job_may_move(JOB_LEASED, EVENT_SIGN_OF_LIFE, JOB_RUNNING));
    (void)history_begin_job(&line, d->facts, d->t, d->actor, "job.running",
                            (struct job_id){lease->job}, &lease->carry);
    (void)history_end(&line);
    lease->running = true;
}

/* More tokens, as far as the bucket has them: those that have lain too long go back first. */
static int64_t take_requests(struct decision *d, const struct throttle *throttle,
                             const struct leased_row *lease, struct heartbeat_item *item)
{
    const int64_t now = d->facts->now;
    const bool exchanges = item->is_stale && item->requests_used < lease->requests;
    struct throttle_row tried = *throttle->row;
    int64_t taken = 0;
    int64_t at = 0;
    if (exchanges) {
        bucket_return(&tried, &throttle->pace, lease->requests - item->requests_used,
                      lease->claimed_at, now);
    }
    if (bucket_take(&tried, &throttle->pace, item->requests_wanted, now, &taken, &at) !=
        BUCKET_GRANTED) {
        item->requests_after_us = at - now;
        return 0;
    }
    *throttle->row = tried;
    if (tried.rate_milli > 0) {
        throttle_write(d, throttle->row, THROTTLE_CHARGED);
    }
    return tried.rate_milli > 0 ? taken : item->requests_wanted;
}

static void grant_requests(struct decision *d, struct leased_row *lease,
                           struct heartbeat_item *item)
{
    const struct lane_row *lane = job_lane(d->t, lease->carry.lane);
    const struct source *source =
        lane->source.len == 0 ? NULL : config_source(d->t->config, lane->source);
    struct throttle throttle;
    if (lease->requests == 0) {
        return; /* Its requests are not counted. */
    }
    const bool is_paced = throttle_of(d, source, &throttle);
    const int64_t granted =
        is_paced ? take_requests(d, &throttle, lease, item) : item->requests_wanted;
    if (granted == 0) {
        return;
    }
    item->requests_granted = granted;
    const bool exchanges = item->is_stale && item->requests_used < lease->requests;
    lease->requests = granted + (exchanges ? item->requests_used : lease->requests);
    struct history_line line;
    struct json_writer *w = history_begin_job(&line, d->facts, d->t, d->actor, "job.requests",
                                              (struct job_id){lease->job}, &lease->carry);
    JSON_INT(w, "requests", lease->requests);
    (void)history_end(&line);
}

static void hear(struct decision *d, const struct leased_row *lease,
                 const struct heartbeat_item *item)
{
    const struct lane_row *lane = job_lane(d->t, lease->carry.lane);
    if (item->told.is_known && lane->source.len > 0) {
        attempt_hear(d, config_source(d->t->config, lane->source), &item->told);
    }
}

static void beat(struct decision *d, struct heartbeat_item *item, bool is_shared)
{
    struct leased_row *lease = (struct leased_row *)facts_find(d->t, TABLE_LEASED, item->job.v);
    if (lease == NULL || lease->carry.grant != item->grant) {
        item->code = ERR_LEASE_LOST;
        return;
    }
    if (!config_grant_holds(d->t->config, item->grant) ||
        config_worker_state(d->t->config, lease->worker, is_shared) == WORKER_QUARANTINED) {
        item->code = ERR_LEASE_LOST; /* It is not renewed, and ends by itself. */
        return;
    }
    if (!lease->running) {
        begin_running(d, lease);
    }
    if (item->progress.len > 0) {
        lease->progress = item->progress;
        lease->progress_at = d->facts->now;
    }
    job_log_take(d, lease, &item->log);
    if (item->told.is_known) {
        hear(d, lease, item);
    }
    if (item->requests_wanted > 0) {
        grant_requests(d, lease, item);
    }
    lease->until = d->facts->now + lease->ttl_ms * US_PER_MS;
    lease_set_due(lease);
    shard_due(d->facts, d->t->shard, lease->due_at);
    facts_change(d->facts, &lease->row);
    item->code = ERR_OK;
    item->cancel = lease->cancel_at > 0;
    item->ttl_ms = lease->ttl_ms;
    item->requests_allowed = lease->requests > 0 ? lease->requests : -1;
}

void heartbeat_decide(struct command *command, struct decision *d)
{
    struct heartbeat *heartbeat = &command->heartbeat;
    heartbeat->worker_state =
        config_worker_state(d->t->config, heartbeat->worker, heartbeat->is_shared);
    for (size_t i = 0; i < command->heartbeat.count; i++) {
        beat(d, &command->heartbeat.items[i], heartbeat->is_shared);
    }
}

/* ---- Reports ---- */

/* What the report tells the breakers of its services. */
static bool services_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                          const struct leased_row *lease, const struct report_item *item)
{
    struct service_end end = {.result = SERVICE_SILENT};
    if (lease->carry.grant != item->grant) {
        return true; /* It tells nothing. */
    }
    if (item->kind == REPORT_COMPLETE) {
        end.result = SERVICE_DONE;
    } else if (item->kind == REPORT_FAIL) {
        end = attempt_failed(lease, item);
    }
    return service_end_want(facts, t, limits, lease, &end);
}

bool report_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    bool known = config_want(facts, t);
    known &= quota_want(facts, t);
    for (size_t i = 0; i < command->report.count; i++) {
        const struct report_item *item = &command->report.items[i];
        const bool asked = want(facts, t, WANT_LEASED, item->job.v);
        known &= want(facts, t, WANT_LANE, item->lane);
        known &= job_log_want(facts, t, item->job, &item->log);
        known &= asked;
        const struct leased_row *lease =
            (const struct leased_row *)facts_find(t, TABLE_LEASED, item->job.v);
        if (lease != NULL) {
            known &= attempt_want(facts, t, limits, lease);
            known &= services_want(facts, t, limits, lease, item);
        }
        if (asked && (lease == NULL || lease->carry.grant != item->grant)) {
            known &= want(facts, t, WANT_OUTCOME, item->job.v);
            known &= want(facts, t, WANT_WAITING, item->job.v);
            known &=
                want_list_of(facts, t, WANT_ATTEMPTS, item->job.v, item->grant - 1, ATTEMPTS_MAX);
        }
    }
    return known;
}

/* Compares a repeated report with the one that was taken. */
static enum err_code compare(struct str taken, const struct report_item *item)
{
    if (taken.len != SHA256_SIZE) {
        return ERR_LEASE_LOST; /* The clock ended that grant, not a report. */
    }
    return str_eq(taken, (struct str){(const char *)item->digest.bytes, SHA256_SIZE})
               ? ERR_OK
               : ERR_RESULT_CONFLICT;
}

/* The grant has ended: the same report again gets the same answer. */
static void answer_repeated(struct decision *d, struct report_item *item)
{
    const struct job_place place = job_place(d->t, item->job);
    item->code = ERR_LEASE_LOST;
    if (place.outcome != NULL && place.outcome->carry.grant == item->grant) {
        item->code = compare(place.outcome->digest, item);
        item->state = place.state;
        return;
    }
    const row_list *attempts = facts_list_find(d->t, WANT_ATTEMPTS, item->job.v);
    for (size_t i = 0; attempts != NULL && i < attempts->n; i++) {
        const struct attempt_row *attempt = (const struct attempt_row *)attempts->v[i];
        if (attempt->grant == item->grant) {
            item->code = compare(attempt->digest, item);
            item->state = place.state;
        }
    }
}

static enum job_state take(struct decision *d, struct leased_row *lease,
                           const struct report_item *item)
{
    switch (item->kind) {
    case REPORT_COMPLETE: return attempt_succeed(d, lease, item);
    case REPORT_FAIL: return attempt_fail(d, lease, item, ATTEMPT_FAILED);
    case REPORT_THROTTLED: return attempt_throttle(d, lease, item);
    case REPORT_RELEASE: return attempt_return(d, lease, item);
    }
    UNREACHABLE();
}

void report_decide(struct command *command, struct decision *d)
{
    for (size_t i = 0; i < command->report.count; i++) {
        struct report_item *item = &command->report.items[i];
        struct leased_row *lease = (struct leased_row *)facts_find(d->t, TABLE_LEASED, item->job.v);
        if (lease == NULL || lease->carry.grant != item->grant) {
            answer_repeated(d, item);
            continue;
        }
        if (!config_grant_holds(d->t->config, item->grant) ||
            (item->kind != REPORT_RELEASE &&
             config_worker_state(d->t->config, lease->worker, command->report.is_shared) ==
                 WORKER_QUARANTINED)) {
            item->code = ERR_LEASE_LOST;
            continue;
        }
        job_log_take(d, lease, &item->log);
        item->state = take(d, lease, item);
        item->code = ERR_OK;
    }
}
