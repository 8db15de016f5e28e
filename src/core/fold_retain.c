#include "core/fold_retain.h"

#include "base/json.h"
#include "core/tables.h"

bool fold_keys_turned(struct fold *fold, const struct fold_event *e)
{
    struct tenant_row *row = fold_tenant_row(fold);
    row->key_generation = (int32_t)fold_int(e, "generation");
    row->key_turned_at = e->at;
    return true;
}

static bool is_listed(const json_t *jobs, int64_t job)
{
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        if (json_integer_value(json_array_get(jobs, i)) == job) {
            return true;
        }
    }
    return false;
}

/* The key that was looked through last, or null when the line only says what is the oldest. */
static bool last_key(const struct fold *fold, const struct fold_event *e, struct job_key_row *out)
{
    *out = (struct job_key_row){.row = {.table = TABLE_JOB_KEYS},
                                .shard = fold->shard,
                                .tenant = fold->tenant,
                                .generation = (int32_t)fold_int(e, "generation"),
                                .hash = fold_int(e, "hash"),
                                .job = fold_int(e, "job")};
    return out->job != 0;
}

bool fold_keys_dropped(struct fold *fold, const struct fold_event *e)
{
    struct job_key_row last;
    const struct row_table *keys = &fold->set.tables[TABLE_JOB_KEYS];
    const json_t *moved = json_object_get(e->facts, "moved");
    fold_tenant_row(fold)->key_oldest = (int32_t)fold_int(e, "oldest");
    if (!last_key(fold, e, &last)) {
        return true;
    }
    const struct table *table = table_get(TABLE_JOB_KEYS);
    size_t at = 0;
    while (at < keys->n && row_compare_keys(table, keys->rows[at], &last.row) <= 0) {
        const struct job_key_row key = *(const struct job_key_row *)keys->rows[at];
        if (key.shard != fold->shard || key.tenant != fold->tenant) {
            at++;
            continue;
        }
        row_set_delete(&fold->set, &key.row);
        if (is_listed(moved, key.job)) {
            struct job_key_row on = key;
            on.generation = (int32_t)fold_int(e, "into");
            (void)row_set_insert(&fold->set, &on.row);
        }
    }
    return true;
}

bool fold_requests_dropped(struct fold *fold, const struct fold_event *e)
{
    const int64_t last_at = fold_int(e, "at");
    const struct str last_key = fold_text(e, "key");
    const struct row_table *keys = &fold->set.tables[TABLE_REQUEST_KEYS];
    size_t at = 0;
    while (at < keys->n) {
        const struct request_key_row *key = (const struct request_key_row *)keys->rows[at];
        const bool gone =
            key->shard == fold->shard && key->tenant == fold->tenant &&
            (key->at < last_at || (key->at == last_at && str_cmp(key->key, last_key) <= 0));
        if (gone) {
            row_set_delete(&fold->set, &key->row);
        } else {
            at++;
        }
    }
    return true;
}

static struct outcome_row *outcome_of(struct fold *fold, const json_t *job)
{
    const struct outcome_row like = {.row = {.table = TABLE_OUTCOMES},
                                     .shard = fold->shard,
                                     .tenant = fold->tenant,
                                     .job = json_integer_value(job)};
    return (struct outcome_row *)row_set_find(&fold->set, &like.row);
}

bool fold_payloads_erased(struct fold *fold, const struct fold_event *e)
{
    const json_t *erased = json_object_get(e->facts, "jobs");
    const json_t *late = json_object_get(e->facts, "late");
    for (size_t i = 0; i < json_array_size(erased); i++) {
        struct outcome_row *outcome = outcome_of(fold, json_array_get(erased, i));
        if (outcome == NULL) {
            return false;
        }
        outcome->carry.flags = (int16_t)((outcome->carry.flags | JOB_ERASED) & ~JOB_LATE);
    }
    for (size_t i = 0; i < json_array_size(late); i++) {
        struct outcome_row *outcome = outcome_of(fold, json_array_get(late, i));
        if (outcome != NULL) {
            outcome->carry.flags |= JOB_LATE;
        }
    }
    fold_tenant_row(fold)->erased_to = fold_int(e, "through");
    return true;
}
