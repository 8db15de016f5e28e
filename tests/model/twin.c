#include "model/twin.h"

static bool has_ended(enum twin_state state)
{
    return state >= TWIN_SUCCEEDED;
}

static bool is_held(enum twin_state state)
{
    return state == TWIN_LEASED || state == TWIN_RUNNING;
}

/* A job with a predecessor may start when that one ended as the edge asks. */
static bool may_start(const struct twin *twin, const struct twin_job *job)
{
    if (job->pred == 0) {
        return true;
    }
    const struct twin_job *pred = &twin->jobs[job->pred - 1];
    return pred->state == TWIN_SUCCEEDED || (job->always && has_ended(pred->state));
}

/* Looks at everybody again until nothing changes any more. */
static void settle(struct twin *twin)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < twin->count; i++) {
            struct twin_job *job = &twin->jobs[i];
            if (job->state == TWIN_BLOCKED && may_start(twin, job)) {
                job->state = TWIN_PENDING;
                changed = true;
            }
        }
    }
}

/* The job's end cancels whoever needs its success, and so on. */
static void cancel_those_after(struct twin *twin, int ended)
{
    bool fell[TWIN_JOBS] = {false};
    fell[ended] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < twin->count; i++) {
            struct twin_job *job = &twin->jobs[i];
            if (job->state == TWIN_BLOCKED && job->pred > 0 && !job->always &&
                fell[job->pred - 1]) {
                job->state = TWIN_CANCELED;
                job->cause = job->pred;
                fell[i] = true;
                changed = true;
            }
        }
    }
}

static void end(struct twin *twin, int index, enum twin_state state)
{
    twin->jobs[index].state = state;
    twin->jobs[index].cancel_asked = false;
    if (state != TWIN_SUCCEEDED) {
        cancel_those_after(twin, index);
    }
    settle(twin);
}

int twin_submit(struct twin *twin, int64_t now, int type, int priority, int pred, bool always,
                int key)
{
    twin->jobs[twin->count] = (struct twin_job){
        .state = pred > 0 ? TWIN_BLOCKED : TWIN_PENDING,
        .submitted_at = now,
        .type = type,
        .asked_priority = priority,
        .priority = priority,
        .pred = pred,
        .always = always,
        .key = key,
    };
    return twin->count++;
}

bool twin_is_forgotten(const struct twin *twin, int job, int64_t now)
{
    const int64_t ended_at = twin->jobs[job].ended_at;
    return ended_at > 0 && ended_at + twin->key_retention <= now;
}

int twin_holder(const struct twin *twin, int key, int64_t now)
{
    for (int i = 0; i < twin->count; i++) {
        if (twin->jobs[i].key == key && !twin_is_forgotten(twin, i, now)) {
            return i;
        }
    }
    return -1;
}

static int held(const struct twin *twin, int type)
{
    int count = 0;
    for (int i = 0; i < twin->count; i++) {
        count += is_held(twin->jobs[i].state) && (type < 0 || twin->jobs[i].type == type);
    }
    return count;
}

int twin_next(const struct twin *twin)
{
    int best = -1;
    if (twin->paused || (twin->max_inflight > 0 && held(twin, -1) >= twin->max_inflight)) {
        return -1;
    }
    for (int i = 0; i < twin->count; i++) {
        const struct twin_job *job = &twin->jobs[i];
        const int limit = twin->type_limit[job->type];
        if (job->state != TWIN_PENDING || (limit > 0 && held(twin, job->type) >= limit)) {
            continue;
        }
        const int64_t rank = job->submitted_at - job->priority * twin->ageing_us;
        if (best < 0 ||
            rank < twin->jobs[best].submitted_at - twin->jobs[best].priority * twin->ageing_us) {
            best = i;
        }
    }
    return best;
}

void twin_lease(struct twin *twin, int job)
{
    twin->jobs[job].state = TWIN_LEASED;
    const int64_t last = twin->jobs[job].grant;
    twin->jobs[job].grant = 1 + (last > twin->grant_floor ? last : twin->grant_floor);
}

void twin_heartbeat(struct twin *twin, int job)
{
    twin->jobs[job].state = TWIN_RUNNING;
}

void twin_report(struct twin *twin, int index, enum twin_report report)
{
    struct twin_job *job = &twin->jobs[index];
    if (report != TWIN_RELEASE && report != TWIN_THROTTLED) {
        job->spent++;
    }
    if (report == TWIN_COMPLETE) {
        end(twin, index, TWIN_SUCCEEDED);
    } else if (job->cancel_asked) {
        end(twin, index, TWIN_CANCELED);
    } else if (report == TWIN_FAIL_FOR_GOOD ||
               (report == TWIN_FAIL && job->spent >= twin->max_attempts)) {
        end(twin, index, TWIN_DEAD);
    } else {
        job->state = TWIN_PENDING;
    }
}

bool twin_cancel(struct twin *twin, int index)
{
    struct twin_job *job = &twin->jobs[index];
    if (has_ended(job->state)) {
        return false;
    }
    if (is_held(job->state)) {
        job->cancel_asked = true;
        return true;
    }
    end(twin, index, TWIN_CANCELED);
    return true;
}

/* Those who were canceled because of it come back with it. */
static void revive(struct twin *twin, int index)
{
    struct twin_job *job = &twin->jobs[index];
    job->state = TWIN_BLOCKED;
    job->spent = 0;
    job->cause = 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < twin->count; i++) {
            struct twin_job *after = &twin->jobs[i];
            if (after->state == TWIN_CANCELED && after->cause != 0 &&
                twin->jobs[after->cause - 1].state == TWIN_BLOCKED) {
                after->state = TWIN_BLOCKED;
                after->spent = 0;
                after->cause = 0;
                changed = true;
            }
        }
    }
}

bool twin_retry(struct twin *twin, int index)
{
    const enum twin_state state = twin->jobs[index].state;
    if (state != TWIN_DEAD && state != TWIN_CANCELED) {
        return false;
    }
    revive(twin, index);
    settle(twin);
    return true;
}

bool twin_prioritise(struct twin *twin, int index, int priority)
{
    struct twin_job *job = &twin->jobs[index];
    if (job->state != TWIN_BLOCKED && job->state != TWIN_PENDING) {
        return false;
    }
    job->priority = priority;
    return true;
}

void twin_restore(struct twin *twin, int64_t now)
{
    const int64_t least = twin->grant_floor + TWIN_RESTORE_GRANTS;
    twin->grant_floor = now > least ? now : least;
    twin->paused = true;
    for (int i = 0; i < twin->count; i++) {
        if (is_held(twin->jobs[i].state)) {
            twin_report(twin, i, TWIN_RELEASE);
        }
    }
}
