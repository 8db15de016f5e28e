/* api/events - what the server logs of a call: with its request id, job and trace id. */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include "api/call.h"
#include "observe/log.h"

/* Takes X-Request-Id when it is well formed, else the trace id of a traceparent, else makes one;
 * the answer carries it. */
void event_name_request(struct call *call);
void event_denied(struct call *call);
/* A failure that is not the client's. */
void event_failed(struct call *call);
void event_request(struct call *call, int64_t duration_us);

#endif
