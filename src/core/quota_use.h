/*
 * core/quota_use - what a tenant's tick does with the slots that it shares with others.
 *
 * The group's and the member's row are the system tenant's, in the shared shard, whose lock the
 * tick holds with the tenant's own (want_shared()). So the sum of slots in use never exceeds the
 * group's capacity, whatever other nodes do. A tenant in no group knows nothing of this.
 *
 * Use      quota_want() by every command that may begin or end a lease; quota_gate() before a
 * grant; quota_settle() after the command was decided: the member's counters follow the tenant's.
 * Threads  none; pure.
 */
#ifndef CORE_QUOTA_USE_H
#define CORE_QUOTA_USE_H

#include "core/gate.h"
#include "core/job.h"
#include "core/quota.h"

/* A tenant's place in its group; both null for none, or when they may not be seen. */
struct quota_place {
    struct quota_group_row *group;
    struct quota_member_row *member;
};

/* The tenant of whom the shared rows are. */
struct tenant_facts *quota_system(struct facts *facts);

/* Asks for the lock and the rows; t's own row must be asked for already. */
bool quota_want(struct facts *facts, struct tenant_facts *t);
/* The same without the lock, to look only. */
bool quota_look_want(struct facts *facts, struct tenant_facts *t);
struct quota_place quota_place_of(struct facts *facts, const struct tenant_facts *t);

/* The group's slots; `more` as gate.h. */
struct gate quota_gate(struct facts *facts, const struct tenant_facts *t, int64_t more);

/* Lowest virtual time among those with whom the tenant is compared. */
int64_t quota_floor(const struct command *command, const struct tenant_facts *t);

/* Counts what the command changed, with its line. `floor`: the group stands level with that at
 * least; 0 when it did not begin anew. */
void quota_settle(struct facts *facts, struct tenant_facts *t, struct str actor, int64_t floor);
/* The same for all tenants of a shard that the command has looked at. */
void quota_settle_shard(struct facts *facts, int16_t shard, struct str actor);

#endif
