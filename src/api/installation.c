/* api/installation - what is said of the whole installation: paused, restored. */
#include "api/manners.h"
#include "api/views.h"

static void put_installation(struct json_writer *w, const struct installation_row *row)
{
    json_put_object(w);
    JSON_INT(w, "grant_floor", row->grant_floor);
    if (row->pause.since > 0) {
        put_pause(w, &row->pause);
    }
    JSON_BOOL(w, "paused", row->pause.since > 0);
    if (row->restored_at > 0) {
        JSON_KEY(w, "restored");
        json_put_object(w);
        JSON_TIME(w, "at", row->restored_at);
        JSON_STR(w, "from", row->restored_from);
        json_put_object_end(w);
    }
    JSON_INT(w, "version", row->version);
    json_put_object_end(w);
}

static void read_installation(struct call *call, struct reader *reader)
{
    struct query_result *found = call->state;
    const struct query q = {.name = "installation", .arena = call->arena};
    (void)reader_query(reader, &q, found, &call->err);
}

static void installation_is_read(struct call *call)
{
    static const struct installation_row nothing = {.version = INSTALLATION_FIRST};
    const struct query_result *found = call->state;
    const struct installation_row *row = &nothing;
    if (found->rows > 0) {
        row = (const struct installation_row *)query_row(found, 0, TABLE_INSTALLATION, call->arena);
    }
    struct json_writer w = call_json(call);
    put_installation(&w, row);
    call_put_etag(call, row->version);
    call_answer(call, 200);
}

void api_get_installation(struct call *call)
{
    call->state = arena_new(call->arena, struct query_result);
    call_read(call, read_installation, installation_is_read);
}

static void installation_is_set(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        manners_write_failed(call, command->installation.version);
        return;
    }
    api_get_installation(call);
}

static void set(struct call *call, enum command_kind kind)
{
    struct condition condition;
    if (!manners_condition(call, &condition)) {
        return;
    }
    struct command *command = call_command(call, kind);
    command->tenant.v = TENANT_SYSTEM;
    command->shard = SHARD_SYSTEM;
    command->installation.if_version = condition.any ? -1 : condition.version;
    call_engine(call, QUEUE_CONTROL, command, 1, installation_is_set);
}

void api_pause_installation(struct call *call)
{
    set(call, COMMAND_PAUSE);
}

void api_resume_installation(struct call *call)
{
    set(call, COMMAND_RESUME);
}
