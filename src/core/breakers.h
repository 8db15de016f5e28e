/* core/breakers - circuit breakers as an operator sets them: parameters, mode, reset. Used by
 * command.c only; what evidence does is service.h's. */
#ifndef CORE_BREAKERS_H
#define CORE_BREAKERS_H

#include "core/job.h"

bool breaker_want(const struct command *command, struct facts *facts, const struct limits *limits);
void breaker_put_decide(struct command *command, struct decision *d);
void breaker_force_decide(struct command *command, struct decision *d);
void breaker_reset_decide(struct command *command, struct decision *d);

#endif
