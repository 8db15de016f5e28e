/*
 * api/lease_access - artifacts for workers: only under a live lease of that tenant.
 */
#ifndef API_LEASE_ACCESS_H
#define API_LEASE_ACCESS_H

#include "api/call.h"

/* The call comes from a token that has orch:work but not the route's other scope: its tenant is
 * the one of the lease in X-Stella-Lease. */
bool lease_access_is_needed(const struct call *call);
/* Checks the lease and sets the call's tenant, then goes on in `then`; or answers. */
void lease_access_check(struct call *call, call_step *then);

#endif
