/* api/bulk - one action on all jobs that fit a filter: first looked at, then begun with the token
 * of that look, and only when a second look finds the same jobs. What is begun is a record of the
 * tenant (core/bulk.h) and goes on by itself. */
#include <stdlib.h>

#include "api/bulk_records.h"
#include "api/decode.h"
#include "api/job_filter.h"
#include "api/submits.h"
#include "core/bulk.h"

enum {
    LOOKS = 10, /* Of list_scan_rows jobs each, before other readers have their turn. */
    SAMPLE = 10,
    TOKEN_MAX = 1024,
    FILTERS_MAX = 4,
    FILTER_TEXT_MAX = 8 * 1024,
};

struct bulk {
    struct str action_name;
    enum bulk_action action;
    int64_t priority;
    const json_t *asked_filter;
    struct str token;
    struct job_filter_texts given;
    /* The walks, one after the other: without a state, one for each that the action is for. */
    struct job_filter filters[FILTERS_MAX];
    size_t filter_count;
    size_t at_filter;
    struct cursor at;
    int64_t looks;
    struct str asked;  /* What the token is for. */
    VEC(int64_t) jobs; /* In the end ascending, each once. */
    int64_t next_bulk; /* Of the tenant, as the first look saw it. */
    uint64_t digest;
    struct cursor previewed; /* The token's. */
    struct bulk_id begun;    /* By this very token, before. */
    call_step *then;
};

/* ---- Reading the request ---- */

static bool find_action(struct call *call, struct bulk *bulk)
{
    if (bulk_action_find(bulk->action_name, &bulk->action)) {
        return true;
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

/* The states that an action is for. */
static const enum job_state *states_for(enum bulk_action action)
{
    static const enum job_state for_action[BULK_ACTION_COUNT][FILTERS_MAX + 1] = {
        [BULK_CANCEL] = {JOB_BLOCKED, JOB_PENDING, JOB_LEASED, JOB_RUNNING, JOB_NONE},
        [BULK_RETRY] = {JOB_DEAD, JOB_CANCELED, JOB_NONE},
        [BULK_REPLAY] = {JOB_SUCCEEDED, JOB_DEAD, JOB_CANCELED, JOB_NONE},
        [BULK_PRIORITISE] = {JOB_BLOCKED, JOB_PENDING, JOB_NONE},
    };

    return for_action[action];
}

static bool add_walk(struct call *call, struct bulk *bulk, struct str state)
{
    struct job_filter *filter = &bulk->filters[bulk->filter_count++];
    *filter = (struct job_filter){.given = bulk->given, .is_patient = true};
    filter->given.state = state;
    return job_filter_choose(call, filter);
}

static bool take_filter(struct call *call, struct bulk *bulk)
{
    static const struct field fields[] = {
        TEXT_FIELD(state),           TEXT_FIELD(type),
        TEXT_FIELD(source),          TEXT_FIELD(run),
        TEXT_FIELD(class),           TEXT_FIELD(worker),
        TEXT_FIELD(submitted_after), TEXT_FIELD(submitted_before)};
    if (decode_object(call->arena, bulk->asked_filter, "/filter", fields,
                      sizeof(fields) / sizeof(fields[0]), &bulk->given, &call->err) != ERR_OK) {
        return false;
    }
    if (json_object_size(bulk->asked_filter) == 0) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/filter", "must name at least one thing");
        return false;
    }
    if (bulk->given.state.ptr != NULL || bulk->given.class.ptr != NULL) {
        return add_walk(call, bulk, bulk->given.state);
    }
    bool fine = true;
    for (const enum job_state *state = states_for(bulk->action); fine && *state != JOB_NONE;
         state++) {
        fine = add_walk(call, bulk, str_from(job_state_name(*state)));
    }
    return fine;
}

static struct str filter_text(struct call *call, const struct bulk *bulk)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    buf_init(&text, FILTER_TEXT_MAX);
    json_begin(&w, &text);
    json_put_value(&w, bulk->asked_filter);
    return arena_str(call->arena, buf_get(&text));
}

/* False: call->err tells. */
static bool take_bulk(struct call *call, struct bulk *bulk, bool with_token)
{
    static const struct field fields[] = {
        {"action", FIELD_TEXT, .required = true, .min = 1, .max = NAME_MAX_LEN,
         .offset = offsetof(struct bulk, action_name)},
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
    if ((bulk->priority != INT64_MIN) != (bulk->action == BULK_PRIORITISE)) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/priority",
                     "prioritise needs it, other actions do not take it");
        return false;
    }
    if (!take_filter(call, bulk)) {
        return false;
    }
    bulk->asked = arena_format(call->arena, "%d\nbulk\n%.*s\n%lld\n%.*s", call->tenant.v,
                               STR_ARG(bulk->action_name), (long long)bulk->priority,
                               STR_ARG(filter_text(call, bulk)));
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

/* One look of the walk that is at; what it reads lies in `scratch`. */
static bool look(struct call *call, struct reader *reader, struct arena *scratch)
{
    struct bulk *bulk = call->state;
    struct arena *own = call->arena;
    job_views rows = {0};
    bool more = false;
    const size_t left = (size_t)call->api->settings->bulk_jobs + 1 - bulk->jobs.n;
    const size_t page = (size_t)call->api->settings->list_scan_rows;
    call->arena = scratch;
    job_filter_read(call, reader, &bulk->filters[bulk->at_filter], &bulk->at,
                    left < page ? left : page, &rows, &more);
    call->arena = own;
    for (size_t i = 0; i < rows.n; i++) {
        VEC_PUSH(own, &bulk->jobs, rows.v[i].job.v);
    }
    bulk->looks++;
    if (!more) {
        bulk->at_filter++;
        bulk->at = (struct cursor){0};
    }
    return call->err.code == ERR_OK;
}

static enum err_code read_tenant(struct call *call, struct reader *reader)
{
    struct bulk *bulk = call->state;
    struct query_result found;
    const struct query tenant = tenant_query(call, "tenant_by_id");
    TRY(reader_query(reader, &tenant, &found, &call->err));
    bulk->next_bulk = found.rows == 0 ? 0 : query_int(&found, 0, "next_bulk");
    return ERR_OK;
}

/* Some looks; then others that wait for a reader come first. */
static void read_selection(struct call *call, struct reader *reader)
{
    struct bulk *bulk = call->state;
    const struct settings *settings = call->api->settings;
    struct arena scratch;
    if (bulk->looks == 0 && read_tenant(call, reader) != ERR_OK) {
        return;
    }
    arena_init(&scratch, SIZE_MAX);
    for (int i = 0; i < LOOKS && bulk->at_filter < bulk->filter_count; i++) {
        if (!look(call, reader, &scratch)) {
            break;
        }
        arena_reset(&scratch);
        if (bulk->jobs.n > (size_t)settings->bulk_jobs) {
            (void)err_at(&call->err, ERR_UNPROCESSABLE, "/filter",
                         "more than %lld jobs fit: narrow it", (long long)settings->bulk_jobs);
            break;
        }
        if (bulk->looks * settings->list_scan_rows > settings->bulk_scan_rows) {
            (void)err_at(&call->err, ERR_UNPROCESSABLE, "/filter",
                         "more than %lld jobs had to be looked at: narrow it",
                         (long long)settings->bulk_scan_rows);
            break;
        }
    }
    arena_fini(&scratch);
}

static void some_are_read(struct call *call)
{
    struct bulk *bulk = call->state;
    if (bulk->at_filter < bulk->filter_count) {
        call_read(call, read_selection, some_are_read);
        return;
    }
    order_jobs(call, bulk);
    bulk->then(call);
}

static void select_jobs(struct call *call, call_step *then)
{
    ((struct bulk *)call->state)->then = then;
    call_read(call, read_selection, some_are_read);
}

static struct str token_of(struct call *call, const struct bulk *bulk)
{
    const struct cursor cursor = {
        .keys = {(int64_t)bulk->digest, (int64_t)bulk->jobs.n, bulk->next_bulk}};
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
    JSON_STR(&w, "action", bulk->action_name);
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
        select_jobs(call, answer_preview);
    } else {
        call_fail(call);
    }
}

/* ---- Doing ---- */

static void is_begun(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        call_fail(call);
        return;
    }
    answer_bulk(call, command->bulk.bulk);
}

/* A token begins one action: sent again, it leads to the same. */
static struct str key_of(struct call *call, const struct bulk *bulk)
{
    return arena_format(call->arena, "bulk-%016llx-%lld-%016llx",
                        (unsigned long long)bulk->previewed.keys[0],
                        (long long)bulk->previewed.keys[2],
                        (unsigned long long)hash_keyed(&call->api->seed, bulk->asked));
}

static void begin(struct call *call)
{
    const struct bulk *bulk = call->state;
    if (bulk->previewed.keys[0] != (int64_t)bulk->digest ||
        bulk->previewed.keys[1] != (int64_t)bulk->jobs.n) {
        (void)err_set(&call->err, ERR_CONFLICT,
                      "other jobs fit now than the %lld that were previewed; preview again",
                      (long long)bulk->previewed.keys[1]);
        call_fail(call);
        return;
    }
    struct command *command = call_command(call, COMMAND_BULK_START);
    command->request_key = key_of(call, bulk);
    command->request_digest = sha256_of(command->request_key);
    command->bulk.action = bulk->action;
    command->bulk.priority = bulk->action == BULK_PRIORITISE ? (int16_t)bulk->priority : 0;
    command->bulk.selection = filter_text(call, bulk);
    command->bulk.jobs = bulk->jobs.v;
    command->bulk.count = bulk->jobs.n;
    call_engine(call, QUEUE_CONTROL, command, 1, is_begun);
}

static void read_begun(struct call *call, struct reader *reader)
{
    struct bulk *bulk = call->state;
    struct query_result found;
    struct query q = tenant_query(call, "request_answer");
    query_arg_text(&q, key_of(call, bulk));
    if (reader_query(reader, &q, &found, &call->err) == ERR_OK && found.rows > 0) {
        (void)str_parse_i64(query_text(&found, 0, "answer"), &bulk->begun.v);
    }
}

static void look_again(struct call *call)
{
    const struct bulk *bulk = call->state;
    if (bulk->begun.v > 0) {
        answer_bulk(call, bulk->begun);
    } else {
        select_jobs(call, begin);
    }
}

void api_apply_bulk(struct call *call)
{
    struct bulk *bulk = arena_new(call->arena, struct bulk);
    call->state = bulk;
    if (!take_bulk(call, bulk, true)) {
        call_fail(call);
        return;
    }
    if (cursor_parse(call->arena, &call->api->seed, bulk->asked, bulk->token, &bulk->previewed,
                     &call->err) != ERR_OK) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/token",
                     "is not the token of a preview of this action and filter");
        call_fail(call);
        return;
    }
    call_read(call, read_begun, look_again);
}
