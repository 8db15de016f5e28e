/*
 * engine/queue - commands that wait for their shard.
 *
 * A task is one command on its way. It belongs to a request, to a claim, or (due work) to its
 * shard; its owner keeps the memory.
 *
 * Threads  none; the node's lock is held.
 */
#ifndef ENGINE_QUEUE_H
#define ENGINE_QUEUE_H

#include "engine/engine.h"

enum { QUEUE_COUNT = QUEUE_SUBMITS + 1, FEEDS_MAX = 8 };

/* Jobs of one type that a submit makes claimable at once. */
struct feed {
    uint64_t type; /* type_hash() of its name. */
    int64_t jobs;
};

struct task {
    struct task *next;
    struct command *command;
    struct engine_request *request; /* Or null. */
    struct claiming *claiming;      /* Or null. */
    enum engine_queue queue;
    uint64_t arrived; /* Rises with each arrival at the node. */
    int32_t units;
    uint8_t feed_count;
    struct feed feeds[FEEDS_MAX]; /* Submits. */
};

struct task_list {
    struct task *first;
    struct task *last;
    size_t n;
};

void task_list_push(struct task_list *list, struct task *task);
void task_list_push_front(struct task_list *list, struct task *task);
/* Null when it is empty. */
struct task *task_list_pop(struct task_list *list);

/* A job type as a number; two types with one number only make a visit in vain. */
uint64_t type_hash(struct str type);
/* Takes the next type off a list "a\nb\n" and hashes it; false at its end. */
bool type_next(struct str *rest, uint64_t *out_hash);

/* Fills queue, units and feeds from the command. */
void task_init(struct task *task, struct command *command, enum engine_queue queue);
/* Units of work it has left, none more than `submit_cap` of a submit. */
int32_t task_units(const struct task *task, int32_t submit_cap);

#endif
