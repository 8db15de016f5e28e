/* api/bulk - one action on all jobs that fit a filter: first looked at, then done with the token of
 * that look, and only when it still finds the same jobs.
 *
 * Each job is a control command of its own, with its line in the history, so what was done stays
 * done: after a crash the next look finds what is left. */
#include <stdlib.h>

#include "api/decode.h"
#include "api/job_filter.h"
#include "api/submits.h"

enum {
    CHUNK = 250, /* Commands handed to the engine at once. */
    ROUNDS = 50, /* Looks of list_scan_rows jobs each. */
    SAMPLE = 10,
    TOKEN_MAX = 1024,
};

struct bulk {
    struct str action;
    int64_t priority;
    const json_t *asked_filter;
    struct str token;
    enum command_kind kind;
    struct job_filter filter;
    struct str asked;  /* What the token is for. */
    VEC(int64_t) jobs; /* Ascending. */
    uint64_t digest;
    struct command *commands; /* One a job. */
    size_t done;
};

/* ---- Reading the request ---- */

static bool find_action(struct call *call, struct bulk *bulk)
{
    static const struct {
        const char *name;
        enum command_kind kind;
    } actions[] = {{"cancel", COMMAND_JOB_CANCEL},
                   {"retry", COMMAND_JOB_RETRY},
                   {"replay", COMMAND_JOB_REPLAY},
                   {"prioritise", COMMAND_JOB_PRIORITISE}};

    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (str_eq(str_from(actions[i].name), bulk->action)) {
            bulk->kind = actions[i].kind;
            return true;
        }
    }
    (void)err_at(&call->err, ERR_UNPROCESSABLE, "/action",
                 "must be cancel, retry, replay or prioritise");
    return false;
}

#define TEXT_FIELD(member)                                                       \
    {                                                                            \
        #member, FIELD_TEXT, .min = 1, .max = KEY_MAX,                           \
                             .offset = offsetof(struct job_filter_texts, member) \
    }

static bool take_filter(struct call *call, struct bulk *bulk)
{
    static const struct field fields[] = {
        TEXT_FIELD(state),           TEXT_FIELD(type),
        TEXT_FIELD(source),          TEXT_FIELD(run),
        TEXT_FIELD(class),           TEXT_FIELD(worker),
        TEXT_FIELD(submitted_after), TEXT_FIELD(submitted_before)};
    if (decode_object(call->arena, bulk->asked_filter, "/filter", fields,
                      sizeof(fields) / sizeof(fields[0]), &bulk->filter.given,
                      &call->err) != ERR_OK ||
        !job_filter_choose(call, &bulk->filter)) {
        return false;
    }
    if (bulk->filter.walk == WALK_ALL && bulk->filter.from == 0 && bulk->filter.to == INT64_MAX) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/filter", "must name at least one thing");
        return false;
    }
    return true;
}

/* False: call->err tells. */
static bool take_bulk(struct call *call, struct bulk *bulk, bool with_token)
{
    static const struct field fields[] = {
        {"action", FIELD_TEXT, .required = true, .min = 1, .max = NAME_MAX_LEN,
         .offset = offsetof(struct bulk, action)},
        {"filter", FIELD_ANY, .required = true, .offset = offsetof(struct bulk, asked_filter)},
        {"priority", FIELD_INT, .min = -PRIORITY_MAX, .max = PRIORITY_MAX,
         .offset = offsetof(struct bulk, priority)},
        {"token", FIELD_TEXT, .required = true, .min = 1, .max = TOKEN_MAX,
         .offset = offsetof(struct bulk, token)}};
    const size_t count = sizeof(fields) / sizeof(fields[0]) - (with_token ? 0 : 1);
    bulk->priority = INT64_MIN;
    if (decode_body(call->arena, call->exchange->body, fields, count, bulk, &call->document,
                    &call->err) != ERR_OK ||
        !find_action(call, bulk)) {
        return false;
    }
    if ((bulk->priority != INT64_MIN) != (bulk->kind == COMMAND_JOB_PRIORITISE)) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/priority",
                     "prioritise needs it, other actions do not take it");
        return false;
    }
    if (!take_filter(call, bulk)) {
        return false;
    }
    bulk->asked = arena_format(call->arena, "%d\nbulk\n%.*s\n%lld\n%.*s", call->tenant.v,
                               STR_ARG(bulk->action), (long long)bulk->priority,
                               STR_ARG(job_filter_text(call, &bulk->filter)));
    return true;
}

/* ---- Looking ---- */

static int compare_jobs(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* A job that moved on between two batches of a walk may be met twice. */
static void order_jobs(struct call *call, struct bulk *bulk)
{
    size_t kept = 0;
    if (bulk->jobs.n > 0) {
        qsort(bulk->jobs.v, bulk->jobs.n, sizeof(int64_t), compare_jobs);
    }
    for (size_t i = 0; i < bulk->jobs.n; i++) {
        if (kept == 0 || bulk->jobs.v[kept - 1] != bulk->jobs.v[i]) {
            bulk->jobs.v[kept++] = bulk->jobs.v[i];
        }
    }
    bulk->jobs.n = kept;
    const struct str bytes = {(const char *)bulk->jobs.v, kept * sizeof(int64_t)};
    bulk->digest = hash_keyed(&call->api->seed, kept == 0 ? STR("") : bytes);
}

static void read_selection(struct call *call, struct reader *reader)
{
    struct bulk *bulk = call->state;
    const size_t most = (size_t)call->api->settings->bulk_jobs;
    struct cursor at = {0};
    bool more = true;
    for (int round = 0; more && round < ROUNDS && bulk->jobs.n <= most; round++) {
        job_views rows = {0};
        job_filter_read(call, reader, &bulk->filter, &at, most + 1 - bulk->jobs.n, &rows, &more);
        if (call->err.code != ERR_OK) {
            return;
        }
        for (size_t i = 0; i < rows.n; i++) {
            VEC_PUSH(call->arena, &bulk->jobs, rows.v[i].job.v);
        }
    }
    if (bulk->jobs.n > most || more) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/filter",
                     "more than %zu jobs fit, or too many had to be looked at: narrow it", most);
        return;
    }
    order_jobs(call, bulk);
}

static struct str token_of(struct call *call, const struct bulk *bulk)
{
    const struct cursor cursor = {.keys = {(int64_t)bulk->digest, (int64_t)bulk->jobs.n}};
    return cursor_format(call->arena, &call->api->seed, bulk->asked, &cursor);
}

static void put_id(struct json_writer *w, int64_t job)
{
    char id[ID_TEXT];
    job_id_format((struct job_id){job}, id);
    json_put_str(w, str_from(id));
}

static void answer_preview(struct call *call)
{
    const struct bulk *bulk = call->state;
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_STR(&w, "action", bulk->action);
    JSON_INT(&w, "count", (int64_t)bulk->jobs.n);
    JSON_KEY(&w, "sample");
    json_put_array(&w);
    for (size_t i = 0; i < bulk->jobs.n && i < SAMPLE; i++) {
        put_id(&w, bulk->jobs.v[i]);
    }
    json_put_array_end(&w);
    JSON_STR(&w, "token", token_of(call, bulk));
    json_put_object_end(&w);
    call_answer(call, 200);
}

void api_preview_bulk(struct call *call)
{
    struct bulk *bulk = arena_new(call->arena, struct bulk);
    call->state = bulk;
    if (take_bulk(call, bulk, false)) {
        call_read(call, read_selection, answer_preview);
    } else {
        call_fail(call);
    }
}

/* ---- Doing ---- */

static void put_result(struct json_writer *w, const struct command *command)
{
    const bool taken = command->err.code == ERR_OK;
    json_put_object(w);
    JSON_STR(w, "code", str_from(err_info(command->err.code)->name));
    JSON_KEY(w, "id");
    put_id(w, command->job.job.v);
    if (command->job.made.v > 0) {
        JSON_KEY(w, "made");
        put_id(w, command->job.made.v);
    }
    if (taken && command->kind != COMMAND_JOB_REPLAY) {
        JSON_STR(w, "state", str_from(job_state_name(command->job.state)));
    }
    json_put_object_end(w);
}

static void answer_bulk(struct call *call)
{
    const struct bulk *bulk = call->state;
    int64_t refused = 0;
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_INT(&w, "count", (int64_t)bulk->jobs.n);
    JSON_KEY(&w, "items");
    json_put_array(&w);
    for (size_t i = 0; i < bulk->jobs.n; i++) {
        put_result(&w, &bulk->commands[i]);
        refused += bulk->commands[i].err.code != ERR_OK;
    }
    json_put_array_end(&w);
    JSON_INT(&w, "refused", refused);
    json_put_object_end(&w);
    call_answer(call, 200);
}

/* The next chunk, or the answer. Others' commands come between two chunks. */
static void send_chunk(struct call *call)
{
    struct bulk *bulk = call->state;
    const size_t left = bulk->jobs.n - bulk->done;
    const size_t count = left < CHUNK ? left : CHUNK;
    if (count == 0) {
        answer_bulk(call);
        return;
    }
    struct command *chunk = &bulk->commands[bulk->done];
    bulk->done += count;
    call_engine(call, QUEUE_CONTROL, chunk, count, send_chunk);
}

/* The same token gives the same new jobs again. */
static void fill_command(struct call *call, const struct bulk *bulk, size_t i)
{
    struct command *command = &bulk->commands[i];
    *command = *call_command(call, bulk->kind);
    command->job.job.v = bulk->jobs.v[i];
    if (bulk->kind == COMMAND_JOB_PRIORITISE) {
        command->job.priority = (int16_t)bulk->priority;
    } else if (bulk->kind == COMMAND_JOB_REPLAY) {
        command->request_key =
            arena_format(call->arena, "bulk-%016llx-%lld", (unsigned long long)bulk->digest,
                         (long long)bulk->jobs.v[i]);
        command->request_digest = sha256_of(command->request_key);
    }
}

static void begin(struct call *call)
{
    struct bulk *bulk = call->state;
    struct cursor previewed;
    if (cursor_parse(call->arena, &call->api->seed, bulk->asked, bulk->token, &previewed,
                     &call->err) != ERR_OK) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/token",
                     "is not the token of a preview of this action and filter");
        call_fail(call);
        return;
    }
    if (previewed.keys[0] != (int64_t)bulk->digest || previewed.keys[1] != (int64_t)bulk->jobs.n) {
        (void)err_set(&call->err, ERR_CONFLICT,
                      "other jobs fit now than the %lld that were previewed; preview again",
                      (long long)previewed.keys[1]);
        call_fail(call);
        return;
    }
    bulk->commands = arena_array(call->arena, struct command, bulk->jobs.n + 1);
    for (size_t i = 0; i < bulk->jobs.n; i++) {
        fill_command(call, bulk, i);
    }
    send_chunk(call);
}

void api_apply_bulk(struct call *call)
{
    struct bulk *bulk = arena_new(call->arena, struct bulk);
    call->state = bulk;
    if (take_bulk(call, bulk, true)) {
        call_read(call, read_selection, begin);
    } else {
        call_fail(call);
    }
}
