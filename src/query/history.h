/*
 * query/history - lines of history out of their compressed chunks.
 *
 * Bounds   reads HISTORY_CHUNKS chunks at a time.
 */
#ifndef QUERY_HISTORY_H
#define QUERY_HISTORY_H

#include "base/id.h"
#include "base/vec.h"
#include "ledger/ledger.h"

enum { HISTORY_CHUNKS = 16 };

struct history_span {
    int64_t seq;
    struct str text; /* One canonical JSON object, without the line's end. */
};

typedef VEC(struct history_span) history_spans;

/* Up to `limit` lines after `after`. */
enum err_code history_after(struct reader *reader, int16_t shard, struct tenant_id tenant,
                            int64_t after, size_t limit, struct arena *arena, history_spans *out,
                            struct err *err);
/* Up to `limit` lines of one job with seq > `after`, between its first and its last (0: it goes
 * on). `*out_next` is where to go on, 0 when that was all. Reads a bounded number of chunks. */
enum err_code history_of_job(struct reader *reader, int16_t shard, struct tenant_id tenant,
                             struct job_id job, int64_t after, size_t limit, struct arena *arena,
                             history_spans *out, int64_t *out_next, struct err *err);

#endif
