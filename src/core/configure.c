#include "core/configure.h"

#include "base/check.h"
#include "base/json.h"
#include "core/config.h"
#include "core/control.h"

static enum config_kind_id kind_of(const struct command *command)
{
    return command->kind == COMMAND_JOB_TYPE_PUT ? CONFIG_JOB_TYPE : CONFIG_SOURCE;
}

/* The version that stands now; 0 for none. */
static int32_t version_now(const struct command *command, const struct tenant_facts *t)
{
    const struct str name = command->put.name;
    if (kind_of(command) == CONFIG_JOB_TYPE) {
        const struct job_type_row *row =
            (const struct job_type_row *)facts_find_text(t, TABLE_JOB_TYPES, name);
        return row == NULL ? 0 : row->version;
    }
    const struct source_row *row =
        (const struct source_row *)facts_find_text(t, TABLE_SOURCES, name);
    return row == NULL ? 0 : row->version;
}

bool put_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    bool known = want(facts, t, WANT_TENANT, 0);
    known &= want_list_of(facts, t, WANT_CONFIG, 0, 0, 0);
    if (command->kind != COMMAND_JOB_TYPE_PUT) {
        known &= want_text(facts, t, WANT_SOURCE_LANES, command->put.name, STR(""));
    }
    if (!known) {
        return false;
    }
    const int32_t old = version_now(command, t) + 1 - limits->config_versions;
    return old < 1 || want_config_version(facts, t, kind_of(command), command->put.name, old);
}

/* Whether one more of the kind fits; all that the tenant has are known. None is ever removed. */
static bool has_room(struct command *command, const struct decision *d)
{
    const bool is_type = kind_of(command) == CONFIG_JOB_TYPE;
    const size_t count = d->t->by_text[is_type ? TABLE_JOB_TYPES : TABLE_SOURCES].n;
    const int32_t most = is_type ? d->limits->max_job_types : d->limits->max_sources;
    if (count < (size_t)most) {
        return true;
    }
    (void)err_set(&command->err, is_type ? ERR_TOO_MANY_JOB_TYPES : ERR_TOO_MANY_SOURCES,
                  "there are %d already (%s)", most, is_type ? "max_job_types" : "max_sources");
    return false;
}

/* Whether this version may be replaced (0: there is none). */
static bool version_fits(struct command *command, int32_t version)
{
    const int32_t asked = command->put.if_version;
    command->put.version = version;
    if (command->put.any_version && version > 0) {
        return true;
    }
    if (version == 0 && asked <= 0 && !command->put.any_version) {
        return true;
    }
    if (version > 0 && asked == -1 && !command->put.create_only) {
        (void)err_set(&command->err, ERR_PRECONDITION_REQUIRED,
                      "it exists at version %d: send If-Match", version);
        return false;
    }
    if (version != asked) {
        (void)err_set(&command->err, ERR_PRECONDITION_FAILED, "it is at version %d", version);
        return false;
    }
    return true;
}

/* The oldest version goes when there are too many; returns which, 0 for none. */
static int32_t forget_oldest(struct decision *d, enum config_kind_id kind, struct str name,
                             int32_t version)
{
    struct config_version_row *old =
        facts_config_version(d->facts, d->t, kind, name, version - d->limits->config_versions);
    if (old == NULL) {
        return 0;
    }
    facts_remove(d->facts, &old->row);
    return old->version;
}

static void write_put(const struct command *command, struct decision *d, int32_t forgotten)
{
    const struct config_put *put = &command->put;
    const bool is_type = kind_of(command) == CONFIG_JOB_TYPE;
    struct history_line line;
    struct json_writer *w =
        history_begin(&line, d->facts, d->t, d->actor, is_type ? "job_type.put" : "source.put");
    JSON_STR(w, "body", put->body);
    JSON_INT(w, "forgotten", forgotten);
    JSON_STR(w, "name", put->name);
    JSON_STR(w, "reason", command->reason);
    JSON_INT(w, "version", put->version);
    (void)history_end(&line);
    d->t->row->config_version++;
    facts_change(d->facts, &d->t->row->row);
    d->t->config = NULL; /* Commands after this one in the tick see the new one. */
}

static void keep_version(const struct command *command, struct decision *d)
{
    struct config_version_row *row =
        (struct config_version_row *)facts_add(d->facts, d->t, TABLE_CONFIG_VERSIONS);
    row->kind = (int16_t)kind_of(command);
    row->name = command->put.name;
    row->version = command->put.version;
    row->body = command->put.body;
    row->at = d->facts->now;
    row->actor = d->actor;
    row->reason = command->reason;
    facts_index(d->facts, d->t, &row->row);
}

/* Both rows have the same columns; this is their common shape. */
struct put_target {
    struct row *row;
    int32_t *version;
    struct str *body;
};

static void put(struct command *command, struct decision *d, struct put_target target)
{
    struct config_put *asked = &command->put;
    const bool is_new = target.row->state == ROW_NEW;
    asked->created = is_new && *target.version == 0;
    asked->version = *target.version + 1;
    *target.version = asked->version;
    *target.body = asked->body;
    if (!is_new) {
        facts_change(d->facts, target.row);
    }
    const int32_t forgotten = forget_oldest(d, kind_of(command), asked->name, asked->version);
    keep_version(command, d);
    write_put(command, d, forgotten);
}

void job_type_put_decide(struct command *command, struct decision *d)
{
    struct job_type_row *row =
        (struct job_type_row *)facts_find_text(d->t, TABLE_JOB_TYPES, command->put.name);
    if (!version_fits(command, row == NULL ? 0 : row->version) ||
        (row == NULL && !has_room(command, d))) {
        return;
    }
    if (row == NULL) {
        row = (struct job_type_row *)facts_add(d->facts, d->t, TABLE_JOB_TYPES);
        row->name = command->put.name;
        facts_index(d->facts, d->t, &row->row);
    }
    put(command, d, (struct put_target){&row->row, &row->version, &row->body});
}

/* Whatever held the source's lanes is looked at again. */
static void reopen_lanes(struct decision *d, struct str source)
{
    for (size_t i = 0; i < d->t->by_key[TABLE_LANES].n; i++) {
        struct lane_row *lane = d->t->by_key[TABLE_LANES].entries[i].value;
        if (str_eq(lane->source, source) && lane->open_at != 0) {
            lane->open_at = 0;
            facts_change(d->facts, &lane->row);
        }
    }
}

static void put_source(struct command *command, struct decision *d, struct source_row *row)
{
    put(command, d, (struct put_target){&row->row, &row->version, &row->body});
    reopen_lanes(d, command->put.name);
}

void source_put_decide(struct command *command, struct decision *d)
{
    struct source_row *row =
        (struct source_row *)facts_find_text(d->t, TABLE_SOURCES, command->put.name);
    if (!version_fits(command, row == NULL ? 0 : row->version) ||
        (row == NULL && !has_room(command, d))) {
        return;
    }
    if (row == NULL) {
        row = (struct source_row *)facts_add(d->facts, d->t, TABLE_SOURCES);
        row->name = command->put.name;
        facts_index(d->facts, d->t, &row->row);
    }
    put_source(command, d, row);
}

/* The body with `enabled` set; false when it was so already. */
static bool switch_body(struct arena *arena, struct str body, bool enabled, struct str *out)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    struct err err;
    json_t *document = NULL;
    CHECK(json_read(body, &document, &err) == ERR_OK); /* It was checked when it was put. */
    const json_t *now = json_object_get(document, "enabled");
    const bool changes = (now == NULL || json_is_true(now)) != enabled;
    (void)json_object_set_new(document, "enabled", json_boolean(enabled));
    buf_init(&text, body.len + 32);
    json_begin(&w, &text);
    json_put_value(&w, document);
    json_decref(document);
    CHECK(!text.overflow);
    *out = changes ? arena_str(arena, buf_get(&text)) : body;
    return changes;
}

void source_switch_decide(struct command *command, struct decision *d)
{
    struct config_put *asked = &command->put;
    struct source_row *row = (struct source_row *)facts_find_text(d->t, TABLE_SOURCES, asked->name);
    const char *action = asked->enabled ? "source.enable" : "source.disable";
    if (row == NULL) {
        (void)err_set(&command->err, ERR_NOT_FOUND, "there is no such source");
    } else if (asked->if_version > 0 && asked->if_version != row->version) {
        asked->version = row->version;
        (void)err_set(&command->err, ERR_PRECONDITION_FAILED, "it is at version %d", row->version);
    }
    control_write(command, d, action, asked->name, command->err.code);
    if (command->err.code != ERR_OK) {
        return;
    }
    asked->version = row->version;
    if (switch_body(d->facts->arena, row->body, asked->enabled, &asked->body)) {
        put_source(command, d, row);
    }
    asked->body = arena_str(command->arena, asked->body);
}
