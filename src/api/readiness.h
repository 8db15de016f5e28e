/*
 * api/readiness - can a source start jobs now, and if not, what mends it. Apart from `enabled`,
 * which is what its operator wants.
 *
 * Use      on a reader thread: readiness_types() once, then readiness_of() for each source.
 * Owns     everything lies in the call's arena.
 * Threads  a reader's; readiness_put() the call's.
 */
#ifndef API_READINESS_H
#define API_READINESS_H

#include "api/seen.h"
#include "probe/probe.h"

enum readiness_state { SOURCE_READY, SOURCE_BLOCKED, SOURCE_DISABLED };

struct readiness {
    enum readiness_state state;
    struct findings findings;
};

/* The job types that the call's tenant has, its own and the installation's. */
struct known_types {
    struct query_result own;
    struct query_result inherited;
    struct seen_workers workers;
};

struct probe_config readiness_config(const struct call *call);
enum err_code readiness_types(struct call *call, struct reader *reader, struct known_types *out);
/* Null when the document is not one. */
const struct readiness *readiness_of(struct call *call, const struct known_types *types,
                                     struct str name, struct str body);
void readiness_put(struct json_writer *w, const struct readiness *readiness);

#endif
