#include "core/breakers.h"

#include "base/check.h"
#include "base/time.h"
#include "core/control.h"
#include "core/service.h"
#include "core/tables.h"

bool breaker_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    (void)limits;
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    struct tenant_facts *system =
        facts_tenant(facts, SHARD_SYSTEM, (struct tenant_id){TENANT_SYSTEM});
    bool known = want(facts, t, WANT_TENANT, 0);
    known &= want_text(facts, system, WANT_BREAKER, command->breaker.service, STR(""));
    return want_text(facts, t, WANT_BREAKER, command->breaker.service, STR("")) && known;
}

/* What stands there, as the answer shows it; its texts in the command's arena. */
static struct breaker_row shown(struct arena *arena, const struct breaker_row *row,
                                struct str service)
{
    const struct breaker_row none = {.row = {.table = TABLE_BREAKERS}, .service = service};
    return *(struct breaker_row *)row_copy(arena, row == NULL ? &none.row : &row->row);
}

static struct breaker_row *row_of(const struct command *command, const struct tenant_facts *t)
{
    return (struct breaker_row *)facts_find_text(t, TABLE_BREAKERS, command->breaker.service);
}

/* Whether this version may be replaced (0: there is none). */
static bool version_fits(struct command *command, int32_t version)
{
    const struct breaker_change_asked *asked = &command->breaker;
    if ((asked->any_version && version > 0) || asked->if_version == version ||
        (version == 0 && asked->if_version <= 0 && !asked->any_version)) {
        return true;
    }
    command->breaker.version = version;
    if (version > 0 && asked->if_version == -1 && !asked->create_only) {
        (void)err_set(&command->err, ERR_PRECONDITION_REQUIRED,
                      "it exists at version %d: send If-Match", version);
    } else {
        (void)err_set(&command->err, ERR_PRECONDITION_FAILED, "it is at version %d", version);
    }
    return false;
}

static void write_put(struct command *command, struct decision *d, const struct breaker_row *row)
{
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "breaker.put");
    JSON_STR(w, "body", row->body);
    JSON_STR(w, "reason", command->reason);
    JSON_INT(w, "revision", row->revision);
    JSON_STR(w, "service", row->service);
    JSON_INT(w, "version", row->version);
    (void)history_end(&line);
}

void breaker_put_decide(struct command *command, struct decision *d)
{
    struct breaker_change_asked *asked = &command->breaker;
    struct breaker_row *row = row_of(command, d->t);
    asked->was = shown(command->arena, row, asked->service);
    asked->row = asked->was;
    if (command->tenant.v != TENANT_SYSTEM) {
        (void)err_set(&command->err, ERR_FORBIDDEN,
                      "the parameters of a breaker are the installation's");
    }
    if (command->err.code != ERR_OK || !version_fits(command, asked->was.version)) {
        return;
    }
    asked->created = asked->was.version == 0;
    asked->row.version++;
    asked->row.revision++;
    asked->row.body = asked->body;
    asked->version = asked->row.version;
    if (asked->is_dry) {
        return;
    }
    if (row == NULL) {
        row = (struct breaker_row *)facts_add(d->facts, d->t, TABLE_BREAKERS);
        row->service = arena_str(d->facts->arena, asked->service);
        facts_index(d->facts, d->t, &row->row);
    } else {
        facts_change(d->facts, &row->row);
    }
    row->version = asked->row.version;
    row->revision = asked->row.revision;
    row->body = arena_str(d->facts->arena, asked->body);
    write_put(command, d, row);
}

static struct service service_of(struct command *command, struct decision *d)
{
    struct breaker_change_asked *asked = &command->breaker;
    const struct tenant_facts *system =
        facts_tenant(d->facts, SHARD_SYSTEM, (struct tenant_id){TENANT_SYSTEM});
    struct service service;
    asked->shared = shown(command->arena, row_of(command, system), asked->service);
    service_find(d->facts, d->t, asked->service, &service);
    service.home = d->t;
    service.row = row_of(command, d->t);
    service.breaker = (struct breaker){0};
    if (service.row != NULL) {
        breaker_read(service.row, &service.breaker);
    }
    return service;
}

/* Refused when it is not the tenant's own to set, or not the version that was read. */
static bool may_set(struct command *command, const struct service *service)
{
    struct breaker_change_asked *asked = &command->breaker;
    const int32_t version = service->row == NULL ? 0 : service->row->version;
    asked->version = version;
    if (command->tenant.v != TENANT_SYSTEM && !service->config->per_tenant) {
        (void)err_set(&command->err, ERR_FORBIDDEN,
                      "the breaker of %.*s is the installation's: all tenants share it",
                      STR_ARG(asked->service));
    } else if (asked->if_version > 0 && asked->if_version != version) {
        (void)err_set(&command->err, ERR_PRECONDITION_FAILED, "it is at version %d", version);
    }
    return command->err.code == ERR_OK;
}

/* Writes what was decided, unless it was only to be shown. */
static void finish(struct command *command, struct decision *d, struct service *service,
                   enum breaker_change change)
{
    struct breaker_change_asked *asked = &command->breaker;
    asked->was = shown(command->arena, service->row, asked->service);
    if (asked->is_dry) {
        asked->row = asked->was;
        breaker_write(&service->breaker, command->arena, &asked->row);
        return;
    }
    service_write(d, service, change, 0, 0);
    asked->row = shown(command->arena, service->row, asked->service);
}

void breaker_force_decide(struct command *command, struct decision *d)
{
    const struct breaker_change_asked *asked = &command->breaker;
    struct service service = service_of(command, d);
    const bool may = may_set(command, &service);
    if (!asked->is_dry) {
        control_write(command, d, "breaker.force", asked->service, command->err.code);
    }
    if (!may) {
        return;
    }
    const int64_t until = asked->mode_ms == 0 ? 0 : d->facts->now + asked->mode_ms * US_PER_MS;
    breaker_set_mode(&service.breaker, (enum breaker_mode)asked->mode, until);
    service.reason = command->reason;
    service.ticket = command->ticket;
    service.set_by = d->actor;
    finish(command, d, &service, BREAKER_IS_FORCED);
}

void breaker_reset_decide(struct command *command, struct decision *d)
{
    struct service service = service_of(command, d);
    const bool may = may_set(command, &service);
    if (!command->breaker.is_dry) {
        control_write(command, d, "breaker.reset", command->breaker.service, command->err.code);
    }
    if (may) {
        breaker_reset(&service.breaker, d->facts->now);
        finish(command, d, &service, BREAKER_IS_RESET);
    }
}
