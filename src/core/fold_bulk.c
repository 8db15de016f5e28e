#include "core/fold_bulk.h"

#include "base/json.h"
#include "core/bulk.h"

enum { PART_BYTES_MAX = 64 * 1024 };

static struct bulk_action_row *bulk_of(struct fold *fold, const struct fold_event *e)
{
    const struct bulk_action_row like = {.row = {.table = TABLE_BULK_ACTIONS},
                                         .shard = fold->shard,
                                         .tenant = fold->tenant,
                                         .bulk = fold_int(e, "bulk")};
    return (struct bulk_action_row *)row_set_find(&fold->set, &like.row);
}

static struct bulk_part_row *part_of(struct fold *fold, int64_t bulk, int64_t first)
{
    const struct bulk_part_row like = {.row = {.table = TABLE_BULK_PARTS},
                                       .shard = fold->shard,
                                       .tenant = fold->tenant,
                                       .bulk = bulk,
                                       .first = first};
    return (struct bulk_part_row *)row_set_find(&fold->set, &like.row);
}

bool fold_bulk_started(struct fold *fold, const struct fold_event *e)
{
    struct bulk_action_row row = {.row = {.table = TABLE_BULK_ACTIONS}, .shard = fold->shard};
    enum bulk_action action = BULK_CANCEL;
    enum bulk_state state = BULK_STORING;
    if (!bulk_action_find(fold_text(e, "action"), &action) ||
        !bulk_state_find(fold_text(e, "state"), &state)) {
        return false;
    }
    row.tenant = fold->tenant;
    row.bulk = fold_int(e, "bulk");
    row.action = (int16_t)action;
    row.state = (int16_t)state;
    row.priority = (int16_t)fold_int(e, "priority");
    row.run = fold_int(e, "run");
    row.selection = fold_text(e, "selection");
    row.actor = e->actor;
    row.reason = fold_text(e, "reason");
    row.ticket = fold_text(e, "ticket");
    row.matched = fold_int(e, "matched");
    row.started_at = e->at;
    row.due_at = fold_int(e, "due_at");
    (void)row_set_insert(&fold->set, &row.row);
    fold_tenant_row(fold)->next_bulk++;
    return true;
}

/* A fact's text, in the fold's arena. */
static struct str text_of(struct fold *fold, const json_t *value)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    buf_init(&text, PART_BYTES_MAX);
    json_begin(&w, &text);
    json_put_value(&w, value);
    return arena_str(&fold->set.arena, buf_get(&text));
}

bool fold_bulk_stored(struct fold *fold, const struct fold_event *e)
{
    struct bulk_action_row *bulk = bulk_of(fold, e);
    const json_t *jobs = json_object_get(e->facts, "jobs");
    if (bulk == NULL || bulk->state != BULK_STORING) {
        return false;
    }
    const struct bulk_part_row part = {.row = {.table = TABLE_BULK_PARTS},
                                       .shard = fold->shard,
                                       .tenant = fold->tenant,
                                       .bulk = bulk->bulk,
                                       .first = bulk->stored,
                                       .jobs = text_of(fold, jobs)};
    (void)row_set_insert(&fold->set, &part.row);
    bulk->stored += (int64_t)json_array_size(jobs);
    if (bulk->stored == bulk->matched) {
        bulk->state = BULK_RUNNING;
        bulk->due_at = e->at;
    }
    return true;
}

static void count(struct bulk_action_row *bulk, const json_t *results)
{
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        const struct str text = json_text(result);
        if (json_is_integer(result) || str_eq(text, STR(BULK_CHANGED))) {
            bulk->changed++;
        } else if (str_eq(text, STR(BULK_ALREADY))) {
            bulk->already++;
        } else {
            bulk->refused++;
        }
        bulk->done++;
    }
}

bool fold_bulk_progressed(struct fold *fold, const struct fold_event *e)
{
    struct bulk_action_row *bulk = bulk_of(fold, e);
    const json_t *results = json_object_get(e->facts, "results");
    if (bulk == NULL || bulk->state != BULK_RUNNING) {
        return false;
    }
    if (json_array_size(results) > 0 && bulk->run != 0) {
        const struct bulk_part_row part = {.row = {.table = TABLE_BULK_PARTS},
                                           .shard = fold->shard,
                                           .tenant = fold->tenant,
                                           .bulk = bulk->bulk,
                                           .first = bulk->done,
                                           .jobs = text_of(fold, json_object_get(e->facts, "jobs")),
                                           .results = text_of(fold, results)};
        (void)row_set_insert(&fold->set, &part.row);
    } else if (json_array_size(results) > 0) {
        struct bulk_part_row *part = part_of(fold, bulk->bulk, bulk->done - bulk->done % BULK_PART);
        if (part == NULL) {
            return false;
        }
        part->results = bulk_join(&fold->set.arena, part->results, text_of(fold, results));
    }
    count(bulk, results);
    bulk->after_job = fold_int(e, "after");
    bulk->due_at = e->at;
    return true;
}

bool fold_bulk_ended(struct fold *fold, const struct fold_event *e)
{
    struct bulk_action_row *bulk = bulk_of(fold, e);
    enum bulk_state state = BULK_DONE;
    if (bulk == NULL || !bulk_state_find(fold_text(e, "state"), &state)) {
        return false;
    }
    bulk->state = (int16_t)state;
    bulk->ended_at = e->at;
    bulk->due_at = 0;
    return true;
}

bool fold_bulk_dropped(struct fold *fold, const struct fold_event *e)
{
    struct bulk_action_row *bulk = bulk_of(fold, e);
    const struct row_table *parts = &fold->set.tables[TABLE_BULK_PARTS];
    const int64_t through = fold_int(e, "through");
    if (bulk == NULL) {
        return false;
    }
    for (size_t at = 0; at < parts->n;) {
        const struct bulk_part_row *part = (const struct bulk_part_row *)parts->rows[at];
        if (part->shard == fold->shard && part->tenant == fold->tenant &&
            part->bulk == bulk->bulk && part->first <= through) {
            row_set_delete(&fold->set, &part->row);
        } else {
            at++;
        }
    }
    if (json_is_true(json_object_get(e->facts, "whole"))) {
        row_set_delete(&fold->set, &bulk->row);
    }
    return true;
}
