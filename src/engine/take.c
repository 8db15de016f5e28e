#include <string.h>

#include "engine/ask.h"
#include "engine/group.h"
#include "platform/clock.h"
#include "platform/thread.h"

static void take_task(struct group *group, int16_t shard, enum phase phase, struct task *task,
                      int32_t units)
{
    group->ticks[shard].taken = true;
    group->units += units;
    task_list_push(&group->ticks[shard].tasks[phase], task);
}

/* Takes from one queue until the group holds `most` units. */
static void take_queue(struct group *group, int16_t shard, enum engine_queue queue,
                       enum phase phase, int32_t most)
{
    struct engine *engine = group->engine;
    const struct task_list *waiting = &engine->shards[shard].waiting[queue];
    while (waiting->first != NULL && group->units < most) {
        struct task *task = node_dequeue(engine, shard, queue);
        take_task(group, shard, phase, task, task->units);
    }
}

static void take_due(struct group *group, int16_t shard)
{
    struct shard_state *state = &group->engine->shards[shard];
    if (!state->due) {
        return;
    }
    state->due = false;
    state->due_command =
        (struct command){.kind = COMMAND_DUE, .shard = shard, .actor = STR("timer")};
    task_init(&state->due_task, &state->due_command, QUEUE_CONTROL);
    take_task(group, shard, PHASE_DUE, &state->due_task, 1);
}

/* Its jobs can be claimed in this tick: a run's only when this makes it whole. */
static bool feeds_now(const struct task *task, int32_t submit_cap)
{
    const struct command *command = task->command;
    return command->kind == COMMAND_SUBMIT ||
           (command->kind == COMMAND_RUN_SUBMIT &&
            command->run.count - command->run.done <= (size_t)submit_cap);
}

/* Takes submits up to the cap; returns the jobs taken so far. */
static int32_t take_submits(struct group *group, int16_t shard, int32_t jobs)
{
    struct engine *engine = group->engine;
    const struct task_list *waiting = &engine->shards[shard].waiting[QUEUE_SUBMITS];
    while (waiting->first != NULL) {
        const int32_t units = waiting->first->units;
        if (jobs > 0 && jobs + units > engine->submit_cap) {
            break;
        }
        struct task *task = node_dequeue(engine, shard, QUEUE_SUBMITS);
        take_task(group, shard, PHASE_SUBMITS, task, units);
        jobs += units;
        if (engine->park.first != NULL && feeds_now(task, engine->config.limits.submit_cap)) {
            ask_feed(engine, task, &group->ticks[shard].tasks[PHASE_FED]);
        }
    }
    return jobs;
}

/* ---- Which shards ---- */

static uint64_t arrival(const struct task_list *waiting)
{
    return waiting->first == NULL ? UINT64_MAX : waiting->first->arrived;
}

/* When the first came that waits, but for submits; 0 for timers, UINT64_MAX for nothing. */
static uint64_t oldest_work(const struct shard_state *shard)
{
    const uint64_t report = arrival(&shard->waiting[QUEUE_REPORTS]);
    const uint64_t control = arrival(&shard->waiting[QUEUE_CONTROL]);
    return shard->due ? 0 : report < control ? report : control;
}

static uint64_t oldest_control(const struct shard_state *shard)
{
    return arrival(&shard->waiting[QUEUE_CONTROL]);
}

static uint64_t oldest_submit(const struct shard_state *shard)
{
    return arrival(&shard->waiting[QUEUE_SUBMITS]);
}

struct waiting_shard {
    uint64_t since;
    int16_t shard;
};

/* Shards that nobody has and where something waits, the longest wait first: one that was busy, or
 * for which there was no room, is next. */
static size_t waiting_shards(const struct engine *engine,
                             uint64_t (*oldest)(const struct shard_state *shard),
                             struct waiting_shard out[SHARD_COUNT])
{
    size_t count = 0;
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
        const struct shard_state *state = &engine->shards[shard];
        const bool is_promised = shard == SHARD_SYSTEM && engine->shared_waiters > 0;
        const uint64_t since = state->busy || is_promised ? UINT64_MAX : oldest(state);
        if (since == UINT64_MAX) {
            continue;
        }
        size_t at = count++;
        for (; at > 0 && out[at - 1].since > since; at--) {
            out[at] = out[at - 1];
        }
        out[at] = (struct waiting_shard){since, shard};
    }
    return count;
}

/* A worker stands still while its claim waits, not while its report does: three quarters of a group
 * are claims' first. The rest keeps reports going when claims alone would fill every group. */
static void take_claims(struct group *group)
{
    const struct engine *engine = group->engine;
    const int32_t most = engine->config.group_units - engine->config.group_units / 4;
    struct waiting_shard waiting[SHARD_COUNT];
    const size_t claiming = waiting_shards(engine, oldest_control, waiting);
    for (size_t i = 0; i < claiming && group->units < most; i++) {
        take_queue(group, waiting[i].shard, QUEUE_CONTROL, PHASE_CONTROL, most);
    }
}

static void take_shards(struct group *group)
{
    const struct engine *engine = group->engine;
    const int32_t most = engine->config.group_units;
    struct waiting_shard waiting[SHARD_COUNT];
    take_claims(group);
    const size_t working = waiting_shards(engine, oldest_work, waiting);
    for (size_t i = 0; i < working && group->units < most; i++) {
        take_queue(group, waiting[i].shard, QUEUE_REPORTS, PHASE_REPORTS, most);
        take_queue(group, waiting[i].shard, QUEUE_CONTROL, PHASE_CONTROL, most);
        take_due(group, waiting[i].shard);
    }
    const size_t submitting = waiting_shards(engine, oldest_submit, waiting);
    int32_t jobs = 0;
    for (size_t i = 0; i < submitting && jobs < engine->submit_cap; i++) {
        jobs = take_submits(group, waiting[i].shard, jobs);
    }
}

/* A task of a tenant that shares slots: it will ask for the shared shard, so that is taken at once
 * when nobody has it. */
static bool shares_slots(const struct group *group)
{
    const struct engine *engine = group->engine;
    if (engine->summary.groups.n == 0 || engine->shards[SHARD_SYSTEM].busy ||
        engine->shared_waiters > 0) {
        return false;
    }
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
        for (int phase = PHASE_REPORTS; phase <= PHASE_CONTROL; phase++) {
            const struct task *task = group->ticks[shard].tasks[phase].first;
            for (; task != NULL; task = task->next) {
                const struct tenant_summary *t =
                    map_find(&engine->summary.tenants, (uint64_t)task->command->tenant.v);
                if (t != NULL && t->share.group != NULL) {
                    return true;
                }
            }
        }
    }
    return false;
}

bool group_take(struct group *group)
{
    struct engine *engine = group->engine;
    memset(group->ticks, 0, sizeof(group->ticks));
    group->units = 0;
    group->shard_count = 0;
    if (!engine->ready || !node_has_group(engine)) {
        return false;
    }
    take_shards(group);
    if (shares_slots(group)) {
        group->ticks[SHARD_SYSTEM].taken = true;
    }
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
        if (group->ticks[shard].taken) {
            group->shards[group->shard_count++] = shard;
            engine->shards[shard].busy = true;
        }
    }
    if (group->shard_count == 0) {
        return false;
    }
    group->id = (int64_t)(++engine->group_base & INT64_MAX);
    group->floor = summary_floor(&engine->summary);
    summary_floors(&engine->summary, group->quota_floors);
    group->clock_offset = engine->clock_offset;
    group->begun = clock_mono().us;
    engine->busy_committers++;
    return true;
}

/* Whoever waits here has no shard after it and no transaction: whoever has it goes on and ends. */
void group_take_shared(struct group *group)
{
    struct engine *engine = group->engine;
    struct shard_state *shared = &engine->shards[SHARD_SYSTEM];
    CHECK(!group->ticks[SHARD_SYSTEM].taken);
    mutex_take(&engine->lock);
    engine->shared_waiters++;
    while (shared->busy) {
        wake_wait(&engine->shared, &engine->lock);
    }
    engine->shared_waiters--;
    shared->busy = true;
    engine->figures.widened++;
    mutex_give(&engine->lock);
    group->ticks[SHARD_SYSTEM].taken = true;
    group->shards[group->shard_count++] = SHARD_SYSTEM;
}
