#include "api/log_lines.h"

#include "query/job_logs.h"

enum { LINES_MAX = 1000, TEXT_MAX = 8192 };

#define FIRST_MAX  (INT64_C(1) << 40)
#define AGO_MAX_MS INT64_C(31536000000)

struct line {
    enum log_level level;
    int64_t ago_ms;
    struct str text;
    bool has_text;
};

static void take_line_member(struct scan *scan, struct line *line, struct str key)
{
    if (str_eq(key, STR("text"))) {
        line->text = scan_text(scan);
        line->has_text = true;
        if (line->text.len > TEXT_MAX) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "must have at most %d bytes", TEXT_MAX);
        }
    } else if (str_eq(key, STR("level"))) {
        if (!log_level_find(scan_text(scan), &line->level)) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "must be debug, info, warning or error");
        }
    } else if (str_eq(key, STR("ago_ms"))) {
        line->ago_ms = scan_bounded(scan, 0, AGO_MAX_MS);
    } else {
        scan_refuse(scan, ERR_UNPROCESSABLE, "there is no such member");
    }
}

/* Marks are longer than what they stand for: the line keeps its bound. */
static struct str cut(struct str text)
{
    struct str kept = str_slice(text, 0, TEXT_MAX);
    while (kept.len > 0 && kept.len < text.len && (text.ptr[kept.len] & 0xC0) == 0x80) {
        kept.len--;
    }
    return kept;
}

static void put_line(struct buf *out, struct buf *scratch, const struct redact_rules *rules,
                     struct redact_state *state, const struct line *line)
{
    buf_reset(scratch);
    (void)redact_text(rules, state, line->text, scratch);
    job_logs_add(out, line->level, line->ago_ms, cut(buf_get(scratch)));
}

static int32_t take_lines(struct scan *scan, const struct redact_rules *rules, struct buf *out)
{
    struct redact_state state = {false};
    struct buf scratch;
    struct str key;
    int32_t count = 0;
    buf_init(&scratch, (size_t)TEXT_MAX * REDACT_GROWTH + 64);
    scan_array(scan);
    while (scan_item(scan)) {
        struct line line = {.level = LOG_LEVEL_INFO};
        scan_object(scan);
        while (scan_member(scan, &key)) {
            take_line_member(scan, &line, key);
        }
        if (!line.has_text) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "needs text");
        }
        if (count == LINES_MAX) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "more than %d lines", LINES_MAX);
        }
        if (scan_failed(scan)) {
            break;
        }
        put_line(out, &scratch, rules, &state, &line);
        count++;
    }
    buf_fini(&scratch);
    return count;
}

struct log_batch log_lines_take(struct scan *scan, const struct redact_rules *rules)
{
    struct buf out;
    struct str key;
    int64_t first = -1;
    int32_t count = -1;
    job_logs_begin(&out);
    scan_object(scan);
    while (scan_member(scan, &key)) {
        if (str_eq(key, STR("first"))) {
            first = scan_bounded(scan, 0, FIRST_MAX);
        } else if (str_eq(key, STR("lines"))) {
            count = take_lines(scan, rules, &out);
        } else {
            scan_refuse(scan, ERR_UNPROCESSABLE, "there is no such member");
        }
    }
    if (first < 0 || count < 0) {
        scan_refuse(scan, ERR_UNPROCESSABLE, "needs first and lines");
    }
    if (scan_failed(scan)) {
        buf_fini(&out);
        return (struct log_batch){.count = 0};
    }
    return job_logs_end(&out, scan->arena, first, count);
}
