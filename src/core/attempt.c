#include "core/attempt.h"

#include "base/check.h"
#include "base/time.h"
#include "core/retry.h"
#include "core/service.h"
#include "core/settle.h"
#include "core/throttle.h"

static const struct source *source_of(const struct tenant_facts *t, int32_t lane_id)
{
    const struct lane_row *lane = (const struct lane_row *)facts_find(t, TABLE_LANES, lane_id);
    return lane == NULL || lane->source.len == 0 || t->config == NULL
               ? NULL
               : config_source(t->config, lane->source);
}

bool attempt_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                  const struct leased_row *lease)
{
    bool known = want(facts, t, WANT_LANE, lease->carry.lane);
    known &= lease->carry.run == 0 || want(facts, t, WANT_RUN, lease->carry.run);
    known &= throttle_want(facts, t, source_of(t, lease->carry.lane));
    if ((lease->carry.flags & JOB_HAS_SUCCESSORS) != 0) {
        known &= settle_want(facts, t, limits, lease->job, 0, SETTLE_OK);
    }
    return known;
}

/* A copy: the item may be gone before the plan is applied. */
static struct str digest_of(struct decision *d, const struct report_item *item)
{
    static const struct sha256 none;
    return sha256_eq(&item->digest, &none)
               ? STR("")
               : arena_str(d->facts->arena,
                           (struct str){(const char *)item->digest.bytes, SHA256_SIZE});
}

/* Tokens that were granted and not used go back. */
static void return_requests(struct decision *d, const struct leased_row *lease,
                            const struct report_item *item)
{
    struct throttle throttle;
    const int64_t unused = lease->requests - item->requests_used;
    if (lease->requests > 0 && item->requests_used >= 0 && unused > 0 &&
        throttle_of(d, source_of(d->t, lease->carry.lane), &throttle)) {
        bucket_return(throttle.row, &throttle.pace, unused, lease->claimed_at, d->facts->now);
        throttle_write(d, throttle.row, THROTTLE_CHARGED);
    }
}

/* What the job heard from its host on the way. */
static void hear(struct decision *d, const struct leased_row *lease,
                 const struct upstream_told *told)
{
    attempt_hear(d, source_of(d->t, lease->carry.lane), told);
}

void attempt_hear(struct decision *d, const struct source *source, const struct upstream_told *told)
{
    struct throttle throttle;
    if (!told->is_known || !(told->remaining == 0 ? throttle_need(d, source, &throttle)
                                                  : throttle_of(d, source, &throttle))) {
        return;
    }
    if (bucket_told(throttle.row, &throttle.pace, told, d->facts->now)) {
        throttle_write(d, throttle.row, told->remaining == 0 ? THROTTLE_BLOCKED : THROTTLE_CHARGED);
    }
}

static enum job_state end(struct decision *d, struct leased_row *lease,
                          const struct report_item *item, enum job_state state, struct str class)
{
    const struct job_id job = {lease->job};
    const struct job_place place = {
        .leased = lease,
        .carry = &lease->carry,
        .state = lease->running ? JOB_RUNNING : JOB_LEASED,
    };
    const struct ending ending = {
        .state = state,
        .class = class,
        .digest = digest_of(d, item),
        .result = item->result,
        .requests_used = item->requests_used,
    };
    job_end(d, job, place, &ending);
    settle_now(d, job.v);
    return state;
}

static void register_artifact(struct decision *d, const struct leased_row *lease,
                              const struct report_artifact *artifact)
{
    struct artifact_row *row = (struct artifact_row *)facts_add(d->facts, d->t, TABLE_ARTIFACTS);
    row->job = lease->job;
    row->role = (int16_t)artifact->role;
    row->name = artifact->name;
    row->grant = lease->carry.grant;
    row->run = lease->carry.run;
    row->sha256 = (struct str){(const char *)artifact->sha256.bytes, SHA256_SIZE};
    row->size = artifact->size;
    row->media_type = artifact->media_type;
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "artifact.registered");
    JSON_INT(w, "grant", row->grant);
    JSON_INT(w, "job", row->job);
    JSON_STR(w, "media_type", row->media_type);
    JSON_STR(w, "name", row->name);
    JSON_INT(w, "role", row->role);
    JSON_INT(w, "run", row->run);
    history_digest(w, JSON_MEMBER("sha256"), row->sha256);
    JSON_INT(w, "size", row->size);
    (void)history_end(&line);
}

enum job_state attempt_succeed(struct decision *d, struct leased_row *lease,
                               const struct report_item *item)
{
    const struct service_end how = {.result = SERVICE_DONE};
    service_ended(d, lease, &how);
    for (size_t i = 0; i < item->artifact_count; i++) {
        register_artifact(d, lease, &item->artifacts[i]);
    }
    return_requests(d, lease, item);
    hear(d, lease, &item->told);
    lease->carry.spent++;
    return end(d, lease, item, JOB_SUCCEEDED, STR(""));
}

/* Puts the job behind a delay: line, attempts row, delayed row. */
static enum job_state put_off(struct decision *d, struct leased_row *lease, const char *type,
                              const struct report_item *item, enum attempt_ending how,
                              int64_t due_at)
{
    struct carry carry = lease->carry;
    const struct job_id job = {lease->job};
    carry.flags |= JOB_HAS_ATTEMPTS;
    struct history_line line;
    struct json_writer *w = history_begin_job(&line, d->facts, d->t, d->actor, type, job, &carry);
    JSON_STR(w, "class", item->class);
    history_digest(w, JSON_MEMBER("digest"), digest_of(d, item));
    JSON_INT(w, "due_at", due_at);
    JSON_INT(w, "ending", (int64_t)how);
    JSON_INT(w, "spent", carry.spent);
    JSON_INT(w, "throttled_ms", carry.throttled_ms);
    const int64_t seq = history_end(&line);
    job_end_attempt(d, lease, how, item->class, digest_of(d, item), item->result, seq);
    const struct job_place place = {.leased = lease, .carry = &lease->carry};
    job_leave(d, &place);
    if (how == ATTEMPT_RETURNED) {
        (void)job_add_ready(d, job, &carry);
    } else {
        job_add_delayed(d, job, &carry, due_at,
                        how == ATTEMPT_THROTTLED ? HOLD_THROTTLED : HOLD_BACKOFF);
    }
    return JOB_PENDING;
}

struct service_end attempt_failed(const struct leased_row *lease, const struct report_item *item)
{
    return (struct service_end){
        .result = lease->cancel_at > 0 ? SERVICE_SILENT : SERVICE_FAILED,
        .class = item->class,
        .permanent = item->permanent,
    };
}

/* The upstream was overloaded and did not say for how long. */
static void slow_down(struct decision *d, const struct leased_row *lease)
{
    struct throttle throttle;
    if (throttle_of(d, source_of(d->t, lease->carry.lane), &throttle) &&
        bucket_overloaded(throttle.row, &throttle.pace, d->facts->now)) {
        throttle_write(d, throttle.row, THROTTLE_BLOCKED);
    }
}

enum job_state attempt_fail(struct decision *d, struct leased_row *lease,
                            const struct report_item *item, enum attempt_ending how)
{
    const struct lane_row *lane = job_lane(d->t, lease->carry.lane);
    const struct job_type *type = config_job_type(d->t->config, lane->job_type);
    int64_t due_at = 0;
    CHECK(type != NULL);
    const struct service_end failed = attempt_failed(lease, item);
    service_ended(d, lease, &failed);
    return_requests(d, lease, item);
    hear(d, lease, &item->told);
    if (item->overloaded) {
        slow_down(d, lease);
    }
    lease->carry.spent++;
    if (lease->cancel_at > 0) {
        return end(d, lease, item, JOB_CANCELED, STR("canceled"));
    }
    if (item->permanent ||
        retry_decide(type, item->class, lease->carry.spent, item->retry_after_us, &d->facts->seed,
                     (struct job_id){lease->job}, lease->carry.grant, d->facts->now,
                     &due_at) == RETRY_NEVER) {
        return end(d, lease, item, JOB_DEAD, item->class);
    }
    return put_off(d, lease, "job.retrying", item, how, due_at);
}

enum job_state attempt_throttle(struct decision *d, struct leased_row *lease,
                                const struct report_item *item)
{
    struct throttle throttle;
    int64_t due_at = d->facts->now + (item->retry_after_us > 0 ? item->retry_after_us : US_PER_S);
    const struct service_end silent = {.result = SERVICE_SILENT};
    service_ended(d, lease, &silent);
    return_requests(d, lease, item);
    hear(d, lease, &item->told);
    if (throttle_need(d, source_of(d->t, lease->carry.lane), &throttle)) {
        bucket_throttled(throttle.row, &throttle.pace, item->retry_after_us, &d->facts->seed,
                         d->facts->now);
        throttle_write(d, throttle.row, THROTTLE_BLOCKED);
        due_at = throttle.row->blocked_until;
    }
    if (lease->cancel_at > 0) {
        return end(d, lease, item, JOB_CANCELED, STR("canceled"));
    }
    lease->carry.throttled_ms += (due_at - d->facts->now) / US_PER_MS;
    if (lease->carry.throttled_ms > d->limits->max_throttled_us / US_PER_MS) {
        return end(d, lease, item, JOB_DEAD, STR("throttled_too_long"));
    }
    struct report_item throttled = *item;
    throttled.class = STR("throttled");
    return put_off(d, lease, "job.throttled", &throttled, ATTEMPT_THROTTLED, due_at);
}

static enum job_state give_back(struct decision *d, struct leased_row *lease,
                                const struct report_item *item, struct str class)
{
    const struct service_end silent = {.result = SERVICE_SILENT};
    service_ended(d, lease, &silent);
    return_requests(d, lease, item);
    hear(d, lease, &item->told);
    if (lease->cancel_at > 0) {
        return end(d, lease, item, JOB_CANCELED, STR("canceled"));
    }
    struct report_item returned = *item;
    returned.class = class;
    return put_off(d, lease, "job.returned", &returned, ATTEMPT_RETURNED, d->facts->now);
}

enum job_state attempt_return(struct decision *d, struct leased_row *lease,
                              const struct report_item *item)
{
    return give_back(d, lease, item, STR("returned"));
}

enum job_state attempt_recall(struct decision *d, struct leased_row *lease)
{
    const struct report_item nobody = {.retry_after_us = -1, .requests_used = -1};
    return give_back(d, lease, &nobody, STR("restored"));
}
