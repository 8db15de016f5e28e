/* api/throttles - how fast each host is asked, why, and what an operator sets for a time. */
#include "api/decode.h"
#include "api/manners.h"
#include "api/views.h"
#include "base/check.h"
#include "core/throttle.h"
#include "platform/clock.h"

enum { HOST_MAX = 253, RATE_TEXT = 32 };

#define LASTS_MIN_MS INT64_C(1000)

struct throttle_read {
    struct str host; /* Of one. */
    struct page page;
    struct query_result found;
    struct query_result sources;
};

/* ---- Showing ---- */

/* Tokens in 1000 s as requests a second. */
static void put_rate(struct json_writer *w, struct str key, int64_t milli)
{
    char text[RATE_TEXT];
    int len = snprintf(text, sizeof(text), "%lld.%03lld", (long long)(milli / 1000),
                       (long long)(milli % 1000));
    while (text[len - 1] == '0') {
        len--;
    }
    len -= text[len - 1] == '.';
    json_put_key(w, key);
    json_put_raw(w, (struct str){text, (size_t)len});
}

static void put_block(struct json_writer *w, const struct throttle_view *view)
{
    enum block_origin origin = BLOCK_NONE;
    const int64_t until = bucket_blocked(&view->row, view->as_of, &origin);
    json_put_key(w, STR("block"));
    if (until == 0) {
        json_put_null(w);
        return;
    }
    json_put_object(w);
    JSON_STR(w, "origin", str_from(block_origin_name(origin)));
    JSON_TIME(w, "until", until);
    json_put_object_end(w);
}

static void put_override(struct json_writer *w, const struct throttle_view *view)
{
    const struct throttle_row *row = &view->row;
    json_put_key(w, STR("override"));
    if (row->set_until <= view->as_of) {
        json_put_null(w);
        return;
    }
    json_put_object(w);
    if (row->set_block_until > 0) {
        JSON_TIME(w, "block_until", row->set_block_until);
    }
    if (row->set_burst > 0) {
        JSON_INT(w, "burst", row->set_burst);
    }
    JSON_STR(w, "by", row->set_by);
    JSON_TIME(w, "expires_at", row->set_until);
    if (row->set_rate_milli >= 0) {
        put_rate(w, STR("rate_per_s"), row->set_rate_milli);
    }
    JSON_STR(w, "reason", row->set_reason);
    JSON_TIME(w, "set_at", row->set_at);
    json_put_object_end(w);
}

static void put_throttle(struct json_writer *w, const struct throttle_view *asked)
{
    struct throttle_view view = *asked;
    (void)bucket_follow(&view.row, &view.pace, view.as_of, false);
    bucket_refill(&view.row, view.as_of);
    json_put_object(w);
    put_block(w, &view);
    JSON_INT(w, "burst", view.row.burst);
    json_put_key(w, STR("configured"));
    json_put_object(w);
    put_rate(w, STR("rate_max_per_s"), view.pace.max_milli);
    put_rate(w, STR("rate_min_per_s"), view.pace.min_milli);
    put_rate(w, STR("rate_per_s"), view.pace.rate_milli);
    json_put_object_end(w);
    JSON_STR(w, "host", view.row.host);
    JSON_INT(w, "incidents", view.row.incidents);
    json_put_key(w, STR("limit_seen"));
    if (view.row.hint_until > view.as_of) {
        json_put_object(w);
        put_rate(w, STR("rate_per_s"), view.row.hint_milli);
        JSON_TIME(w, "until", view.row.hint_until);
        json_put_object_end(w);
    } else {
        json_put_null(w);
    }
    put_override(w, &view);
    put_rate(w, STR("rate_per_s"), view.row.rate_milli);
    if (view.row.throttled_at > 0) {
        JSON_TIME(w, "throttled_at", view.row.throttled_at);
    }
    JSON_INT(w, "tokens", view.row.level_micro / 1000000);
    JSON_INT(w, "version", view.row.version);
    json_put_object_end(w);
}

/* ---- Reading ---- */

static enum err_code read_sources(struct call *call, struct reader *reader)
{
    struct throttle_read *read = call->state;
    const struct query q = tenant_query(call, "sources_of");
    return reader_query(reader, &q, &read->sources, &call->err);
}

/* What the tenant's sources say of their hosts. */
static const struct config *config_of(struct call *call)
{
    const struct throttle_read *read = call->state;
    const size_t count = read->sources.rows;
    struct source_row *rows = arena_array(call->arena, struct source_row, count + 1);
    struct row **own = arena_array(call->arena, struct row *, count + 1);
    for (size_t i = 0; i < count; i++) {
        rows[i] = (struct source_row){
            .row = {.table = TABLE_SOURCES},
            .name = query_text(&read->sources, i, "name"),
            .version = (int32_t)query_int(&read->sources, i, "version"),
            .body = query_text(&read->sources, i, "body"),
        };
        own[i] = &rows[i].row;
    }
    return config_new(call->arena, (struct row_span){NULL, 0}, (struct row_span){own, count}, 0, 0);
}

static struct pace pace_of(const struct config *config, struct str host)
{
    const struct pace *pace = map_find_str(&config->paces, host);
    return pace != NULL ? *pace : throttle_pace_unknown();
}

static struct throttle_view view_of(struct call *call, const struct config *config, size_t i)
{
    const struct throttle_read *read = call->state;
    const struct throttle_row *row =
        (const struct throttle_row *)query_row(&read->found, i, TABLE_THROTTLES, call->arena);
    const struct pace pace = pace_of(config, row->host);
    const int64_t now = clock_wall().us;
    return (struct throttle_view){*row, bucket_pace(&pace, row, now), now};
}

static void read_list(struct call *call, struct reader *reader)
{
    struct throttle_read *read = call->state;
    struct query q = tenant_query(call, "throttles_page");
    query_arg_text(&q, read->page.at.name);
    query_arg_int(&q, read->page.limit + 1);
    if (reader_query(reader, &q, &read->found, &call->err) == ERR_OK) {
        (void)read_sources(call, reader);
    }
}

static void list_is_read(struct call *call)
{
    struct throttle_read *read = call->state;
    struct page *page = &read->page;
    const struct config *config = config_of(call);
    struct json_writer w = page_open(call);
    for (size_t i = 0; i < read->found.rows && !page->has_next; i++) {
        const struct throttle_view view = view_of(call, config, i);
        if ((int64_t)i == page->limit) {
            page->has_next = true;
        } else {
            put_throttle(&w, &view);
            page->next.name = view.row.host;
        }
    }
    page_close(call, &w, page);
}

void api_list_throttles(struct call *call)
{
    struct throttle_read *read = arena_new(call->arena, struct throttle_read);
    call->state = read;
    if (page_take(call, &read->page, STR(""))) {
        call_read(call, read_list, list_is_read);
    }
}

static void read_one(struct call *call, struct reader *reader)
{
    struct throttle_read *read = call->state;
    struct query q = tenant_query(call, "throttle");
    query_arg_text(&q, read->host);
    if (reader_query(reader, &q, &read->found, &call->err) == ERR_OK) {
        (void)read_sources(call, reader);
    }
}

static void answer_view(struct call *call, const struct throttle_view *view, int status)
{
    struct json_writer w = call_json(call);
    put_throttle(&w, view);
    if (view->row.version > 0) { /* Nothing was ever set: a first PUT needs no If-Match. */
        call_put_etag(call, view->row.version);
    }
    call_answer(call, status);
}

static void one_is_read(struct call *call)
{
    const struct throttle_read *read = call->state;
    const struct config *config = config_of(call);
    struct throttle_view view;
    if (read->found.rows > 0) {
        view = view_of(call, config, 0);
    } else if (map_find_str(&config->paces, read->host) != NULL) {
        /* Nobody has asked it yet. */
        view = (struct throttle_view){.row = {.host = read->host}, .as_of = clock_wall().us};
        view.pace = pace_of(config, read->host);
        (void)bucket_follow(&view.row, &view.pace, view.as_of, true);
    } else {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    answer_view(call, &view, 200);
}

void api_get_throttle(struct call *call)
{
    struct throttle_read *read = arena_new(call->arena, struct throttle_read);
    read->host = call->args[0];
    call->state = read;
    call_read(call, read_one, one_is_read);
}

/* ---- Changing ---- */

static void is_changed(struct call *call)
{
    const struct command *command = call->request.commands;
    const struct throttle_change *done = &command->throttle;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        manners_write_failed(call, done->version);
        return;
    }
    if (!done->dry_run) {
        answer_view(call, &done->after, 200);
        return;
    }
    struct json_writer w = call_json(call);
    json_put_object(&w);
    json_put_key(&w, STR("after"));
    put_throttle(&w, &done->after);
    json_put_key(&w, STR("before"));
    put_throttle(&w, &done->before);
    json_put_object_end(&w);
    call_answer(call, 200);
}

/* What both changes have in common; null: answered. */
static struct command *begin(struct call *call, enum command_kind kind)
{
    struct condition condition;
    struct str dry_run = {0};
    const struct query_param params[] = {{"dry_run", &dry_run}};
    struct command *command = call_command(call, kind);
    if (!name_is_valid(call->args[0], HOST_MAX)) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "", "the host in the path is not a host");
        call_fail(call);
        return NULL;
    }
    if (!call_query(call, params, 1) || !manners_condition(call, &condition)) {
        return NULL;
    }
    if (dry_run.ptr != NULL && !str_eq(dry_run, STR("true")) && !str_eq(dry_run, STR("false"))) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/dry_run", "dry_run is true or false");
        call_fail(call);
        return NULL;
    }
    command->throttle = (struct throttle_change){
        .host = call->args[0],
        .rate_milli = -1,
        .dry_run = str_eq(dry_run, STR("true")),
        .if_version = condition.version,
        .any_version = condition.any,
    };
    return command;
}

struct set_body {
    json_t *rate;
    int64_t burst;
    int64_t block_ms;
    int64_t expires_in_ms;
};

static enum err_code take_rate(const json_t *value, int64_t *out_milli, struct err *err)
{
    const double rate = json_number_value(value);
    if (!json_is_number(value) || !(rate >= 0.001 && rate <= 1000000)) {
        return err_at(
            err, ERR_UNPROCESSABLE, "/rate_per_s",
            "rate_per_s must be a number between 0.001 and 1000000; to stop, set block_ms");
    }
    *out_milli = (int64_t)(rate * 1000 + 0.5);
    return ERR_OK;
}

static enum err_code take_set(struct call *call, struct throttle_change *change)
{
    static const struct field fields[] = {
        {"block_ms", FIELD_INT, .min = 1, .max = THROTTLE_SET_MAX_US / US_PER_MS,
         .offset = offsetof(struct set_body, block_ms)},
        {"burst", FIELD_INT, .min = 1, .max = 1000000, .offset = offsetof(struct set_body, burst)},
        {"expires_in_ms", FIELD_INT, .required = true, .min = LASTS_MIN_MS,
         .max = THROTTLE_SET_MAX_US / US_PER_MS,
         .offset = offsetof(struct set_body, expires_in_ms)},
        {"rate_per_s", FIELD_ANY, .offset = offsetof(struct set_body, rate)},
    };
    struct set_body body = {0};
    TRY(decode_body(call->arena, call->exchange->body, fields, sizeof(fields) / sizeof(fields[0]),
                    &body, &call->document, &call->err));
    if (body.rate != NULL) {
        TRY(take_rate(body.rate, &change->rate_milli, &call->err));
    }
    if (body.rate == NULL && body.burst == 0 && body.block_ms == 0) {
        return err_at(&call->err, ERR_UNPROCESSABLE, "",
                      "nothing is set: give rate_per_s, burst or block_ms");
    }
    if (body.block_ms > body.expires_in_ms) {
        return err_at(&call->err, ERR_UNPROCESSABLE, "/block_ms",
                      "block_ms must not be above expires_in_ms, which is %lld",
                      (long long)body.expires_in_ms);
    }
    change->burst = body.burst;
    change->block_us = body.block_ms * US_PER_MS;
    change->lasts_us = body.expires_in_ms * US_PER_MS;
    return ERR_OK;
}

void api_set_throttle(struct call *call)
{
    struct command *command = begin(call, COMMAND_THROTTLE_SET);
    if (command == NULL) {
        return;
    }
    if (take_set(call, &command->throttle) != ERR_OK) {
        call_fail(call);
        return;
    }
    call_engine(call, QUEUE_CONTROL, command, 1, is_changed);
}

void api_clear_throttle(struct call *call)
{
    static const struct field fields[] = {
        {"what", FIELD_TEXT, .min = 1, .max = 16, .offset = 0},
    };
    struct str what = STR("all");
    struct command *command = begin(call, COMMAND_THROTTLE_CLEAR);
    if (command == NULL) {
        return;
    }
    if (call->exchange->body.len > 0 && decode_body(call->arena, call->exchange->body, fields, 1,
                                                    &what, &call->document, &call->err) != ERR_OK) {
        call_fail(call);
        return;
    }
    const bool all = str_eq(what, STR("all"));
    command->throttle.clear_override = all || str_eq(what, STR("override"));
    command->throttle.clear_block = all || str_eq(what, STR("block"));
    if (!command->throttle.clear_override && !command->throttle.clear_block) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/what", "what is all, override or block");
        call_fail(call);
        return;
    }
    call_engine(call, QUEUE_CONTROL, command, 1, is_changed);
}
