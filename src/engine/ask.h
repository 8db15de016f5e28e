/*
 * engine/ask - what a claim asks of tenants, round by round, until it has a job or its time is
 * over.
 *
 * A round asks every tenant that the summary offers, on whichever shards they are; its asks are
 * decided in the ticks of those shards, most often in one group. A round that came back empty is
 * followed by the next, without the tenants that had nothing, or by parking.
 *
 * Threads  node.lock is held.
 */
#ifndef ENGINE_ASK_H
#define ENGINE_ASK_H

#include "engine/park.h"

/* Asks for the leases in claiming.repeats again. */
void ask_repeat(struct engine *engine, struct claiming *claiming);
/* Offers the claim to whom the summary names, or parks it, or finishes it. */
void ask_route(struct engine *engine, struct claiming *claiming);
/* Parked claims that the tenant may serve now are offered to it. */
void ask_wake(struct engine *engine, struct tenant_summary *tenant);
/* The same for all members of a group. */
void ask_wake_group(struct engine *engine, const struct group_summary *group);
void ask_wake_all(struct engine *engine);
/* Somebody saw this version of the installation's configuration: when it is another than was seen
 * last, whoever found nothing may find something. */
void ask_see_system(struct engine *engine, int32_t version);
/* Takes parked claims that a submit feeds: their asks join its tick. Appends to `joined`. */
void ask_feed(struct engine *engine, struct task *submit, struct task_list *joined);
/* One ask was answered: `granted` jobs, or `code` when it failed. `visited`: the tenant has nothing
 * for this claim. The last one finishes the claim, or it goes on elsewhere. */
void ask_done(struct engine *engine, struct claim_ask *ask, int64_t granted,
              const struct visit *visited, enum err_code code);

#endif
