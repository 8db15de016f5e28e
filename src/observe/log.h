/*
 * observe/log - one line an event on stderr; the set of events is contract/log_events.json.
 *
 *   {"at":"2026-01-02T03:04:05.000006Z","event":"serving","facts":{…},"level":"info"}
 *   2026-01-02T03:04:05.000006Z info    serving {…}                      (for people)
 *
 * Use      log_setup() once, before threads are started; log_begin(), json_put_… the facts in key
 *          order, log_end(). Texts in facts lose their secrets.
 * Threads  any; a line is written in one piece.
 * Bounds   a line of 8 KiB; longer facts are left out. An event that is `limited` is written at
 *          most LOG_LIMIT times in LOG_WINDOW_US; the next line says how many were left out.
 */
#ifndef OBSERVE_LOG_H
#define OBSERVE_LOG_H

#include "base/json.h"
#include "contract/log_events.h"
#include "redact/redact.h"

enum { LOG_LIMIT = 20 };

#define LOG_WINDOW_US (INT64_C(10) * 1000 * 1000)

enum log_severity {
    SEVERITY_DEBUG,
    SEVERITY_INFO,
    SEVERITY_WARNING,
    SEVERITY_ERROR,
    SEVERITY_COUNT
};

enum log_event {

#define LOG_ENUM(event, name, severity, limited) event,
    LOG_EVENT_CATALOGUE(LOG_ENUM)
#undef LOG_ENUM
        LOG_EVENT_COUNT
};

const char *log_event_name(enum log_event event);

/* `level`: debug, info, warning, error. `format`: json, text, or auto: text on a terminal. The
 * rules are borrowed. Errors: ERR_USAGE. */
enum err_code log_setup(struct str level, struct str format, const struct redact_rules *rules,
                        struct err *err);
/* Between the level of log_setup() and debug. */
void log_toggle_debug(void);
/* Whether lines of this event are written: for what costs to find out. */
bool log_is_on(enum log_event event);

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
