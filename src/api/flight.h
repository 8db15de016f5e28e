/*
 * api/flight - which Idempotency-Keys are being handled on this node.
 *
 * Threads  any.
 */
#ifndef API_FLIGHT_H
#define API_FLIGHT_H

#include "base/id.h"
#include "base/str.h"

struct flight;

struct flight *flight_new(void);
void flight_free(struct flight *flight);
/* False when the tenant's key is in flight already. */
bool flight_enter(struct flight *flight, struct tenant_id tenant, struct str key);
void flight_leave(struct flight *flight, struct tenant_id tenant, struct str key);

#endif
