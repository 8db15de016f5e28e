/*
 * engine/hints - nodes of one ledger tell each other what they committed, so that a claim that
 * waits at one node gets at once what was submitted at another.
 *
 * A hint names the shards where something was left to claim, and whether tokens changed. It is told
 * after the commit, those of HINT_GAP_US together, and only while another node was heard of: alone,
 * a node says no more than that it is there, each HINT_BEAT_US. Who begins to listen says hello and
 * is answered. Nothing depends on it: a hint that is lost costs the time until the watch looks, or
 * until what is known of a token has to be read again.
 *
 * Threads  hints_run() is a thread's body with a connection of its own; hints_note() with the
 *          node's lock.
 */
#ifndef ENGINE_HINTS_H
#define ENGINE_HINTS_H

#include "engine/group.h"

#define HINT_GAP_US     (5 * US_PER_MS)
#define HINT_BEAT_US    (10 * US_PER_S)
#define HINT_PRESENT_US (30 * US_PER_S) /* A node that is not heard of for that long is gone. */

/* Before the start; does nothing where a ledger has one node. */
void hints_init(struct engine *engine);
void hints_fini(struct engine *engine);
/* Node's lock held: what other nodes may want to know of a group that was committed. */
void hints_note(struct group *group);
/* Node's lock held: the thread looks at the stage. */
void hints_wake(struct engine *engine);
/* Node's lock held: others told of shards, and a claim waits for what may be there. */
bool hints_are_urgent(const struct engine *engine);
void *hints_run(void *engine);

#endif
