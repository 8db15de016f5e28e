#include "engine/park.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/node.h"
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

static void unpark(struct park *park, struct claiming *claiming)
{
    *(claiming->previous == NULL ? &park->first : &claiming->previous->next) = claiming->next;
    *(claiming->next == NULL ? &park->last : &claiming->next->previous) = claiming->previous;
    claiming->previous = NULL;
    claiming->next = NULL;
    park->parked--;
    claiming->stage = CLAIM_QUEUED;
}

static void park_it(struct engine *engine, struct claiming *claiming)
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
}

void park_finish(struct engine *engine, struct claiming *claiming)
{
    struct park *park = &engine->park;
    if (claiming->stage == CLAIM_PARKED) {
        unpark(park, claiming);
    }
    unbucket(park, claiming);
    (*claiming->credential_count)--;
    park->active--;
    if (claiming->granted > 0 && claiming->claim->claim != 0) {
        *recent_slot(park, claiming->claim->claim) = claiming->claim->claim;
    }
    claiming->stage = CLAIM_FINISHED;
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

/* ---- Asking ---- */

static struct claim_ask *asks_begin(struct claiming *claiming, size_t count)
{
    if (count > claiming->ask_cap) {
        free(claiming->asks);
        claiming->asks = calloc(count, sizeof(*claiming->asks));
        CHECK(claiming->asks != NULL);
        claiming->ask_cap = count;
    }
    claiming->left = count;
    claiming->stage = CLAIM_QUEUED;
    return claiming->asks;
}

static void ask_init(struct claiming *claiming, struct claim_ask *ask, int16_t shard,
                     struct tenant_id tenant, int64_t jobs)
{
    const struct engine_claim *claim = claiming->claim;
    *ask = (struct claim_ask){
        .command = {
            .kind = COMMAND_CLAIM, .shard = shard, .tenant = tenant, .actor = claim->actor}};
    ask->command.claim.worker = claim->worker;
    ask->command.claim.claim = claim->claim;
    ask->command.claim.types = claim->types;
    ask->command.claim.max = (int32_t)jobs;
    task_init(&ask->task, &ask->command, QUEUE_CONTROL);
    ask->task.claiming = claiming;
}

static struct offer_request request_of(const struct claiming *claiming)
{
    return (struct offer_request){.tenant = claiming->claim->tenant,
                                  .types = claiming->types,
                                  .type_count = claiming->type_count,
                                  .max = claiming->claim->max,
                                  .visits = claiming->visits.v,
                                  .visit_count = claiming->visits.n};
}

static bool is_gone(const struct claiming *claiming)
{
    struct engine_claim *claim = claiming->claim;
    return claiming->abandoned ||
           (claiming->waited && claim->is_connected != NULL && !claim->is_connected(claim));
}

void park_route(struct engine *engine, struct claiming *claiming)
{
    if (is_gone(claiming) || engine->stage != NODE_RUNNING) {
        park_finish(engine, claiming);
        return;
    }
    struct offer offers[OFFER_TENANTS_MAX];
    const struct offer_request request = request_of(claiming);
    const size_t count = engine->ready ? summary_offer(&engine->summary, &request, offers) : 0;
    if (count > 0) {
        struct claim_ask *asks = asks_begin(claiming, count);
        for (size_t i = 0; i < count; i++) {
            const struct tenant_summary *tenant = offers[i].tenant;
            ask_init(claiming, &asks[i], tenant->shard, tenant->tenant, offers[i].jobs);
            asks[i].offer = offers[i];
        }
        for (size_t i = 0; i < count; i++) {
            node_enqueue(engine, &asks[i].task);
        }
    } else if (claiming->until > clock_mono().us) {
        park_it(engine, claiming);
    } else {
        park_finish(engine, claiming);
    }
}

/* How many of the repeats from `at` on are of one tenant. */
static size_t same_tenant(const struct claiming *claiming, size_t at)
{
    size_t n = 1;
    while (at + n < claiming->repeat_count &&
           claiming->repeats[at + n].tenant.v == claiming->repeats[at].tenant.v) {
        n++;
    }
    return n;
}

void park_repeat(struct engine *engine, struct claiming *claiming)
{
    size_t count = 0;
    for (size_t at = 0; at < claiming->repeat_count; at += same_tenant(claiming, at)) {
        count++;
    }
    struct claim_ask *asks = asks_begin(claiming, count);
    size_t n = 0;
    for (size_t at = 0; at < claiming->repeat_count; at += asks[n++].repeat_count) {
        const struct repeat *first = &claiming->repeats[at];
        const size_t repeats = same_tenant(claiming, at);
        ask_init(claiming, &asks[n], first->shard, first->tenant, (int64_t)repeats);
        asks[n].repeats = first;
        asks[n].repeat_count = repeats;
        asks[n].offer.tenant = summary_tenant(&engine->summary, first->shard, first->tenant);
    }
    for (size_t i = 0; i < count; i++) {
        node_enqueue(engine, &asks[i].task);
    }
}

void park_wake(struct engine *engine, struct tenant_summary *tenant)
{
    for (struct claiming *c = engine->park.first; c != NULL;) {
        struct claiming *next = c->next;
        if (!engine->ready || tenant->open <= tenant->reserved) {
            return;
        }
        const struct offer_request request = request_of(c);
        if (summary_may_offer(&request, tenant)) {
            unpark(&engine->park, c);
            park_route(engine, c);
        }
        c = next;
    }
}

void park_wake_all(struct engine *engine)
{
    struct summary *summary = &engine->summary;
    for (size_t i = 0; i < summary->active.n; i++) {
        summary->active.v[i]->changed = ++summary->stamp;
    }
    for (size_t i = 0; i < summary->active.n; i++) {
        park_wake(engine, summary->active.v[i]);
    }
}

/* Jobs of the submit that the claim may have. */
static int64_t take_feed(struct task *submit, const struct claiming *claiming)
{
    for (uint8_t i = 0; i < submit->feed_count; i++) {
        for (size_t k = 0; k < claiming->type_count; k++) {
            if (submit->feeds[i].type == claiming->types[k] && submit->feeds[i].jobs > 0) {
                const int64_t max = claiming->claim->max;
                const int64_t jobs = submit->feeds[i].jobs < max ? submit->feeds[i].jobs : max;
                submit->feeds[i].jobs -= jobs;
                return jobs;
            }
        }
    }
    return 0;
}

void park_feed(struct engine *engine, struct task *submit, struct task_list *joined)
{
    const struct command *command = submit->command;
    for (struct claiming *c = engine->park.first; c != NULL && submit->feed_count > 0;) {
        struct claiming *next = c->next;
        const bool fits = c->claim->tenant.v == 0 || c->claim->tenant.v == command->tenant.v;
        const int64_t jobs = fits ? take_feed(submit, c) : 0;
        if (jobs > 0 && is_gone(c)) {
            park_finish(engine, c);
        } else if (jobs > 0) {
            unpark(&engine->park, c);
            struct claim_ask *ask = asks_begin(c, 1);
            ask_init(c, ask, command->shard, command->tenant, jobs);
            ask->offer.tenant = summary_tenant(&engine->summary, command->shard, command->tenant);
            task_list_push(joined, &ask->task);
        }
        c = next;
    }
}

/* ---- Going on ---- */

static void note_visit(struct claiming *claiming, const struct visit *visited)
{
    for (size_t i = 0; i < claiming->visits.n; i++) {
        if (claiming->visits.v[i].tenant == visited->tenant) {
            claiming->visits.v[i].stamp = visited->stamp;
            return;
        }
    }
    VEC_PUSH(&claiming->arena, &claiming->visits, *visited);
}

void park_ask_done(struct engine *engine, struct claim_ask *ask, int64_t granted,
                   const struct visit *visited, enum err_code code)
{
    struct claiming *claiming = ask->task.claiming;
    summary_release(&ask->offer);
    claiming->granted += granted;
    if (visited != NULL) {
        note_visit(claiming, visited);
    }
    if (code != ERR_OK) {
        claiming->code = code;
    }
    if (--claiming->left > 0) {
        return;
    }
    const bool may_wait = claiming->code == ERR_LEDGER_UNAVAILABLE && !claiming->abandoned &&
                          engine->stage == NODE_RUNNING && claiming->until > clock_mono().us;
    if (claiming->granted > 0 || (claiming->code != ERR_OK && !may_wait)) {
        park_finish(engine, claiming);
    } else if (claiming->code != ERR_OK) {
        claiming->code = ERR_OK;
        park_it(engine, claiming);
    } else {
        claiming->repeat_count = 0;
        park_route(engine, claiming);
    }
}
