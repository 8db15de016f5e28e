#include "lib/memory_bench.h"

#include "base/check.h"

static void open_tenant(struct memory_bench *bench, int16_t shard, int32_t tenant,
                        int32_t max_inflight)
{
    struct command command = bench_command(bench, COMMAND_TENANT_OPEN);
    command.shard = shard;
    command.tenant.v = tenant;
    command.tenant_change = (struct tenant_change){.name = STR("t"),
                                                   .made = {tenant},
                                                   .weight = 1,
                                                   .max_inflight = max_inflight,
                                                   .max_live = 1000};
    bench_run(bench, &command);
}

void bench_init(struct memory_bench *bench, int32_t max_inflight)
{
    *bench = (struct memory_bench){
        .ledger = memory_ledger_new(), .limits = limits_default(), .now = BENCH_NOW};
    arena_init(&bench->arena, 1 << 24);
    open_tenant(bench, SHARD_SYSTEM, TENANT_SYSTEM, 0);
    open_tenant(bench, BENCH_SHARD, BENCH_TENANT, max_inflight);
}

void bench_fini(struct memory_bench *bench)
{
    memory_ledger_free(bench->ledger);
    arena_fini(&bench->arena);
}

struct command bench_command(struct memory_bench *bench, enum command_kind kind)
{
    return (struct command){.kind = kind,
                            .shard = BENCH_SHARD,
                            .tenant = {BENCH_TENANT},
                            .actor = STR("test"),
                            .reason = STR("test"),
                            .arena = &bench->arena};
}

void bench_run(struct memory_bench *bench, struct command *command)
{
    struct tick tick;
    struct command *commands[] = {command};
    do {
        tick_run(&tick, bench->ledger, commands, 1, &bench->limits, bench->now, TICK_COMMITS);
        tick_fini(&tick);
        CHECK(command->err.code == ERR_OK);
    } while (command->again);
}

void bench_put(struct memory_bench *bench, enum command_kind kind, struct str name, struct str body)
{
    struct command command = bench_command(bench, kind);
    command.put = (struct config_put){.name = name, .body = body, .if_version = -1};
    bench_run(bench, &command);
}

int64_t bench_submit(struct memory_bench *bench, struct str job_type, struct str source,
                     size_t count, int64_t delay_us)
{
    struct command command = bench_command(bench, COMMAND_SUBMIT);
    command.submit.items = arena_array(&bench->arena, struct submit_item, count);
    command.submit.count = count;
    for (size_t i = 0; i < count; i++) {
        struct submit_item *item = &command.submit.items[i];
        *item = (struct submit_item){
            .job_type = job_type, .source = source, .payload = STR("1"), .delay_us = delay_us};
        submit_digest(item, 1);
    }
    bench_run(bench, &command);
    return command.submit.items[0].id.v;
}

size_t bench_claim(struct memory_bench *bench, struct str types, int32_t max)
{
    struct command command = bench_command(bench, COMMAND_CLAIM);
    command.claim = (struct claim){.worker = STR("w"), .types = types, .max = max};
    struct tick tick;
    struct command *commands[] = {&command};
    tick_run(&tick, bench->ledger, commands, 1, &bench->limits, bench->now, TICK_COMMITS);
    CHECK(command.err.code == ERR_OK);
    const size_t granted = command.claim.grants.n;
    tick_fini(&tick);
    return granted;
}

void bench_due(struct memory_bench *bench)
{
    struct command command = {
        .kind = COMMAND_DUE, .shard = BENCH_SHARD, .actor = STR("timer"), .arena = &bench->arena};
    bench_run(bench, &command);
}

const struct outcome_row *bench_outcome(const struct memory_bench *bench, int64_t job)
{
    const struct outcome_row like = {
        .row = {.table = TABLE_OUTCOMES}, .shard = BENCH_SHARD, .tenant = BENCH_TENANT, .job = job};
    return (const struct outcome_row *)row_set_find(&bench->ledger->set, &like.row);
}
