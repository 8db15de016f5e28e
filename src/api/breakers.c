/* api/breakers - which services are well: list, one, and what a breaker did. */
#include "api/breakers.h"

#include <string.h>

#include "api/views.h"
#include "core/config.h"
#include "platform/clock.h"
#include "query/history.h"

/* ---- Showing ---- */

static void put_time_or_null(struct json_writer *w, struct str key, int64_t at)
{
    json_put_key(w, key);
    if (at > 0) {
        json_put_time(w, at);
    } else {
        json_put_null(w);
    }
}

static void put_evidence(struct json_writer *w, const struct breaker *breaker,
                         const struct breaker_config *config, int64_t now)
{
    const struct breaker_bucket sum = breaker_window(breaker, config, now);
    json_put_key(w, STR("evidence"));
    json_put_object(w);
    JSON_INT(w, "calls", sum.calls);
    JSON_INT(w, "failures", sum.failures);
    JSON_INT(w, "in_a_row", breaker->in_a_row);
    JSON_INT(w, "slow", sum.slow);
    json_put_object_end(w);
}

static void put_probes(struct json_writer *w, const struct breaker *breaker)
{
    json_put_key(w, STR("probes"));
    json_put_object(w);
    JSON_INT(w, "failed", breaker->probes_ill);
    JSON_INT(w, "succeeded", breaker->probes_well);
    JSON_INT(w, "under_way", (int64_t)breaker->probe_count);
    json_put_object_end(w);
}

static void put_workers(struct json_writer *w, const struct breaker *breaker)
{
    json_put_key(w, STR("workers"));
    json_put_array(w);
    for (size_t i = 0; i < breaker->worker_count; i++) {
        const struct breaker_worker *worker = &breaker->workers[i];
        json_put_object(w);
        JSON_TIME(w, "called_at", worker->called_at);
        put_time_or_null(w, STR("failed_at"), worker->failed_at);
        JSON_STR(w, "name", worker->name);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

void breaker_put(struct call *call, struct json_writer *w, const struct shown_breaker *shown,
                 int64_t now)
{
    static const struct breaker_row none = {.row = {.table = TABLE_BREAKERS}};
    const struct breaker_row *row = shown->row == NULL ? &none : shown->row;
    const struct str body = shown->shared == NULL ? STR("") : shown->shared->body;
    const struct breaker_config *config = breaker_config_of(call->arena, body);
    struct breaker breaker;
    int64_t grows_at = 0;
    breaker_read(row, &breaker);
    const enum breaker_mode mode = breaker_mode_now(&breaker, now);
    const bool is_set = mode != BREAKER_AUTOMATIC;
    json_put_object(w);
    put_time_or_null(w, STR("changed_at"), breaker.changed_at);
    put_evidence(w, &breaker, config, now);
    JSON_INT(w, "limit", breaker_ramp(&breaker, config, now, &grows_at));
    JSON_STR(w, "mode", str_from(breaker_mode_name(mode)));
    put_time_or_null(w, STR("mode_until"), is_set ? breaker.mode_until : 0);
    put_time_or_null(w, STR("next_probe_at"), breaker.state == BREAKER_OPEN ? breaker.until : 0);
    JSON_INT(w, "opens", breaker.opens);
    JSON_STR(w, "owner", shown->is_own ? STR("tenant") : STR("installation"));
    JSON_RAW(w, "parameters", body.len > 0 ? body : breaker_config_standard_body(call->arena));
    put_probes(w, &breaker);
    JSON_STR(w, "reason", is_set ? row->reason : STR(""));
    JSON_STR(w, "service", shown->service);
    JSON_STR(w, "set_by", is_set ? row->set_by : STR(""));
    JSON_STR(w, "state", str_from(breaker_state_name(breaker.state)));
    JSON_STR(w, "ticket", is_set ? row->ticket : STR(""));
    JSON_INT(w, "version", shown->shared == NULL ? 0 : shown->shared->version);
    if (call->tenant.v == 0) {
        put_workers(w, &breaker);
    }
    json_put_object_end(w);
}

/* ---- Reading ---- */

struct breaker_read {
    struct str name; /* Of one; empty for a list. */
    struct page page;
    VEC(struct shown_breaker) shown; /* By name. */
};

static struct query query_of(struct call *call, const char *name, bool of_installation)
{
    struct query q = {.name = name, .arena = call->arena};
    q.tenant.v = of_installation ? TENANT_SYSTEM : call->tenant.v;
    query_arg_int(&q, of_installation ? SHARD_SYSTEM : call->shard);
    query_arg_int(&q, q.tenant.v);
    return q;
}

/* The place of the service in the list; it is put there when it is new. */
static struct shown_breaker *place_of(struct breaker_read *read, struct arena *arena,
                                      struct str service)
{
    size_t at = 0;
    while (at < read->shown.n && str_cmp(read->shown.v[at].service, service) < 0) {
        at++;
    }
    if (at < read->shown.n && str_eq(read->shown.v[at].service, service)) {
        return &read->shown.v[at];
    }
    VEC_PUSH(arena, &read->shown, ((struct shown_breaker){0}));
    memmove(&read->shown.v[at + 1], &read->shown.v[at],
            (read->shown.n - 1 - at) * sizeof(struct shown_breaker));
    read->shown.v[at] = (struct shown_breaker){.service = service};
    return &read->shown.v[at];
}

static enum err_code add_rows(struct call *call, struct reader *reader, bool of_installation)
{
    struct breaker_read *read = call->state;
    struct query_result found = {0};
    const struct query q = query_of(call, "breakers_of", of_installation);
    TRY(reader_query(reader, &q, &found, &call->err));
    for (size_t i = 0; i < found.rows; i++) {
        const struct breaker_row *row =
            (const struct breaker_row *)query_row(&found, i, TABLE_BREAKERS, call->arena);
        struct shown_breaker *shown = place_of(read, call->arena, row->service);
        if (of_installation) {
            shown->shared = row;
            shown->is_own =
                call->tenant.v != 0 && breaker_config_of(call->arena, row->body)->per_tenant;
        }
        if (of_installation != shown->is_own) {
            shown->row = row;
        }
    }
    return ERR_OK;
}

static enum err_code add_declared(struct call *call, struct reader *reader, bool of_installation)
{
    struct breaker_read *read = call->state;
    struct query_result found = {0};
    const struct query q = query_of(call, "job_types_of", of_installation);
    TRY(reader_query(reader, &q, &found, &call->err));
    for (size_t i = 0; i < found.rows; i++) {
        struct job_type type;
        struct str canonical;
        json_t *body = NULL;
        TRY(json_read(query_text(&found, i, "body"), &body, &call->err));
        const enum err_code code = job_type_parse(call->arena, query_text(&found, i, "name"), body,
                                                  &type, &canonical, &call->err);
        json_decref(body);
        TRY(code);
        for (size_t k = 0; k < type.service_count; k++) {
            (void)place_of(read, call->arena, type.services[k]);
        }
    }
    return ERR_OK;
}

static void read_all(struct call *call, struct reader *reader)
{
    if (add_rows(call, reader, true) == ERR_OK && add_declared(call, reader, true) == ERR_OK &&
        call->tenant.v != 0 && add_rows(call, reader, false) == ERR_OK) {
        (void)add_declared(call, reader, false);
    }
}

static void list_is_read(struct call *call)
{
    struct breaker_read *read = call->state;
    struct page *page = &read->page;
    const int64_t now = clock_wall().us;
    int64_t count = 0;
    struct json_writer w = page_open(call);
    for (size_t i = 0; i < read->shown.n && !page->has_next; i++) {
        const struct shown_breaker *shown = &read->shown.v[i];
        if (!page->is_first && str_cmp(shown->service, page->at.name) <= 0) {
            continue;
        }
        if (count++ == page->limit) {
            page->has_next = true;
        } else {
            breaker_put(call, &w, shown, now);
            page->next.name = shown->service;
        }
    }
    page_close(call, &w, page);
}

void api_list_breakers(struct call *call)
{
    struct breaker_read *read = arena_new(call->arena, struct breaker_read);
    call->state = read;
    if (page_take(call, &read->page, STR(""))) {
        call_read(call, read_all, list_is_read);
    }
}

static void one_is_read(struct call *call)
{
    const struct breaker_read *read = call->state;
    for (size_t i = 0; i < read->shown.n; i++) {
        const struct shown_breaker *shown = &read->shown.v[i];
        if (!str_eq(shown->service, read->name)) {
            continue;
        }
        struct json_writer w = call_json(call);
        breaker_put(call, &w, shown, clock_wall().us);
        /* A tag is of the parameters that a PUT here would replace. */
        if (call->tenant.v == 0 && shown->shared != NULL && shown->shared->version > 0) {
            call_put_etag(call, shown->shared->version);
        }
        call_answer(call, 200);
        return;
    }
    call_refuse(call, ERR_NOT_FOUND, "no job type names that service");
}

void api_get_breaker(struct call *call)
{
    struct breaker_read *read = arena_new(call->arena, struct breaker_read);
    read->name = call->args[0];
    call->state = read;
    call_read(call, read_all, one_is_read);
}

/* ---- What it did ---- */

enum { LINES_MAX = 1000 };

struct breaker_history {
    int64_t after;
    int64_t limit;
    int64_t next;
    history_spans lines;
};

static bool is_about(struct str text, struct str service)
{
    struct err err;
    json_t *line = NULL;
    if (json_read(text, &line, &err) != ERR_OK) {
        return false;
    }
    const bool is =
        str_starts(json_text(json_object_get(line, "type")), STR("breaker.")) &&
        str_eq(json_text(json_object_get(json_object_get(line, "facts"), "service")), service);
    json_decref(line);
    return is;
}

/* Looks at a bounded number of lines: where it stopped is where the next page begins. */
static void read_history(struct call *call, struct reader *reader)
{
    struct breaker_history *history = call->state;
    const bool is_shared = call->tenant.v == 0;
    const struct tenant_id tenant = {is_shared ? TENANT_SYSTEM : call->tenant.v};
    history_spans all = {0};
    if (history_after(reader, is_shared ? SHARD_SYSTEM : call->shard, tenant, history->after,
                      LINES_MAX, call->arena, &all, &call->err) != ERR_OK) {
        return;
    }
    history->next = history->after;
    for (size_t i = 0; i < all.n && (int64_t)history->lines.n < history->limit; i++) {
        history->next = all.v[i].seq;
        if (is_about(all.v[i].text, call->args[0])) {
            VEC_PUSH(call->arena, &history->lines, all.v[i]);
        }
    }
}

static void history_is_read(struct call *call)
{
    const struct breaker_history *history = call->state;
    struct json_writer w = call_json(call);
    json_put_object(&w);
    json_put_key(&w, STR("items"));
    json_put_array(&w);
    for (size_t i = 0; i < history->lines.n; i++) {
        json_put_raw(&w, history->lines.v[i].text);
    }
    json_put_array_end(&w);
    JSON_INT(&w, "next_after", history->next);
    json_put_object_end(&w);
    call_answer(call, 200);
}

void api_get_breaker_history(struct call *call)
{
    struct breaker_history *history = arena_new(call->arena, struct breaker_history);
    struct str after = {0};
    struct str limit = {0};
    const struct query_param params[] = {{"after", &after}, {"limit", &limit}};
    history->limit = 100;
    call->state = history;
    if (call_query(call, params, 2) &&
        call_number(call, "after", after, 0, INT64_MAX / 2, &history->after) &&
        call_number(call, "limit", limit, 1, LINES_MAX, &history->limit)) {
        call_read(call, read_history, history_is_read);
    }
}
