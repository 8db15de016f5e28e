#include <string.h>

#include "engine/ask.h"
#include "engine/group.h"
#include "platform/clock.h"

static void take_task(struct group *group, int16_t shard, enum phase phase, struct task *task,
                      int32_t units)
{
    group->ticks[shard].taken = true;
    group->units += units;
    task_list_push(&group->ticks[shard].tasks[phase], task);
}

/* Takes from one queue until the group holds enough. */
static void take_queue(struct group *group, int16_t shard, enum engine_queue queue,
                       enum phase phase)
{
    struct engine *engine = group->engine;
    const struct task_list *waiting = &engine->shards[shard].waiting[queue];
    while (waiting->first != NULL && group->units < engine->config.group_units) {
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

static void take_shards(struct group *group)
{
    struct engine *engine = group->engine;
    int16_t first = engine->cursor;
    for (int16_t i = 0; i < SHARD_COUNT; i++) {
        const int16_t shard = (int16_t)((engine->cursor + i) % SHARD_COUNT);
        if (engine->shards[shard].busy) {
            continue;
        }
        if (group->units >= engine->config.group_units) {
            first = shard;
            break;
        }
        take_queue(group, shard, QUEUE_REPORTS, PHASE_REPORTS);
        take_queue(group, shard, QUEUE_CONTROL, PHASE_CONTROL);
        take_due(group, shard);
    }
    int32_t jobs = 0;
    for (int16_t i = 0; i < SHARD_COUNT && jobs < engine->submit_cap; i++) {
        const int16_t shard = (int16_t)((first + i) % SHARD_COUNT);
        if (!engine->shards[shard].busy) {
            jobs = take_submits(group, shard, jobs);
            engine->cursor = jobs > 0 ? (int16_t)((shard + 1) % SHARD_COUNT) : first;
        }
    }
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
    group->clock_offset = engine->clock_offset;
    group->begun = clock_mono().us;
    engine->busy_committers++;
    return true;
}
