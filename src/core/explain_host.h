/* core/explain_host - what a host's bucket says to a waiting job. Used by explain.c only. */
#ifndef CORE_EXPLAIN_HOST_H
#define CORE_EXPLAIN_HOST_H

#include "core/explain.h"
#include "core/throttle.h"

/* What the job, and those before it, would take. */
struct explain_ask {
    int64_t now;
    int64_t requests; /* Of each job. */
    int64_t jobs;     /* That take from this bucket, this one the last. */
    int64_t lane_open_at;
};

/* Blocked, by whom and until when. */
void explain_host(const struct throttle *throttle, const struct explain_ask *ask,
                  struct explain_gate *gate);
/* Tokens are counted. */
bool explain_is_paced(const struct throttle *throttle, const struct explain_ask *ask);
void explain_tokens(const struct throttle *throttle, const struct explain_ask *ask,
                    struct explain_gate *gate);

/* explain.c: a number of a gate, and the value that lets it pass. */
void explain_number(struct explain_gate *gate, const char *name, enum explain_kind kind,
                    int64_t value);
void explain_free(struct explain_gate *gate, const char *name, enum explain_kind kind,
                  int64_t value);

#endif
