/*
 * worker/log_buffer - lines of one job that the server has not confirmed yet.
 *
 * Lines are numbered from 0. They go along with heartbeats and the report, and stay until an answer
 * says that they arrived. When there are too many the oldest are dropped, and one line in their
 * place says how many.
 *
 * Owns     copies of the texts, until they are confirmed or the buffer is freed.
 * Threads  none; the session's caller serialises.
 * Bounds   LOG_LINES_MAX lines, LOG_BYTES_MAX bytes.
 */
#ifndef WORKER_LOG_BUFFER_H
#define WORKER_LOG_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/str.h"
#include "base/time.h"

enum { LOG_LINES_MAX = 900, LOG_BYTES_MAX = 256 * 1024 };

struct log_line {
    int32_t level; /* enum stella_level */
    struct mono_time at;
    struct str text; /* Owned. */
};

/* All zero is an empty one. */
struct log_buffer {
    struct log_line *lines; /* A ring of LOG_LINES_MAX; null until there is a line. */
    size_t first;
    size_t n;
    size_t bytes;
    int64_t number;  /* Of the first line. */
    int64_t dropped; /* Lines lost right before it and not yet said. */
};

void log_buffer_free(struct log_buffer *log);
/* Adds a line; what is not UTF-8 or a control character becomes '?'. */
void log_buffer_add(struct log_buffer *log, int32_t level, struct str text, struct mono_time now);
/* Number after the last line of a batch that takes at most *budget bytes, which is lessened; all of
 * them when budget is null. Equal to the first number: nothing to send. */
int64_t log_buffer_plan(const struct log_buffer *log, size_t *budget);
/* Writes the lines up to number `through` as {"first","lines"}; nothing when there are none. */
void log_buffer_put(const struct log_buffer *log, struct json_writer *w, int64_t through,
                    struct mono_time now);
/* The lines up to `through` have arrived, or can never arrive. */
void log_buffer_settle(struct log_buffer *log, int64_t through);
/* About how many bytes they take in a request. */
size_t log_buffer_bytes(const struct log_buffer *log);

#endif
