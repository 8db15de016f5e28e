/*
 * observe/log - one JSON object a line on stderr; the set of events is closed.
 *
 *   {"at":"2026-01-02T03:04:05.000006Z","event":"serving","facts":{…}}
 *
 * Use      log_open() once; log_begin(), json_put_… the facts in key order, log_end().
 * Threads  any; a line is written in one piece.
 * Bounds   a line of 8 KiB; longer facts are left out.
 */
#ifndef OBSERVE_LOG_H
#define OBSERVE_LOG_H

#include "base/json.h"

/* event, name, what it means */
#define LOG_EVENTS(ROW)                                                                   \
    ROW(LOG_SERVING, "serving", "The API accepts requests.")                              \
    ROW(LOG_STOPPING, "stopping", "A stop was asked for; what was accepted is answered.") \
    ROW(LOG_STOPPED, "stopped", "Everything is answered and closed.")                     \
    ROW(LOG_CUT, "cut", "A stop cut requests that did not end in time.")                  \
    ROW(LOG_TOKEN_MADE, "token_made", "serve made a token and wrote its file.")           \
    ROW(LOG_DENIED, "denied", "A request was refused for want of a token or scope.")      \
    ROW(LOG_FAILED, "failed", "A request met a condition that is not expected.")          \
    ROW(LOG_ENGINE, "engine", "The engine reports; facts.event names what.")

enum log_event {

#define LOG_ENUM(event, name, about) event,
    LOG_EVENTS(LOG_ENUM)
#undef LOG_ENUM
        LOG_EVENT_COUNT
};

const char *log_event_name(enum log_event event);

/* A line being written. */
struct log_line {
    enum log_event event;
    struct buf facts;
    struct json_writer w;
};

struct json_writer *log_begin(struct log_line *line, enum log_event event);
void log_end(struct log_line *line);
/* For struct engine_config. */
void log_engine(void *ctx, const char *event, struct str facts);

#endif
