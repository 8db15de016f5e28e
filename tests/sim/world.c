#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "base/time.h"
#include "core/breaker.h"
#include "core/lease.h"
#include "core/tables.h"
#include "sim/checker.h"
#include "sim/clients.h"
#include "sim/explainer.h"
#include "sim/quota_keeper.h"

enum { FOLD_EVERY = 2000, HEAL_TICKS_MAX = 60000 };

uint64_t world_draw(struct world *world, uint64_t bound)
{
    /* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
    uint64_t z = world->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return bound == 0 ? 0 : z % bound;
}

bool world_chance(struct world *world, uint64_t percent)
{
    return world_draw(world, 100) < percent;
}

static void after_group(struct world *world)
{
    world->ticks++;
    checker_step(world->checker);
    if (world->ticks % FOLD_EVERY == 0) {
        checker_fold(world->ledger);
    }
}

enum world_answer world_do(struct world *world, struct command *command, struct tick *tick)
{
    const bool faulty = !world->healed;
    struct command *commands[] = {command};
    const enum tick_fate fate =
        faulty && world_chance(world, (uint64_t)world->options.fault_percent) ? TICK_IS_LOST
                                                                              : TICK_COMMITS;
    tick_run(tick, world->ledger, commands, 1, &world->limits, world->clock, fate);
    after_group(world);
    const bool answer_lost = faulty && world_chance(world, (uint64_t)world->options.fault_percent);
    if (fate == TICK_IS_LOST) {
        return WORLD_LOST;
    }
    return answer_lost ? WORLD_UNTOLD : WORLD_ANSWERED;
}

/* A command that must work: nothing gets lost. */
static void setup(struct world *world, struct command *command)
{
    struct tick tick;
    struct command *commands[] = {command};
    tick_run(&tick, world->ledger, commands, 1, &world->limits, world->clock, TICK_COMMITS);
    CHECK(command->err.code == ERR_OK);
    tick_fini(&tick);
    after_group(world);
}

static void put_config(struct world *world, enum command_kind kind, int32_t tenant, int16_t shard,
                       const char *name, const char *body)
{
    struct command command = {
        .kind = kind,
        .shard = shard,
        .tenant = {tenant},
        .actor = STR("setup"),
        .put = {.name = str_from(name), .body = str_from(body), .if_version = -1},
    };
    setup(world, &command);
}

static void open_tenant(struct world *world, struct tenant_id tenant, int16_t shard,
                        const char *name, int32_t max_inflight)
{
    struct command command = {
        .kind = COMMAND_TENANT_OPEN,
        .shard = shard,
        .tenant = tenant,
        .actor = STR("setup"),
        .tenant_change = {.name = str_from(name),
                          .made = tenant,
                          .weight = 1 + tenant.v % 3,
                          .max_inflight = max_inflight,
                          .max_live = 100000},
    };
    setup(world, &command);
}

static void see_worker(struct world *world, int32_t tenant, int16_t shard, const char *name,
                       const char *version)
{
    struct command command = {
        .kind = COMMAND_WORKER_SEEN,
        .shard = shard,
        .tenant = {tenant},
        .actor = STR("setup"),
        .worker = {.name = str_from(name),
                   .version = str_from(version),
                   .job_types = STR("[\"type0\"]"),
                   .slots = 2,
                   .registers = true},
    };
    setup(world, &command);
}

static void set_worker(struct world *world, int32_t tenant, int16_t shard, const char *name,
                       enum worker_state state)
{
    struct command command = {
        .kind = COMMAND_WORKER_SET,
        .shard = shard,
        .tenant = {tenant},
        .actor = STR("setup"),
        .reason = STR("because"),
        .worker = {.name = str_from(name), .state = (int16_t)state},
    };
    setup(world, &command);
}

/* Versions come and go, workers are drained and forgotten: lines that the fold must follow. */
static void keep_house(struct world *world, int32_t tenant, int16_t shard)
{
    const struct limits usual = world->limits;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    world->limits.config_versions = 2;
    world->limits.max_workers = 3;
    world->limits.worker_retention_us = 0;
    for (int i = 0; i < 4; i++) {
        struct command command = {
            .kind = COMMAND_SOURCE_SWITCH,
            .shard = shard,
            .tenant = {tenant},
            .actor = STR("setup"),
            .arena = &arena,
            .reason = STR("because"),
            .put = {.name = STR("free"), .if_version = -1, .enabled = i % 2 == 1},
        };
        setup(world, &command);
    }
    see_worker(world, tenant, shard, "one", "1");
    see_worker(world, tenant, shard, "one", "2");
    see_worker(world, tenant, shard, "two", "1");
    set_worker(world, tenant, shard, "two", WORKER_DRAINING);
    set_worker(world, tenant, shard, "one", WORKER_QUARANTINED);
    see_worker(world, tenant, shard, "two", "2");
    set_worker(world, tenant, shard, "one", WORKER_ACTIVE);
    see_worker(world, tenant, shard, "three", "1");
    world->clock += 1000;
    see_worker(world, tenant, shard, "four", "1");
    arena_fini(&arena);
    world->limits = usual;
}

/* The scanner's is shared by all tenants, the attestor's is each tenant's own. */
static void put_breaker(struct world *world, const char *service, const char *body)
{
    struct arena arena;
    struct err err;
    struct breaker_config config;
    json_t *document = NULL;
    struct command command = {
        .kind = COMMAND_BREAKER_PUT,
        .shard = SHARD_SYSTEM,
        .tenant = {TENANT_SYSTEM},
        .actor = STR("setup"),
        .arena = &arena,
        .breaker = {.service = str_from(service), .if_version = -1},
    };
    arena_init(&arena, SIZE_MAX);
    CHECK(json_read(str_from(body), &document, &err) == ERR_OK);
    CHECK(breaker_config_parse(&arena, document, &config, &command.breaker.body, &err) == ERR_OK);
    json_decref(document);
    setup(world, &command);
    arena_fini(&arena);
}

static void set_breaker(struct world *world, enum command_kind kind, enum breaker_mode mode)
{
    struct arena arena;
    struct tick tick;
    const size_t whose = (size_t)world_draw(world, WORLD_TENANTS);
    const bool is_shared = world_chance(world, 50);
    struct command command = {
        .kind = kind,
        .shard = is_shared ? SHARD_SYSTEM : world->shards[whose],
        .tenant = is_shared ? (struct tenant_id){TENANT_SYSTEM} : world->tenants[whose],
        .actor = STR("operator"),
        .reason = STR("because"),
        .arena = &arena,
        .breaker = {.service = is_shared ? STR("scanner") : STR("attestor"),
                    .mode = (int16_t)mode,
                    .mode_ms = 1 + (int64_t)world_draw(world, 3000),
                    .is_dry = world_chance(world, 20)},
    };
    arena_init(&arena, SIZE_MAX);
    for (size_t i = 0; i < WORLD_TENANTS; i++) {
        world->operated[i] += is_shared || i == whose;
    }
    (void)world_do(world, &command, &tick);
    tick_fini(&tick);
    arena_fini(&arena);
}

static void operate_breakers(struct world *world)
{
    if (world_chance(world, 30)) {
        set_breaker(world, COMMAND_BREAKER_RESET, BREAKER_AUTOMATIC);
    } else {
        set_breaker(world, COMMAND_BREAKER_FORCE, (enum breaker_mode)world_draw(world, 4));
    }
}

static void build(struct world *world)
{
    static const char *const types[WORLD_TYPES] = {
        "{\"backoff_base_ms\":200,\"max_attempts\":3,\"services\":[\"scanner\"],\"ttl_ms\":1000}",
        "{\"max_attempts\":2,\"max_inflight\":3,\"no_progress_ms\":3000,\"ttl_ms\":2000}",
        "{\"max_attempts\":4,\"max_run_ms\":8000,\"requests_per_job\":2,\"ttl_ms\":1500}",
        ("{\"max_attempts\":3,\"services\":[\"attestor\",\"scanner\"],\"start_deadline_ms\":20000,"
         "\"ttl_ms\":1000}"),
    };
    open_tenant(world, (struct tenant_id){TENANT_SYSTEM}, SHARD_SYSTEM, "system", 0);
    for (int i = 0; i < WORLD_TYPES; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "type%d", i);
        put_config(world, COMMAND_JOB_TYPE_PUT, TENANT_SYSTEM, SHARD_SYSTEM, name, types[i]);
    }
    put_breaker(world, "scanner",
                "{\"min_calls\":6,\"open_max_ms\":4000,\"open_ms\":500,\"ramp_ms\":800,"
                "\"slow_ms\":1500,\"window_ms\":6000}");
    put_breaker(world, "attestor",
                "{\"consecutive_failures\":3,\"open_max_ms\":2000,\"open_ms\":400,"
                "\"per_tenant\":true,\"probes\":2,\"ramp_ms\":0,\"window_ms\":6000}");
    for (int i = 0; i < WORLD_TENANTS; i++) {
        char name[16];
        struct command command = {
            .kind = COMMAND_TENANT_NAME,
            .shard = SHARD_SYSTEM,
            .tenant = {TENANT_SYSTEM},
            .actor = STR("setup"),
        };
        (void)snprintf(name, sizeof(name), "tenant%d", i);
        command.tenant_change.name = str_from(name);
        setup(world, &command);
        world->tenants[i] = command.tenant_change.made;
        world->shards[i] = command.tenant_change.home_shard;
        open_tenant(world, world->tenants[i], world->shards[i], name, i % 2 == 0 ? 0 : 5);
        put_config(
            world, COMMAND_SOURCE_PUT, world->tenants[i].v, world->shards[i], "slow",
            "{\"burst\":4,\"host\":\"slow.example.org\",\"kind\":\"vex\",\"rate_per_s\":2,"
            "\"rate_min_per_s\":1,\"rate_max_per_s\":3,\"block_ms\":500,\"block_max_ms\":4000}");
        put_config(world, COMMAND_SOURCE_PUT, world->tenants[i].v, world->shards[i], "free",
                   "{\"host\":\"free.example.org\",\"kind\":\"other\"}");
        keep_house(world, world->tenants[i].v, world->shards[i]);
    }
    for (int i = 0; i < WORLD_WORKERS; i++) {
        (void)snprintf(world->workers[i].name, sizeof(world->workers[i].name), "worker-%d", i);
    }
}

/* Timers of every shard that is due. */
static void run_due(struct world *world)
{
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
        const struct shard_row *row =
            (const struct shard_row *)world->ledger->set.tables[TABLE_SHARDS].rows[shard];
        for (int i = 0; row->next_due_at <= world->clock && i < 50; i++) {
            struct command command = {.kind = COMMAND_DUE, .shard = shard, .actor = STR("timer")};
            struct tick tick;
            (void)world_do(world, &command, &tick);
            tick_fini(&tick);
            row = (const struct shard_row *)world->ledger->set.tables[TABLE_SHARDS].rows[shard];
        }
    }
}

/* Housekeeping of one tenant: now and then, like the rest at any moment. */
static void run_retention(struct world *world)
{
    const size_t tenant = (size_t)world_draw(world, WORLD_TENANTS);
    struct command command = {.kind = COMMAND_RETAIN,
                              .shard = world->shards[tenant],
                              .tenant = world->tenants[tenant],
                              .actor = STR("retention")};
    struct tick tick;
    (void)world_do(world, &command, &tick);
    world->erased += command.retain.payloads;
    world->keys_dropped += command.retain.keys;
    world->bulks_dropped += command.retain.bulks;
    tick_fini(&tick);
}

/* As the restorer looks it up: time in the ledger may be ahead of the clock. */
static int64_t latest_time(const struct world *world)
{
    int64_t latest = world->clock;
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
        const struct shard_row *row =
            (const struct shard_row *)world->ledger->set.tables[TABLE_SHARDS].rows[shard];
        latest = row->last_at > latest ? row->last_at : latest;
    }
    return latest;
}

static enum world_answer tell_installation(struct world *world, enum command_kind kind)
{
    struct tick tick;
    struct command command = {.kind = kind,
                              .shard = SHARD_SYSTEM,
                              .tenant = {TENANT_SYSTEM},
                              .actor = STR("operator"),
                              .reason = STR("because"),
                              .ticket = STR("T-1")};
    if (kind == COMMAND_RESTORED) {
        command.restored =
            (struct restored){.from = STR("monday"), .latest_at = latest_time(world)};
    } else {
        command.installation.if_version = -1;
    }
    const enum world_answer answer = world_do(world, &command, &tick);
    tick_fini(&tick);
    return answer;
}

/* As a restore does it: the leases have no holder any more, though their workers go on. */
static void restore(struct world *world)
{
    while (tell_installation(world, COMMAND_RESTORED) == WORLD_LOST) {
    }
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
        bool again = true;
        while (again) {
            struct command command = {
                .kind = COMMAND_RECALL, .shard = shard, .actor = STR("restore")};
            struct tick tick;
            again = world_do(world, &command, &tick) == WORLD_LOST || command.again;
            tick_fini(&tick);
        }
    }
    CHECK(world->ledger->set.tables[TABLE_LEASED].n == 0);
    world->restores++;
}

/* Now and then everything is paused, and goes on; seldom the ledger is a backup's from here on. */
static void operator_acts(struct world *world)
{
    if (world_chance(world, 2)) {
        (void)tell_installation(world, COMMAND_PAUSE);
    } else if (world_chance(world, 8)) {
        (void)tell_installation(world, COMMAND_RESUME);
    } else if (world_draw(world, 1000) == 0) {
        restore(world);
    }
}

static void move_clock(struct world *world)
{
    world->clock += (int64_t)world_draw(world, 200 * US_PER_MS);
    if (world->healed) {
        return;
    }
    if (world_chance(world, 1)) {
        world->clock -= (int64_t)world_draw(world, 5 * US_PER_S);
    } else if (world_chance(world, 1)) {
        world->clock += (int64_t)world_draw(world, 20 * US_PER_S);
    }
}

static int64_t live_jobs(const struct world *world)
{
    int64_t live = 0;
    const struct row_table *tenants = &world->ledger->set.tables[TABLE_TENANTS];
    for (size_t i = 0; i < tenants->n; i++) {
        live += ((const struct tenant_row *)tenants->rows[i])->live;
    }
    return live;
}

static bool has_bulks(const struct world *world)
{
    const struct row_table *bulks = &world->ledger->set.tables[TABLE_BULK_ACTIONS];
    bool any = false;
    for (size_t i = 0; i < bulks->n; i++) {
        any |= ((const struct bulk_action_row *)bulks->rows[i])->due_at > 0;
    }
    return any;
}

/* What is still there, for whoever has to find out why. */
static void print_live(const struct world *world)
{
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, 64 * 1024);
    for (int table = TABLE_SHARDS; table < TABLE_COUNT; table++) {
        const struct row_table *rows = &world->ledger->set.tables[table];
        const bool live = table == TABLE_LANES ||
                          (table >= TABLE_BLOCKED && table <= TABLE_LEASED) ||
                          table == TABLE_SETTLING;
        for (size_t i = 0; live && i < rows->n && i < 20; i++) {
            row_format(rows->rows[i], &out);
        }
    }
    (void)fprintf(stderr, "clock %lld\n%.*s", (long long)world->clock, STR_ARG(buf_get(&out)));
}

/* A job that was retried while a predecessor stayed dead waits for whoever retries that one too;
 * here somebody cancels it instead. */
static void cancel_waiting_for_the_dead(struct world *world)
{
    const struct row_table *tables = world->ledger->set.tables;
    const bool only_blocked = tables[TABLE_READY].n + tables[TABLE_DELAYED].n +
                                  tables[TABLE_LEASED].n + tables[TABLE_SETTLING].n ==
                              0;
    if (only_blocked && tables[TABLE_BLOCKED].n > 0) {
        const struct blocked_row *row = (const struct blocked_row *)tables[TABLE_BLOCKED].rows[0];
        CHECK((row->carry.flags & JOB_HAS_PREDECESSORS) != 0);
        client_cancels(world, row->shard, (struct tenant_id){row->tenant},
                       (struct job_id){row->job});
    }
}

/* Every fault ends: all that was submitted must end too. */
static void heal(struct world *world)
{
    world->healed = true;
    (void)tell_installation(world, COMMAND_RESUME);
    for (int i = 0; live_jobs(world) > 0 || has_bulks(world); i++) {
        if (i == HEAL_TICKS_MAX) {
            print_live(world);
            abort();
        }
        move_clock(world);
        worker_acts(world, &world->workers[world_draw(world, WORLD_WORKERS)]);
        run_due(world);
        cancel_waiting_for_the_dead(world);
    }
}

int64_t world_run(uint64_t seed, struct world_options options)
{
    struct world world = {
        .random = seed,
        .clock = INT64_C(1700000000) * US_PER_S,
        .ledger = memory_ledger_new(),
        .limits = limits_default(),
        .options = options,
    };
    world.limits.submit_cap = 8;
    world.limits.settle_cap = 5;
    world.limits.due_cap = 6;
    world.limits.cancel_grace_us = 2 * US_PER_S;
    world.limits.run_assembly_us = 20 * US_PER_S;
    world.limits.max_throttled_us = 60 * US_PER_S;
    world.limits.key_generation_us = 8 * US_PER_S;
    world.limits.key_retention_us = 10 * US_PER_S;
    world.limits.payload_retention_us = 12 * US_PER_S;
    world.limits.retain_cap = 5;
    world.limits.breaker_ask_us = 300 * US_PER_MS;
    world.limits.bulk_tick_jobs = 7;
    world.limits.bulk_active = 3;
    world.limits.bulk_kept = 8;
    world.limits.bulk_retention_us = 9 * US_PER_S;
    world.checker = checker_new(world.ledger);
    struct explainer *explainer = explainer_new(seed);
    build(&world);
    quota_keeper_begins(&world);
    for (int32_t step = 0; step < options.steps; step++) {
        move_clock(&world);
        if (world_chance(&world, 35)) {
            client_acts(&world);
        } else {
            worker_acts(&world, &world.workers[world_draw(&world, WORLD_WORKERS)]);
        }
        if (world_chance(&world, 20)) {
            run_retention(&world);
        }
        if (world_chance(&world, 1)) {
            operate_breakers(&world);
        }
        operator_acts(&world);
        quota_keeper_acts(&world);
        run_due(&world);
        explainer_step(explainer, &world);
    }
    heal(&world);
    checker_fold(world.ledger);
    if (options.verbose) {
        (void)printf("seed %llu: %lld ticks, %lld submitted, %lld claimed, %lld leases lost, "
                     "%lld payloads erased, %lld keys dropped, %lld restores, "
                     "%lld bulk actions, %lld dropped\n",
                     (unsigned long long)seed, (long long)world.ticks, (long long)world.submitted,
                     (long long)world.claimed, (long long)world.lapsed_answers,
                     (long long)world.erased, (long long)world.keys_dropped,
                     (long long)world.restores, (long long)world.bulks,
                     (long long)world.bulks_dropped);
        explainer_print(explainer);
    }
    explainer_free(explainer);
    checker_free(world.checker);
    memory_ledger_free(world.ledger);
    return world.ticks;
}
