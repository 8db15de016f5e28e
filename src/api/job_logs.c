/* api/job_logs - what an attempt logged: as JSON, as lines of JSON, as text; now, or when there is
 * more. */
#include <stdio.h>

#include "api/views.h"
#include "api/waits.h"
#include "platform/clock.h"
#include "query/job_logs.h"

enum { LIMIT_DEFAULT = 500, LIMIT_MAX = 1000, WAIT_MAX_MS = 20000 };

enum log_form { FORM_JSON, FORM_LINES, FORM_TEXT };

struct logs {
    struct log_place place;
    int64_t asked; /* Attempt; 0: not said. */
    int64_t after;
    int64_t limit;
    enum log_level least;
    enum log_form form;
    struct wait wait;
    bool found;
    bool complete;
    enum job_state state;
    int64_t next;
    log_texts lines;
};

/* ---- Reading ---- */

static bool is_held(enum job_state state)
{
    return state == JOB_LEASED || state == JOB_RUNNING;
}

/* The state first: what the attempt's last report brought is there when it says that it is over. */
static enum err_code read_state(struct call *call, struct reader *reader)
{
    struct logs *logs = call->state;
    struct query_result found;
    struct query q = tenant_query(call, "job_state");
    query_arg_int(&q, logs->place.job.v);
    TRY(reader_query(reader, &q, &found, &call->err));
    logs->found = found.rows > 0;
    if (!logs->found) {
        return ERR_OK;
    }
    const struct job_view view = job_view_of(&found, 0);
    logs->state = view.state;
    logs->place.grant = logs->asked;
    if (logs->asked == 0 && is_held(view.state)) {
        logs->place.grant = view.grant;
    } else if (logs->asked == 0) {
        TRY(job_logs_newest(reader, &logs->place, call->arena, &logs->place.grant, &call->err));
    }
    logs->complete =
        job_has_ended(view.state) ||
        (logs->place.grant > 0 && (logs->place.grant < view.grant ||
                                   (logs->place.grant == view.grant && !is_held(view.state))));
    return ERR_OK;
}

static void read_logs(struct call *call, struct reader *reader)
{
    struct logs *logs = call->state;
    logs->lines.n = 0;
    logs->next = logs->after;
    if (read_state(call, reader) == ERR_OK && logs->found) {
        (void)job_logs_read(reader, &logs->place, logs->after, (size_t)logs->limit, logs->least,
                            call->arena, &logs->lines, &logs->next, &call->err);
    }
}

/* ---- Answering ---- */

static void put_line(struct json_writer *w, const struct log_text *line)
{
    json_put_object(w);
    JSON_TIME(w, "at", line->at);
    if (line->cut) {
        JSON_BOOL(w, "cut", true);
    }
    JSON_STR(w, "level", str_from(log_level_name(line->level)));
    JSON_INT(w, "n", line->number + 1);
    JSON_STR(w, "text", line->text);
    json_put_object_end(w);
}

static void answer_json(struct call *call, const struct logs *logs)
{
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_INT(&w, "attempt", logs->place.grant);
    JSON_BOOL(&w, "complete", logs->complete);
    JSON_KEY(&w, "items");
    json_put_array(&w);
    for (size_t i = 0; i < logs->lines.n; i++) {
        put_line(&w, &logs->lines.v[i]);
    }
    json_put_array_end(&w);
    JSON_INT(&w, "next_after", logs->next);
    JSON_STR(&w, "state", str_from(job_state_name(logs->state)));
    json_put_object_end(&w);
    call_answer(call, 200);
}

static void put_text(struct buf *out, const struct log_text *line)
{
    char at[TIME_TEXT];
    time_format((struct wall_time){line->at}, at);
    buf_format(out, "%s %-7s ", at, log_level_name(line->level));
    buf_str(out, line->text);
    buf_char(out, '\n');
}

static void answer_lines(struct call *call, const struct logs *logs)
{
    struct buf *out = &call->exchange->reply;
    char next[24];
    buf_reset(out);
    for (size_t i = 0; i < logs->lines.n; i++) {
        if (logs->form == FORM_TEXT) {
            put_text(out, &logs->lines.v[i]);
        } else {
            struct json_writer w;
            json_begin(&w, out);
            put_line(&w, &logs->lines.v[i]);
            buf_char(out, '\n');
        }
    }
    (void)snprintf(next, sizeof(next), "%lld", (long long)logs->next);
    http_header(call->exchange, "X-Stella-Next-After", str_from(next));
    http_header(call->exchange, "X-Stella-Log-Complete",
                logs->complete ? STR("true") : STR("false"));
    http_answer(call->exchange, 200,
                logs->form == FORM_TEXT ? "text/plain; charset=utf-8" : "application/x-ndjson");
}

static void look(struct call *call);

static void logs_are_read(struct call *call)
{
    const struct logs *logs = call->state;
    if (!logs->found) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
    } else if (logs->lines.n == 0 && !logs->complete && !wait_is_over(call, &logs->wait)) {
        watches_wait(call, look);
    } else if (logs->form == FORM_JSON) {
        answer_json(call, logs);
    } else {
        answer_lines(call, logs);
    }
}

static void look(struct call *call)
{
    call_read(call, read_logs, logs_are_read);
}

/* ---- Asking ---- */

static bool take_level(struct call *call, struct str text, enum log_level *out)
{
    if (text.len == 0 || log_level_find(text, out)) {
        return true;
    }
    call_refuse(call, ERR_INVALID_REQUEST, "level must be debug, info, warning or error");
    return false;
}

static enum log_form form_of(struct call *call)
{
    struct str accept = http_request_header(call->exchange, "Accept");
    struct str one;
    while (str_split(&accept, ',', &one)) {
        const struct str media = str_trim(str_slice(one, 0, str_find(one, ';')));
        if (str_eq_nocase(media, STR("application/json"))) {
            return FORM_JSON;
        }
        if (str_eq_nocase(media, STR("application/x-ndjson"))) {
            return FORM_LINES;
        }
        if (str_eq_nocase(media, STR("text/plain"))) {
            return FORM_TEXT;
        }
    }
    return FORM_JSON;
}

void api_get_job_logs(struct call *call)
{
    struct logs *logs = arena_new(call->arena, struct logs);
    struct str attempt = {0};
    struct str after = {0};
    struct str limit = {0};
    struct str level = {0};
    struct str wait = {0};
    int64_t wait_ms = 0;
    const struct query_param params[] = {{"attempt", &attempt},
                                         {"after", &after},
                                         {"limit", &limit},
                                         {"level", &level},
                                         {"wait_ms", &wait}};
    logs->limit = LIMIT_DEFAULT;
    logs->form = form_of(call);
    call->state = logs;
    if (take_job_id(call, &logs->place.job) && call_query(call, params, 5) &&
        call_number(call, "attempt", attempt, 1, GRANT_MAX, &logs->asked) &&
        call_number(call, "after", after, 0, INT64_MAX / 2, &logs->after) &&
        call_number(call, "limit", limit, 1, LIMIT_MAX, &logs->limit) &&
        take_level(call, level, &logs->least) &&
        call_number(call, "wait_ms", wait, 0, WAIT_MAX_MS, &wait_ms)) {
        logs->place.shard = call->shard;
        logs->place.tenant = call->tenant;
        const struct wait preferred = wait_begin(call);
        const int64_t until_us = clock_mono().us + wait_ms * US_PER_MS;
        logs->wait.until_us = until_us > preferred.until_us ? until_us : preferred.until_us;
        look(call);
    }
}
