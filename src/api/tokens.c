/* api/tokens - who may ask for what. */
#include "api/decode.h"
#include "api/views.h"
#include "auth/token.h"

enum { TOKEN_TYPES_MAX = 100 };

struct token_body {
    struct str name;
    struct str tenant;
    json_t *scopes;
    json_t *job_types;
};

/* The tenants of a listing by name, as the node's directory knows them. */
static struct str tenant_name_of(struct call *call, int32_t tenant)
{
    struct str name = STR("");
    int16_t shard = 0;
    struct err err;
    if (tenant != 0 && engine_tenant_name(call->api->engine, (struct tenant_id){tenant},
                                          call->arena, &name, &shard, &err) != ERR_OK) {
        return STR("");
    }
    return name;
}

static void put_scopes(struct json_writer *w, int32_t scopes)
{
    JSON_KEY(w, "scopes");
    json_put_array(w);
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        int32_t bit = 0;
        const struct str name = scope_name(i, &bit);
        if ((scopes & bit) != 0) {
            json_put_str(w, name);
        }
    }
    json_put_array_end(w);
}

static void put_tenant_name(struct json_writer *w, struct str name)
{
    JSON_KEY(w, "tenant");
    if (name.len > 0) {
        json_put_str(w, name);
    } else {
        json_put_null(w);
    }
}

static void put_token_id(struct json_writer *w, struct arena *arena, int64_t token)
{
    JSON_KEY(w, "id");
    json_put_str(w, arena_format(arena, "tok-%lld", (long long)token));
}

void api_whoami(struct call *call)
{
    struct json_writer w = call_json(call);
    json_put_object(&w);
    put_token_id(&w, call->arena, call->who.token);
    JSON_STR(&w, "name", call->who.name);
    put_scopes(&w, call->who.scopes);
    put_tenant_name(&w, tenant_name_of(call, call->who.for_tenant));
    json_put_object_end(&w);
    call_answer(call, 200);
}

/* ---- Create ---- */

struct new_token {
    char text[TOKEN_TEXT];
    struct sha256 hash;
    struct str tenant;
};

static void answer_made(struct call *call)
{
    const struct command *command = call->request.commands;
    const struct new_token *made = call->state;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        call_fail(call);
        return;
    }
    struct json_writer w = call_json(call);
    json_put_object(&w);
    put_token_id(&w, call->arena, command->token.token);
    JSON_RAW(&w, "job_types",
             command->token.job_types.len > 0 ? command->token.job_types : STR("[]"));
    JSON_STR(&w, "name", command->token.name);
    put_scopes(&w, command->token.scopes);
    put_tenant_name(&w, made->tenant);
    JSON_STR(&w, "token", str_from(made->text));
    json_put_object_end(&w);
    call_answer(call, 201);
}

static enum err_code take_scopes(const json_t *names, int32_t *out, struct err *err)
{
    *out = 0;
    for (size_t i = 0; i < json_array_size(names); i++) {
        int32_t bit = 0;
        if (!scope_find(json_text(json_array_get(names, i)), &bit)) {
            return err_at(
                err, ERR_UNPROCESSABLE, "/scopes",
                "scopes are orch:admin, orch:backfill, orch:operate, orch:quota, orch:read, "
                "orch:submit, orch:work");
        }
        *out |= bit;
    }
    return *out != 0 ? ERR_OK
                     : err_at(err, ERR_UNPROCESSABLE, "/scopes", "must be an array of scopes");
}

static enum err_code take_job_types(struct arena *arena, const json_t *names, struct str *out,
                                    struct err *err)
{
    *out = STR("");
    if (names == NULL || (json_is_array(names) && json_array_size(names) == 0)) {
        return ERR_OK;
    }
    bool sound = json_is_array(names) && json_array_size(names) <= TOKEN_TYPES_MAX;
    for (size_t i = 0; sound && i < json_array_size(names); i++) {
        sound = name_is_valid(json_text(json_array_get(names, i)), NAME_MAX_LEN);
    }
    if (!sound) {
        return err_at(err, ERR_UNPROCESSABLE, "/job_types",
                      "must be at most 100 names of job types");
    }
    struct buf text;
    struct json_writer w;
    buf_init(&text, 64 * 1024);
    json_begin(&w, &text);
    json_put_value(&w, names);
    *out = arena_str(arena, buf_get(&text));
    buf_fini(&text);
    return ERR_OK;
}

static enum err_code find_tenant(struct call *call, struct str name, int32_t *out)
{
    struct tenant_id tenant = {0};
    int16_t shard = 0;
    *out = 0;
    if (name.len == 0) {
        return ERR_OK;
    }
    const enum err_code code =
        engine_tenant_by_name(call->api->engine, name, &tenant, &shard, &call->err);
    if (code == ERR_NOT_FOUND || (code == ERR_OK && tenant.v == TENANT_SYSTEM)) {
        return err_at(&call->err, ERR_UNPROCESSABLE, "/tenant", "there is no such tenant");
    }
    *out = tenant.v;
    return code;
}

static enum err_code read_new(struct call *call, struct token_change *out, struct str *out_tenant)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, .required = true, .max = NAME_MAX_LEN,
         .offset = offsetof(struct token_body, name)},
        {"tenant", FIELD_NAME, .required = true, .nullable = true, .max = NAME_MAX_LEN,
         .offset = offsetof(struct token_body, tenant)},
        {"scopes", FIELD_ANY, .required = true, .offset = offsetof(struct token_body, scopes)},
        {"job_types", FIELD_ANY, .nullable = true,
         .offset = offsetof(struct token_body, job_types)},
    };
    struct token_body body = {0};
    TRY(decode_body(call->arena, call->exchange->body, fields, sizeof(fields) / sizeof(fields[0]),
                    &body, &call->document, &call->err));
    TRY(take_scopes(body.scopes, &out->scopes, &call->err));
    TRY(take_job_types(call->arena, body.job_types, &out->job_types, &call->err));
    TRY(find_tenant(call, body.tenant, &out->for_tenant));
    out->name = body.name;
    *out_tenant = body.tenant;
    return ERR_OK;
}

static struct command *system_command(struct call *call, enum command_kind kind)
{
    struct command *command = call_command(call, kind);
    command->tenant.v = TENANT_SYSTEM;
    command->shard = SHARD_SYSTEM;
    return command;
}

void api_create_token(struct call *call)
{
    struct new_token *made = arena_new(call->arena, struct new_token);
    struct command *command = system_command(call, COMMAND_TOKEN_ADD);
    if (read_new(call, &command->token, &made->tenant) != ERR_OK) {
        call_fail(call);
        return;
    }
    token_make(made->text);
    made->hash = token_hash(str_from(made->text));
    command->token.hash = (struct str){(const char *)made->hash.bytes, SHA256_SIZE};
    call->state = made;
    call_engine(call, QUEUE_CONTROL, command, 1, answer_made);
}

/* ---- Revoke ---- */

static void answer_revoked(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        call_fail(call);
        return;
    }
    principals_forget(call->api->principals, command->token.token);
    call_answer(call, 204);
}

void api_revoke_token(struct call *call)
{
    struct command *command = system_command(call, COMMAND_TOKEN_REVOKE);
    const struct str id = call->args[0];
    if (!str_starts(id, STR("tok-")) ||
        !str_parse_i64(str_slice(id, 4, id.len), &command->token.token) ||
        command->token.token < 1) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    call_engine(call, QUEUE_CONTROL, command, 1, answer_revoked);
}

/* ---- List ---- */

struct token_list {
    struct page page;
    struct query_result found;
};

static void read_list(struct call *call, struct reader *reader)
{
    struct token_list *list = call->state;
    const struct query q = {.name = "tokens_all", .arena = call->arena};
    (void)reader_query(reader, &q, &list->found, &call->err);
}

static void put_token(struct call *call, struct json_writer *w, const struct token_row *row)
{
    json_put_object(w);
    JSON_TIME(w, "created_at", row->created_at);
    put_token_id(w, call->arena, row->token);
    JSON_RAW(w, "job_types", row->job_types.len > 0 ? row->job_types : STR("[]"));
    JSON_STR(w, "name", row->name);
    if (row->revoked_at > 0) {
        JSON_TIME(w, "revoked_at", row->revoked_at);
    }
    put_scopes(w, row->scopes);
    put_tenant_name(w, tenant_name_of(call, row->for_tenant));
    json_put_object_end(w);
}

static void list_is_read(struct call *call)
{
    struct token_list *list = call->state;
    struct page *page = &list->page;
    int64_t shown = 0;
    struct json_writer w = page_open(call);
    for (size_t i = 0; i < list->found.rows; i++) {
        const struct token_row *row =
            (const struct token_row *)query_row(&list->found, i, TABLE_TOKENS, call->arena);
        if (row->token <= page->at.keys[0]) {
            continue;
        }
        if (shown == page->limit) {
            page->has_next = true;
            break;
        }
        put_token(call, &w, row);
        page->next.keys[0] = row->token;
        shown++;
    }
    page_close(call, &w, page);
}

void api_list_tokens(struct call *call)
{
    struct token_list *list = arena_new(call->arena, struct token_list);
    call->state = list;
    if (page_take(call, &list->page, STR(""))) {
        call_read(call, read_list, list_is_read);
    }
}
