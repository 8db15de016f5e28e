/* api/breaker_changes - breakers as an operator sets them; each change can be tried dry. */
#include "api/breakers.h"
#include "api/decode.h"
#include "api/manners.h"
#include "platform/clock.h"
#include "query/json_diff.h"

enum { SERVICE_MAX = 64, SHOWN_BYTES_MAX = 64 * 1024 };

#define FOR_MS_MAX INT64_C(2592000000)

/* ---- Answering ---- */

static json_t *json_of(struct call *call, const struct breaker_row *row,
                       const struct breaker_row *shared)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    struct err err;
    json_t *made = NULL;
    const struct shown_breaker shown = {row->service, row, shared, call->tenant.v != 0};
    buf_init(&text, SHOWN_BYTES_MAX);
    json_begin(&w, &text);
    breaker_put(call, &w, &shown, clock_wall().us);
    return json_read(buf_get(&text), &made, &err) == ERR_OK ? made : json_null();
}

static void breaker_is_changed(struct call *call)
{
    const struct command *command = call->request.commands;
    const struct breaker_change_asked *asked = &command->breaker;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        manners_write_failed(call, asked->version);
        return;
    }
    const bool is_shared = call->tenant.v == 0;
    json_t *before = json_of(call, &asked->was, is_shared ? &asked->was : &asked->shared);
    json_t *after = json_of(call, &asked->row, is_shared ? &asked->row : &asked->shared);
    struct json_writer w = call_json(call);
    json_put_object(&w);
    json_put_key(&w, STR("after"));
    json_put_value(&w, after);
    json_put_key(&w, STR("before"));
    json_put_value(&w, before);
    json_put_key(&w, STR("changes"));
    json_diff_put(&w, call->arena, before, after);
    JSON_BOOL(&w, "dry_run", asked->is_dry);
    json_put_object_end(&w);
    json_decref(before);
    json_decref(after);
    if (is_shared && asked->row.version > 0) {
        call_put_etag(call, asked->is_dry ? asked->was.version : asked->row.version);
    }
    call_answer(call, asked->created && !asked->is_dry ? 201 : 200);
}

/* ---- Asking ---- */

/* Reads dry_run. False: answered. */
static bool take_dry(struct call *call, bool *out)
{
    struct str dry = {0};
    const struct query_param params[] = {{"dry_run", &dry}};
    if (!call_query(call, params, 1)) {
        return false;
    }
    *out = str_eq(dry, STR("true"));
    if (dry.ptr == NULL || *out || str_eq(dry, STR("false"))) {
        return true;
    }
    (void)err_at(&call->err, ERR_INVALID_REQUEST, "dry_run", "dry_run is true or false");
    call_fail(call);
    return false;
}

/* Null: answered. */
static struct command *begin(struct call *call, enum command_kind kind)
{
    struct command *command = call_command(call, kind);
    struct condition condition;
    if (!name_is_valid(call->args[0], SERVICE_MAX)) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "", "the name in the path is not a valid name");
        call_fail(call);
        return NULL;
    }
    if (!take_dry(call, &command->breaker.is_dry) || !manners_condition(call, &condition)) {
        return NULL;
    }
    if (call->tenant.v == 0) {
        command->tenant.v = TENANT_SYSTEM;
        command->shard = SHARD_SYSTEM;
    }
    command->breaker.service = call->args[0];
    command->breaker.if_version = condition.version;
    command->breaker.any_version = condition.any;
    command->breaker.create_only = condition.none;
    return command;
}

void api_put_breaker(struct call *call)
{
    struct breaker_config config;
    struct command *command = begin(call, COMMAND_BREAKER_PUT);
    if (command == NULL) {
        return;
    }
    if (json_read(call->exchange->body, &call->document, &call->err) != ERR_OK ||
        breaker_config_parse(call->arena, call->document, &config, &command->breaker.body,
                             &call->err) != ERR_OK) {
        call_fail(call);
        return;
    }
    call_engine(call, QUEUE_CONTROL, command, 1, breaker_is_changed);
}

struct force_body {
    struct str mode;
    int64_t for_ms;
};

void api_force_breaker(struct call *call)
{
    static const struct field fields[] = {
        {"mode", FIELD_TEXT, .required = true, .max = 32,
         .offset = offsetof(struct force_body, mode)},
        {"for_ms", FIELD_INT, .max = FOR_MS_MAX, .offset = offsetof(struct force_body, for_ms)},
    };
    struct force_body body = {.for_ms = 0};
    enum breaker_mode mode = BREAKER_AUTOMATIC;
    struct command *command = begin(call, COMMAND_BREAKER_FORCE);
    if (command == NULL) {
        return;
    }
    if (decode_body(call->arena, call->exchange->body, fields, sizeof(fields) / sizeof(fields[0]),
                    &body, &call->document, &call->err) != ERR_OK) {
        call_fail(call);
        return;
    }
    if (!breaker_mode_find(body.mode, &mode)) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/mode",
                     "mode is automatic, forced_open, disabled or shadow");
        call_fail(call);
        return;
    }
    command->breaker.mode = (int16_t)mode;
    command->breaker.mode_ms = body.for_ms;
    call_engine(call, QUEUE_CONTROL, command, 1, breaker_is_changed);
}

void api_reset_breaker(struct call *call)
{
    struct command *command = begin(call, COMMAND_BREAKER_RESET);
    if (command != NULL) {
        call_engine(call, QUEUE_CONTROL, command, 1, breaker_is_changed);
    }
}
