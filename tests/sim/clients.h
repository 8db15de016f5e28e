/* tests/sim/clients - what those outside do: submit, cancel, retry; claim, work, report, vanish. */
#ifndef TESTS_SIM_CLIENTS_H
#define TESTS_SIM_CLIENTS_H

#include "core/lease.h"
#include "sim/world.h"

void client_acts(struct world *world);
void client_cancels(struct world *world, int16_t shard, struct tenant_id tenant, struct job_id job);
void worker_acts(struct world *world, struct worker *worker);

#endif
