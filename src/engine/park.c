#include "engine/park.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/hints.h"
#include "platform/clock.h"
#include "platform/thread.h"

#define PARK_BYTES_MAX  ((size_t)256 << 20)
#define CLAIM_BYTES_MAX ((size_t)64 << 20)

/* Claims that end within this time of each other are answered together. */
#define EXPIRE_STEP_US (20 * US_PER_MS)

void park_init(struct park *park)
{
    memset(park, 0, sizeof(*park));
    arena_init(&park->arena, PARK_BYTES_MAX);
    park->recent = calloc(RECENT_SLOTS, sizeof(*park->recent));
    CHECK(park->recent != NULL);
    park->next_until = INT64_MAX;
}

void park_fini(struct park *park)
{
    CHECK(park->active == 0 && park->first == NULL && park->finished == NULL);
    free(park->recent);
    arena_fini(&park->arena);
}

/* ---- Beginning ---- */

struct claiming *claiming_new(struct engine *engine, struct engine_claim *claim)
{
    struct claiming *claiming = calloc(1, sizeof(*claiming));
    CHECK(claiming != NULL);
    claiming->engine = engine;
    claiming->claim = claim;
    arena_init(&claiming->arena, CLAIM_BYTES_MAX);
    mutex_init(&claiming->lock);
    struct str rest = claim->types;
    while (claiming->type_count < CLAIM_TYPES_MAX &&
           type_next(&rest, &claiming->types[claiming->type_count])) {
        claiming->type_count++;
    }
    const int64_t most = engine->config.park_max_us;
    claiming->until = clock_mono().us + (claim->wait_us < most ? claim->wait_us : most);
    return claiming;
}

void claiming_free(struct claiming *claiming)
{
    free(claiming->asks);
    arena_fini(&claiming->arena);
    mutex_fini(&claiming->lock);
    free(claiming);
}

static int32_t *count_of(struct park *park, struct str credential)
{
    static const struct hash_key key = {{UINT64_C(0x63726564656e7469), 1}};
    const uint64_t hash = hash_keyed(&key, credential);
    int32_t *count = map_find(&park->credentials, hash);
    if (count == NULL) {
        count = arena_new(&park->arena, int32_t);
        map_put(&park->arena, &park->credentials, hash, count);
    }
    return count;
}

static struct claiming **bucket_of(struct park *park, int64_t claim)
{
    return &park->buckets[(uint64_t)claim % CLAIM_BUCKETS];
}

static void unbucket(struct park *park, struct claiming *claiming)
{
    struct claiming **at = bucket_of(park, claiming->claim->claim);
    while (*at != claiming) {
        at = &(*at)->same_bucket;
    }
    *at = claiming->same_bucket;
}

/* A worker that gave up on its connection sends the same claim again: the new one counts. */
static enum err_code replace_older(struct engine *engine, const struct engine_claim *claim,
                                   struct err *err)
{
    struct claiming *older = claim->claim == 0 ? NULL : *bucket_of(&engine->park, claim->claim);
    while (older != NULL && older->claim->claim != claim->claim) {
        older = older->same_bucket;
    }
    if (older == NULL) {
        return ERR_OK;
    }
    if (older->stage == CLAIM_PARKED) {
        park_finish(engine, older);
        return ERR_OK;
    }
    err->retry_after_ms = 100;
    return err_set(err, ERR_IDEMPOTENCY_IN_FLIGHT, "this claim id is being answered");
}

enum err_code park_admit(struct engine *engine, struct claiming *claiming, struct err *err)
{
    struct park *park = &engine->park;
    TRY(replace_older(engine, claiming->claim, err));
    int32_t *count = count_of(park, claiming->claim->credential);
    if (*count >= engine->config.parked_max) {
        engine->figures.refused++;
        err->retry_after_ms = 1000;
        return err_set(err, ERR_TOO_MANY_CLAIMS, "%d claims of this credential wait", *count);
    }
    (*count)++;
    asked_note(&engine->asked, claiming->claim->tenant, claiming->types, claiming->type_count);
    claiming->credential_count = count;
    park->active++;
    struct claiming **bucket = bucket_of(park, claiming->claim->claim);
    claiming->same_bucket = *bucket;
    *bucket = claiming;
    claiming->claim->state = claiming;
    return ERR_OK;
}

static int64_t *recent_slot(const struct park *park, int64_t claim)
{
    return &park->recent[((uint64_t)claim >> 8) % RECENT_SLOTS];
}

bool park_was_answered(const struct engine *engine, int64_t claim)
{
    return claim != 0 && *recent_slot(&engine->park, claim) == claim;
}

/* ---- Ending ---- */

void park_remove(struct park *park, struct claiming *claiming)
{
    *(claiming->previous == NULL ? &park->first : &claiming->previous->next) = claiming->next;
    *(claiming->next == NULL ? &park->last : &claiming->next->previous) = claiming->previous;
    claiming->previous = NULL;
    claiming->next = NULL;
    park->parked--;
    claiming->stage = CLAIM_QUEUED;
}

void park_add(struct engine *engine, struct claiming *claiming)
{
    struct park *park = &engine->park;
    claiming->stage = CLAIM_PARKED;
    claiming->waited = true;
    claiming->previous = park->last;
    claiming->next = NULL;
    *(park->last == NULL ? &park->first : &park->last->next) = claiming;
    park->last = claiming;
    park->parked++;
    if (claiming->until < park->next_until) {
        park->next_until = claiming->until;
        node_due_at(engine, claiming->until);
    }
    if (hints_are_urgent(engine)) {
        wake_one(&engine->watch);
    }
}

void park_finish(struct engine *engine, struct claiming *claiming)
{
    struct park *park = &engine->park;
    if (claiming->stage == CLAIM_PARKED) {
        park_remove(park, claiming);
    }
    unbucket(park, claiming);
    (*claiming->credential_count)--;
    park->active--;
    if (claiming->granted > 0 && claiming->claim->claim != 0) {
        *recent_slot(park, claiming->claim->claim) = claiming->claim->claim;
    }
    claiming->stage = CLAIM_FINISHED;
    if (engine->stage == NODE_DRAINING) {
        wake_all(&engine->idle);
    }
    claiming->next = park->finished;
    park->finished = claiming;
}

void park_hand_over(struct engine *engine)
{
    if (engine->park.finished != NULL) {
        node_due_at(engine, 0);
    }
}

struct claiming *park_take_finished(struct engine *engine)
{
    struct claiming *finished = engine->park.finished;
    engine->park.finished = NULL;
    return finished;
}

void park_answer(struct engine *engine, struct claiming *finished)
{
    (void)engine;
    while (finished != NULL) {
        struct claiming *next = finished->next;
        struct engine_claim *claim = finished->claim;
        if (finished->granted == 0 && finished->code != ERR_OK) {
            (void)err_set(&claim->err, finished->code, "%s", err_info(finished->code)->title);
            claim->err.retry_after_ms = 1000;
        }
        claim->state = NULL;
        claiming_free(finished);
        claim->done(claim);
        finished = next;
    }
}

void park_expire(struct engine *engine, int64_t mono, bool all)
{
    struct park *park = &engine->park;
    if (!all && mono < park->next_until) {
        return;
    }
    park->next_until = INT64_MAX;
    for (struct claiming *c = park->first; c != NULL;) {
        struct claiming *next = c->next;
        if (all || c->until <= mono + EXPIRE_STEP_US) {
            park_finish(engine, c);
        } else if (c->until < park->next_until) {
            park->next_until = c->until;
        }
        c = next;
    }
}
