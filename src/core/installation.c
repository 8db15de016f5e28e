#include "core/installation.h"

#include "core/config.h"
#include "core/control.h"

static struct installation_row *find(const struct tenant_facts *t)
{
    return (struct installation_row *)facts_find(t, TABLE_INSTALLATION, t->id.v);
}

bool installation_want(const struct command *command, struct facts *facts,
                       const struct limits *limits)
{
    (void)limits;
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    const bool known = want(facts, t, WANT_TENANT, 0);
    return want(facts, t, WANT_INSTALLATION, 0) && known;
}

/* The row, to be changed; a new one when nothing was said yet. */
static struct installation_row *change(struct decision *d)
{
    struct installation_row *row = find(d->t);
    if (row == NULL) {
        row = (struct installation_row *)facts_add(d->facts, d->t, TABLE_INSTALLATION);
        row->version = INSTALLATION_FIRST;
        facts_index(d->facts, d->t, &row->row);
    } else {
        facts_change(d->facts, &row->row);
    }
    return row;
}

/* Whoever decides with the old configuration learns of it: `steps` versions on. */
static void announce(struct decision *d, int32_t steps)
{
    d->t->row->config_version += steps;
    facts_change(d->facts, &d->t->row->row);
    d->t->config = NULL;
}

static void pause(struct decision *d, struct installation_row *row, struct str reason,
                  struct str ticket)
{
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "installation.paused");
    JSON_STR(w, "reason", reason);
    JSON_STR(w, "ticket", ticket);
    (void)history_end(&line);
    row->pause = (struct pause){d->facts->now, reason, ticket, d->actor};
    row->version++;
    announce(d, 1);
}

/* Fills err when somebody else changed it meanwhile. */
static bool is_expected(struct command *command, const struct installation_row *row,
                        struct decision *d, const char *action)
{
    struct installation_change *asked = &command->installation;
    asked->version = row == NULL ? INSTALLATION_FIRST : row->version;
    if (asked->if_version >= 0 && asked->if_version != asked->version) {
        (void)err_set(&command->err, ERR_PRECONDITION_FAILED, "the installation is at version %d",
                      asked->version);
    }
    control_write(command, d, action, STR("installation"), command->err.code);
    return command->err.code == ERR_OK;
}

void pause_decide(struct command *command, struct decision *d)
{
    struct installation_row *row = find(d->t);
    if (!is_expected(command, row, d, "installation.pause") ||
        (row != NULL && row->pause.since > 0)) {
        return; /* Paused already: the first reason stays. */
    }
    row = change(d);
    pause(d, row, command->reason, command->ticket);
    command->installation.version = row->version;
}

void resume_decide(struct command *command, struct decision *d)
{
    struct installation_row *row = find(d->t);
    if (!is_expected(command, row, d, "installation.resume") || row == NULL ||
        row->pause.since == 0) {
        return;
    }
    struct history_line line;
    (void)history_begin(&line, d->facts, d->t, d->actor, "installation.resumed");
    (void)history_end(&line);
    row->pause = (struct pause){0};
    row->version++;
    facts_change(d->facts, &row->row);
    announce(d, 1);
    command->installation.version = row->version;
}

static int64_t next_floor(int64_t floor, int64_t latest_at)
{
    const int64_t least = floor + GRANTS_OF_A_RESTORE;
    return latest_at > least ? latest_at : least;
}

void restored_decide(struct command *command, struct decision *d)
{
    struct restored *restored = &command->restored;
    struct installation_row *row = change(d);
    const int64_t now = d->facts->now;
    const int64_t latest_at = restored->latest_at > now ? restored->latest_at : now;
    row->grant_floor = next_floor(row->grant_floor, latest_at);
    row->restored_at = now;
    row->restored_from = restored->from;
    row->version++;
    restored->grant_floor = row->grant_floor;
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "installation.restored");
    JSON_STR(w, "from", row->restored_from);
    JSON_INT(w, "grant_floor", row->grant_floor);
    (void)history_end(&line);
    announce(d, CONFIG_RESTORED_STEPS);
    pause(d, row, command->reason, command->ticket);
}

bool node_started_want(const struct command *command, struct facts *facts,
                       const struct limits *limits)
{
    (void)limits;
    return want(facts, facts_tenant(facts, command->shard, command->tenant), WANT_TENANT, 0);
}

void node_started_decide(struct command *command, struct decision *d)
{
    const struct node_start *start = &command->node_start;
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "node.started");
    JSON_STR(w, "core", start->core);
    JSON_STR(w, "node", start->node);
    history_digest(w, JSON_MEMBER("settings"),
                   (struct str){(const char *)start->settings.bytes, SHA256_SIZE});
    (void)history_end(&line);
}
