/*
 * engine/group - one commit group: the ticks of several shards in one transaction.
 *
 * Use      group_take() (node.lock held), then group_run() as often as its failures allow, then
 *          group_answer() or group_fail(); then the next.
 * Threads  one committer per group; group_take, group_answer and group_fail use the node's lock
 *          as said.
 */
#ifndef ENGINE_GROUP_H
#define ENGINE_GROUP_H

#include "engine/node.h"

/* In the order in which a shard's commands are decided. */
enum phase { PHASE_REPORTS, PHASE_CONTROL, PHASE_SUBMITS, PHASE_FED, PHASE_DUE, PHASE_COUNT };

/* One shard's part of the group. */
struct tick {
    bool taken;
    int64_t now; /* Its ledger time. */
    struct task_list tasks[PHASE_COUNT];
};

/* What a command was before it was decided, for deciding anew. */
struct before {
    struct command *command;
    struct command was;
};

struct group {
    struct engine *engine;
    struct ledger *ledger;
    struct arena arena;
    struct facts facts;
    struct tick ticks[SHARD_COUNT];
    int16_t shards[SHARD_COUNT]; /* Ascending. */
    size_t shard_count;
    int32_t units;
    int64_t id;
    int64_t floor;                              /* Lowest virtual time among the backlogged … */
    int64_t quota_floors[QUOTA_GROUPS_MAX + 1]; /* … and among those of a quota group. */
    int64_t ready_since;                        /* As the node's, at the begin. */
    int64_t clock_offset;
    int64_t begun;        /* Mono. */
    uint64_t stamp;       /* Of the summary, before it learned from this group. */
    enum err_code failed; /* For group_fail(). */
    int32_t loads;        /* Rounds of asking after the first. */
    bool open;            /* A transaction is. */
    bool written;         /* The last run committed something. */
    VEC(struct before) befores;
    VEC(struct config_entry *) pins;
    VEC(struct job_row *) kept_jobs;   /* Taken out of the node's cache. */
    VEC(struct group_summary *) freed; /* Quota groups with more room than before. */
};

void group_init(struct group *group, struct engine *engine);
void group_fini(struct group *group);

/* node.lock held. Takes waiting tasks of shards that nobody has; false when there are none. */
bool group_take(struct group *group);
/* Takes the node's lock. Waits until nobody has the shared shard, which is the last, and adds it to
 * the group; no transaction may be open. */
void group_take_shared(struct group *group);
/* Decides and commits. On failure nothing was changed (but see ERR_COMMIT_UNKNOWN) and the
 * commands are as they were, so that it can be run again. */
enum err_code group_run(struct group *group, struct err *err);
/* After an unknown commit that turned out to have happened: what its answers still need. */
enum err_code group_reload(struct group *group, struct err *err);
/* Forgets a run's outputs: the commands are as they were. */
void group_restore(struct group *group);

/* Takes the node's lock. Answers what was committed, puts back what goes on, learns the summary,
 * wakes claims, frees the shards. */
void group_answer(struct group *group);
/* The same for a group that failed for good. */
void group_fail(struct group *group, enum err_code code);
/* The ledger is away while a group waits to learn what became of it: what waits is refused. */
void group_refuse_waiting(struct engine *engine);

/* Requests that are to be answered once the lock is given. */
struct answers {
    struct engine_request *first;
    struct engine_request **end; /* Begins as &first. */
};

/* node.lock held: the task failed. */
void task_fail(struct engine *engine, struct task *task, enum err_code code,
               struct answers *answers);
/* node.lock held: so did all that waits. */
void fail_waiting(struct engine *engine, enum err_code code, struct answers *answers);
/* Without the lock: calls each one's `done`. */
void answers_send(struct answers *answers);

/* committer.c: a thread's body. */
void *committer_run(void *ctx);
/* Takes one group and runs it; false when nothing waits. */
bool committer_step(struct committer *committer);
/* Begins and gives up a transaction; ready when that works. */
enum err_code committer_probe(struct committer *committer, struct err *err);

/* tick.c: ledger time of a shard now, and whether ticks resume after a gap. */
int64_t tick_time(struct group *group, struct shard_state *state, struct shard_row *row);

/* claim.c: without the lock, copies what a claim was granted; returns how many. */
int64_t claim_copy_grants(struct group *group, struct claim_ask *ask);

#endif
