/*
 * query/job_logs - lines of a job's log, packed for the ledger and read back.
 *
 * A batch is stored as its lines, one after another: "LEVEL AGO_MS LENGTH\n" and the text; packed
 * when that is shorter.
 *
 * Use      job_logs_begin(), job_logs_add() per line, job_logs_end() gives what the command
 *          carries; job_logs_read() reads lines from a number on.
 * Errors   ERR_INTERNAL when stored bytes are not what was written.
 */
#ifndef QUERY_JOB_LOGS_H
#define QUERY_JOB_LOGS_H

#include "core/command.h"
#include "ledger/ledger.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR, LOG_LEVELS };

const char *log_level_name(enum log_level level);
bool log_level_find(struct str name, enum log_level *out);

struct log_text {
    int64_t number; /* From 0 within the attempt. */
    int64_t at;     /* When it was logged, by the ledger's clock. */
    enum log_level level;
    struct str text;
    bool cut; /* Nothing more of this attempt is kept. */
};

typedef VEC(struct log_text) log_texts;

void job_logs_begin(struct buf *out);
void job_logs_add(struct buf *out, enum log_level level, int64_t ago_ms, struct str text);
/* Frees the buffer; the batch lies in the arena. */
struct log_batch job_logs_end(struct buf *out, struct arena *arena, int64_t first, int32_t count);

struct log_place {
    int16_t shard;
    struct tenant_id tenant;
    struct job_id job;
    int64_t grant;
};

/* The newest attempt that has logged, or 0. */
enum err_code job_logs_newest(struct reader *reader, const struct log_place *place,
                              struct arena *arena, int64_t *out_grant, struct err *err);
/* Appends up to `limit` lines of at least `least` from number `from` on; *out_next is the number to
 * go on from. */
enum err_code job_logs_read(struct reader *reader, const struct log_place *place, int64_t from,
                            size_t limit, enum log_level least, struct arena *arena, log_texts *out,
                            int64_t *out_next, struct err *err);

#endif
