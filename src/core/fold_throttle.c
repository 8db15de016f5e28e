#include "core/fold_throttle.h"

/* The bucket that the line is about, made when the line is its first. */
static struct throttle_row *throttle_row_of(struct fold *fold, const struct fold_event *e)
{
    struct throttle_row row = {.row = {.table = TABLE_THROTTLES}, .shard = fold->shard};
    row.tenant = fold->tenant;
    row.host = fold_text(e, "host");
    struct row *known = row_set_find(&fold->set, &row.row);
    return (struct throttle_row *)(known != NULL ? known : row_set_insert(&fold->set, &row.row));
}

bool fold_throttle_changed(struct fold *fold, const struct fold_event *e)
{
    struct throttle_row *row = throttle_row_of(fold, e);
    row->level_micro = fold_int(e, "level_micro");
    row->rate_milli = fold_int(e, "rate_milli");
    row->base_milli = fold_int(e, "base_milli");
    row->burst = fold_int(e, "burst");
    row->refilled_at = fold_int(e, "refilled_at");
    row->hint_milli = fold_int(e, "hint_milli");
    row->hint_until = fold_int(e, "hint_until");
    row->grown_at = fold_int(e, "grown_at");
    row->used = fold_int(e, "used");
    return true;
}

bool fold_throttle_blocked(struct fold *fold, const struct fold_event *e)
{
    struct throttle_row *row = throttle_row_of(fold, e);
    row->blocked_until = fold_int(e, "blocked_until");
    row->penalty_ms = fold_int(e, "penalty_ms");
    row->incidents = (int32_t)fold_int(e, "incidents");
    row->origin = (int16_t)fold_int(e, "origin");
    row->throttled_at = fold_int(e, "throttled_at");
    return fold_throttle_changed(fold, e);
}

bool fold_throttle_set(struct fold *fold, const struct fold_event *e)
{
    struct throttle_row *row = throttle_row_of(fold, e);
    row->version = (int32_t)fold_int(e, "version");
    row->set_until = fold_int(e, "set_until");
    row->set_rate_milli = fold_int(e, "set_rate_milli");
    row->set_burst = fold_int(e, "set_burst");
    row->set_block_until = fold_int(e, "set_block_until");
    row->set_at = fold_int(e, "set_at");
    row->set_by = arena_str(&fold->set.arena, fold_text(e, "set_by"));
    row->set_reason = arena_str(&fold->set.arena, fold_text(e, "set_reason"));
    return fold_throttle_blocked(fold, e);
}
