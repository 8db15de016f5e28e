#include <stdlib.h>

#include "engine/ask.h"
#include "engine/node.h"
#include "platform/clock.h"

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
    ask->command.claim.is_shared = claim->tenant.v == 0;
    ask->command.claim.claim = claim->claim;
    ask->command.claim.types = claim->types;
    ask->command.claim.max = (int32_t)jobs;
    task_init(&ask->task, &ask->command, QUEUE_CONTROL);
    ask->task.claiming = claiming;
}

static struct offer_request request_of(const struct engine *engine, const struct claiming *claiming)
{
    return (struct offer_request){.tenant = claiming->claim->tenant,
                                  .types = claiming->types,
                                  .type_count = claiming->type_count,
                                  .max = claiming->claim->max,
                                  .visits = &claiming->visits,
                                  .now = node_ledger_now(engine)};
}

static bool is_gone(const struct claiming *claiming)
{
    struct engine_claim *claim = claiming->claim;
    return claiming->abandoned ||
           (claiming->waited && claim->is_connected != NULL && !claim->is_connected(claim));
}

void ask_route(struct engine *engine, struct claiming *claiming)
{
    if (is_gone(claiming) || engine->stage != NODE_RUNNING) {
        park_finish(engine, claiming);
        return;
    }
    struct offer offers[OFFER_TENANTS_MAX];
    const struct offer_request request = request_of(engine, claiming);
    const size_t count = engine->ready ? summary_offer(&engine->summary, &request, offers) : 0;
    if (count > 0) {
        struct claim_ask *asks = asks_begin(claiming, count);
        for (size_t i = 0; i < count; i++) {
            const struct tenant_summary *tenant = offers[i].tenant;
            ask_init(claiming, &asks[i], tenant->shard, tenant->tenant, offers[i].jobs);
            asks[i].offer = offers[i];
            asks[i].command.group_floor = offers[i].group == NULL ? 0 : offers[i].group->start;
        }
        for (size_t i = 0; i < count; i++) {
            node_enqueue(engine, &asks[i].task);
        }
    } else if (claiming->until > clock_mono().us) {
        park_add(engine, claiming);
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

void ask_repeat(struct engine *engine, struct claiming *claiming)
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

void ask_wake(struct engine *engine, struct tenant_summary *tenant)
{
    for (struct claiming *c = engine->park.first; c != NULL;) {
        struct claiming *next = c->next;
        if (!engine->ready || tenant->open <= tenant->reserved) {
            return;
        }
        const struct offer_request request = request_of(engine, c);
        if (summary_may_offer(&request, tenant)) {
            park_remove(&engine->park, c);
            ask_route(engine, c);
        }
        c = next;
    }
}

void ask_wake_group(struct engine *engine, const struct group_summary *group)
{
    for (size_t i = 0; i < engine->summary.active.n && engine->park.first != NULL; i++) {
        if (engine->summary.active.v[i]->share.group == group) {
            ask_wake(engine, engine->summary.active.v[i]);
        }
    }
}

void ask_wake_all(struct engine *engine)
{
    struct summary *summary = &engine->summary;
    for (size_t i = 0; i < summary->active.n; i++) {
        summary->active.v[i]->changed = ++summary->stamp;
    }
    for (size_t i = 0; i < summary->active.n; i++) {
        ask_wake(engine, summary->active.v[i]);
    }
}

/* One that is older was decided with before the newer was seen: that claim has missed its wake-up.
 */
void ask_see_system(struct engine *engine, int32_t version)
{
    if (version == engine->system_version) {
        return;
    }
    if (version > engine->system_version) {
        engine->system_version = version;
    }
    ask_wake_all(engine);
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

void ask_feed(struct engine *engine, struct task *submit, struct task_list *joined)
{
    const struct command *command = submit->command;
    for (struct claiming *c = engine->park.first; c != NULL && submit->feed_count > 0;) {
        struct claiming *next = c->next;
        const bool fits = c->claim->tenant.v == 0 || c->claim->tenant.v == command->tenant.v;
        const int64_t jobs = fits ? take_feed(submit, c) : 0;
        if (jobs > 0 && is_gone(c)) {
            park_finish(engine, c);
        } else if (jobs > 0) {
            park_remove(&engine->park, c);
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
    const uint64_t key = (uint64_t)visited->tenant->tenant.v;
    struct visit *visit = map_find(&claiming->visits, key);
    if (visit == NULL) {
        visit = arena_new(&claiming->arena, struct visit);
        map_put(&claiming->arena, &claiming->visits, key, visit);
    }
    *visit = *visited;
}

void ask_done(struct engine *engine, struct claim_ask *ask, int64_t granted,
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
    if (ask->command.claim.worker_state != WORKER_ACTIVE) {
        claiming->claim->worker_state = ask->command.claim.worker_state;
    }
    if (--claiming->left > 0) {
        return;
    }
    const bool is_held = claiming->claim->worker_state != WORKER_ACTIVE;
    const bool may_wait = claiming->code == ERR_LEDGER_UNAVAILABLE && !claiming->abandoned &&
                          engine->stage == NODE_RUNNING && claiming->until > clock_mono().us;
    if (claiming->granted > 0 || is_held || (claiming->code != ERR_OK && !may_wait)) {
        park_finish(engine, claiming);
    } else if (claiming->code != ERR_OK) {
        claiming->code = ERR_OK;
        park_add(engine, claiming);
    } else {
        claiming->repeat_count = 0;
        ask_route(engine, claiming);
    }
}
