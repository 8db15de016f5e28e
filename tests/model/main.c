/* model [first seed] [seeds] [steps]: random commands to core and to its naive twin; after each,
 * every job must be in the same state with the same grant and attempts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/time.h"
#include "core/lease.h"
#include "lib/memory_ledger.h"
#include "model/twin.h"

enum { SHARD = 7, TENANT = 2, RUN_MAX = 12 };

struct model {
    uint64_t random;
    int64_t clock;
    struct memory_ledger *ledger;
    struct limits limits;
    struct twin *twin;
    int64_t dropped; /* Keys, by retention. */
    int64_t reports; /* Makes every report's digest another one. */
};

static uint64_t draw(struct model *model, uint64_t bound)
{
    uint64_t z = model->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % bound;
}

/* Runs the command over as many groups as it takes. */
static void run(struct model *model, struct command *command)
{
    do {
        struct tick tick;
        struct command *commands[] = {command};
        tick_run(&tick, model->ledger, commands, 1, &model->limits, model->clock, TICK_COMMITS);
        tick_fini(&tick);
    } while (command->again);
}

/* All that core puts off to later ticks. */
static void run_due(struct model *model)
{
    const struct row_table *shards = &model->ledger->set.tables[TABLE_SHARDS];
    while (((const struct shard_row *)shards->rows[SHARD])->next_due_at <= model->clock) {
        struct command due = {.kind = COMMAND_DUE, .shard = SHARD, .actor = STR("timer")};
        run(model, &due);
    }
}

static struct command command_of(enum command_kind kind)
{
    return (struct command){
        .kind = kind, .shard = SHARD, .tenant = {TENANT}, .actor = STR("model")};
}

static void put(struct model *model, const char *name, const char *body)
{
    struct command command = command_of(COMMAND_JOB_TYPE_PUT);
    command.put =
        (struct config_put){.name = str_from(name), .body = str_from(body), .if_version = -1};
    run(model, &command);
    CHECK(command.err.code == ERR_OK);
}

static void open_tenant(struct model *model, int16_t shard, int32_t tenant, int32_t max_inflight)
{
    struct command command = {
        .kind = COMMAND_TENANT_OPEN,
        .shard = shard,
        .tenant = {tenant},
        .actor = STR("model"),
        .tenant_change = {
            .name = STR("tenant"), .weight = 1, .max_inflight = max_inflight, .max_live = 100000}};
    run(model, &command);
}

static struct str type_name(int type)
{
    return type == 0 ? STR("one") : STR("two");
}

/* ---- Commands to both ---- */

static void submit_one(struct model *model, struct arena *arena)
{
    struct submit_item item = {.payload = STR("{}")};
    const int type = (int)draw(model, 2);
    const int key = draw(model, 3) == 0 ? 1 + (int)draw(model, TWIN_KEYS) : 0;
    const int holder = key == 0 ? -1 : twin_holder(model->twin, key, model->clock);
    item.job_type = holder >= 0 ? type_name(model->twin->jobs[holder].type) : type_name(type);
    item.priority =
        (int16_t)(holder >= 0 ? model->twin->jobs[holder].asked_priority : (int)draw(model, 3) - 1);
    if (key != 0) {
        item.key = arena_format(arena, "key-%d", key);
    }
    submit_digest(&item, 1);
    struct command command = command_of(COMMAND_SUBMIT);
    command.arena = arena;
    command.submit = (struct submit){.items = &item, .count = 1};
    run(model, &command);
    CHECK(command.err.code == ERR_OK);
    CHECK(item.duplicate == (holder >= 0));
    const int index =
        holder >= 0 ? holder
                    : twin_submit(model->twin, model->clock, type, item.priority, 0, false, key);
    CHECK(item.id.v == index + 1);
}

/* A run whose jobs need at most one other, so that what canceled a job is never in doubt. */
static void submit_run(struct model *model, struct arena *arena)
{
    struct submit_item items[RUN_MAX];
    struct need needs[RUN_MAX];
    const size_t count = 1 + draw(model, RUN_MAX);
    const int base = model->twin->count;
    memset(items, 0, sizeof(items));
    for (size_t i = 0; i < count; i++) {
        const int type = (int)draw(model, 2);
        const bool needs_one = i > 0 && draw(model, 4) != 0;
        items[i].name = arena_format(arena, "%zu", i);
        items[i].job_type = type_name(type);
        items[i].payload = STR("{}");
        submit_digest(&items[i], 1);
        needs[i].job = needs_one ? (int32_t)draw(model, i) : 0;
        needs[i].kind = draw(model, 3) == 0 ? EDGE_ALWAYS : EDGE_SUCCESS;
        items[i].needs = &needs[i];
        items[i].need_count = needs_one ? 1 : 0;
        (void)twin_submit(model->twin, model->clock, type, 0,
                          needs_one ? base + needs[i].job + 1 : 0, needs[i].kind == EDGE_ALWAYS, 0);
    }
    struct command command = command_of(COMMAND_RUN_SUBMIT);
    command.arena = arena;
    command.run = (struct run_submit){.name = STR("run"), .items = items, .count = count};
    run(model, &command);
    CHECK(command.err.code == ERR_OK);
    CHECK(command.run.first_job == base + 1);
}

static void claim(struct model *model, struct arena *arena)
{
    struct tick tick;
    struct command command = command_of(COMMAND_CLAIM);
    struct command *commands[] = {&command};
    command.arena = arena;
    command.claim = (struct claim){.worker = STR("w"),
                                   .claim = model->reports,
                                   .types = STR("one\ntwo\n"),
                                   .max = (int32_t)(1 + draw(model, 6))};
    tick_run(&tick, model->ledger, commands, 1, &model->limits, model->clock, TICK_COMMITS);
    for (size_t i = 0; i < command.claim.grants.n; i++) {
        const int next = twin_next(model->twin);
        CHECK(next >= 0);
        CHECK(command.claim.grants.v[i].lease->job == next + 1);
        twin_lease(model->twin, next);
    }
    CHECK((int32_t)command.claim.grants.n == command.claim.max || twin_next(model->twin) < 0);
    tick_fini(&tick);
}

/* A random job that somebody holds, or -1. */
static int held_job(struct model *model)
{
    const int from = model->twin->count == 0 ? 0 : (int)draw(model, (uint64_t)model->twin->count);
    for (int i = 0; i < model->twin->count; i++) {
        const int index = (from + i) % model->twin->count;
        const enum twin_state state = model->twin->jobs[index].state;
        if (state == TWIN_LEASED || state == TWIN_RUNNING) {
            return index;
        }
    }
    return -1;
}

static int32_t lane_of(const struct model *model, int index)
{
    const struct job_row like = {
        .row = {.table = TABLE_JOBS}, .shard = SHARD, .tenant = TENANT, .job = index + 1};
    return ((const struct job_row *)row_set_find(&model->ledger->set, &like.row))->lane;
}

static struct report_item item_of(struct model *model, int index, int64_t grant)
{
    struct report_item item = {.job = {index + 1},
                               .lane = lane_of(model, index),
                               .grant = grant,
                               .result = STR("{}"),
                               .class = STR("x"),
                               .retry_after_us = 0,
                               .requests_used = -1};
    const int64_t number = ++model->reports;
    memcpy(item.digest.bytes, &number, sizeof(number));
    return item;
}

static void send(struct model *model, struct report_item *item)
{
    struct command command = command_of(COMMAND_REPORT);
    command.report = (struct report){.worker = STR("w"), .items = item, .count = 1};
    run(model, &command);
}

static void report(struct model *model)
{
    static const enum report_kind kinds[] = {REPORT_COMPLETE, REPORT_FAIL, REPORT_FAIL,
                                             REPORT_RELEASE, REPORT_THROTTLED};

    const int index = held_job(model);
    if (index < 0) {
        return;
    }
    const enum twin_report asked = (enum twin_report)draw(model, 5);
    struct report_item item = item_of(model, index, model->twin->jobs[index].grant);
    item.kind = kinds[asked];
    item.permanent = asked == TWIN_FAIL_FOR_GOOD;
    item.retry_after_us = asked == TWIN_THROTTLED ? 1 : -1;
    struct report_item again = item;
    struct report_item stale = item_of(model, index, item.grant - 1);
    send(model, &stale);
    CHECK(stale.code != ERR_OK);
    send(model, &item);
    CHECK(item.code == ERR_OK);
    send(model, &again); /* The answer got lost: the same again gets the same. */
    CHECK(again.code == ERR_OK);
    struct report_item other = item_of(model, index, item.grant);
    send(model, &other);
    CHECK(other.code == ERR_RESULT_CONFLICT);
    twin_report(model->twin, index, asked);
}

static void heartbeat(struct model *model)
{
    const int index = held_job(model);
    if (index < 0) {
        return;
    }
    struct heartbeat_item item = {
        .job = {index + 1}, .lane = lane_of(model, index), .grant = model->twin->jobs[index].grant};
    struct command command = command_of(COMMAND_HEARTBEAT);
    command.heartbeat = (struct heartbeat){.worker = STR("w"), .items = &item, .count = 1};
    run(model, &command);
    CHECK(item.code == ERR_OK);
    CHECK(item.cancel == model->twin->jobs[index].cancel_asked);
    twin_heartbeat(model->twin, index);
}

static void control(struct model *model, enum command_kind kind)
{
    if (model->twin->count == 0) {
        return;
    }
    const int index = (int)draw(model, (uint64_t)model->twin->count);
    /* A retry does not bring back a key that others may have by now. */
    if (model->twin->jobs[index].key != 0 && twin_is_forgotten(model->twin, index, model->clock)) {
        return;
    }
    struct command command = command_of(kind);
    command.job.job.v = index + 1;
    command.job.priority = (int16_t)((int)draw(model, 9) - 4);
    run(model, &command);
    const bool taken = kind == COMMAND_JOB_CANCEL ? twin_cancel(model->twin, index)
                       : kind == COMMAND_JOB_RETRY
                           ? twin_retry(model->twin, index)
                           : twin_prioritise(model->twin, index, command.job.priority);
    CHECK((command.err.code == ERR_OK) == taken);
}

static void say(struct model *model, enum command_kind kind)
{
    struct command command = {.kind = kind,
                              .shard = SHARD_SYSTEM,
                              .tenant = {TENANT_SYSTEM},
                              .actor = STR("model"),
                              .installation = {.if_version = -1}};
    if (kind == COMMAND_RESTORED) {
        command.restored = (struct restored){.from = STR("monday")};
    }
    run(model, &command);
    CHECK(command.err.code == ERR_OK);
}

/* Whoever held something still believes so: nothing of theirs is taken. */
static void restore(struct model *model)
{
    const int index = held_job(model);
    const int64_t grant = index < 0 ? 0 : model->twin->jobs[index].grant;
    say(model, COMMAND_RESTORED);
    struct report_item early = item_of(model, index < 0 ? 0 : index, grant);
    if (index >= 0) {
        send(model, &early); /* Its lease is still there. */
        CHECK(early.code == ERR_LEASE_LOST);
    }
    struct command recall = {.kind = COMMAND_RECALL, .shard = SHARD, .actor = STR("model")};
    run(model, &recall);
    twin_restore(model->twin, model->clock);
    if (index >= 0) {
        send(model, &early);
        CHECK(early.code == ERR_LEASE_LOST);
    }
}

/* Paused now and then, seldom restored. */
static void operate(struct model *model)
{
    if (draw(model, 60) == 0) {
        say(model, COMMAND_PAUSE);
        model->twin->paused = true;
    } else if (model->twin->paused && draw(model, 10) == 0) {
        say(model, COMMAND_RESUME);
        model->twin->paused = false;
    } else if (draw(model, 200) == 0 && model->twin->count > 0) {
        restore(model);
    }
}

/* ---- Comparing ---- */

static const struct carry *carry_in(const struct model *model, enum table_id table, int64_t job)
{
    const struct row_table *rows = &model->ledger->set.tables[table];
    for (size_t i = 0; i < rows->n; i++) {
        /* The hot rows and outcomes begin alike. */
        const struct blocked_row *row = (const struct blocked_row *)rows->rows[i];
        if (row->tenant == TENANT && row->job == job) {
            return &row->carry;
        }
    }
    return NULL;
}

static enum twin_state state_of(const struct model *model, int64_t job, const struct carry **carry)
{
    if ((*carry = carry_in(model, TABLE_BLOCKED, job)) != NULL) {
        return TWIN_BLOCKED;
    }
    if ((*carry = carry_in(model, TABLE_READY, job)) != NULL ||
        (*carry = carry_in(model, TABLE_DELAYED, job)) != NULL) {
        return TWIN_PENDING;
    }
    const struct leased_row lease = {
        .row = {.table = TABLE_LEASED}, .shard = SHARD, .tenant = TENANT, .job = job};
    const struct row *found = row_set_find(&model->ledger->set, &lease.row);
    if (found != NULL) {
        *carry = &((const struct leased_row *)found)->carry;
        return ((const struct leased_row *)found)->running ? TWIN_RUNNING : TWIN_LEASED;
    }
    const struct outcome_row like = {
        .row = {.table = TABLE_OUTCOMES}, .shard = SHARD, .tenant = TENANT, .job = job};
    const struct outcome_row *outcome =
        (const struct outcome_row *)row_set_find(&model->ledger->set, &like.row);
    CHECK(outcome != NULL);
    *carry = &outcome->carry;
    return outcome->state == JOB_SUCCEEDED ? TWIN_SUCCEEDED
           : outcome->state == JOB_DEAD    ? TWIN_DEAD
                                           : TWIN_CANCELED;
}

/* 0 while it lives. */
static int64_t ended_at(const struct model *model, int64_t job)
{
    const struct outcome_row like = {
        .row = {.table = TABLE_OUTCOMES}, .shard = SHARD, .tenant = TENANT, .job = job};
    const struct outcome_row *outcome =
        (const struct outcome_row *)row_set_find(&model->ledger->set, &like.row);
    return outcome == NULL ? 0 : outcome->ended_at;
}

static void compare(struct model *model)
{
    for (int i = 0; i < model->twin->count; i++) {
        const struct carry *carry = NULL;
        const enum twin_state state = state_of(model, i + 1, &carry);
        struct twin_job *job = &model->twin->jobs[i];
        job->ended_at = ended_at(model, i + 1);
        if (state != job->state || carry->grant != job->grant || carry->spent != job->spent) {
            (void)fprintf(stderr, "job-%d: core state %d grant %lld spent %d, twin %d %lld %d\n",
                          i + 1, (int)state, (long long)carry->grant, carry->spent, (int)job->state,
                          (long long)job->grant, job->spent);
            abort();
        }
    }
}

/* Never seen by the twin: what it removes is what nobody can ask for any more. */
static void retain(struct model *model)
{
    struct command command = command_of(COMMAND_RETAIN);
    run(model, &command);
    CHECK(command.err.code == ERR_OK);
    model->dropped += command.retain.keys;
}

static void step(struct model *model)
{
    static const enum command_kind controls[] = {COMMAND_JOB_CANCEL, COMMAND_JOB_RETRY,
                                                 COMMAND_JOB_PRIORITISE};
    struct arena arena;
    arena_init(&arena, 1 << 24);
    model->clock += 1 + (int64_t)draw(model, 1000);
    switch (draw(model, 10)) {
    case 0: submit_run(model, &arena); break;
    case 1:
    case 2: submit_one(model, &arena); break;
    case 3:
    case 4: claim(model, &arena); break;
    case 5: heartbeat(model); break;
    case 6: control(model, controls[draw(model, 3)]); break;
    default: report(model); break;
    }
    operate(model);
    model->clock++; /* A throttled job waits a microsecond. */
    run_due(model);
    if (draw(model, 5) == 0) {
        retain(model);
    }
    compare(model);
    arena_fini(&arena);
}

/* Returns how many keys retention dropped. */
static int64_t run_model(uint64_t seed, int32_t steps)
{
    struct model model = {
        .random = seed,
        .clock = INT64_C(1700000000) * US_PER_S,
        .ledger = memory_ledger_new(),
        .limits = limits_default(),
        .twin = calloc(1, sizeof(struct twin)),
    };
    CHECK(model.twin != NULL);
    model.limits.submit_cap = 5;
    model.limits.settle_cap = 3;
    model.limits.due_cap = 4;
    model.limits.key_generation_us = 5 * US_PER_MS;
    model.limits.key_retention_us = 20 * US_PER_MS;
    model.limits.payload_retention_us = 0;
    model.limits.retain_cap = 3;
    *model.twin = (struct twin){.max_inflight = seed % 2 == 0 ? 0 : 9,
                                .type_limit = {0, 4},
                                .max_attempts = 3,
                                .ageing_us = model.limits.ageing_step_us,
                                .key_retention = model.limits.key_retention_us};
    open_tenant(&model, SHARD_SYSTEM, TENANT_SYSTEM, 0);
    open_tenant(&model, SHARD, TENANT, model.twin->max_inflight);
    put(&model, "one", "{\"backoff_base_ms\":0,\"max_attempts\":3,\"ttl_ms\":3600000}");
    put(&model, "two",
        "{\"backoff_base_ms\":0,\"max_attempts\":3,\"max_inflight\":4,\"ttl_ms\":3600000}");
    for (int32_t i = 0; i < steps && model.twin->count < TWIN_JOBS - RUN_MAX; i++) {
        step(&model);
    }
    const int64_t dropped = model.dropped;
    memory_ledger_free(model.ledger);
    free(model.twin);
    return dropped;
}

int main(int argc, char **argv)
{
    const unsigned long long first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const unsigned long long seeds = argc > 2 ? strtoull(argv[2], NULL, 10) : 20;
    const int32_t steps = argc > 3 ? (int32_t)strtol(argv[3], NULL, 10) : 600;
    int64_t dropped = 0;
    for (unsigned long long seed = first; seed < first + seeds; seed++) {
        (void)fprintf(stderr, "\rseed %llu ", seed);
        dropped += run_model(seed, steps);
    }
    CHECK(dropped > 0 || steps < 200);
    (void)printf("\n%llu seeds from %llu: core and its twin agree\n", seeds, first);
    return 0;
}
