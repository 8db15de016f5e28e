#include "engine/queue.h"

#include "base/hash.h"

void task_list_push(struct task_list *list, struct task *task)
{
    task->next = NULL;
    if (list->last == NULL) {
        list->first = task;
    } else {
        list->last->next = task;
    }
    list->last = task;
    list->n++;
}

void task_list_push_front(struct task_list *list, struct task *task)
{
    task->next = list->first;
    list->first = task;
    if (list->last == NULL) {
        list->last = task;
    }
    list->n++;
}

struct task *task_list_pop(struct task_list *list)
{
    struct task *task = list->first;
    if (task != NULL) {
        list->first = task->next;
        if (list->first == NULL) {
            list->last = NULL;
        }
        task->next = NULL;
        list->n--;
    }
    return task;
}

uint64_t type_hash(struct str type)
{
    static const struct hash_key key = {{UINT64_C(0x6a6f622074797065), 1}};
    return hash_keyed(&key, type);
}

bool type_next(struct str *rest, uint64_t *out_hash)
{
    struct str type;
    while (str_split(rest, '\n', &type)) {
        if (type.len > 0) {
            *out_hash = type_hash(type);
            return true;
        }
    }
    return false;
}

/* Counts one more job; types past FEEDS_MAX feed nobody directly, their claims are woken after the
 * commit. */
static void feed_add(struct task *task, uint64_t type)
{
    for (uint8_t i = 0; i < task->feed_count; i++) {
        if (task->feeds[i].type == type) {
            task->feeds[i].jobs++;
            return;
        }
    }
    if (task->feed_count < FEEDS_MAX) {
        task->feeds[task->feed_count++] = (struct feed){.type = type, .jobs = 1};
    }
}

static void feeds_of(struct task *task, const struct submit_item *items, size_t count)
{
    struct str last = {NULL, 0};
    uint64_t type = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].delay_us > 0 || items[i].need_count > 0) {
            continue;
        }
        if (last.ptr == NULL || !str_eq(last, items[i].job_type)) {
            last = items[i].job_type;
            type = type_hash(last);
        }
        feed_add(task, type);
    }
}

void task_init(struct task *task, struct command *command, enum engine_queue queue)
{
    *task = (struct task){.command = command, .queue = queue};
    if (command->kind == COMMAND_SUBMIT) {
        feeds_of(task, command->submit.items, command->submit.count);
    } else if (command->kind == COMMAND_RUN_SUBMIT) {
        feeds_of(task, command->run.items, command->run.count);
    }
}

static int32_t at_most(size_t left, int32_t cap)
{
    return left > (size_t)cap ? cap : (int32_t)left;
}

int32_t task_units(const struct task *task, int32_t submit_cap)
{
    const struct command *command = task->command;
    int32_t units = 1;
    if (command->kind == COMMAND_SUBMIT) {
        units = at_most(command->submit.count - command->submit.done, submit_cap);
    } else if (command->kind == COMMAND_RUN_SUBMIT) {
        units = at_most(command->run.count - command->run.done, submit_cap);
    } else if (command->kind == COMMAND_REPORT) {
        units = at_most(command->report.count, INT32_MAX);
    } else if (command->kind == COMMAND_HEARTBEAT) {
        units = at_most(command->heartbeat.count, INT32_MAX);
    } else if (command->kind == COMMAND_CLAIM) {
        units = command->claim.max;
    }
    return units < 1 ? 1 : units;
}
