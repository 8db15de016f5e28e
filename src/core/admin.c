#include "core/admin.h"

#include "base/check.h"
#include "core/control.h"
#include "core/submit.h"

/* ---- Tenants ---- */

bool tenant_name_want(const struct command *command, struct facts *facts,
                      const struct limits *limits)
{
    (void)limits;
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    const bool known = want(facts, t, WANT_TENANT, 0);
    return want_text(facts, t, WANT_TENANT_NAME, command->tenant_change.name, STR("")) && known;
}

/* Spreads tenants over the shards: the high bits of a multiplicative hash (Knuth, TAOCP 3, 6.4). */
static int16_t home_shard_of(int32_t tenant)
{
    return (int16_t)((uint32_t)tenant * UINT32_C(2654435761) >> 26);
}

void tenant_name_decide(struct command *command, struct decision *d)
{
    struct tenant_change *asked = &command->tenant_change;
    const struct tenant_name_row *taken =
        (const struct tenant_name_row *)facts_find_text(d->t, TABLE_TENANT_NAMES, asked->name);
    if (taken != NULL) {
        asked->made.v = taken->named;
        asked->home_shard = taken->home_shard;
        (void)err_at(&command->err, ERR_ALREADY_EXISTS, "/name",
                     "there is a tenant named %.*s already", STR_ARG(asked->name));
        return;
    }
    asked->made.v = (int32_t)d->t->row->next_job++;
    asked->home_shard = home_shard_of(asked->made.v);
    struct tenant_name_row *row =
        (struct tenant_name_row *)facts_add(d->facts, d->t, TABLE_TENANT_NAMES);
    row->name = asked->name;
    row->named = asked->made.v;
    row->home_shard = asked->home_shard;
    row->created_at = d->facts->now;
    facts_index(d->facts, d->t, &row->row);
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "tenant.named");
    JSON_INT(w, "home_shard", row->home_shard);
    JSON_STR(w, "name", row->name);
    JSON_INT(w, "named", row->named);
    (void)history_end(&line);
}

bool tenant_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    (void)limits;
    return want(facts, facts_tenant(facts, command->shard, command->tenant), WANT_TENANT, 0);
}

static void write_tenant(struct decision *d, const char *type)
{
    const struct tenant_row *row = d->t->row;
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, type);
    JSON_INT(w, "max_inflight", row->max_inflight);
    JSON_INT(w, "max_live", row->max_live);
    JSON_STR(w, "name", row->name);
    JSON_INT(w, "version", row->version);
    JSON_INT(w, "weight", row->weight);
    (void)history_end(&line);
}

static int32_t or_keep(int32_t asked, int32_t old)
{
    return asked >= 0 ? asked : old;
}

void tenant_open_decide(struct command *command, struct facts *facts)
{
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    const struct tenant_change *asked = &command->tenant_change;
    if (t->row != NULL) {
        return;
    }
    struct tenant_row *row = (struct tenant_row *)facts_add(facts, t, TABLE_TENANTS);
    row->name = asked->name;
    row->created_at = facts->now;
    row->weight = or_keep(asked->weight, 1);
    row->max_inflight = or_keep(asked->max_inflight, 0);
    row->max_live = or_keep(asked->max_live, 1000000);
    row->version = 1;
    row->config_version = 1;
    /* The system tenant counts tenants with it: number 1 is itself. */
    row->next_job = t->id.v == TENANT_SYSTEM ? TENANT_SYSTEM + 1 : 1;
    row->next_run = 1;
    row->next_bulk = 1;
    row->next_lane = 1;
    row->key_generation = 1;
    row->key_oldest = 1;
    row->key_turned_at = facts->now;
    facts_index(facts, t, &row->row);
    struct decision d = {.facts = facts, .t = t, .actor = command->actor};
    write_tenant(&d, "tenant.opened");
}

void tenant_change_decide(struct command *command, struct decision *d)
{
    struct tenant_change *asked = &command->tenant_change;
    struct tenant_row *row = d->t->row;
    if (asked->if_version != 0 && asked->if_version != row->version) {
        asked->version = row->version;
        (void)err_set(&command->err, ERR_PRECONDITION_FAILED, "the tenant is at version %d",
                      row->version);
        control_write(command, d, "tenant.change", row->name, command->err.code);
        return;
    }
    control_write(command, d, "tenant.change", row->name, ERR_OK);
    row->weight = or_keep(asked->weight, row->weight);
    row->max_inflight = or_keep(asked->max_inflight, row->max_inflight);
    row->max_live = or_keep(asked->max_live, row->max_live);
    asked->version = ++row->version;
    facts_change(d->facts, &row->row);
    write_tenant(d, "tenant.changed");
}

/* ---- Tokens ---- */

bool token_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    (void)limits;
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    const bool known = want(facts, t, WANT_TENANT, 0);
    return (command->kind == COMMAND_TOKEN_ADD ||
            want(facts, t, WANT_TOKEN, command->token.token)) &&
           known;
}

void token_add_decide(struct command *command, struct decision *d)
{
    struct token_change *asked = &command->token;
    struct token_row *row = (struct token_row *)facts_add(d->facts, d->t, TABLE_TOKENS);
    asked->token = d->t->row->next_run++;
    d->t->row->config_version++;
    row->token = asked->token;
    row->name = asked->name;
    row->hash = asked->hash;
    row->for_tenant = asked->for_tenant;
    row->scopes = asked->scopes;
    row->job_types = asked->job_types;
    row->created_at = d->facts->now;
    facts_index(d->facts, d->t, &row->row);
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "token.added");
    JSON_INT(w, "for_tenant", row->for_tenant);
    history_digest(w, JSON_MEMBER("hash"), row->hash);
    JSON_STR(w, "job_types", row->job_types);
    JSON_STR(w, "name", row->name);
    JSON_INT(w, "scopes", row->scopes);
    JSON_INT(w, "token", row->token);
    (void)history_end(&line);
}

void token_revoke_decide(struct command *command, struct decision *d)
{
    struct token_row *row =
        (struct token_row *)facts_find(d->t, TABLE_TOKENS, command->token.token);
    const struct str about =
        arena_format(d->facts->arena, "tok-%lld", (long long)command->token.token);
    if (row == NULL || row->revoked_at != 0) {
        (void)err_set(&command->err, ERR_NOT_FOUND, "there is no such token");
        control_write(command, d, "token.revoke", about, command->err.code);
        return;
    }
    control_write(command, d, "token.revoke", about, ERR_OK);
    row->revoked_at = d->facts->now;
    facts_change(d->facts, &row->row);
    d->t->row->config_version++;
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "token.revoked");
    JSON_INT(w, "token", row->token);
    (void)history_end(&line);
}
