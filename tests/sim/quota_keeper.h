/* tests/sim/quota_keeper - whoever promises slots to tenants, and changes the promises while they work.
 */
#ifndef TESTS_SIM_QUOTA_KEEPER_H
#define TESTS_SIM_QUOTA_KEEPER_H

#include "sim/world.h"

enum { KEEPER_GROUPS = 2 };

/* Two groups; all tenants but two join one. */
void quota_keeper_begins(struct world *world);
/* Now and then: another policy, capacity or quota, in force for what waits. */
void quota_keeper_acts(struct world *world);

#endif
