#include <stdlib.h>

#include "core/state.h"
#include "engine/ask.h"
#include "engine/group.h"
#include "engine/hints.h"
#include "platform/clock.h"
#include "platform/thread.h"

/* A shard whose timers stay due after they were looked at is looked at again after that. */
#define DUE_AGAIN_US (50 * US_PER_MS)

static struct claim_ask *ask_of(struct task *task)
{
    return (struct claim_ask *)((char *)task - offsetof(struct claim_ask, task));
}

/* Calls `visit` for every task of the group, taking it off its list. */
static void each_task(struct group *group,
                      void (*visit)(struct group *group, struct task *task,
                                    struct answers *answers),
                      struct answers *answers)
{
    for (size_t i = 0; i < group->shard_count; i++) {
        struct tick *tick = &group->ticks[group->shards[i]];
        for (int phase = 0; phase < PHASE_COUNT; phase++) {
            for (struct task *task = tick->tasks[phase].first; task != NULL;) {
                struct task *next = task->next;
                visit(group, task, answers);
                task = next;
            }
        }
    }
}

/* ---- Without the lock ---- */

static void copy_grants(struct group *group, struct task *task, struct answers *answers)
{
    (void)answers;
    if (task->claiming != NULL) {
        ask_of(task)->granted = claim_copy_grants(group, ask_of(task));
    }
}

static void learn_names(struct group *group)
{
    const row_list *rows = &group->facts.touched[TABLE_TENANT_NAMES];
    for (size_t i = 0; i < rows->n; i++) {
        const struct tenant_name_row *row = (const struct tenant_name_row *)rows->v[i];
        directory_add(&group->engine->directory, (struct tenant_id){row->named}, row->home_shard,
                      row->name);
    }
}

/* Jobs that were submitted and wait now. */
static void keep_jobs(struct group *group)
{
    const row_list *rows = &group->facts.touched[TABLE_READY];
    const int64_t mono = clock_mono().us;
    for (size_t i = 0; i < rows->n; i++) {
        const struct ready_row *ready = (const struct ready_row *)rows->v[i];
        if (ready->row.state != ROW_NEW) {
            continue;
        }
        const struct tenant_facts *t =
            facts_tenant(&group->facts, ready->shard, (struct tenant_id){ready->tenant});
        const struct job_row *job = (const struct job_row *)facts_find(t, TABLE_JOBS, ready->job);
        if (job != NULL && job->row.state == ROW_NEW) {
            job_cache_put(&group->engine->jobs, job, mono);
        }
    }
}

void answers_send(struct answers *answers)
{
    struct engine_request *request = answers->first;
    while (request != NULL) {
        struct engine_request *next = request->next;
        free(request->state);
        request->state = NULL;
        request->done(request);
        request = next;
    }
}

/* ---- With the lock: figures ---- */

static void count_endings(struct engine_figures *figures, const struct facts *facts)
{
    const row_list *outcomes = &facts->touched[TABLE_OUTCOMES];
    for (size_t i = 0; i < outcomes->n; i++) {
        const struct outcome_row *row = (const struct outcome_row *)outcomes->v[i];
        figures->succeeded += row->row.state == ROW_NEW && row->state == JOB_SUCCEEDED;
        figures->dead += row->row.state == ROW_NEW && row->state == JOB_DEAD;
        figures->retried += row->row.state == ROW_GONE;
    }
    const row_list *attempts = &facts->touched[TABLE_ATTEMPTS];
    for (size_t i = 0; i < attempts->n; i++) {
        const struct attempt_row *row = (const struct attempt_row *)attempts->v[i];
        figures->failed += row->ending == ATTEMPT_FAILED;
        figures->throttled += row->ending == ATTEMPT_THROTTLED;
        figures->returned += row->ending == ATTEMPT_RETURNED;
        figures->lapsed += row->ending == ATTEMPT_LAPSED;
    }
}

static size_t bucket(uint64_t value)
{
    size_t i = 0;
    while (i < 15 && (UINT64_C(1) << i) < value) {
        i++;
    }
    return i;
}

static void count_group(struct group *group)
{
    struct engine_figures *figures = &group->engine->figures;
    const struct facts *facts = &group->facts;
    if (!group->written) {
        return;
    }
    const uint64_t us = (uint64_t)(clock_mono().us - group->begun);
    figures->groups++;
    figures->ticks += group->shard_count;
    figures->units += (uint64_t)group->units;
    figures->loads += (uint64_t)group->loads;
    figures->commit_us += us;
    figures->group_size[bucket((uint64_t)group->units)]++;
    figures->commit_ms[bucket(us / 1000)]++;
    figures->submitted += facts->touched[TABLE_JOBS].n;
    figures->claimed += facts->fetch_jobs.n;
    count_endings(figures, facts);
    for (size_t i = 0; i < FACTS_BREAKER_VERDICTS; i++) {
        figures->breaker_told[i] += facts->breaker_told[i];
    }
    for (size_t i = 0; i < FACTS_BREAKER_CHANGES; i++) {
        figures->breaker_did[i] += facts->breaker_did[i];
    }
}

/* ---- With the lock: what was learned ---- */

static void release_offer(struct group *group, struct task *task, struct answers *answers)
{
    (void)answers;
    if (task->claiming == NULL) {
        return;
    }
    struct claim_ask *ask = ask_of(task);
    summary_release(&ask->offer);
    ask->offer.jobs = 0;
    ask->offer.cost = 0;
    if (ask->granted > 0) {
        ask->offer.tenant->granted_in = group->id;
    }
}

/* A claim that found nothing saw what is really there: other nodes may have taken it. */
static void learn_dry_tenant(struct group *group, struct task *task, struct answers *answers)
{
    (void)answers;
    if (task->claiming == NULL || ask_of(task)->granted > 0) {
        return;
    }
    const struct command *command = task->command;
    const struct tenant_facts *t = facts_tenant(&group->facts, command->shard, command->tenant);
    for (size_t i = 0; i < t->by_key[TABLE_LANES].n; i++) {
        const struct lane_row *row = t->by_key[TABLE_LANES].entries[i].value;
        (void)summary_learn_lane(&group->engine->summary, row, group->ticks[row->shard].now);
    }
}

static void learn_rows(struct group *group)
{
    struct summary *summary = &group->engine->summary;
    each_task(group, learn_dry_tenant, NULL);
    const row_list *lanes = &group->facts.touched[TABLE_LANES];
    for (size_t i = 0; i < lanes->n; i++) {
        const struct lane_row *row = (const struct lane_row *)lanes->v[i];
        (void)summary_learn_lane(summary, row, group->ticks[row->shard].now);
    }
    for (size_t i = 0; i < group->facts.tenants.n; i++) {
        const struct tenant_facts *t = group->facts.tenants.entries[i].value;
        if (t->row != NULL && t->id.v != TENANT_SYSTEM) {
            (void)summary_learn_tenant(summary, t->row);
        }
    }
}

/* What they share was read under its lock, or not at all. */
static void learn_shares(struct group *group)
{
    struct summary *summary = &group->engine->summary;
    const struct tenant_facts *system = map_find(&group->facts.tenants, TENANT_SYSTEM);
    if (!group->ticks[SHARD_SYSTEM].taken || system == NULL || system->row == NULL) {
        return;
    }
    const struct map *groups = &system->by_key[TABLE_QUOTA_GROUPS];
    for (size_t i = 0; i < groups->n; i++) {
        struct group_summary *better = summary_learn_group(summary, groups->entries[i].value);
        if (better != NULL) {
            VEC_PUSH(&group->arena, &group->freed, better);
        }
    }
    const struct map *members = &system->by_key[TABLE_QUOTA_MEMBERS];
    for (size_t i = 0; i < members->n; i++) {
        summary_learn_member(summary, members->entries[i].value);
    }
    summary->shared_seq = system->row->head_seq;
}

static void learn_shards(struct group *group)
{
    const int64_t mono = clock_mono().us;
    int64_t next_due_at = INT64_MAX;
    for (size_t i = 0; i < group->shard_count; i++) {
        const int16_t shard = group->shards[i];
        struct shard_state *state = &group->engine->shards[shard];
        const struct shard_row *row = facts_shard(&group->facts, shard)->row;
        if (row->tick - 1 != state->tick) {
            state->stale = true;
        }
        state->tick = group->written ? row->tick : row->tick - 1;
        state->next_due_at = row->next_due_at;
        if (group->ticks[shard].tasks[PHASE_DUE].n > 0 &&
            row->next_due_at <= group->ticks[shard].now) {
            state->due_not_before = mono + DUE_AGAIN_US;
        }
        next_due_at = row->next_due_at < next_due_at ? row->next_due_at : next_due_at;
    }
    const int64_t opening = summary_next_opening(&group->engine->summary);
    next_due_at = opening < next_due_at ? opening : next_due_at;
    if (next_due_at != INT64_MAX) {
        node_due_at(group->engine, mono + (next_due_at - node_ledger_now(group->engine)));
    }
}

static void wake_claims(struct group *group)
{
    struct engine *engine = group->engine;
    const struct tenant_facts *system = map_find(&group->facts.tenants, TENANT_SYSTEM);
    if (system != NULL && system->row != NULL) {
        ask_see_system(engine, system->row->config_version);
    }
    for (size_t i = 0; i < group->facts.tenants.n && engine->park.parked > 0; i++) {
        const struct tenant_facts *t = group->facts.tenants.entries[i].value;
        struct tenant_summary *summary = map_find(&engine->summary.tenants, (uint64_t)t->id.v);
        if (summary != NULL) {
            ask_wake(engine, summary);
        }
    }
    for (size_t i = 0; i < group->freed.n && engine->park.parked > 0; i++) {
        ask_wake_group(engine, group->freed.v[i]);
    }
}

/* ---- With the lock: tasks ---- */

static void request_task_done(struct task *task, struct answers *answers)
{
    struct engine_request *request = task->request;
    if (--request->left == 0) {
        request->next = NULL;
        *answers->end = request;
        answers->end = &request->next;
    }
}

static void task_done(struct group *group, struct task *task, struct answers *answers)
{
    struct engine *engine = group->engine;
    struct shard_state *shard = &engine->shards[task->command->shard];
    if (task->claiming != NULL) {
        struct claim_ask *ask = ask_of(task);
        struct tenant_summary *tenant = ask->offer.tenant;
        /* Another claim may have taken what was loaded; there may be more. */
        const bool is_dry = ask->granted == 0 && tenant->granted_in != group->id;
        const struct visit visit = {.tenant = tenant, .stamp = group->stamp};
        ask_done(engine, ask, ask->granted, is_dry ? &visit : NULL, task->command->err.code);
    } else if (task->command->again && task->request != NULL) {
        node_put_back(engine, task);
    } else if (task->request != NULL) {
        engine->queued[task->queue] -= task->request->left == 1;
        request_task_done(task, answers);
    } else if (task->command->again) {
        shard->due = true;
    }
}

void task_fail(struct engine *engine, struct task *task, enum err_code code,
               struct answers *answers)
{
    if (task->claiming != NULL) {
        ask_done(engine, ask_of(task), 0, NULL, code);
    } else if (task->request != NULL) {
        (void)err_set(&task->command->err, code, "%s", err_info(code)->title);
        task->command->err.retry_after_ms = 1000;
        engine->queued[task->queue] -= task->request->left == 1;
        request_task_done(task, answers);
    } else {
        engine->shards[task->command->shard].due = true;
    }
}

void fail_waiting(struct engine *engine, enum err_code code, struct answers *answers)
{
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
        for (int queue = 0; queue < QUEUE_COUNT; queue++) {
            /* A claim may come back into the queue: only what was there now. */
            for (size_t left = engine->shards[shard].waiting[queue].n; left > 0; left--) {
                struct task *task = node_dequeue(engine, shard, (enum engine_queue)queue);
                task_fail(engine, task, code, answers);
            }
        }
    }
}

static void task_failed(struct group *group, struct task *task, struct answers *answers)
{
    task_fail(group->engine, task, group->failed, answers);
}

/* ---- The whole ---- */

static void give_shards(struct group *group)
{
    struct engine *engine = group->engine;
    for (size_t i = 0; i < group->shard_count; i++) {
        engine->shards[group->shards[i]].busy = false;
    }
    if (engine->shared_waiters > 0) {
        wake_all(&engine->shared);
    }
}

void group_answer(struct group *group)
{
    struct engine *engine = group->engine;
    struct answers answers = {.end = &answers.first};
    each_task(group, copy_grants, NULL);
    learn_names(group);
    keep_jobs(group);
    mutex_take(&engine->lock);
    group->stamp = engine->summary.stamp;
    each_task(group, release_offer, NULL);
    learn_rows(group);
    learn_shares(group);
    learn_shards(group);
    count_group(group);
    each_task(group, task_done, &answers);
    wake_claims(group);
    hints_note(group);
    give_shards(group);
    struct claiming *finished = park_take_finished(engine);
    mutex_give(&engine->lock);
    answers_send(&answers);
    park_answer(engine, finished);
}

void group_fail(struct group *group, enum err_code code)
{
    struct engine *engine = group->engine;
    struct answers answers = {.end = &answers.first};
    group->failed = code;
    mutex_take(&engine->lock);
    if (code == ERR_LEDGER_UNAVAILABLE) {
        node_set_ready(engine, false, 0);
    }
    each_task(group, task_failed, &answers);
    fail_waiting(engine, code, &answers);
    give_shards(group);
    struct claiming *finished = park_take_finished(engine);
    mutex_give(&engine->lock);
    answers_send(&answers);
    park_answer(engine, finished);
}

void group_refuse_waiting(struct engine *engine)
{
    struct answers answers = {.end = &answers.first};
    mutex_take(&engine->lock);
    node_set_ready(engine, false, 0);
    fail_waiting(engine, ERR_LEDGER_UNAVAILABLE, &answers);
    struct claiming *finished = park_take_finished(engine);
    mutex_give(&engine->lock);
    answers_send(&answers);
    park_answer(engine, finished);
}
