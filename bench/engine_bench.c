/*
 * engine_bench - lifecycles a second through the engine, in process: no HTTP, no JSON.
 *
 * usage: engine_bench URL [name=value ...]
 *   tenants=16      tenants, spread over shards by their number
 *   producers=4     threads that submit
 *   workers=8       threads that claim and complete
 *   submit=1000     jobs of one submit
 *   claim=100       jobs of one claim, and of one completion
 *   backlog=10000   producers pause while more than that many jobs wait
 *   payload=300     bytes
 *   keys=1          job keys
 *   committers=2    PostgreSQL
 *   units=256       units of work in a group
 *   warm=1 seconds=4
 *   pickup=0        instead: that many times one submit to a waiting claim, idle
 *   security=1      PostgreSQL row security
 * One job per request: producers=32 workers=32 submit=1 claim=1.
 * It migrates an empty ledger; use a fresh one for each setting.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/check.h"
#include "core/config.h"
#include "engine/engine.h"
#include "platform/clock.h"
#include "platform/thread.h"

enum { THREADS_MAX = 256, TENANTS_MAX = 1000, SAMPLES_MAX = 1 << 20 };

struct options {
    int64_t tenants, producers, workers, submit, claim, backlog, payload, keys, committers, units;
    int64_t warm, seconds, pickup, security;
};

struct tenant {
    struct tenant_id id;
    int16_t shard;
};

struct bench {
    struct options options;
    struct engine *engine;
    struct tenant tenants[TENANTS_MAX];
    char *payload;
    _Atomic bool stopping;
    _Atomic bool measuring;
    _Atomic int64_t waiting; /* Submitted and not claimed. */
    _Atomic int64_t next_key;
    _Atomic int64_t completed;
    _Atomic size_t samples;
    int64_t claim_us[SAMPLES_MAX];
};

/* Waits for one answer. */
struct answer {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
};

static void answer_init(struct answer *answer)
{
    mutex_init(&answer->lock);
    wake_init(&answer->wake);
    answer->done = false;
}

static void answer_set(struct answer *answer)
{
    mutex_take(&answer->lock);
    answer->done = true;
    wake_one(&answer->wake);
    mutex_give(&answer->lock);
}

static void answer_wait(struct answer *answer)
{
    mutex_take(&answer->lock);
    while (!answer->done) {
        wake_wait(&answer->wake, &answer->lock);
    }
    answer->done = false;
    mutex_give(&answer->lock);
}

static void request_done(struct engine_request *request)
{
    answer_set(request->ctx);
}

static void claim_done(struct engine_claim *claim)
{
    answer_set(claim->ctx);
}

static enum err_code run(struct engine *engine, enum engine_queue queue, struct command *command,
                         struct answer *answer)
{
    struct err err = {0};
    struct engine_request request = {
        .queue = queue, .commands = command, .count = 1, .done = request_done, .ctx = answer};
    const enum err_code code = engine_submit(engine, &request, &err);
    if (code != ERR_OK) {
        return code;
    }
    answer_wait(answer);
    return command->err.code;
}

static void must(enum err_code code, const char *what)
{
    if (code != ERR_OK) {
        (void)fprintf(stderr, "engine_bench: %s: %s\n", what, err_info(code)->title);
        exit(1);
    }
}

/* ---- Load ---- */

static void fill_submit(struct bench *bench, struct command *command, struct tenant tenant,
                        struct arena *arena)
{
    const size_t count = (size_t)bench->options.submit;
    struct submit_item *items = arena_array(arena, struct submit_item, count);
    const struct str payload = str_from(bench->payload);
    for (size_t i = 0; i < count; i++) {
        items[i].job_type = STR("scan");
        items[i].payload = payload;
        if (bench->options.keys) {
            items[i].key = arena_format(arena, "key-%lld", (long long)bench->next_key++);
        }
        submit_digest(&items[i], 1);
    }
    *command = (struct command){.kind = COMMAND_SUBMIT,
                                .shard = tenant.shard,
                                .tenant = tenant.id,
                                .actor = STR("token:bench"),
                                .arena = arena,
                                .submit = {.items = items, .count = count}};
}

static void *produce(void *ctx)
{
    struct bench *bench = ctx;
    struct arena arena;
    struct answer answer;
    answer_init(&answer);
    arena_init(&arena, (size_t)1 << 30);
    for (int64_t turn = 0; !bench->stopping; turn++) {
        if (bench->waiting > bench->options.backlog) {
            const struct timespec nap = {.tv_nsec = 2000000};
            (void)nanosleep(&nap, NULL);
            continue;
        }
        struct command command;
        arena_reset(&arena);
        const int64_t at = bench->next_key / bench->options.submit;
        fill_submit(bench, &command, bench->tenants[at % bench->options.tenants], &arena);
        bench->waiting += bench->options.submit;
        const enum err_code code = run(bench->engine, QUEUE_SUBMITS, &command, &answer);
        must(code == ERR_SHUTTING_DOWN ? ERR_OK : code, "submit");
        if (!bench->options.keys) {
            bench->next_key += bench->options.submit;
        }
    }
    arena_fini(&arena);
    return NULL;
}

static void complete(struct bench *bench, const struct engine_claim *claim, struct arena *arena,
                     struct answer *answer)
{
    const size_t parts = claim->parts.n;
    struct command *commands = arena_array(arena, struct command, parts);
    for (size_t p = 0; p < parts; p++) {
        const struct claim_part *part = &claim->parts.v[p];
        struct report_item *items = arena_array(arena, struct report_item, part->count);
        for (size_t i = 0; i < part->count; i++) {
            const struct leased_row *lease = part->grants[i].lease;
            items[i] = (struct report_item){.kind = REPORT_COMPLETE,
                                            .job = {lease->job},
                                            .lane = lease->carry.lane,
                                            .grant = lease->carry.grant,
                                            .digest = {{1}},
                                            .result = STR("{\"ok\":true}"),
                                            .retry_after_us = -1,
                                            .requests_used = -1};
        }
        commands[p] = (struct command){
            .kind = COMMAND_REPORT,
            .shard = part->grants[0].lease->shard,
            .tenant = part->tenant,
            .actor = STR("worker:bench"),
            .arena = arena,
            .report = {.worker = STR("bench"), .items = items, .count = part->count}};
    }
    struct err err = {0};
    struct engine_request request = {.queue = QUEUE_REPORTS,
                                     .commands = commands,
                                     .count = parts,
                                     .done = request_done,
                                     .ctx = answer};
    if (engine_submit(bench->engine, &request, &err) == ERR_OK) {
        answer_wait(answer);
    }
}

static size_t granted(const struct engine_claim *claim)
{
    size_t count = 0;
    for (size_t i = 0; i < claim->parts.n; i++) {
        count += claim->parts.v[i].count;
    }
    return count;
}

static void init_claim(struct engine_claim *claim, struct arena *arena, struct answer *answer,
                       int64_t id, int64_t max, int64_t wait_us)
{
    *claim = (struct engine_claim){.worker = STR("bench"),
                                   .actor = STR("worker:bench"),
                                   .credential = STR("tok-1"),
                                   .claim = id,
                                   .types = STR("scan\n"),
                                   .max = (int32_t)max,
                                   .wait_us = wait_us,
                                   .done = claim_done,
                                   .ctx = answer,
                                   .arena = arena};
}

static void *work(void *ctx)
{
    struct bench *bench = ctx;
    struct arena arena;
    struct answer answer;
    static _Atomic int64_t ids = 1;
    answer_init(&answer);
    arena_init(&arena, (size_t)1 << 30);
    while (!bench->stopping) {
        struct engine_claim claim;
        struct err err = {0};
        arena_reset(&arena);
        init_claim(&claim, &arena, &answer, ids++ * INT64_C(0x9E3779B97F4A7C1),
                   bench->options.claim, US_PER_S);
        const int64_t from = clock_mono().us;
        if (engine_claim(bench->engine, &claim, &err) != ERR_OK) {
            break;
        }
        answer_wait(&answer);
        const int64_t count = (int64_t)granted(&claim);
        if (bench->measuring && count > 0) {
            const size_t at = bench->samples++;
            if (at < SAMPLES_MAX) {
                bench->claim_us[at] = clock_mono().us - from;
            }
        }
        bench->waiting -= count;
        if (count > 0) {
            complete(bench, &claim, &arena, &answer);
            bench->completed += count;
        }
    }
    arena_fini(&arena);
    return NULL;
}

/* ---- Measuring ---- */

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t cpu_us(void)
{
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * US_PER_S + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

static void print_percentiles(struct bench *bench)
{
    size_t n = bench->samples < SAMPLES_MAX ? bench->samples : SAMPLES_MAX;
    if (n == 0) {
        (void)printf("claim none\n");
        return;
    }
    qsort(bench->claim_us, n, sizeof(bench->claim_us[0]), compare);
    (void)printf("claim_p50_ms %.2f  claim_p99_ms %.2f  claims %zu\n",
                 (double)bench->claim_us[n / 2] / 1000,
                 (double)bench->claim_us[n * 99 / 100] / 1000, n);
}

static void nap(int64_t seconds)
{
    const struct timespec length = {.tv_sec = seconds};
    (void)nanosleep(&length, NULL);
}

static void measure(struct bench *bench)
{
    pthread_t threads[THREADS_MAX];
    struct err err = {0};
    int64_t count = 0;
    for (int64_t i = 0; i < bench->options.producers; i++) {
        must(thread_start(&threads[count++], "producer", produce, bench, &err), "thread");
    }
    for (int64_t i = 0; i < bench->options.workers; i++) {
        must(thread_start(&threads[count++], "worker", work, bench, &err), "thread");
    }
    struct engine_figures before;
    struct engine_figures after;
    nap(bench->options.warm);
    engine_figures(bench->engine, &before);
    const int64_t completed = bench->completed;
    const int64_t cpu = cpu_us();
    const int64_t from = clock_mono().us;
    bench->measuring = true;
    nap(bench->options.seconds);
    bench->measuring = false;
    const int64_t us = clock_mono().us - from;
    const double done = (double)(bench->completed - completed);
    engine_figures(bench->engine, &after);
    const double groups = (double)(after.groups - before.groups);
    (void)printf("lifecycles_per_s %.0f  commits_per_lifecycle %.4f  cpu_us_per_lifecycle %.2f\n",
                 done * 1e6 / (double)us, groups / done, (double)(cpu_us() - cpu) / done);
    (void)printf("groups_per_s %.0f  ticks_per_group %.1f  units_per_group %.0f  group_ms %.2f  "
                 "loads_per_group %.1f  waiting %lld\n",
                 groups * 1e6 / (double)us, (double)(after.ticks - before.ticks) / groups,
                 (double)(after.units - before.units) / groups,
                 (double)(after.commit_us - before.commit_us) / groups / 1000,
                 (double)(after.loads - before.loads) / groups, (long long)bench->waiting);
    print_percentiles(bench);
    bench->stopping = true;
    for (int64_t i = 0; i < count; i++) {
        thread_join(threads[i]);
    }
}

/* A claim waits; one job is submitted; how long until the claim has it. */
static void measure_pickup(struct bench *bench)
{
    struct answer submitted;
    struct answer claimed;
    struct arena arena;
    answer_init(&submitted);
    answer_init(&claimed);
    arena_init(&arena, (size_t)1 << 30);
    bench->options.submit = 1;
    for (int64_t i = 0; i < bench->options.pickup; i++) {
        struct engine_claim claim;
        struct command command;
        struct err err = {0};
        arena_reset(&arena);
        init_claim(&claim, &arena, &claimed, i + 1, 1, 10 * US_PER_S);
        must(engine_claim(bench->engine, &claim, &err), "claim");
        const struct timespec length = {.tv_nsec = 20000000};
        (void)nanosleep(&length, NULL);
        struct arena other;
        arena_init(&other, (size_t)1 << 20);
        fill_submit(bench, &command, bench->tenants[0], &other);
        const int64_t from = clock_mono().us;
        must(run(bench->engine, QUEUE_SUBMITS, &command, &submitted), "submit");
        answer_wait(&claimed);
        bench->claim_us[bench->samples++] = clock_mono().us - from;
        if (granted(&claim) > 0) {
            complete(bench, &claim, &arena, &claimed);
        }
        arena_fini(&other);
    }
    arena_fini(&arena);
    print_percentiles(bench);
}

/* ---- Setting up ---- */

static void no_progress(const char *step)
{
    (void)step;
}

static void make_tenants(struct bench *bench, struct arena *arena)
{
    struct answer answer;
    answer_init(&answer);
    for (int64_t i = 0; i < bench->options.tenants; i++) {
        struct command command = {
            .kind = COMMAND_TENANT_NAME,
            .shard = SHARD_SYSTEM,
            .tenant = {TENANT_SYSTEM},
            .actor = STR("bench"),
            .arena = arena,
            .tenant_change = {.name = arena_format(arena, "t%lld", (long long)i),
                              .weight = -1,
                              .max_inflight = -1,
                              .max_live = -1}};
        enum err_code code = run(bench->engine, QUEUE_CONTROL, &command, &answer);
        must(code == ERR_ALREADY_EXISTS ? ERR_OK : code, "tenant");
        bench->tenants[i] = (struct tenant){.id = command.tenant_change.made,
                                            .shard = command.tenant_change.home_shard};
        command.kind = COMMAND_TENANT_OPEN;
        command.shard = bench->tenants[i].shard;
        command.tenant = bench->tenants[i].id;
        must(run(bench->engine, QUEUE_CONTROL, &command, &answer), "tenant");
    }
    struct job_type type;
    struct str body;
    struct err err = {0};
    json_t *empty = json_object();
    must(job_type_parse(arena, STR("scan"), empty, &type, &body, &err), "job type");
    json_decref(empty);
    struct command put = {.kind = COMMAND_JOB_TYPE_PUT,
                          .shard = SHARD_SYSTEM,
                          .tenant = {TENANT_SYSTEM},
                          .actor = STR("bench"),
                          .arena = arena,
                          .put = {.name = STR("scan"), .body = body, .if_version = -1}};
    const enum err_code code = run(bench->engine, QUEUE_CONTROL, &put, &answer);
    must(code == ERR_PRECONDITION_REQUIRED ? ERR_OK : code, "job type");
}

static void read_option(struct options *options, const char *arg)
{
    const struct {
        const char *name;
        int64_t *value;
    } known[] = {
        {"tenants", &options->tenants},
        {"producers", &options->producers},
        {"workers", &options->workers},
        {"submit", &options->submit},
        {"claim", &options->claim},
        {"backlog", &options->backlog},
        {"payload", &options->payload},
        {"keys", &options->keys},
        {"committers", &options->committers},
        {"units", &options->units},
        {"warm", &options->warm},
        {"seconds", &options->seconds},
        {"pickup", &options->pickup},
        {"security", &options->security},
    };
    const struct str text = str_from(arg);
    const size_t at = str_find(text, '=');
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (str_eq(str_slice(text, 0, at), str_from(known[i].name)) &&
            str_parse_i64(str_slice(text, at + 1, text.len), known[i].value)) {
            return;
        }
    }
    (void)fprintf(stderr, "engine_bench: unknown option %s\n", arg);
    exit(2);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: engine_bench URL [name=value ...]\n");
        return 2;
    }
    static struct bench bench = {.options = {.tenants = 16,
                                             .producers = 4,
                                             .workers = 8,
                                             .submit = 1000,
                                             .claim = 100,
                                             .backlog = 10000,
                                             .payload = 300,
                                             .keys = 1,
                                             .committers = 2,
                                             .units = 256,
                                             .warm = 1,
                                             .seconds = 4,
                                             .security = 1}};
    for (int i = 2; i < argc; i++) {
        read_option(&bench.options, argv[i]);
    }
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, (size_t)64 << 20);
    bench.payload = arena_alloc(&arena, (size_t)bench.options.payload + 1);
    memset(bench.payload, 'x', (size_t)bench.options.payload);
    bench.payload[0] = '"';
    bench.payload[bench.options.payload - 1] = '"';
    const struct ledger_target target = {.url = argv[1],
                                         .row_security = bench.options.security != 0};
    struct engine_config config = engine_config_default(target);
    config.committers = (int32_t)bench.options.committers;
    config.group_units = (int32_t)bench.options.units;
    must(ledger_migrate(&target, no_progress, &err), "migrate");
    must(engine_open(&config, &bench.engine, &err), "open");
    must(engine_start(bench.engine, &err), "start");
    make_tenants(&bench, &arena);
    if (bench.options.pickup > 0) {
        measure_pickup(&bench);
    } else {
        measure(&bench);
    }
    engine_stop(bench.engine);
    engine_free(bench.engine);
    arena_fini(&arena);
    return 0;
}
