#include "query/job_logs.h"

#include "base/check.h"
#include "base/time.h"
#include "ledger/compress.h"

enum { PACK_FROM = 256, ROWS_PAGE = 64, ROWS_TURNS = 16 };

#define BATCH_RAW_MAX ((size_t)CHUNK_RAW_MAX)

static const char *const level_names[LOG_LEVELS] = {"debug", "info", "warning", "error"};

const char *log_level_name(enum log_level level)
{
    CHECK(level >= 0 && level < LOG_LEVELS);
    return level_names[level];
}

bool log_level_find(struct str name, enum log_level *out)
{
    for (int i = 0; i < LOG_LEVELS; i++) {
        if (str_eq(name, str_from(level_names[i]))) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* ---- Writing ---- */

void job_logs_begin(struct buf *out)
{
    buf_init(out, BATCH_RAW_MAX);
}

void job_logs_add(struct buf *out, enum log_level level, int64_t ago_ms, struct str text)
{
    buf_i64(out, level);
    buf_char(out, ' ');
    buf_i64(out, ago_ms);
    buf_char(out, ' ');
    buf_u64(out, text.len);
    buf_char(out, '\n');
    buf_str(out, text);
}

struct log_batch job_logs_end(struct buf *out, struct arena *arena, int64_t first, int32_t count)
{
    CHECK(!out->overflow);
    const struct str raw = buf_get(out);
    struct log_batch batch = {.first = first, .count = count, .raw_len = (int64_t)raw.len};
    if (raw.len >= PACK_FROM) {
        struct packer *packer = packer_new();
        batch.lines = packer_pack(packer, arena, raw);
        packer_free(packer);
    }
    if (batch.lines.len == 0 || batch.lines.len >= raw.len) {
        batch.lines = arena_str(arena, raw);
    }
    buf_fini(out);
    return batch;
}

/* ---- Reading ---- */

enum err_code job_logs_newest(struct reader *reader, const struct log_place *place,
                              struct arena *arena, int64_t *out_grant, struct err *err)
{
    struct query_result found;
    struct query q = {.name = "log_head", .tenant = place->tenant, .arena = arena};
    query_arg_int(&q, place->shard);
    query_arg_int(&q, place->tenant.v);
    query_arg_int(&q, place->job.v);
    TRY(reader_query(reader, &q, &found, err));
    *out_grant = found.rows > 0 ? query_int(&found, 0, "grant") : 0;
    return ERR_OK;
}

static enum err_code broken(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "a stored log is not what was written");
}

/* One line off the front. */
static enum err_code take_line(struct str *rest, int64_t at, struct log_text *out, struct err *err)
{
    struct str head;
    struct str part[3];
    int64_t number[3];
    if (!str_split(rest, '\n', &head)) {
        return broken(err);
    }
    for (size_t i = 0; i < 3; i++) {
        if (!str_split(&head, ' ', &part[i]) || !str_parse_i64(part[i], &number[i])) {
            return broken(err);
        }
    }
    if (number[0] < 0 || number[0] >= LOG_LEVELS || number[2] < 0 ||
        (size_t)number[2] > rest->len) {
        return broken(err);
    }
    out->level = (enum log_level)number[0];
    out->at = at - number[1] * US_PER_MS;
    out->text = str_slice(*rest, 0, (size_t)number[2]);
    *rest = (struct str){rest->ptr + number[2], rest->len - (size_t)number[2]};
    return ERR_OK;
}

struct walk {
    int64_t from;
    size_t limit;
    enum log_level least;
    log_texts *out;
};

static enum err_code take_row(const struct job_log_row *row, struct walk *walk, struct arena *arena,
                              struct err *err)
{
    struct str rest = row->lines;
    if (row->count == 0 && row->first >= walk->from) {
        const struct log_text cut = {row->first, row->at, LOG_LEVEL_WARNING,
                                     STR("the log was cut here: it is full"), true};
        VEC_PUSH(arena, walk->out, cut);
        walk->from = row->first + 1;
    }
    if ((int64_t)row->lines.len != row->raw_len) {
        TRY(chunk_unpack(arena, row->lines, row->raw_len, &rest, err));
    }
    for (int32_t i = 0; i < row->count && walk->out->n < walk->limit; i++) {
        struct log_text text = {.number = row->first - row->skip + i};
        TRY(take_line(&rest, row->at, &text, err));
        if (i >= row->skip && text.number >= walk->from) {
            walk->from = text.number + 1;
            if (text.level >= walk->least) {
                VEC_PUSH(arena, walk->out, text);
            }
        }
    }
    return ERR_OK;
}

enum err_code job_logs_read(struct reader *reader, const struct log_place *place, int64_t from,
                            size_t limit, enum log_level least, struct arena *arena, log_texts *out,
                            int64_t *out_next, struct err *err)
{
    struct walk walk = {from, limit, least, out};
    struct query_result found = {.rows = ROWS_PAGE};
    int64_t row_from = from;
    for (int turn = 0; turn < ROWS_TURNS && out->n < limit && found.rows == ROWS_PAGE; turn++) {
        struct query q = {.name = "job_logs_from", .tenant = place->tenant, .arena = arena};
        query_arg_int(&q, place->shard);
        query_arg_int(&q, place->tenant.v);
        query_arg_int(&q, place->job.v);
        query_arg_int(&q, place->grant);
        query_arg_int(&q, row_from);
        query_arg_int(&q, ROWS_PAGE);
        TRY(reader_query(reader, &q, &found, err));
        for (size_t i = 0; i < found.rows && out->n < limit; i++) {
            const struct job_log_row *row =
                (const struct job_log_row *)query_row(&found, i, TABLE_JOB_LOGS, arena);
            TRY(take_row(row, &walk, arena, err));
            row_from = row->first;
        }
    }
    *out_next = walk.from;
    return ERR_OK;
}
