/* core/submit - jobs come into being: alone, in a run, or as a replay. Used by command.c only. */
#ifndef CORE_SUBMIT_H
#define CORE_SUBMIT_H

#include "core/job.h"

bool submit_want(const struct command *command, struct facts *facts, const struct limits *limits);
void submit_decide(struct command *command, struct decision *d);
bool run_submit_want(const struct command *command, struct facts *facts,
                     const struct limits *limits);
void run_submit_decide(struct command *command, struct decision *d);

/* Asks for tenant and system tenant, and for their configuration unless the engine gave it. */
bool config_want(struct facts *facts, struct tenant_facts *t);

/* What is needed to make one job. */
struct new_job {
    const struct submit_item *item;
    struct job_id id;
    struct run_id run; /* 0 for none. */
    int32_t remaining; /* Predecessors; 0: pending at once. */
    bool has_successors;
    struct job_id replay_of;
};

/* Adds the job with its lane, key and line; the caller has validated it. */
enum job_state submit_add(struct decision *d, const struct new_job *job);
/* Refuses an unknown type or source, a payload over the type's maximum, too many lanes. */
enum err_code submit_validate(struct decision *d, const struct submit_item *item, struct err *err);

/* Idempotency-Key: true when the stored answer was found (command filled) or refused. */
bool request_is_answered(struct command *command, struct decision *d);
/* Stores what the request led to. */
void request_store(struct command *command, struct decision *d, struct str location,
                   struct str answer);

#endif
