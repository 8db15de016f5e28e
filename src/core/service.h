/*
 * core/service - the breakers of the services that jobs need, within a tick: who may pass, and what
 * the end of a lease tells.
 *
 * A breaker is a row of the system tenant, shared by all tenants, unless its configuration says
 * per_tenant: then each tenant has a row of its own. A shared row is read without a lock; it is
 * changed under the lock of its shard (want_shared()), which is asked for only when there is
 * something to tell at once: a failure, a slow call, a probe, or a success while the breaker is not
 * at rest. Other successes are summed in their lane (lanes.calls) for one window at most, and told
 * with the next thing that is told. So a service that is well costs no shared lock.
 *
 * Use      claims: service_claim_want(), service_gate() for each job, service_probe() when it is
 *          granted. Ends: service_end_want(), then service_ended() before the lease's row is gone.
 * Threads  none; pure.
 * Bounds   a job type names at most SERVICES_MAX services.
 */
#ifndef CORE_SERVICE_H
#define CORE_SERVICE_H

#include "core/breaker.h"
#include "core/config.h"
#include "core/gate.h"
#include "core/job.h"

/* Asks for the breakers of the type's services. */
bool service_want(struct facts *facts, struct tenant_facts *t, const struct job_type *type);
/* The same, and for the lock when a probe is to be had. */
bool service_claim_want(struct facts *facts, struct tenant_facts *t, const struct job_type *type);

/* A service's breaker as it is looked at. */
struct service {
    struct str name;
    struct tenant_facts *home; /* Whose row it is, or would be. */
    struct breaker_row *row;   /* Null: nothing was ever told of it. */
    const struct breaker_config *config;
    struct breaker breaker; /* As the row says; zero without one. */
    struct str reason;      /* Of a mode that is set now, with … */
    struct str ticket;
    struct str set_by;
};

void service_find(struct facts *facts, struct tenant_facts *t, struct str name,
                  struct service *out);

/* The gate of one job: all its services let it pass. `in_use` are the type's live leases of this
 * tenant, `more` how many are to begin. *out_name: the service that refuses. */
struct gate service_gate(struct facts *facts, struct tenant_facts *t, const struct job_type *type,
                         int64_t in_use, int64_t more, struct str *out_name);
/* When a lane that is refused asks again: at the time that the gate names, but now and then before
 * that, since an operator may close the breaker; lanes do not all come at once. */
int64_t service_ask_at(const struct facts *facts, const struct limits *limits,
                       const struct lane_row *lane, struct gate gate);
/* The type's leases must be known: a service of it is coming back. */
bool service_ramps(struct facts *facts, struct tenant_facts *t, const struct job_type *type);
/* The job was granted: where a breaker lets only probes pass it is one. */
void service_probe(struct decision *d, const struct job_type *type, struct job_id job,
                   int64_t grant);

enum service_result { SERVICE_DONE, SERVICE_FAILED, SERVICE_SILENT };

/* How a lease ends. */
struct service_end {
    enum service_result result;
    struct str class; /* FAILED */
    bool permanent;   /* FAILED */
};

bool service_end_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                      const struct leased_row *lease, const struct service_end *end);
void service_ended(struct decision *d, const struct leased_row *lease,
                   const struct service_end *end);

/* Writes what the breaker is now, with the line that tells. `tenant` and `job`: the lease that
 * changed it, 0 for none. */
void service_write(struct decision *d, struct service *service, enum breaker_change change,
                   int32_t tenant, int64_t job);

#endif
