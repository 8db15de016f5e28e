#include <string.h>

#include "core/tables.h"
#include "engine/ask.h"
#include "engine/group.h"
#include "platform/clock.h"
#include "platform/thread.h"

#define LOOK_UP_BYTES_MAX ((size_t)16 << 20)

/* ---- A claim id that was answered before ---- */

static enum err_code ask_claims_of(struct claiming *claiming, struct reader *reader,
                                   struct query_result *out, struct arena *arena, struct err *err)
{
    struct query query = {.name = "claims_of", .arena = arena};
    query_arg_int(&query, claiming->claim->claim);
    return reader_query(reader, &query, out, err);
}

/* Runs on a reader thread. */
static void look_up(void *ctx, struct reader *reader)
{
    struct claiming *claiming = ctx;
    struct engine *engine = claiming->engine;
    struct query_result result = {0};
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, LOOK_UP_BYTES_MAX);
    const enum err_code code = ask_claims_of(claiming, reader, &result, &arena, &err);
    claiming->repeats = arena_array(&claiming->arena, struct repeat, result.rows + 1);
    for (size_t i = 0; i < result.rows; i++) {
        const struct query_value *row = &result.values[i * result.columns];
        claiming->repeats[i] = (struct repeat){.shard = (int16_t)row[0].number,
                                               .tenant = {(int32_t)row[1].number},
                                               .job = {row[2].number},
                                               .lane = (int32_t)row[3].number};
    }
    claiming->repeat_count = result.rows;
    arena_fini(&arena);
    mutex_take(&engine->lock);
    claiming->code = code;
    if (code != ERR_OK || engine->stage != NODE_RUNNING) {
        park_finish(engine, claiming);
    } else if (claiming->repeat_count > 0) {
        ask_repeat(engine, claiming);
    } else {
        ask_route(engine, claiming);
    }
    park_hand_over(engine);
    mutex_give(&engine->lock);
}

/* ---- Arrival ---- */

static enum err_code admit(struct engine *engine, struct claiming *claiming, struct err *err)
{
    if (engine->stage != NODE_RUNNING) {
        return err_set(err, ERR_SHUTTING_DOWN, "this node is stopping");
    }
    if (!engine->ready && claiming->claim->wait_us == 0) {
        err->retry_after_ms = 1000;
        return err_set(err, ERR_LEDGER_UNAVAILABLE, "the ledger does not answer");
    }
    return park_admit(engine, claiming, err);
}

enum err_code engine_claim(struct engine *engine, struct engine_claim *claim, struct err *err)
{
    struct claiming *claiming = claiming_new(engine, claim);
    bool looking = false;
    mutex_take(&engine->lock);
    const enum err_code code = admit(engine, claiming, err);
    if (code == ERR_OK) {
        looking = claim->claim != 0 && (park_was_answered(engine, claim->claim) ||
                                        clock_mono().us < engine->look_up_claims_until);
        if (looking) {
            claiming->stage = CLAIM_LOOKING;
        } else {
            ask_route(engine, claiming);
        }
        park_hand_over(engine);
    }
    mutex_give(&engine->lock);
    if (code != ERR_OK) {
        claiming_free(claiming);
        return code;
    }
    struct err refused = {0};
    const struct waiting_read read = {.read = look_up, .ctx = claiming};
    if (looking && read_pool_add(&engine->reads, read, &refused) != ERR_OK) {
        mutex_take(&engine->lock);
        claiming->code = refused.code;
        park_finish(engine, claiming);
        park_hand_over(engine);
        mutex_give(&engine->lock);
    }
    return ERR_OK;
}

void engine_claim_abandon(struct engine *engine, struct engine_claim *claim)
{
    mutex_take(&engine->lock);
    struct claiming *claiming = claim->state;
    if (claiming != NULL && claiming->stage != CLAIM_FINISHED) {
        claiming->abandoned = true;
        if (claiming->stage == CLAIM_PARKED) {
            park_finish(engine, claiming);
            park_hand_over(engine);
        }
    }
    mutex_give(&engine->lock);
}

/* ---- Grants ---- */

static const struct job_type *copy_type(struct arena *arena, const struct job_type *type)
{
    struct job_type *copy = arena_new(arena, struct job_type);
    *copy = *type;
    copy->name = arena_str(arena, type->name);
    copy->retries = NULL; /* Nothing that a worker is told. */
    copy->retry_count = 0;
    return copy;
}

static const struct source *copy_source(struct arena *arena, const struct source *source)
{
    struct source *copy = arena_new(arena, struct source);
    *copy = *source;
    copy->name = arena_str(arena, source->name);
    copy->kind = arena_str(arena, source->kind);
    copy->host = arena_str(arena, source->host);
    copy->body = arena_str(arena, source->body);
    return copy;
}

/* Grants of one lane share their copies of what is the same. */
static struct lease_grant copy_grant(struct arena *arena, const struct lease_grant *from,
                                     const struct lease_grant *last_from,
                                     const struct lease_grant *last)
{
    const bool same_lane = last_from != NULL && last_from->lane == from->lane &&
                           last_from->type == from->type && last_from->source == from->source;
    struct lease_grant copy = {
        .lease = (const struct leased_row *)row_copy(arena, &from->lease->row),
        .job = (const struct job_row *)row_copy(arena, &from->job->row),
    };
    if (same_lane) {
        copy.lane = last->lane;
        copy.type = last->type;
        copy.source = last->source;
    } else {
        copy.lane = (const struct lane_row *)row_copy(arena, &from->lane->row);
        copy.type = copy_type(arena, from->type);
        copy.source = from->source == NULL ? NULL : copy_source(arena, from->source);
    }
    return copy;
}

int64_t claim_copy_grants(struct group *group, struct claim_ask *ask)
{
    struct claiming *claiming = ask->task.claiming;
    struct arena *arena = claiming->claim->arena;
    const struct command *command = &ask->command;
    const size_t count = command->claim.grants.n;
    if (count == 0) {
        return 0;
    }
    const struct tenant_facts *t = facts_tenant(&group->facts, command->shard, command->tenant);
    mutex_take(&claiming->lock);
    struct claim_part part = {.tenant = command->tenant,
                              .tenant_name = arena_str(arena, t->row->name),
                              .grants = arena_array(arena, struct lease_grant, count),
                              .count = count};
    const struct lease_grant *last = NULL;
    for (size_t i = 0; i < count; i++) {
        struct lease_grant *from = &command->claim.grants.v[i];
        from->job = (const struct job_row *)facts_find(t, TABLE_JOBS, from->lease->job);
        CHECK(from->job != NULL);
        part.grants[i] = copy_grant(arena, from, last, i == 0 ? NULL : &part.grants[i - 1]);
        last = from;
    }
    VEC_PUSH(arena, &claiming->claim->parts, part);
    mutex_give(&claiming->lock);
    return (int64_t)count;
}
