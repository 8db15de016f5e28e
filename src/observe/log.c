#include "observe/log.h"

#include <unistd.h>

#include "base/check.h"
#include "platform/clock.h"

enum { LINE_MAX_BYTES = 8192 };

static const char *const names[LOG_EVENT_COUNT] = {
#define LOG_NAME(event, name, about) [event] = name,
    LOG_EVENTS(LOG_NAME)
#undef LOG_NAME
};

const char *log_event_name(enum log_event event)
{
    CHECK(event >= 0 && event < LOG_EVENT_COUNT);
    return names[event];
}

struct json_writer *log_begin(struct log_line *line, enum log_event event)
{
    line->event = event;
    buf_init(&line->facts, LINE_MAX_BYTES);
    json_begin(&line->w, &line->facts);
    json_put_object(&line->w);
    return &line->w;
}

void log_end(struct log_line *line)
{
    struct buf out;
    struct json_writer w;
    json_put_object_end(&line->w);
    buf_init(&out, LINE_MAX_BYTES + 512);
    json_begin(&w, &out);
    json_put_object(&w);
    JSON_TIME(&w, "at", clock_wall().us);
    JSON_STR(&w, "event", str_from(log_event_name(line->event)));
    JSON_RAW(&w, "facts", line->facts.overflow ? STR("{}") : buf_get(&line->facts));
    json_put_object_end(&w);
    buf_char(&out, '\n');
    /* A log that cannot be written must not stop the work. */
    const ssize_t written = write(STDERR_FILENO, out.ptr, out.len);
    (void)written;
    buf_fini(&out);
    buf_fini(&line->facts);
}

void log_engine(void *ctx, const char *event, struct str facts)
{
    struct log_line line;
    (void)ctx;
    struct json_writer *w = log_begin(&line, LOG_ENGINE);
    JSON_STR(w, "event", str_from(event));
    JSON_RAW(w, "facts", facts.len > 0 ? facts : STR("{}"));
    log_end(&line);
}
