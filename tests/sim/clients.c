#include "sim/clients.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/time.h"
#include "core/bulk.h"

enum { ITEMS_MAX = 24, RETRIES = 4 };

static struct command command_for(struct world *world, size_t tenant, enum command_kind kind)
{
    return (struct command){
        .kind = kind,
        .shard = world->shards[tenant],
        .tenant = world->tenants[tenant],
        .actor = STR("client"),
        .reason = STR("because"),
    };
}

static struct str type_name(uint64_t i)
{
    static const struct str names[WORLD_TYPES] = {
        {"type0", 5}, {"type1", 5}, {"type2", 5}, {"type3", 5}};
    return names[i];
}

static void fill_item(struct world *world, struct arena *arena, struct submit_item *item)
{
    const uint64_t source = world_draw(world, 3);
    item->job_type = type_name(world_draw(world, WORLD_TYPES));
    item->source = source == 0 ? STR("") : source == 1 ? STR("slow") : STR("free");
    item->payload = STR("{\"n\":1}");
    item->priority = (int16_t)((int)world_draw(world, 5) - 2);
    item->delay_us = world_chance(world, 10) ? (int64_t)world_draw(world, 3 * US_PER_S) : 0;
    if (world_chance(world, 40)) {
        item->key = arena_format(arena, "key-%llu", (unsigned long long)world_draw(world, 200));
    }
    submit_digest(item, 1);
}

/* Runs a command to its end. A lost group is decided anew by the node, or the node dies and the
 * client, which knows nothing, sends the whole request again; so it does when the answer is lost.
 */
static bool persist(struct world *world, struct command *command)
{
    const struct command original = *command;
    for (int i = 0; i < RETRIES;) {
        struct tick tick;
        const struct command asked = *command;
        const enum world_answer answer = world_do(world, command, &tick);
        tick_fini(&tick);
        if (answer == WORLD_LOST) {
            *command = world_chance(world, 30) ? original : asked;
            i++;
        } else if (!command->again) {
            if (answer == WORLD_ANSWERED) {
                return true;
            }
            *command = original;
            i++;
        }
    }
    return false;
}

static void submit_jobs(struct world *world, size_t tenant, struct arena *arena)
{
    struct command command = command_for(world, tenant, COMMAND_SUBMIT);
    const size_t count = 1 + world_draw(world, ITEMS_MAX);
    command.arena = arena;
    command.submit.items = arena_array(arena, struct submit_item, count);
    command.submit.count = count;
    for (size_t i = 0; i < count; i++) {
        fill_item(world, arena, &command.submit.items[i]);
    }
    if (world_chance(world, 50)) {
        command.request_key = arena_format(arena, "request-%llu", (unsigned long long)world->ticks);
    }
    if (persist(world, &command) && command.err.code == ERR_OK) {
        world->submitted += (int64_t)count;
        for (size_t i = 0; i < count; i++) {
            CHECK(command.submit.items[i].id.v > 0);
        }
    } else if (command.err.code != ERR_OK) {
        CHECK(command.err.code == ERR_JOB_KEY_CONFLICT);
    }
}

static void submit_run(struct world *world, size_t tenant, struct arena *arena)
{
    struct command command = command_for(world, tenant, COMMAND_RUN_SUBMIT);
    const size_t count = 1 + world_draw(world, ITEMS_MAX);
    struct err err;
    size_t at = 0;
    command.arena = arena;
    command.run.items = arena_array(arena, struct submit_item, count);
    command.run.count = count;
    command.run.name = STR("run");
    for (size_t i = 0; i < count; i++) {
        struct submit_item *item = &command.run.items[i];
        struct need *needs = arena_array(arena, struct need, 4);
        fill_item(world, arena, item);
        item->key = STR("");
        submit_digest(item, 1);
        item->name = arena_format(arena, "job%zu", i);
        item->needs = needs;
        for (size_t k = 0; k < 4 && i > k && world_chance(world, 50); k++) {
            const int32_t pred = (int32_t)(i - 1 - k);
            needs[item->need_count++] =
                (struct need){pred, world_chance(world, 30) ? EDGE_ALWAYS : EDGE_SUCCESS};
        }
    }
    CHECK(run_check(arena, command.run.items, count, &at, &err) == ERR_OK);
    command.run.key = arena_format(arena, "run-%lld", (long long)world->ticks);
    if (persist(world, &command)) {
        CHECK(command.err.code == ERR_OK);
        world->submitted += (int64_t)count;
    }
}

/* An operator sets a host for a time, or takes that back. */
static void throttle(struct world *world, size_t tenant, struct arena *arena)
{
    const bool sets = world_chance(world, 60);
    struct command command =
        command_for(world, tenant, sets ? COMMAND_THROTTLE_SET : COMMAND_THROTTLE_CLEAR);
    command.arena = arena;
    command.reason = STR("because");
    command.throttle = (struct throttle_change){
        .host = world_chance(world, 70) ? STR("slow.example.org") : STR("free.example.org"),
        .rate_milli = world_chance(world, 50) ? (int64_t)world_draw(world, 5000) : -1,
        .burst = (int64_t)world_draw(world, 6),
        .block_us = world_chance(world, 30) ? 1 + (int64_t)world_draw(world, US_PER_S) : 0,
        .lasts_us = US_PER_S + (int64_t)world_draw(world, 5 * US_PER_S),
        .clear_override = world_chance(world, 70),
        .clear_block = world_chance(world, 70),
        .dry_run = world_chance(world, 20),
        .if_version = -1,
        .any_version = world_chance(world, 90),
    };
    world->operated[tenant]++;
    (void)persist(world, &command);
}

static void control(struct world *world, size_t tenant, struct arena *arena)
{
    static const enum command_kind kinds[] = {COMMAND_JOB_CANCEL, COMMAND_JOB_RETRY,
                                              COMMAND_JOB_REPLAY, COMMAND_JOB_PRIORITISE,
                                              COMMAND_RUN_CANCEL, COMMAND_RUN_RETRY};
    struct command command = command_for(world, tenant, kinds[world_draw(world, 6)]);
    command.arena = arena;
    if (command.kind == COMMAND_RUN_CANCEL || command.kind == COMMAND_RUN_RETRY) {
        command.run_control.run.v = 1 + (int64_t)world_draw(world, 30);
    } else {
        command.job.job.v = 1 + (int64_t)world_draw(world, 300);
        command.job.priority = (int16_t)((int)world_draw(world, 9) - 4);
    }
    (void)persist(world, &command);
}

/* A bulk action on jobs, some of which may not be there, or the end of one. */
static void bulk(struct world *world, size_t tenant, struct arena *arena)
{
    const bool starts = world_chance(world, 80);
    struct command command =
        command_for(world, tenant, starts ? COMMAND_BULK_START : COMMAND_BULK_CANCEL);
    command.arena = arena;
    command.bulk.bulk.v = starts ? 0 : 1 + (int64_t)world_draw(world, 20);
    if (starts) {
        const size_t most = world_chance(world, 10) ? 2 * BULK_PART : 20;
        int64_t *jobs = arena_array(arena, int64_t, most);
        const int64_t first = (int64_t)world_draw(world, 100);
        command.bulk.count = world_draw(world, most);
        for (size_t i = 0; i < command.bulk.count; i++) {
            jobs[i] = first + 1 + (int64_t)(most == 20 ? 2 * i : i);
        }
        command.bulk.jobs = jobs;
        command.bulk.action =
            (enum bulk_action)world_draw(world, most == 20 ? BULK_ACTION_COUNT : 2);
        command.bulk.priority = (int16_t)((int)world_draw(world, 9) - 4);
        command.bulk.selection = STR("{}");
    }
    if (starts && world_chance(world, 50)) {
        command.request_key = arena_format(arena, "bulk-%llu", (unsigned long long)world->ticks);
    }
    if (persist(world, &command) && starts && command.err.code == ERR_OK) {
        world->bulks++;
    }
}

void client_acts(struct world *world)
{
    struct arena arena;
    const size_t tenant = world_draw(world, WORLD_TENANTS);
    arena_init(&arena, 1 << 24);
    switch (world_draw(world, 9)) {
    case 0:
    case 1: submit_jobs(world, tenant, &arena); break;
    case 2:
    case 3: submit_run(world, tenant, &arena); break;
    case 4: bulk(world, tenant, &arena); break;
    case 5: throttle(world, tenant, &arena); break;
    default: control(world, tenant, &arena); break;
    }
    arena_fini(&arena);
}

void client_cancels(struct world *world, int16_t shard, struct tenant_id tenant, struct job_id job)
{
    struct tick tick;
    struct command command = {
        .kind = COMMAND_JOB_CANCEL,
        .shard = shard,
        .tenant = tenant,
        .actor = STR("client"),
        .reason = STR("its predecessor is dead"),
        .job = {.job = job},
    };
    (void)world_do(world, &command, &tick);
    tick_fini(&tick);
}

/* ---- Workers ---- */

static size_t tenant_index(const struct world *world, struct tenant_id tenant)
{
    for (size_t i = 0; i < WORLD_TENANTS; i++) {
        if (world->tenants[i].v == tenant.v) {
            return i;
        }
    }
    UNREACHABLE();
}

static void claim(struct world *world, struct worker *worker)
{
    struct arena arena;
    struct tick tick;
    struct command command = command_for(world, world_draw(world, WORLD_TENANTS), COMMAND_CLAIM);
    arena_init(&arena, 1 << 20);
    command.actor = str_from(worker->name);
    command.arena = &arena;
    command.claim = (struct claim){
        .worker = str_from(worker->name),
        .claim = world->ticks,
        .types = STR("type0\ntype1\ntype2\ntype3\n"),
        .max = (int32_t)(1 + world_draw(world, 4)),
    };
    const bool answered = world_do(world, &command, &tick) == WORLD_ANSWERED;
    for (size_t i = 0; answered && i < command.claim.grants.n; i++) {
        const struct leased_row *lease = command.claim.grants.v[i].lease;
        world->claimed++;
        if (worker->count < WORLD_LEASES) {
            worker->leases[worker->count++] = (struct held){
                .id = {{lease->tenant}, {lease->job}, lease->carry.lane},
                .grant = lease->carry.grant,
            };
        }
    }
    tick_fini(&tick);
    arena_fini(&arena);
}

/* Batches repeat, overlap and outgrow the attempt's limit. */
static struct log_batch some_lines(struct world *world)
{
    const int32_t count = (int32_t)world_draw(world, 4);
    return (struct log_batch){.first = (int64_t)world_draw(world, 6),
                              .count = count,
                              .raw_len = count * 200000,
                              .lines = STR("lines")};
}

/* Of the job's host: mostly it says nothing. */
static struct upstream_told some_fields(struct world *world)
{
    return (struct upstream_told){
        .is_known = world_chance(world, 20) && !world->healed,
        .remaining = (int64_t)world_draw(world, 4),
        .reset_us = (int64_t)world_draw(world, 2 * US_PER_S),
    };
}

static void heartbeat(struct world *world, struct worker *worker, struct held *held)
{
    struct tick tick;
    struct heartbeat_item item = {
        .job = held->id.job,
        .lane = held->id.lane,
        .grant = held->grant,
        .progress = world_chance(world, 70) ? STR("{\"done\":1}") : STR(""),
        .requests_wanted = (int64_t)world_draw(world, 2),
        .is_stale = world_chance(world, 30),
        .requests_used = (int64_t)world_draw(world, 2),
        .told = some_fields(world),
        .log = some_lines(world),
    };
    struct command command =
        command_for(world, tenant_index(world, held->id.tenant), COMMAND_HEARTBEAT);
    command.actor = str_from(worker->name);
    command.heartbeat = (struct heartbeat){
        .worker = str_from(worker->name), .items = &item, .count = 1, .is_shared = true};
    (void)world_do(world, &command, &tick);
    tick_fini(&tick);
}

static void fill_report(struct world *world, struct held *held)
{
    struct report_item *item = &held->last;
    /* Now and then nearly everything fails: a service is down. */
    const bool is_outage = !world->healed && world->clock / (10 * US_PER_S) % 3 == 0;
    const uint64_t drawn = world_draw(world, 100);
    const uint64_t luck = is_outage && drawn < 60 ? 70 : drawn;
    *item = (struct report_item){
        .kind = luck < 60   ? REPORT_COMPLETE
                : luck < 80 ? REPORT_FAIL
                : luck < 90 ? (world->healed ? REPORT_COMPLETE : REPORT_THROTTLED)
                            : REPORT_RELEASE,
        .job = held->id.job,
        .lane = held->id.lane,
        .grant = held->grant,
        .result = STR("{}"),
        .class = world_chance(world, 50) ? STR("parse_error") : STR("timeout"),
        .permanent = world_chance(world, 20),
        .retry_after_us = world_chance(world, 50) ? -1 : (int64_t)world_draw(world, US_PER_S),
        .requests_used = (int64_t)world_draw(world, 3) - 1,
        .told = some_fields(world),
        .overloaded = world_chance(world, 20) && !world->healed,
        .log = some_lines(world),
    };
    item->digest.bytes[0] = (unsigned char)(1 + luck);
    held->has_last = true;
}

static void forget(struct worker *worker, struct held *held)
{
    *held = worker->leases[--worker->count];
}

/* Sends the report; while no answer comes it sends the very same again. */
static void report(struct world *world, struct worker *worker, struct held *held)
{
    struct tick tick;
    const bool repeated = held->has_last;
    if (!repeated) {
        fill_report(world, held);
    }
    struct report_item item = held->last;
    struct command command =
        command_for(world, tenant_index(world, held->id.tenant), COMMAND_REPORT);
    command.actor = str_from(worker->name);
    command.report = (struct report){
        .worker = str_from(worker->name), .items = &item, .count = 1, .is_shared = true};
    const bool answered = world_do(world, &command, &tick) == WORLD_ANSWERED;
    tick_fini(&tick);
    if (!answered) {
        return;
    }
    /* A conflict: a stranger guessed this grant and reported first. */
    CHECK(item.code == ERR_OK || item.code == ERR_LEASE_LOST || item.code == ERR_RESULT_CONFLICT);
    world->lapsed_answers += item.code == ERR_LEASE_LOST;
    forget(worker, held);
}

/* Another content for a grant that was answered, or a grant that never was: nothing changes. */
static void report_nonsense(struct world *world, struct held *held)
{
    struct tick tick;
    struct report_item item = {
        .kind = REPORT_COMPLETE,
        .job = held->id.job,
        .lane = held->id.lane,
        .grant = held->grant + 1 + (int32_t)world_draw(world, 3),
        .requests_used = -1,
    };
    item.digest.bytes[0] = 255;
    for (size_t i = 1; i < 8; i++) {
        item.digest.bytes[i] = (unsigned char)world_draw(world, 256); /* Never the same again. */
    }
    struct command command =
        command_for(world, tenant_index(world, held->id.tenant), COMMAND_REPORT);
    command.report = (struct report){.worker = STR("stranger"), .items = &item, .count = 1};
    (void)world_do(world, &command, &tick);
    CHECK(item.code != ERR_OK || tick.plan.chunks.n > 0);
    tick_fini(&tick);
}

void worker_acts(struct world *world, struct worker *worker)
{
    if (!world->healed && world_chance(world, 2)) {
        worker->count = 0; /* It crashed; its leases will lapse. */
        return;
    }
    if (worker->count == 0 || (worker->count < WORLD_LEASES && world_chance(world, 30))) {
        claim(world, worker);
        return;
    }
    struct held *held = &worker->leases[world_draw(world, (uint64_t)worker->count)];
    const uint64_t luck = world_draw(world, 100);
    if (luck < 55 || world->healed) {
        report(world, worker, held);
    } else if (luck < 90) {
        heartbeat(world, worker, held);
    } else {
        report_nonsense(world, held);
    }
}
