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
bool run_cancel_want(const struct command *command, struct facts *facts,
                     const struct limits *limits);
void run_cancel_decide(struct command *command, struct decision *d);
bool run_retry_want(const struct command *command, struct facts *facts,
                    const struct limits *limits);
void run_retry_decide(struct command *command, struct decision *d);

/* The line of a control command: accepted when `code` is ERR_OK. */
void control_write(const struct command *command, struct decision *d, const char *action,
                   struct str about, enum err_code code);

#endif
