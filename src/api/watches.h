/*
 * api/watches - long polls of history that wait for their tenant's next line.
 *
 * One thread wakes those whose turn it is: it reads nothing itself, the awakened call looks again
 * and waits again. So a waiting client costs a short read a WATCH_TURN_US.
 *
 * Threads  any.
 */
#ifndef API_WATCHES_H
#define API_WATCHES_H

#include "api/call.h"

#define WATCH_TURN_US INT64_C(100000)

struct watches;

struct watches *watches_new(int32_t max);
/* Nothing may wait any more. */
void watches_free(struct watches *watches);
/* The call waits for one turn, then goes on in `then`; answers with ERR_OVERLOADED when too many
 * wait. */
void watches_wait(struct call *call, call_step *then);
/* Wakes all at once and lets none wait any more. */
void watches_stop(struct watches *watches);

#endif
