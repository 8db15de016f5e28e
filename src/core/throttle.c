#include "core/throttle.h"

#include "base/check.h"
#include "base/time.h"
#include "core/control.h"
#include "core/submit.h"

/* ---- Finding ---- */

struct pace throttle_pace_unknown(void)
{
    return (struct pace){
        .burst = 1,
        .block_us = 60 * US_PER_S,
        .block_max_us = 24 * 3600 * US_PER_S,
    };
}

bool throttle_want(struct facts *facts, struct tenant_facts *t, const struct source *source)
{
    return source == NULL || source->host.len == 0 ||
           want_text(facts, t, WANT_THROTTLE, source->host, STR(""));
}

static struct throttle_row *find(const struct tenant_facts *t, struct str host)
{
    return (struct throttle_row *)facts_find_text(t, TABLE_THROTTLES, host);
}

static struct throttle_row *add(struct decision *d, struct str host, const struct pace *pace)
{
    struct throttle_row *row = (struct throttle_row *)facts_add(d->facts, d->t, TABLE_THROTTLES);
    row->host = host;
    (void)bucket_follow(row, pace, d->facts->now, true);
    facts_index(d->facts, d->t, &row->row);
    return row;
}

static void follow(struct throttle *out, const struct pace *configured, int64_t now)
{
    out->pace = bucket_pace(configured, out->row, now);
    (void)bucket_follow(out->row, &out->pace, now, false);
}

bool throttle_need(struct decision *d, const struct source *source, struct throttle *out)
{
    if (source == NULL || source->host.len == 0) {
        return false;
    }
    out->row = find(d->t, source->host);
    if (out->row == NULL) {
        out->row = add(d, source->host, source->pace);
        throttle_write(d, out->row, THROTTLE_CHARGED);
    }
    follow(out, source->pace, d->facts->now);
    return true;
}

bool throttle_of(struct decision *d, const struct source *source, struct throttle *out)
{
    return source != NULL && source->host.len > 0 &&
           (source->pace->rate_milli > 0 || find(d->t, source->host) != NULL) &&
           throttle_need(d, source, out);
}

bool throttle_foreseen(const struct tenant_facts *t, const struct source *source, int64_t now,
                       struct throttle *out)
{
    if (source == NULL || source->host.len == 0) {
        return false;
    }
    const struct throttle_row *known = find(t, source->host);
    if (known != NULL) {
        *out->row = *known;
        follow(out, source->pace, now);
        return true;
    }
    *out->row = (struct throttle_row){.tenant = t->id.v, .host = source->host};
    out->pace = *source->pace;
    (void)bucket_follow(out->row, &out->pace, now, true);
    return source->pace->rate_milli > 0;
}

/* ---- Writing ---- */

static const char *const line_types[] = {
    [THROTTLE_CHARGED] = "throttle.changed", [THROTTLE_BLOCKED] = "throttle.blocked",
    [THROTTLE_SET] = "throttle.set",         [THROTTLE_CLEARED] = "throttle.cleared",
    [THROTTLE_EXPIRED] = "throttle.expired",
};

/* The line of a charge is written with most claims: it holds what a charge changes, the others
 * hold more and more. */
void throttle_write(struct decision *d, struct throttle_row *bucket, enum throttle_event event)
{
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, line_types[event]);
    const bool blocks = event >= THROTTLE_BLOCKED;
    JSON_INT(w, "base_milli", bucket->base_milli);
    if (blocks) {
        JSON_INT(w, "blocked_until", bucket->blocked_until);
    }
    JSON_INT(w, "burst", bucket->burst);
    JSON_INT(w, "grown_at", bucket->grown_at);
    JSON_INT(w, "hint_milli", bucket->hint_milli);
    JSON_INT(w, "hint_until", bucket->hint_until);
    JSON_STR(w, "host", bucket->host);
    if (blocks) {
        JSON_INT(w, "incidents", bucket->incidents);
    }
    JSON_INT(w, "level_micro", bucket->level_micro);
    if (blocks) {
        JSON_INT(w, "origin", bucket->origin);
        JSON_INT(w, "penalty_ms", bucket->penalty_ms);
    }
    JSON_INT(w, "rate_milli", bucket->rate_milli);
    JSON_INT(w, "refilled_at", bucket->refilled_at);
    if (event >= THROTTLE_SET) {
        JSON_INT(w, "set_at", bucket->set_at);
        JSON_INT(w, "set_block_until", bucket->set_block_until);
        JSON_INT(w, "set_burst", bucket->set_burst);
        JSON_STR(w, "set_by", bucket->set_by);
        JSON_INT(w, "set_rate_milli", bucket->set_rate_milli);
        JSON_STR(w, "set_reason", bucket->set_reason);
        JSON_INT(w, "set_until", bucket->set_until);
    }
    if (blocks) {
        JSON_INT(w, "throttled_at", bucket->throttled_at);
    }
    JSON_INT(w, "used", bucket->used);
    if (event >= THROTTLE_SET) {
        JSON_INT(w, "version", bucket->version);
    }
    (void)history_end(&line);
    facts_change(d->facts, &bucket->row);
}

/* ---- Operators ---- */

bool throttle_change_want(const struct command *command, struct facts *facts,
                          const struct limits *limits)
{
    (void)limits;
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    bool known = config_want(facts, t);
    known &= want_text(facts, t, WANT_THROTTLE, command->throttle.host, STR(""));
    facts_build_config(facts, t);
    if (!known || t->config == NULL) {
        return known;
    }
    /* Lanes that the change may open. */
    for (size_t i = 0; i < t->config->sources.n; i++) {
        const struct source *source = t->config->sources.entries[i].value;
        if (str_eq(source->host, command->throttle.host)) {
            known &= want_text(facts, t, WANT_SOURCE_LANES, source->name, STR(""));
        }
    }
    return known;
}

/* Whatever the bucket held is looked at again. */
static void reopen_lanes(struct decision *d, struct str host)
{
    for (size_t i = 0; i < d->t->by_key[TABLE_LANES].n; i++) {
        struct lane_row *lane = d->t->by_key[TABLE_LANES].entries[i].value;
        const struct source *source =
            lane->source.len == 0 ? NULL : config_source(d->t->config, lane->source);
        if (source != NULL && str_eq(source->host, host) && lane->open_at != 0) {
            lane->open_at = 0;
            facts_change(d->facts, &lane->row);
        }
    }
}

static struct pace configured(const struct tenant_facts *t, struct str host)
{
    const struct pace *pace = map_find_str(&t->config->paces, host);
    return pace != NULL ? *pace : throttle_pace_unknown();
}

/* Whether the version that stands is the one that was asked for. */
static bool version_fits(struct command *command, const struct throttle_row *row)
{
    struct throttle_change *asked = &command->throttle;
    const int32_t version = row == NULL ? 0 : row->version;
    asked->version = version;
    if (asked->any_version || asked->if_version == version ||
        (asked->if_version < 0 && version == 0)) {
        return true;
    }
    if (asked->if_version < 0) {
        (void)err_set(&command->err, ERR_PRECONDITION_REQUIRED,
                      "it is at version %d: send If-Match", version);
    } else {
        (void)err_set(&command->err, ERR_PRECONDITION_FAILED, "it is at version %d", version);
    }
    return false;
}

static void view(struct command *command, struct throttle_view *out, const struct throttle_row *row,
                 const struct pace *pace)
{
    out->row = *row;
    out->row.host = arena_str(command->arena, row->host);
    out->row.set_by = arena_str(command->arena, row->set_by);
    out->row.set_reason = arena_str(command->arena, row->set_reason);
    out->pace = bucket_pace(pace, row, out->as_of);
}

/* `changed` takes the row's place, unless the difference was only asked for. */
static void finish(struct command *command, struct decision *d, struct throttle_row *row,
                   const struct throttle_row *changed, enum throttle_event event)
{
    struct throttle_change *asked = &command->throttle;
    const struct pace pace = configured(d->t, asked->host);
    asked->after.as_of = d->facts->now;
    view(command, &asked->after, changed, &pace);
    asked->version = changed->version;
    if (asked->dry_run) {
        return;
    }
    if (row == NULL) {
        row = add(d, changed->host, &pace);
    }
    const struct row head = row->row;
    const int16_t shard = row->shard;
    *row = *changed;
    row->row = head;
    row->shard = shard;
    throttle_write(d, row, event);
    reopen_lanes(d, asked->host);
    if (row->set_until > 0) {
        shard_due(d->facts, d->t->shard, row->set_until);
    }
}

/* The row as it is, or as it would be made. */
static struct throttle_row begin(struct command *command, struct decision *d,
                                 const struct throttle_row *row)
{
    struct throttle_change *asked = &command->throttle;
    const struct pace pace = configured(d->t, asked->host);
    struct throttle_row copy = {.tenant = d->t->id.v,
                                .host = arena_str(d->facts->arena, asked->host)};
    if (row != NULL) {
        copy = *row;
    } else {
        (void)bucket_follow(&copy, &pace, d->facts->now, true);
    }
    asked->before.as_of = d->facts->now;
    view(command, &asked->before, &copy, &pace);
    return copy;
}

static void refollow(const struct decision *d, struct throttle_row *row)
{
    const struct pace configured_pace = configured(d->t, row->host);
    const struct pace pace = bucket_pace(&configured_pace, row, d->facts->now);
    (void)bucket_follow(row, &pace, d->facts->now, false);
}

void throttle_set_decide(struct command *command, struct decision *d)
{
    struct throttle_change *asked = &command->throttle;
    struct throttle_row *row = find(d->t, asked->host);
    const bool fits = version_fits(command, row);
    if (!asked->dry_run) {
        control_write(command, d, "throttle.set", asked->host, command->err.code);
    }
    if (!fits) {
        return;
    }
    const int64_t now = d->facts->now;
    struct throttle_row changed = begin(command, d, row);
    changed.version++;
    changed.set_at = now;
    changed.set_until = now + asked->lasts_us;
    changed.set_rate_milli = asked->rate_milli;
    changed.set_burst = asked->burst;
    changed.set_block_until = asked->block_us > 0 ? now + asked->block_us : 0;
    changed.set_by = d->actor;
    changed.set_reason = arena_str(d->facts->arena, command->reason);
    refollow(d, &changed);
    finish(command, d, row, &changed, THROTTLE_SET);
}

static void forget_override(struct throttle_row *row)
{
    row->set_at = 0;
    row->set_until = 0;
    row->set_rate_milli = 0;
    row->set_burst = 0;
    row->set_block_until = 0;
    row->set_by = STR("");
    row->set_reason = STR("");
}

void throttle_clear_decide(struct command *command, struct decision *d)
{
    struct throttle_change *asked = &command->throttle;
    struct throttle_row *row = find(d->t, asked->host);
    bool fits = row != NULL;
    if (!fits) {
        (void)err_set(&command->err, ERR_NOT_FOUND, "this host has no bucket yet");
    } else {
        fits = version_fits(command, row);
    }
    if (!asked->dry_run) {
        control_write(command, d, "throttle.clear", asked->host, command->err.code);
    }
    if (!fits) {
        return;
    }
    struct throttle_row changed = begin(command, d, row);
    changed.version++;
    if (asked->clear_override) {
        forget_override(&changed);
        refollow(d, &changed);
    }
    if (asked->clear_block) {
        const struct pace host = configured(d->t, asked->host);
        const struct pace pace = bucket_pace(&host, &changed, d->facts->now);
        bucket_lift(&changed, &pace, d->facts->now);
    }
    finish(command, d, row, &changed, THROTTLE_CLEARED);
}

void throttle_expire(struct decision *d, struct throttle_row *bucket)
{
    bucket->version++;
    forget_override(bucket);
    refollow(d, bucket);
    throttle_write(d, bucket, THROTTLE_EXPIRED);
}
