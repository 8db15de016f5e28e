/* core/control - cancel, retry, replay, prioritise; each accepted or denied command leaves a line.
 * Used by command.c only. */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H

#include "core/job.h"

bool job_cancel_want(const struct command *command, struct facts *facts,
                     const struct limits *limits);
void job_cancel_decide(struct command *command, struct decision *d);
bool job_retry_want(const struct command *command, struct facts *facts,
                    const struct limits *limits);
void job_retry_decide(struct command *command, struct decision *d);
bool job_replay_want(const struct command *command, struct facts *facts,
                     const struct limits *limits);
void job_replay_decide(struct command *command, struct decision *d);
bool job_prioritise_want(const struct command *command, struct facts *facts,
                         const struct limits *limits);
void job_prioritise_decide(struct command *command, struct decision *d);

/* What came of one job among many. */
enum control_outcome {
    CONTROL_CHANGED,
    CONTROL_ALREADY, /* It was as the action would have made it. */
    CONTROL_REFUSED, /* The error tells. */
    CONTROL_LATER,   /* Those around it are being settled: ask again in a following tick. */
};

/* The same for one of many jobs: no line of its own but what happens to the job. Successors of
 * those that end are settled in following ticks. */
bool control_item_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                       enum bulk_action action, struct job_id job);
enum control_outcome control_item_decide(struct decision *d, enum bulk_action action,
                                         struct job_control *asked, struct err *err);

/* The line of a control command: accepted when `code` is ERR_OK. */
void control_write(const struct command *command, struct decision *d, const char *action,
                   struct str about, enum err_code code);

#endif
