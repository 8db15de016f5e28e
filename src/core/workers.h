/* core/workers - programs that register, are seen, drained and quarantined. Used by command.c only.
 *
 *   registered ──▶ active ◀──resume── draining, quarantined
 *                    └────────set────────▲
 *
 * active       gets leases.
 * draining     gets none; its leases go on, and it is told to finish.
 * quarantined  gets none; its leases are not renewed, and only giving them back is taken.
 */
#ifndef CORE_WORKERS_H
#define CORE_WORKERS_H

#include "core/job.h"

bool worker_seen_want(const struct command *command, struct facts *facts,
                      const struct limits *limits);
void worker_seen_decide(struct command *command, struct decision *d);
bool worker_set_want(const struct command *command, struct facts *facts,
                     const struct limits *limits);
void worker_set_decide(struct command *command, struct decision *d);

#endif
