#include "core/workers.h"

#include "base/check.h"
#include "base/time.h"
#include "core/control.h"

static const char *const actions[] = {"worker.resume", "worker.drain", "worker.quarantine"};

static struct worker_row *find(const struct tenant_facts *t, struct str name)
{
    return (struct worker_row *)facts_find_text(t, TABLE_WORKERS, name);
}

bool worker_seen_want(const struct command *command, struct facts *facts,
                      const struct limits *limits)
{
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    bool known = want(facts, t, WANT_TENANT, 0);
    known &= want_text(facts, t, WANT_WORKER, command->worker.name, STR(""));
    const bool may_be_new = command->worker.job_types.len > 0;
    if (!known || !may_be_new || find(t, command->worker.name) != NULL) {
        return known;
    }
    /* A new one: is there room? */
    return want_list_of(facts, t, WANT_WORKERS, 0, 0, limits->max_workers);
}

static void forget(struct decision *d, struct worker_row *row)
{
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "worker.forgotten");
    JSON_STR(w, "name", row->name);
    JSON_INT(w, "seen_at", row->seen_at);
    (void)history_end(&line);
    facts_remove(d->facts, &row->row);
}

/* Whether one more fits; for that, active ones that were not seen for long are forgotten. */
static bool make_room(struct decision *d)
{
    const struct map *all = &d->t->by_text[TABLE_WORKERS];
    const int64_t since = d->facts->now - d->limits->worker_retention_us;
    int64_t live = 0;
    for (size_t i = 0; i < all->n; i++) {
        live += row_is_live(all->entries[i].value);
    }
    for (size_t i = 0; i < all->n && live >= d->limits->max_workers; i++) {
        struct worker_row *row = all->entries[i].value;
        if (row_is_live(&row->row) && row->state == WORKER_ACTIVE && row->seen_at <= since) {
            forget(d, row);
            live--;
        }
    }
    return live < d->limits->max_workers;
}

static bool says_other(const struct worker_row *row, const struct worker_change *asked)
{
    return asked->registers &&
           (!str_eq(row->version, asked->version) || row->slots != asked->slots ||
            !str_eq(row->job_types, asked->job_types));
}

static void write_registered(struct decision *d, struct worker_row *row,
                             const struct worker_change *asked)
{
    row->version = asked->version;
    row->slots = asked->slots;
    row->job_types = asked->job_types;
    row->registered_at = d->facts->now;
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "worker.registered");
    JSON_STR(w, "job_types", row->job_types);
    JSON_STR(w, "name", row->name);
    JSON_INT(w, "slots", row->slots);
    JSON_STR(w, "version", row->version);
    (void)history_end(&line);
}

static struct worker_row *add(struct command *command, struct decision *d)
{
    if (!make_room(d)) {
        command->err.retry_after_ms = 0;
        (void)err_set(&command->err, ERR_TOO_MANY_WORKERS,
                      "%d workers are registered already; those not seen for long are forgotten",
                      d->limits->max_workers);
        return NULL;
    }
    struct worker_row *row = (struct worker_row *)facts_add(d->facts, d->t, TABLE_WORKERS);
    row->name = command->worker.name;
    write_registered(d, row, &command->worker);
    facts_index(d->facts, d->t, &row->row);
    return row;
}

void worker_seen_decide(struct command *command, struct decision *d)
{
    struct worker_change *asked = &command->worker;
    struct worker_row *row = find(d->t, asked->name);
    if (row == NULL && asked->job_types.len == 0) {
        return; /* It says nothing of what it does. */
    }
    if (row == NULL) {
        row = add(command, d);
        if (row == NULL) {
            return;
        }
    } else if (says_other(row, asked)) {
        write_registered(d, row, asked);
    }
    row->seen_at = d->facts->now;
    if (asked->registers) {
        row->offset_ms = asked->clock_ms == 0 ? 0 : asked->clock_ms - d->facts->now / US_PER_MS;
    }
    if (row->row.state != ROW_NEW) {
        facts_change(d->facts, &row->row);
    }
    asked->state = row->state;
}

bool worker_set_want(const struct command *command, struct facts *facts,
                     const struct limits *limits)
{
    (void)limits;
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    const bool known = want(facts, t, WANT_TENANT, 0);
    return want_text(facts, t, WANT_WORKER, command->worker.name, STR("")) && known;
}

void worker_set_decide(struct command *command, struct decision *d)
{
    const struct worker_change *asked = &command->worker;
    struct worker_row *row = find(d->t, asked->name);
    CHECK(asked->state >= WORKER_ACTIVE && asked->state <= WORKER_QUARANTINED);
    if (row == NULL) {
        (void)err_set(&command->err, ERR_NOT_FOUND, "there is no such worker");
    }
    control_write(command, d, actions[asked->state], asked->name, command->err.code);
    if (row == NULL) {
        return;
    }
    row->state = asked->state;
    row->reason = asked->state == WORKER_ACTIVE ? STR("") : command->reason;
    row->changed_at = d->facts->now;
    if (row->row.state != ROW_NEW) {
        facts_change(d->facts, &row->row);
    }
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "worker.set");
    JSON_STR(w, "name", row->name);
    JSON_STR(w, "reason", row->reason);
    JSON_INT(w, "state", row->state);
    (void)history_end(&line);
    d->t->row->config_version++;
    facts_change(d->facts, &d->t->row->row);
    d->t->config = NULL; /* Claims after this one in the tick see it. */
}
