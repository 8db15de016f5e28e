/* api/workers - who works, and for how long it may go on. A tenant sees its own workers; an
 * installation token without a tenant those of the installation. */
#include "api/roster.h"
#include "api/views.h"

struct worker_read {
    struct str name;
    struct page page;
    struct query_result found;
    struct query_result leases; /* Of all workers, by name. */
};

static bool is_installation(const struct call *call)
{
    return call->tenant.v == 0;
}

static struct query query_of(const struct call *call, const char *name)
{
    const bool shared = is_installation(call);
    struct query q = {.name = name, .arena = call->arena};
    q.tenant.v = shared ? TENANT_SYSTEM : call->tenant.v;
    query_arg_int(&q, shared ? SHARD_SYSTEM : call->shard);
    query_arg_int(&q, q.tenant.v);
    return q;
}

static enum err_code read_leases(struct call *call, struct reader *reader)
{
    struct worker_read *read = call->state;
    const struct query of_all = {.name = "worker_leases", .arena = call->arena};
    const struct query of_one = query_of(call, "worker_leases_of");
    return reader_query(reader, is_installation(call) ? &of_all : &of_one, &read->leases,
                        &call->err);
}

static int64_t leases_of(const struct worker_read *read, struct str name)
{
    for (size_t i = 0; i < read->leases.rows; i++) {
        if (str_eq(query_text(&read->leases, i, "worker"), name)) {
            return query_int(&read->leases, i, "leases");
        }
    }
    return 0;
}

static void put_worker(struct json_writer *w, const struct worker_read *read,
                       const struct worker_row *row)
{
    json_put_object(w);
    if (row->changed_at > 0) {
        JSON_TIME(w, "changed_at", row->changed_at);
    }
    JSON_INT(w, "clock_offset_ms", row->offset_ms);
    JSON_KEY(w, "job_types");
    json_put_raw(w, row->job_types.len > 0 ? row->job_types : STR("[]"));
    JSON_INT(w, "leases", leases_of(read, row->name));
    JSON_STR(w, "name", row->name);
    JSON_STR(w, "reason", row->reason);
    JSON_TIME(w, "registered_at", row->registered_at);
    JSON_TIME(w, "seen_at", row->seen_at);
    JSON_INT(w, "slots", row->slots);
    JSON_STR(w, "state", str_from(worker_state_name((enum worker_state)row->state)));
    JSON_STR(w, "version", row->version);
    json_put_object_end(w);
}

static const struct worker_row *row_at(struct call *call, size_t i)
{
    const struct worker_read *read = call->state;
    return (const struct worker_row *)query_row(&read->found, i, TABLE_WORKERS, call->arena);
}

/* ---- List ---- */

static void read_list(struct call *call, struct reader *reader)
{
    struct worker_read *read = call->state;
    struct query q = query_of(call, "workers_page");
    query_arg_text(&q, read->page.at.name);
    query_arg_int(&q, read->page.limit + 1);
    if (reader_query(reader, &q, &read->found, &call->err) == ERR_OK) {
        (void)read_leases(call, reader);
    }
}

static void list_is_read(struct call *call)
{
    struct worker_read *read = call->state;
    struct page *page = &read->page;
    struct json_writer w = page_open(call);
    for (size_t i = 0; i < read->found.rows && !page->has_next; i++) {
        const struct worker_row *row = row_at(call, i);
        if ((int64_t)i == page->limit) {
            page->has_next = true;
        } else {
            put_worker(&w, read, row);
            page->next.name = row->name;
        }
    }
    page_close(call, &w, page);
}

void api_list_workers(struct call *call)
{
    struct worker_read *read = arena_new(call->arena, struct worker_read);
    call->state = read;
    if (page_take(call, &read->page, STR(""))) {
        call_read(call, read_list, list_is_read);
    }
}

/* ---- One ---- */

static void read_one(struct call *call, struct reader *reader)
{
    struct worker_read *read = call->state;
    struct query q = query_of(call, "worker");
    query_arg_text(&q, read->name);
    if (reader_query(reader, &q, &read->found, &call->err) == ERR_OK) {
        (void)read_leases(call, reader);
    }
}

static void one_is_read(struct call *call)
{
    const struct worker_read *read = call->state;
    if (read->found.rows == 0) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    struct json_writer w = call_json(call);
    put_worker(&w, read, row_at(call, 0));
    call_answer(call, 200);
}

void api_get_worker(struct call *call)
{
    struct worker_read *read = arena_new(call->arena, struct worker_read);
    read->name = call->args[0];
    call->state = read;
    call_read(call, read_one, one_is_read);
}

/* ---- Drain, quarantine, resume ---- */

static void worker_is_set(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        call_fail(call);
        return;
    }
    api_get_worker(call);
}

static void set(struct call *call, enum worker_state state)
{
    struct command *command = call_command(call, COMMAND_WORKER_SET);
    if (is_installation(call)) {
        command->tenant.v = TENANT_SYSTEM;
        command->shard = SHARD_SYSTEM;
    }
    command->worker.name = call->args[0];
    command->worker.state = (int16_t)state;
    call_engine(call, QUEUE_CONTROL, command, 1, worker_is_set);
}

void api_drain_worker(struct call *call)
{
    set(call, WORKER_DRAINING);
}

void api_quarantine_worker(struct call *call)
{
    set(call, WORKER_QUARANTINED);
}

void api_resume_worker(struct call *call)
{
    set(call, WORKER_ACTIVE);
}
