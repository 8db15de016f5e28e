/*
 * core/dispatch - claims: which waiting jobs a worker gets, and every gate that can refuse.
 *
 * All gates of a job (gate.h) are looked at together; a refused gate never spends another gate's
 * token.
 */
#ifndef CORE_DISPATCH_H
#define CORE_DISPATCH_H

#include "core/config.h"
#include "core/job.h"

bool claim_want(const struct command *command, struct facts *facts, const struct limits *limits);
void claim_decide(struct command *command, struct decision *d);

/* Live leases of the job type over all its lanes; every busy lane must be in the working set. */
int64_t type_inflight(const struct tenant_facts *t, struct str job_type);
/* One text per line in a list where each is ended by '\n'. */
bool types_contain(struct str types, struct str job_type);

#endif
