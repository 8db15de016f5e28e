#include "worker/log_buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "stella/worker.h"

enum { LINE_BYTES = 64 }; /* Besides its text. */

static struct log_line *line_at(const struct log_buffer *log, size_t i)
{
    return &log->lines[(log->first + i) % LOG_LINES_MAX];
}

static void drop_first(struct log_buffer *log)
{
    struct log_line *line = line_at(log, 0);
    log->bytes -= line->text.len + LINE_BYTES;
    free((void *)(uintptr_t)line->text.ptr);
    log->first = (log->first + 1) % LOG_LINES_MAX;
    log->n--;
    log->number++;
}

void log_buffer_free(struct log_buffer *log)
{
    while (log->n > 0) {
        drop_first(log);
    }
    free(log->lines);
    memset(log, 0, sizeof(*log));
}

/* Bytes of the character that begins at `at`, 0 when it is none. */
static size_t character(struct str text, size_t at)
{
    for (size_t len = 1; len <= 4 && at + len <= text.len; len++) {
        if (str_is_utf8(str_slice(text, at, at + len))) {
            return len;
        }
    }
    return 0;
}

static struct str clean_copy(struct str text)
{
    char *out = malloc(text.len + 1);
    size_t at = 0;
    CHECK(out != NULL);
    while (at < text.len) {
        const size_t len = character(text, at);
        const unsigned char c = (unsigned char)text.ptr[at];
        const bool control = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
        if (len == 0 || control) {
            out[at++] = '?';
            continue;
        }
        memcpy(out + at, text.ptr + at, len);
        at += len;
    }
    return (struct str){out, text.len};
}

void log_buffer_add(struct log_buffer *log, int32_t level, struct str text, struct mono_time now)
{
    if (log->lines == NULL) {
        log->lines = calloc(LOG_LINES_MAX, sizeof(*log->lines));
        CHECK(log->lines != NULL);
    }
    const size_t bytes = text.len + LINE_BYTES;
    while (log->n == LOG_LINES_MAX || (log->n > 0 && log->bytes + bytes > LOG_BYTES_MAX)) {
        drop_first(log);
        log->dropped++;
    }
    const int32_t known = level < STELLA_DEBUG || level > STELLA_ERROR ? STELLA_INFO : level;
    log->n++;
    *line_at(log, log->n - 1) = (struct log_line){known, now, clean_copy(text)};
    log->bytes += bytes;
}

int64_t log_buffer_plan(const struct log_buffer *log, size_t *budget)
{
    size_t count = 0;
    while (count < log->n) {
        const size_t bytes = line_at(log, count)->text.len + LINE_BYTES;
        if (budget != NULL && bytes > *budget) {
            break;
        }
        if (budget != NULL) {
            *budget -= bytes;
        }
        count++;
    }
    return log->number + (int64_t)count;
}

static void put_line(struct json_writer *w, int32_t level, int64_t ago_us, struct str text)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    json_put_object(w);
    JSON_INT(w, "ago_ms", ago_us > 0 ? ago_us / US_PER_MS : 0);
    JSON_STR(w, "level", str_from(names[level]));
    JSON_STR(w, "text", text);
    json_put_object_end(w);
}

void log_buffer_put(const struct log_buffer *log, struct json_writer *w, int64_t through,
                    struct mono_time now)
{
    if (through <= log->number) {
        return;
    }
    const size_t count = (size_t)(through - log->number);
    CHECK(count <= log->n);
    JSON_KEY(w, "log");
    json_put_object(w);
    /* The mark has the number of the last line that it stands for. */
    JSON_INT(w, "first", log->dropped > 0 ? log->number - 1 : log->number);
    JSON_KEY(w, "lines");
    json_put_array(w);
    if (log->dropped > 0) {
        char mark[96];
        (void)snprintf(mark, sizeof(mark), "%lld lines were dropped here: the buffer was full",
                       (long long)log->dropped);
        put_line(w, STELLA_WARNING, now.us - line_at(log, 0)->at.us, str_from(mark));
    }
    for (size_t i = 0; i < count; i++) {
        const struct log_line *line = line_at(log, i);
        put_line(w, line->level, now.us - line->at.us, line->text);
    }
    json_put_array_end(w);
    json_put_object_end(w);
}

void log_buffer_settle(struct log_buffer *log, int64_t through)
{
    if (through > log->number) {
        log->dropped = 0;
    }
    while (log->n > 0 && log->number < through) {
        drop_first(log);
    }
}

size_t log_buffer_bytes(const struct log_buffer *log)
{
    return 2 * log->bytes;
}
