#include "core/bulk.h"

#include <string.h>

#include "base/check.h"
#include "core/control.h"
#include "core/submit.h"

/* Jobs written down in one tick. */
enum { STORED_IN_TICK = 40 * BULK_PART };

static const char *const actions[BULK_ACTION_COUNT] = {"cancel", "retry", "replay", "prioritise"};
static const char *const states[BULK_STATE_COUNT] = {"storing", "running", "done", "canceled",
                                                     "failed"};

const char *bulk_action_name(enum bulk_action action)
{
    return actions[action];
}

const char *bulk_state_name(enum bulk_state state)
{
    return states[state];
}

bool bulk_action_find(struct str name, enum bulk_action *out)
{
    for (int i = 0; i < BULK_ACTION_COUNT; i++) {
        if (str_eq(name, str_from(actions[i]))) {
            *out = (enum bulk_action)i;
            return true;
        }
    }
    return false;
}

bool bulk_state_find(struct str name, enum bulk_state *out)
{
    for (int i = 0; i < BULK_STATE_COUNT; i++) {
        if (str_eq(name, str_from(states[i]))) {
            *out = (enum bulk_state)i;
            return true;
        }
    }
    return false;
}

struct str bulk_join(struct arena *arena, struct str a, struct str b)
{
    if (a.len <= 2 || b.len <= 2) {
        return arena_str(arena, a.len <= 2 ? b : a);
    }
    char *text = arena_alloc(arena, a.len + b.len);
    memcpy(text, a.ptr, a.len - 1);
    text[a.len - 1] = ',';
    memcpy(text + a.len, b.ptr + 1, b.len - 1);
    return (struct str){text, a.len + b.len - 1};
}

/* ---- Room ---- */

bool bulk_room_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits)
{
    bool known = want(facts, t, WANT_TENANT, 0);
    known &= want_list_of(facts, t, WANT_BULKS_ACTIVE, 0, 0, limits->bulk_active);
    return want_list_of(facts, t, WANT_OLD_BULKS, 0, 0, 1) && known;
}

bool bulk_has_room(const struct decision *d, struct err *err)
{
    const struct map *known = &d->t->by_key[TABLE_BULK_ACTIONS];
    int64_t oldest = d->t->row->next_bulk;
    int32_t active = 0;
    for (size_t i = 0; i < known->n; i++) {
        const struct bulk_action_row *bulk = known->entries[i].value;
        if (row_is_live(&bulk->row)) {
            active += bulk->due_at > 0;
            oldest = bulk->bulk < oldest ? bulk->bulk : oldest;
        }
    }
    if (active >= d->limits->bulk_active) {
        (void)err_set(err, ERR_TOO_MANY_BULK_ACTIONS,
                      "%d bulk actions are under way; wait for one to end, or cancel one", active);
    } else if (d->t->row->next_bulk - oldest >= d->limits->bulk_kept) {
        (void)err_set(err, ERR_TOO_MANY_BULK_ACTIONS,
                      "%d records of bulk actions are kept; they go bulk_retention_ms after their "
                      "end",
                      d->limits->bulk_kept);
    }
    return err->code == ERR_OK;
}

/* ---- Beginning and end ---- */

struct bulk_action_row *bulk_begin(const struct command *command, struct decision *d,
                                   const struct bulk_new *asked)
{
    struct bulk_action_row *bulk =
        (struct bulk_action_row *)facts_add(d->facts, d->t, TABLE_BULK_ACTIONS);
    bulk->bulk = d->t->row->next_bulk++;
    bulk->action = (int16_t)asked->action;
    bulk->state = (int16_t)asked->state;
    bulk->priority = asked->priority;
    bulk->run = asked->run;
    bulk->selection = asked->selection;
    bulk->actor = command->actor;
    bulk->reason = command->reason;
    bulk->ticket = command->ticket;
    bulk->matched = asked->matched;
    bulk->started_at = d->facts->now;
    bulk->due_at = d->facts->now + (asked->state == BULK_STORING ? d->limits->run_assembly_us : 0);
    facts_index(d->facts, d->t, &bulk->row);
    facts_change(d->facts, &d->t->row->row);
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "bulk.started");
    JSON_STR(w, "action", str_from(actions[asked->action]));
    JSON_INT(w, "bulk", bulk->bulk);
    JSON_INT(w, "due_at", bulk->due_at);
    JSON_INT(w, "matched", bulk->matched);
    JSON_INT(w, "priority", bulk->priority);
    JSON_STR(w, "reason", bulk->reason);
    JSON_INT(w, "run", bulk->run);
    JSON_STR(w, "selection", bulk->selection);
    JSON_STR(w, "state", str_from(states[asked->state]));
    JSON_STR(w, "ticket", bulk->ticket);
    (void)history_end(&line);
    shard_due(d->facts, d->t->shard, bulk->due_at);
    return bulk;
}

void bulk_end(struct decision *d, struct bulk_action_row *bulk, enum bulk_state state)
{
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "bulk.ended");
    JSON_INT(w, "bulk", bulk->bulk);
    JSON_STR(w, "state", str_from(states[state]));
    (void)history_end(&line);
    bulk->state = (int16_t)state;
    bulk->ended_at = d->facts->now;
    bulk->due_at = 0;
    facts_change(d->facts, &bulk->row);
}

/* ---- Start ---- */

bool bulk_start_want(const struct command *command, struct facts *facts,
                     const struct limits *limits)
{
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    bool known = command->request_key.len == 0 ||
                 want_text(facts, t, WANT_REQUEST_KEY, command->request_key, STR(""));
    if (command->bulk.bulk.v == 0) {
        return bulk_room_want(facts, t, limits) && known;
    }
    known &= want(facts, t, WANT_TENANT, 0);
    return want(facts, t, WANT_BULK, command->bulk.bulk.v) && known;
}

static struct bulk_action_row *find(const struct decision *d, struct bulk_id id)
{
    return (struct bulk_action_row *)facts_find(d->t, TABLE_BULK_ACTIONS, id.v);
}

static void control(const struct command *command, struct decision *d, const char *action,
                    struct bulk_id id)
{
    char about[ID_TEXT] = "";
    if (id.v > 0) {
        bulk_id_format(id, about);
    }
    control_write(command, d, action, str_from(about), command->err.code);
}

/* Null when it is refused, with its line. */
static struct bulk_action_row *begin(struct command *command, struct decision *d)
{
    struct bulk_control *asked = &command->bulk;
    if (!bulk_has_room(d, &command->err)) {
        control(command, d, "bulk.start", asked->bulk);
        return NULL;
    }
    const struct bulk_new new = {
        .action = asked->action,
        .state = asked->count > 0 ? BULK_STORING : BULK_RUNNING,
        .priority = asked->priority,
        .selection = asked->selection,
        .matched = (int64_t)asked->count,
    };
    asked->bulk.v = d->t->row->next_bulk;
    control(command, d, "bulk.start", asked->bulk);
    return bulk_begin(command, d, &new);
}

/* The next jobs, up to BULK_PART of them, are written down. */
static void store_part(struct bulk_control *asked, struct decision *d, struct bulk_action_row *bulk)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer jobs;
    struct bulk_part_row *part =
        (struct bulk_part_row *)facts_add(d->facts, d->t, TABLE_BULK_PARTS);
    part->bulk = bulk->bulk;
    part->first = bulk->stored;
    buf_init(&text, HISTORY_LINE_MAX);
    json_begin(&jobs, &text);
    json_put_array(&jobs);
    for (int i = 0; i < BULK_PART && asked->done < asked->count; i++) {
        json_put_int(&jobs, asked->jobs[asked->done++]);
    }
    json_put_array_end(&jobs);
    part->jobs = arena_str(d->facts->arena, buf_get(&text));
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "bulk.stored");
    JSON_INT(w, "bulk", bulk->bulk);
    JSON_RAW(w, "jobs", part->jobs);
    (void)history_end(&line);
    bulk->stored = (int64_t)asked->done;
    if (bulk->stored == bulk->matched) {
        bulk->state = BULK_RUNNING;
        bulk->due_at = d->facts->now;
        shard_due(d->facts, d->t->shard, bulk->due_at);
    }
    facts_change(d->facts, &bulk->row);
}

void bulk_start_decide(struct command *command, struct decision *d)
{
    struct bulk_control *asked = &command->bulk;
    const struct bulk_id begun = asked->bulk;
    struct bulk_action_row *bulk = find(d, begun);
    if (request_is_answered(command, d)) {
        /* The same request came first by another way: what this one began is not needed. */
        if (bulk != NULL && bulk->bulk != asked->bulk.v) {
            bulk_end(d, bulk, BULK_FAILED);
        }
        return;
    }
    if (begun.v == 0) {
        bulk = begin(command, d);
    }
    if (bulk == NULL || (bulk->state != BULK_STORING && asked->count > 0)) {
        if (command->err.code == ERR_OK) {
            (void)err_set(&command->err, ERR_CONFLICT, "it was not whole in time and has failed");
        }
        return;
    }
    const size_t from = asked->done;
    while (asked->done < asked->count && asked->done - from < STORED_IN_TICK) {
        store_part(asked, d, bulk);
    }
    command->again = asked->done < asked->count;
    if (!command->again) {
        request_store(command, d, STR("bulk"),
                      arena_format(d->facts->arena, "%lld", (long long)asked->bulk.v));
    }
    if (asked->count == 0) {
        bulk_end(d, bulk, BULK_DONE);
    }
}

/* ---- Cancel ---- */

bool bulk_cancel_want(const struct command *command, struct facts *facts,
                      const struct limits *limits)
{
    (void)limits;
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    const bool known = want(facts, t, WANT_TENANT, 0);
    return want(facts, t, WANT_BULK, command->bulk.bulk.v) && known;
}

void bulk_cancel_decide(struct command *command, struct decision *d)
{
    struct bulk_action_row *bulk = find(d, command->bulk.bulk);
    if (bulk == NULL) {
        (void)err_set(&command->err, ERR_NOT_FOUND, "there is no such bulk action");
    } else if (bulk->due_at == 0) {
        (void)err_set(&command->err, ERR_INVALID_TRANSITION, "the bulk action has ended: %s",
                      states[bulk->state]);
    }
    control(command, d, "bulk.cancel", command->bulk.bulk);
    if (command->err.code == ERR_OK) {
        bulk_end(d, bulk, BULK_CANCELED);
    }
}
