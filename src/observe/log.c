#include "observe/log.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/clock.h"
#include "platform/thread.h"

enum { LINE_MAX_BYTES = 8192 };

struct event_info {
    const char *name;
    enum log_severity severity;
    bool limited;
};

static const struct event_info events[LOG_EVENT_COUNT] = {
#define LOG_ROW(event, name, severity, limited) [event] = {name, severity, limited},
    LOG_EVENT_CATALOGUE(LOG_ROW)
#undef LOG_ROW
};

static const char *const severity_names[SEVERITY_COUNT] = {"debug", "info", "warning", "error"};

/* How often an event was written in its window. */
struct window {
    int64_t since_us;
    int32_t written;
    int64_t left_out;
};

static struct {
    _Atomic int least;
    enum log_severity set; /* By log_setup(). */
    bool is_text;
    bool has_colour;
    const struct redact_rules *rules;
    pthread_mutex_t lock; /* Guards the windows. */
    struct window windows[LOG_EVENT_COUNT];
} logger = {.least = SEVERITY_INFO, .set = SEVERITY_INFO, .lock = PTHREAD_MUTEX_INITIALIZER};

const char *log_event_name(enum log_event event)
{
    CHECK(event >= 0 && event < LOG_EVENT_COUNT);
    return events[event].name;
}

enum err_code log_setup(struct str level, struct str format, const struct redact_rules *rules,
                        struct err *err)
{
    int found = 0;
    while (found < SEVERITY_COUNT && !str_eq(level, str_from(severity_names[found]))) {
        found++;
    }
    if (found == SEVERITY_COUNT) {
        return err_set(err, ERR_USAGE, "log_level must be debug, info, warning or error");
    }
    const bool is_auto = str_eq(format, STR("auto"));
    if (!is_auto && !str_eq(format, STR("json")) && !str_eq(format, STR("text"))) {
        return err_set(err, ERR_USAGE, "log_format must be auto, json or text");
    }
    const bool terminal = isatty(STDERR_FILENO) != 0;
    logger.is_text = str_eq(format, STR("text")) || (is_auto && terminal);
    logger.has_colour = logger.is_text && terminal;
    logger.rules = rules;
    logger.set = (enum log_severity)found;
    atomic_store(&logger.least, found);
    return ERR_OK;
}

void log_toggle_debug(void)
{
    const int now = atomic_load(&logger.least);
    const int next = now == SEVERITY_DEBUG ? (int)logger.set : SEVERITY_DEBUG;
    struct log_line line;
    atomic_store(&logger.least, next);
    struct json_writer *w = log_begin(&line, LOG_LOG_LEVEL);
    JSON_STR(w, "level", str_from(severity_names[next]));
    log_end(&line);
}

bool log_is_on(enum log_event event)
{
    return (int)events[event].severity >= atomic_load(&logger.least);
}

struct json_writer *log_begin(struct log_line *line, enum log_event event)
{
    line->event = event;
    buf_init(&line->facts, LINE_MAX_BYTES);
    json_begin(&line->w, &line->facts);
    json_put_object(&line->w);
    return &line->w;
}

/* Whether this one is written, and how many were not since the last. */
static bool pass(enum log_event event, int64_t *out_left_out)
{
    struct window *window = &logger.windows[event];
    *out_left_out = 0;
    if (!events[event].limited) {
        return true;
    }
    const int64_t now_us = clock_mono().us;
    mutex_take(&logger.lock);
    if (window->since_us == 0 || now_us - window->since_us >= LOG_WINDOW_US) {
        *out_left_out = window->left_out;
        *window = (struct window){.since_us = now_us};
    }
    const bool written = window->written < LOG_LIMIT;
    window->written += written;
    window->left_out += !written;
    mutex_give(&logger.lock);
    return written;
}

static void put_json(struct buf *out, enum log_event event, struct str facts, int64_t left_out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_put_object(&w);
    JSON_TIME(&w, "at", clock_wall().us);
    JSON_STR(&w, "event", str_from(events[event].name));
    JSON_RAW(&w, "facts", facts);
    if (left_out > 0) {
        JSON_INT(&w, "left_out", left_out);
    }
    JSON_STR(&w, "level", str_from(severity_names[events[event].severity]));
    json_put_object_end(&w);
}

static void put_text(struct buf *out, enum log_event event, struct str facts, int64_t left_out)
{
    static const char *const colours[SEVERITY_COUNT] = {"\033[2m", "", "\033[33m", "\033[31m"};
    const enum log_severity severity = events[event].severity;
    const char *colour = logger.has_colour ? colours[severity] : "";
    char at[TIME_TEXT];
    time_format(clock_wall(), at);
    buf_format(out, "%s %s%-7s%s %s", at, colour, severity_names[severity],
               colour[0] != '\0' ? "\033[0m" : "", events[event].name);
    if (facts.len > 2) {
        buf_char(out, ' ');
        buf_str(out, facts);
    }
    if (left_out > 0) {
        buf_format(out, " (%lld like it were left out)", (long long)left_out);
    }
}

static void write_line(enum log_event event, struct str facts, int64_t left_out)
{
    struct buf shown;
    struct buf out;
    buf_init(&shown, (size_t)LINE_MAX_BYTES * REDACT_GROWTH);
    buf_init(&out, (size_t)LINE_MAX_BYTES * REDACT_GROWTH + 512);
    (void)redact_json(logger.rules, facts, &shown);
    const struct str clean = shown.overflow ? STR("{}") : buf_get(&shown);
    if (logger.is_text) {
        put_text(&out, event, clean, left_out);
    } else {
        put_json(&out, event, clean, left_out);
    }
    buf_char(&out, '\n');
    /* A log that cannot be written must not stop the work. */
    const ssize_t written = write(STDERR_FILENO, out.ptr, out.len);
    (void)written;
    buf_fini(&out);
    buf_fini(&shown);
}

void log_end(struct log_line *line)
{
    int64_t left_out = 0;
    json_put_object_end(&line->w);
    if (log_is_on(line->event) && pass(line->event, &left_out)) {
        write_line(line->event, line->facts.overflow ? STR("{}") : buf_get(&line->facts), left_out);
    }
    buf_fini(&line->facts);
}

void log_engine(void *ctx, const char *event, struct str facts)
{
    int64_t left_out = 0;
    struct log_line line;
    (void)ctx;
    for (int i = 0; i < LOG_EVENT_COUNT; i++) {
        if (strcmp(events[i].name, event) == 0) {
            if (log_is_on((enum log_event)i) && pass((enum log_event)i, &left_out)) {
                write_line((enum log_event)i, facts.len > 0 ? facts : STR("{}"), left_out);
            }
            return;
        }
    }
    struct json_writer *w = log_begin(&line, LOG_ENGINE);
    JSON_STR(w, "event", str_from(event));
    JSON_RAW(w, "facts", facts.len > 0 ? facts : STR("{}"));
    log_end(&line);
}
