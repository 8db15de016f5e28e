/*
 * core/retain - what a tenant no longer has to keep: job keys in generations, request keys, and the
 * bytes beside the jobs that ended long ago. History stays.
 *
 * Keys       A generation of job keys that began to be old `key_retention` ago is looked through:
 *            keys of jobs that live, or ended later than that, move on to the newest generation,
 *            the others go. A key is looked for in the generations key_oldest … key_generation.
 * Payloads   Jobs are passed in order of their number, once each: `erased_to` is the last one
 *            passed. A job is passed an eighth of payload_retention after it might have been due
 *            at the earliest; those that are not over by then are late (JOB_LATE), and are erased
 *            one by one in order of their end.
 * Bounds     limits.retain_cap rows of a kind a command; command.retain.more says that there are
 *            others.
 */
#ifndef CORE_RETAIN_H
#define CORE_RETAIN_H

#include "core/job.h"

/* The generation that takes new keys; begins the next one when it is time. */
int32_t retain_generation(struct decision *d);
bool retain_want(const struct command *command, struct facts *facts, const struct limits *limits);
void retain_decide(struct command *command, struct decision *d);

#endif
