/*
 * api/seen - workers of a tenant and of the installation, as the ledger has them: whoever claimed
 * or registered at any node.
 *
 * Use      on a reader thread, outside a snapshot: seen_load(), then seen_last() for each type.
 * Time     a node notes a worker every worker_note_ms at most, so what is told is so old at most.
 */
#ifndef API_SEEN_H
#define API_SEEN_H

#include "api/call.h"

struct seen_workers {
    bool is_loaded;
    struct query_result own;
    struct query_result shared;
};

/* Reads them once. */
enum err_code seen_load(struct call *call, struct reader *reader, struct seen_workers *seen);
/* When an active one that does the type was last seen; 0 for never. */
int64_t seen_last(const struct call *call, const struct seen_workers *seen, struct str job_type);

#endif
