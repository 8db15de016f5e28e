#include "api/bulk_records.h"

#include "api/views.h"
#include "api/waits.h"
#include "base/time.h"
#include "core/bulk.h"

enum { PARTS_AT_ONCE = 4 };

/* ---- One ---- */

struct bulk_read {
    struct bulk_id bulk;
    struct wait wait;
    bool is_new; /* Somebody started it, or goes on with it, by this very call. */
    struct query_result found;
    struct page page;
    struct query_result parts;
    struct str outcome; /* Only these results; null: all. */
};

static const struct bulk_action_row *row_at(struct call *call, const struct query_result *found,
                                            size_t i)
{
    return (const struct bulk_action_row *)query_row(found, i, TABLE_BULK_ACTIONS, call->arena);
}

static bool take_bulk_id(struct call *call, struct bulk_id *out)
{
    if (!bulk_id_parse(call->args[0], out)) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return false;
    }
    return true;
}

/* What the rest will take when it goes on as until now; -1: nobody can tell. */
static int64_t rest_ms(const struct bulk_action_row *row)
{
    const int64_t taken_ms = (row->due_at - row->started_at) / US_PER_MS;
    if (row->state != BULK_RUNNING || row->done == 0 || row->done >= row->matched) {
        return -1;
    }
    return (int64_t)((double)taken_ms / (double)row->done * (double)(row->matched - row->done));
}

static void put_bulk(struct json_writer *w, const struct bulk_action_row *row)
{
    char id[ID_TEXT];
    json_put_object(w);
    JSON_STR(w, "action", str_from(bulk_action_name((enum bulk_action)row->action)));
    JSON_STR(w, "actor", row->actor);
    JSON_INT(w, "already", row->already);
    JSON_INT(w, "changed", row->changed);
    JSON_INT(w, "done", row->done);
    if (row->ended_at > 0) {
        JSON_TIME(w, "ended_at", row->ended_at);
    }
    if (rest_ms(row) >= 0) {
        JSON_INT(w, "estimated_rest_ms", rest_ms(row));
    }
    if (row->selection.len > 0) {
        JSON_RAW(w, "filter", row->selection);
    }
    bulk_id_format((struct bulk_id){row->bulk}, id);
    JSON_STR(w, "id", str_from(id));
    JSON_INT(w, "matched", row->matched);
    if (row->action == BULK_PRIORITISE) {
        JSON_INT(w, "priority", row->priority);
    }
    JSON_STR(w, "reason", row->reason);
    JSON_INT(w, "refused", row->refused);
    if (row->run != 0) {
        run_id_format((struct run_id){row->run}, id);
        JSON_STR(w, "run", str_from(id));
    }
    JSON_TIME(w, "started_at", row->started_at);
    JSON_STR(w, "state", str_from(bulk_state_name((enum bulk_state)row->state)));
    JSON_STR(w, "ticket", row->ticket);
    json_put_object_end(w);
}

static void read_one(struct call *call, struct reader *reader)
{
    struct bulk_read *read = call->state;
    struct query q = tenant_query(call, "bulk");
    query_arg_int(&q, read->bulk.v);
    (void)reader_query(reader, &q, &read->found, &call->err);
}

static void look(struct call *call);

static void one_is_read(struct call *call)
{
    const struct bulk_read *read = call->state;
    char id[ID_TEXT];
    if (read->found.rows == 0) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    const struct bulk_action_row *row = row_at(call, &read->found, 0);
    if (row->due_at > 0 && read->wait.until_us > 0 && !wait_is_over(call, &read->wait)) {
        watches_wait(call, look);
        return;
    }
    struct json_writer w = call_json(call);
    put_bulk(&w, row);
    if (read->is_new && row->due_at > 0) {
        bulk_id_format(read->bulk, id);
        http_header(call->exchange, "Location",
                    arena_format(call->arena, "/api/v1/bulk-actions/%s", id));
    }
    call_answer(call, read->is_new && row->due_at > 0 ? 202 : 200);
}

static void look(struct call *call)
{
    call_read(call, read_one, one_is_read);
}

void answer_bulk(struct call *call, struct bulk_id bulk)
{
    struct bulk_read *read = arena_new(call->arena, struct bulk_read);
    read->bulk = bulk;
    read->is_new = true;
    read->wait = wait_begin(call);
    call->state = read;
    look(call);
}

void api_get_bulk_action(struct call *call)
{
    struct bulk_read *read = arena_new(call->arena, struct bulk_read);
    call->state = read;
    if (take_bulk_id(call, &read->bulk)) {
        read->wait = wait_begin(call);
        look(call);
    }
}

/* ---- Many ---- */

static void read_list(struct call *call, struct reader *reader)
{
    struct bulk_read *read = call->state;
    struct query q = tenant_query(call, "bulks_page");
    query_arg_int(&q, read->page.is_first ? INT64_MAX : read->page.at.keys[0]);
    query_arg_int(&q, read->page.limit + 1);
    (void)reader_query(reader, &q, &read->found, &call->err);
}

static void list_is_read(struct call *call)
{
    struct bulk_read *read = call->state;
    struct page *page = &read->page;
    struct json_writer w = page_open(call);
    page->has_next = read->found.rows > (size_t)page->limit;
    for (size_t i = 0; i < read->found.rows && i < (size_t)page->limit; i++) {
        const struct bulk_action_row *row = row_at(call, &read->found, i);
        put_bulk(&w, row);
        page->next.keys[0] = row->bulk;
    }
    page_close(call, &w, page);
}

void api_list_bulk_actions(struct call *call)
{
    struct bulk_read *read = arena_new(call->arena, struct bulk_read);
    struct str limit = {0};
    struct str cursor = {0};
    const struct query_param params[] = {{"limit", &limit}, {"cursor", &cursor}};
    call->state = read;
    if (call_query(call, params, 2) && page_begin(call, &read->page, limit, cursor, STR("bulk"))) {
        call_read(call, read_list, list_is_read);
    }
}

/* ---- Results ---- */

/* Where a page begins: in the part that begins after keys[0], behind its first keys[1] items. */
static void read_results(struct call *call, struct reader *reader)
{
    struct bulk_read *read = call->state;
    struct query q = tenant_query(call, "bulk_parts_page");
    query_arg_int(&q, read->bulk.v);
    query_arg_int(&q, read->page.is_first ? -1 : read->page.at.keys[0]);
    query_arg_int(&q, PARTS_AT_ONCE);
    read_one(call, reader);
    if (call->err.code == ERR_OK) {
        (void)reader_query(reader, &q, &read->parts, &call->err);
    }
}

static struct str outcome_of(const json_t *result)
{
    const struct str text = json_text(result);
    if (json_is_integer(result) || str_eq(text, STR(BULK_CHANGED))) {
        return STR("changed");
    }
    return str_eq(text, STR(BULK_ALREADY)) ? STR("already") : STR("refused");
}

static void put_result(struct json_writer *w, int64_t job, const json_t *result)
{
    char id[ID_TEXT];
    enum err_code code = ERR_OK;
    const struct str outcome = outcome_of(result);
    json_put_object(w);
    if (str_eq(outcome, STR("refused"))) {
        (void)err_find(json_string_value(result), &code);
        JSON_STR(w, "code", json_text(result));
    }
    job_id_format((struct job_id){job}, id);
    JSON_STR(w, "id", str_from(id));
    if (json_is_integer(result)) {
        job_id_format((struct job_id){json_integer_value(result)}, id);
        JSON_STR(w, "made", str_from(id));
    }
    JSON_STR(w, "outcome", outcome);
    if (code != ERR_OK) {
        JSON_STR(w, "title", str_from(err_info(code)->title));
    }
    json_put_object_end(w);
}

/* The items of one part, from `skip` on; false when the page is full. */
static bool put_part(struct call *call, struct json_writer *w, const struct bulk_part_row *part,
                     int64_t skip, int64_t *left)
{
    struct bulk_read *read = call->state;
    struct err err;
    json_t *jobs = NULL;
    json_t *results = NULL;
    bool more = true;
    if (part->results.len == 0 || json_read(part->jobs, &jobs, &err) != ERR_OK) {
        return true;
    }
    if (json_read(part->results, &results, &err) == ERR_OK) {
        for (size_t i = (size_t)skip; i < json_array_size(results) && more; i++) {
            const json_t *result = json_array_get(results, i);
            read->page.next.keys[0] = part->first - 1;
            read->page.next.keys[1] = (int64_t)i + 1;
            if (read->outcome.ptr == NULL || str_eq(read->outcome, outcome_of(result))) {
                put_result(w, json_integer_value(json_array_get(jobs, i)), result);
                more = --*left > 0;
            }
        }
    }
    json_decref(results);
    json_decref(jobs);
    return more;
}

/* A page may be short, or empty, when few of the results that were looked at are asked for. */
static void results_are_read(struct call *call)
{
    struct bulk_read *read = call->state;
    int64_t left = read->page.limit;
    if (read->found.rows == 0) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    struct json_writer w = page_open(call);
    bool goes_on = true;
    for (size_t i = 0; i < read->parts.rows && goes_on; i++) {
        const struct bulk_part_row *part =
            (const struct bulk_part_row *)query_row(&read->parts, i, TABLE_BULK_PARTS, call->arena);
        const bool is_resumed = !read->page.is_first && i == 0;
        goes_on = put_part(call, &w, part, is_resumed ? read->page.at.keys[1] : 0, &left);
    }
    /* All parts were looked at, and the last one of them has come to its turn. */
    const bool is_full = goes_on && read->parts.rows == PARTS_AT_ONCE &&
                         query_text(&read->parts, PARTS_AT_ONCE - 1, "results").len > 0;
    read->page.has_next = !goes_on || is_full;
    page_close(call, &w, &read->page);
}

void api_list_bulk_action_results(struct call *call)
{
    struct bulk_read *read = arena_new(call->arena, struct bulk_read);
    struct str limit = {0};
    struct str cursor = {0};
    const struct query_param params[] = {
        {"outcome", &read->outcome}, {"limit", &limit}, {"cursor", &cursor}};
    call->state = read;
    if (!take_bulk_id(call, &read->bulk) || !call_query(call, params, 3)) {
        return;
    }
    if (read->outcome.ptr != NULL && !str_eq(read->outcome, STR("changed")) &&
        !str_eq(read->outcome, STR("already")) && !str_eq(read->outcome, STR("refused"))) {
        call_refuse(call, ERR_INVALID_REQUEST, "outcome is changed, already or refused");
        return;
    }
    const struct str filters = arena_format(call->arena, "bulk-%lld\n%.*s", (long long)read->bulk.v,
                                            STR_ARG(read->outcome));
    if (page_begin(call, &read->page, limit, cursor, filters)) {
        call_read(call, read_results, results_are_read);
    }
}

/* ---- Cancel ---- */

static void is_canceled(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        call_fail(call);
        return;
    }
    struct bulk_read *read = arena_new(call->arena, struct bulk_read);
    read->bulk = command->bulk.bulk;
    call->state = read;
    look(call);
}

void api_cancel_bulk_action(struct call *call)
{
    struct command *command = call_command(call, COMMAND_BULK_CANCEL);
    if (take_bulk_id(call, &command->bulk.bulk)) {
        call_engine(call, QUEUE_CONTROL, command, 1, is_canceled);
    }
}
