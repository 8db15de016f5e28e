/*
 * core/bulk - one action on many jobs, as a record of the tenant that goes on over many ticks.
 *
 *   start ──▶ storing ──▶ running ──▶ done        its jobs are written down in parts; then, a part
 *                │            └────▶ canceled     of them a tick, each gets its action and result
 *                └──▶ failed                      in the same transaction as the cursor moves
 *
 * A run's cancel or retry that one tick does not finish goes on as a record of the same kind; its
 * jobs are found on the way, by number.
 *
 * Use      start and cancel are commands; the rest is due work of the shard (due.c): one turn a
 *          tick, of the action that waits longest.
 * Bounds   limits.bulk_tick_jobs a turn, bulk_active and bulk_kept a tenant; a history line holds
 *          at most BULK_PART jobs.
 * Errors   ERR_TOO_MANY_BULK_ACTIONS.
 */
#ifndef CORE_BULK_H
#define CORE_BULK_H

#include "core/job.h"

enum { BULK_PART = 250 };

bool bulk_start_want(const struct command *command, struct facts *facts,
                     const struct limits *limits);
void bulk_start_decide(struct command *command, struct decision *d);
bool bulk_cancel_want(const struct command *command, struct facts *facts,
                      const struct limits *limits);
void bulk_cancel_decide(struct command *command, struct decision *d);

/* What is known of a new record. */
struct bulk_new {
    enum bulk_action action;
    enum bulk_state state;
    int16_t priority;
    int64_t run;
    struct str selection;
    int64_t matched;
};

/* Asks for what bulk_has_room() looks at. */
bool bulk_room_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits);
/* One more may be begun; else err tells. */
bool bulk_has_room(const struct decision *d, struct err *err);
struct bulk_action_row *bulk_begin(const struct command *command, struct decision *d,
                                   const struct bulk_new *asked);
void bulk_end(struct decision *d, struct bulk_action_row *bulk, enum bulk_state state);

/* A result is "changed", "already", the name of an error, or the number of the job that it made.
 */
#define BULK_CHANGED "changed"
#define BULK_ALREADY "already"

/* "[1,2]" and "[3]" make "[1,2,3]"; the first may be empty. */
struct str bulk_join(struct arena *arena, struct str a, struct str b);

const char *bulk_action_name(enum bulk_action action);
const char *bulk_state_name(enum bulk_state state);
bool bulk_action_find(struct str name, enum bulk_action *out);
bool bulk_state_find(struct str name, enum bulk_state *out);

#endif
