#include "query/history.h"

#include <string.h>

#include "ledger/compress.h"

/* Most chunks that one page of a job's history looks at. */
enum { SCAN_CHUNKS = 256 };

static enum err_code read_chunks(struct reader *reader, int16_t shard, struct tenant_id tenant,
                                 int64_t after, struct arena *arena, struct query_result *out,
                                 struct err *err)
{
    struct query q = {.name = "history_after", .tenant = tenant, .arena = arena};
    query_arg_int(&q, shard);
    query_arg_int(&q, tenant.v);
    query_arg_int(&q, after);
    query_arg_int(&q, HISTORY_CHUNKS);
    return reader_query(reader, &q, out, err);
}

static enum err_code unpack(const struct query_result *chunks, size_t i, struct arena *arena,
                            struct str *out, struct err *err)
{
    return chunk_unpack(arena, query_text(chunks, i, "lines"), query_int(chunks, i, "raw_len"), out,
                        err);
}

enum err_code history_after(struct reader *reader, int16_t shard, struct tenant_id tenant,
                            int64_t after, size_t limit, struct arena *arena, history_spans *out,
                            struct err *err)
{
    struct query_result chunks;
    do {
        TRY(read_chunks(reader, shard, tenant, after, arena, &chunks, err));
        for (size_t i = 0; i < chunks.rows && out->n < limit; i++) {
            struct str rest;
            struct str line;
            TRY(unpack(&chunks, i, arena, &rest, err));
            for (int64_t seq = query_int(&chunks, i, "seq");
                 out->n < limit && str_split(&rest, '\n', &line); seq++) {
                if (seq > after && line.len > 0) {
                    VEC_PUSH(arena, out, ((struct history_span){seq, line}));
                    after = seq;
                }
            }
        }
    } while (chunks.rows == HISTORY_CHUNKS && out->n < limit);
    return ERR_OK;
}

/* What stands in every line of the job and in no other: quotes inside texts are escaped. */
static struct str mark_of(struct arena *arena, struct job_id job)
{
    return arena_format(arena, "\"job\":\"job-%lld\",\"job_seq\":", (long long)job.v);
}

static bool has_mark(struct str line, struct str mark)
{
    return memmem(line.ptr, line.len, mark.ptr, mark.len) != NULL;
}

/* Adds the job's lines of these chunks; moves *after behind what was looked at. */
static enum err_code take_job_lines(const struct query_result *chunks, struct str mark,
                                    size_t limit, struct arena *scratch, struct arena *arena,
                                    int64_t *after, history_spans *out, struct err *err)
{
    for (size_t i = 0; i < chunks->rows; i++) {
        struct str rest;
        struct str line;
        int64_t seq = query_int(chunks, i, "seq");
        TRY(unpack(chunks, i, scratch, &rest, err));
        for (; str_split(&rest, '\n', &line) && line.len > 0; seq++) {
            if (seq <= *after) {
                continue;
            }
            if (has_mark(line, mark)) {
                VEC_PUSH(arena, out, ((struct history_span){seq, arena_str(arena, line)}));
            }
            *after = seq;
            if (out->n == limit) {
                return ERR_OK;
            }
        }
    }
    return ERR_OK;
}

enum err_code history_of_job(struct reader *reader, int16_t shard, struct tenant_id tenant,
                             struct job_id job, int64_t after, size_t limit, struct arena *arena,
                             history_spans *out, int64_t *out_next, struct err *err)
{
    const struct str mark = mark_of(arena, job);
    struct arena scratch;
    arena_init(&scratch, SIZE_MAX);
    enum err_code code = ERR_OK;
    bool more = true;
    for (size_t seen = 0; code == ERR_OK && more && out->n < limit && seen < SCAN_CHUNKS;
         seen += HISTORY_CHUNKS) {
        struct query_result chunks;
        code = read_chunks(reader, shard, tenant, after, &scratch, &chunks, err);
        if (code == ERR_OK) {
            code = take_job_lines(&chunks, mark, limit, &scratch, arena, &after, out, err);
            more = chunks.rows == HISTORY_CHUNKS || out->n == limit;
        }
        arena_reset(&scratch);
    }
    arena_fini(&scratch);
    *out_next = more ? after : 0;
    return code;
}
