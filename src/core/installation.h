/* core/installation - what is said of the whole installation: that it is paused, that it goes on,
 * that it was restored from a backup, that a node started. Used by command.c only.
 *
 *   going on ──pause, restore──▶ paused
 *      ▲───────────resume──────────┘
 *
 * paused    nothing new is leased. What is leased goes on; submits, heartbeats and reports are
 *           taken.
 * restored  the floor of grants is raised to now. A grant is never ahead of the ledger's time: it
 *           counts up by one from the floor, and a lease takes longer than a microsecond. So no
 *           grant that was given before, also after the backup was taken, is above the new floor.
 *           Time that stood still since the restore before (a clock was set back) does not hold
 *           that up: the new floor is GRANTS_OF_A_RESTORE above the old one at least.
 */
#ifndef CORE_INSTALLATION_H
#define CORE_INSTALLATION_H

#include "core/job.h"

/* No job gets that many between two restores while time stands still. */
enum { GRANTS_OF_A_RESTORE = 1000000 };

bool installation_want(const struct command *command, struct facts *facts,
                       const struct limits *limits);
void pause_decide(struct command *command, struct decision *d);
void resume_decide(struct command *command, struct decision *d);
void restored_decide(struct command *command, struct decision *d);
bool node_started_want(const struct command *command, struct facts *facts,
                       const struct limits *limits);
void node_started_decide(struct command *command, struct decision *d);

#endif
