/*
 * ledger_bench - what a ledger does in a second, without HTTP and without deciding: committers run
 * groups of submits, claims and completions straight on the port.
 *
 * usage: ledger_bench URL [name=value ...]
 *   tenants=16     each on a shard of its own (up to 64)
 *   conns=2        committers, one connection each; tenants are divided among them
 *   spread=1       tenants in a group
 *   batch=100      jobs of one claim, and of one completion
 *   submit=500     jobs of one submit
 *   backlog=1000   a tenant submits while it has fewer waiting
 *   payload=300    bytes
 *   outcomes=1     write the outcomes row of each completed job
 *   keys=1         job keys: looked up and written
 *   lines=1        history lines
 *   security=1     PostgreSQL row security
 *   cache=0        MiB of SQLite's page cache; 0 for the ledger's own choice
 *   preload=0      jobs to complete before measuring (retained jobs)
 *   warm=1 seconds=4
 * It makes the schema and 16 tenants when the ledger is empty; use a fresh one for each setting.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/check.h"
#include "core/plan.h"
#include "ledger/ledger.h"

enum {
    TENANTS_MAX = 64,
    CONNS_MAX = 16,
    BATCH_MAX = 1000,
    FIRST_TENANT = 2,
    LANE = 1,
    SAMPLES_MAX = 1000000,
};

struct options {
    const char *url;
    int64_t tenants, conns, spread, batch, submit, backlog, payload, outcomes, keys, lines;
    int64_t security, cache, preload, warm, seconds;
};

/* What the committer remembers of a tenant between two groups. */
struct tenant {
    int16_t shard;
    struct tenant_id id;
    int64_t waiting;
    int64_t leased[BATCH_MAX];
    int64_t leased_count;
    int64_t hashes[BATCH_MAX];
    int64_t submits; /* Jobs that this group submits for it. */
    int64_t completes;
};

struct committer {
    const struct options *options;
    struct ledger *ledger;
    struct tenant *tenants[TENANTS_MAX];
    size_t tenant_count;
    size_t next;
    uint64_t random;
    int64_t group;
    struct arena arena;
    char *payload;
    int64_t completed; /* Jobs, since reset. */
    int64_t commits;
    int64_t load_us, build_us, commit_us;
    int32_t *samples; /* Group time in microseconds. */
    size_t sample_count;
    int64_t quota; /* Stop after that many; 0 for never. */
};

static _Atomic bool stopping;

static int64_t clock_us(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void must(enum err_code code, const struct err *err)
{
    if (code != ERR_OK) {
        fprintf(stderr, "ledger_bench: %s\n", err->message);
        exit(1);
    }
}

static uint64_t random_of(struct committer *c)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return c->random;
}

/* ---- One group ---- */

/* About as long as a real one, and about as cheap to make: no printf. */
static void add_line(struct facts *facts, struct tenant_facts *t, struct str type, int64_t job,
                     struct str more)
{
    struct buf *out = &t->log.lines;
    t->row->head_seq++;
    if (t->log.count == 0) {
        t->log.first_seq = t->row->head_seq;
    }
    t->log.count++;
    buf_str(out, STR("{\"actor\":\"worker-"));
    buf_i64(out, job % 8);
    buf_str(out, STR("\",\"at\":\"2026-01-02T03:04:05."));
    buf_i64(out, facts->clock % 1000000);
    buf_str(out, STR("Z\",\"facts\":{"));
    buf_str(out, more);
    buf_str(out, STR("},\"job\":\"job-"));
    buf_i64(out, job);
    buf_str(out, STR("\",\"job_seq\":2,\"seq\":"));
    buf_i64(out, t->row->head_seq);
    buf_str(out, STR(",\"tenant\":\"tenant-"));
    buf_i64(out, t->id.v);
    buf_str(out, STR("\",\"tick\":"));
    buf_i64(out, facts->clock / 1000);
    buf_str(out, STR(",\"type\":\""));
    buf_str(out, type);
    buf_str(out, STR("\",\"v\":1}\n"));
}

static void want_tenant(struct committer *c, struct facts *facts, struct tenant *tenant)
{
    const struct options *o = c->options;
    struct tenant_facts *t = facts_tenant(facts, tenant->shard, tenant->id);
    (void)want(facts, t, WANT_TENANT, tenant->id.v);
    (void)want(facts, t, WANT_LANE, LANE);
    (void)want_open_lanes(facts, t, STR("bench\n"), INT64_MAX, (int32_t)o->batch);
    tenant->completes = tenant->leased_count;
    for (int64_t i = 0; i < tenant->completes; i++) {
        (void)want(facts, t, WANT_LEASED, tenant->leased[i]);
    }
    tenant->submits = tenant->waiting < o->backlog ? o->submit : 0;
    for (int64_t i = 0; i < tenant->submits && o->keys; i++) {
        tenant->hashes[i] = (int64_t)random_of(c);
        (void)want_job_key(facts, t, tenant->hashes[i], 1);
    }
}

static void complete(struct committer *c, struct facts *facts, struct tenant_facts *t,
                     const struct tenant *tenant, struct lane_row *lane)
{
    for (int64_t i = 0; i < tenant->completes; i++) {
        struct leased_row *leased =
            (struct leased_row *)facts_find(t, TABLE_LEASED, tenant->leased[i]);
        CHECK(leased != NULL);
        facts_remove(facts, &leased->row);
        if (c->options->lines) {
            add_line(facts, t, STR("job.succeeded"), leased->job,
                     STR("\"class\":\"\",\"digest\":\"4ec9599fc203d176a301536c2e091a19bc8527\","
                         "\"grant\":1,\"took_ms\":1234"));
        }
        if (c->options->outcomes) {
            struct outcome_row *o = (struct outcome_row *)facts_add(facts, t, TABLE_OUTCOMES);
            o->job = leased->job;
            o->carry = leased->carry;
            o->state = 5;
            o->worker = leased->worker;
            o->claimed_at = leased->claimed_at;
            o->claimed_seq = leased->claimed_seq;
            o->ended_at = facts->clock;
            o->ended_seq = t->row->head_seq;
            o->digest = STR("0123456789abcdef0123456789abcdef");
            o->result = STR("{\"rows\":17}");
        }
        lane->inflight--;
        t->row->inflight--;
        t->row->live--;
        c->completed++;
    }
}

static void claim(struct committer *c, struct facts *facts, struct tenant_facts *t,
                  struct tenant *tenant, struct lane_row *lane)
{
    struct lane_heads *heads = map_find(&t->ready_of_lane, LANE);
    tenant->leased_count = 0;
    const int64_t claim_hash = (int64_t)random_of(c);
    for (; heads != NULL && heads->next < heads->rows.n && tenant->leased_count < c->options->batch;
         heads->next++) {
        struct ready_row *ready = heads->rows.v[heads->next];
        struct leased_row *leased = (struct leased_row *)facts_add(facts, t, TABLE_LEASED);
        facts_remove(facts, &ready->row);
        leased->job = ready->job;
        leased->carry = ready->carry;
        leased->carry.grant++;
        leased->carry.job_seq++;
        leased->worker = STR("bench-worker/1");
        leased->claim = claim_hash;
        leased->claimed_at = facts->clock;
        leased->ttl_ms = 30000;
        leased->until = facts->clock + 30000000;
        leased->due_at = leased->until;
        leased->progress = STR("");
        if (c->options->lines) {
            add_line(
                facts, t, STR("job.leased"), leased->job,
                STR("\"grant\":1,\"lane\":1,\"offer\":17,\"ttl_ms\":30000,\"worker\":\"w-1\""));
        }
        leased->claimed_seq = t->row->head_seq;
        VEC_PUSH(facts->arena, &facts->fetch_jobs, &leased->row);
        tenant->leased[tenant->leased_count++] = leased->job;
        lane->rank = ready->carry.rank;
        lane->waiting--;
        lane->inflight++;
        t->row->waiting--;
        t->row->inflight++;
    }
}

static struct str key_of(struct arena *arena, int64_t hash)
{
    char text[24] = "advisory";
    for (size_t i = 8; i < sizeof(text); i++) {
        text[i] = "0123456789abcdef"[(uint64_t)hash >> (4 * (i - 8)) & 15];
    }
    return arena_str(arena, (struct str){text, sizeof(text)});
}

static void submit_one(struct committer *c, struct facts *facts, struct tenant_facts *t,
                       int64_t hash)
{
    struct job_row *job = (struct job_row *)facts_add(facts, t, TABLE_JOBS);
    job->job = t->row->next_job++;
    job->lane = LANE;
    job->rank = facts->clock;
    job->submitted_at = facts->clock;
    job->digest = STR("fedcba9876543210fedcba9876543210");
    if (c->options->lines) {
        add_line(facts, t, STR("job.submitted"), job->job,
                 STR("\"digest\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c\",\"lane\":1,"
                     "\"priority\":0,\"rank\":17"));
    }
    job->submit_seq = t->row->head_seq;
    job->payload = (struct str){c->payload, (size_t)c->options->payload};
    if (c->options->keys) {
        job->key = key_of(facts->arena, hash);
        struct job_key_row *key = (struct job_key_row *)facts_add(facts, t, TABLE_JOB_KEYS);
        key->generation = 1;
        key->hash = hash;
        key->job = job->job;
    }
    struct ready_row *ready = (struct ready_row *)facts_add(facts, t, TABLE_READY);
    ready->job = job->job;
    ready->carry.lane = LANE;
    ready->carry.rank = job->rank;
    ready->eligible_at = facts->clock;
}

static void decide(struct committer *c, struct facts *facts, struct tenant *tenant)
{
    struct tenant_facts *t = facts_tenant(facts, tenant->shard, tenant->id);
    struct lane_row *lane = (struct lane_row *)facts_find(t, TABLE_LANES, LANE);
    CHECK(t->row != NULL && lane != NULL);
    facts_change(facts, &t->row->row);
    facts_change(facts, &lane->row);
    complete(c, facts, t, tenant, lane);
    claim(c, facts, t, tenant, lane);
    for (int64_t i = 0; i < tenant->submits; i++) {
        submit_one(c, facts, t, tenant->hashes[i]);
    }
    lane->waiting += tenant->submits;
    t->row->waiting += tenant->submits;
    t->row->live += tenant->submits;
    tenant->waiting = t->row->waiting;
    struct shard_facts *s = facts_shard(facts, tenant->shard);
    s->row->last_at = facts->clock;
    s->row->tick++;
    facts_change(facts, &s->row->row);
}

static int compare_tenants(const void *a, const void *b)
{
    const struct tenant *const *x = a;
    const struct tenant *const *y = b;
    return ((*x)->shard > (*y)->shard) - ((*x)->shard < (*y)->shard);
}

static void run_group(struct committer *c)
{
    struct tenant *group[TENANTS_MAX];
    int16_t shards[TENANTS_MAX];
    struct err err = {0};
    size_t count = (size_t)c->options->spread;
    count = count > c->tenant_count ? c->tenant_count : count;
    for (size_t i = 0; i < count; i++) {
        group[i] = c->tenants[c->next++ % c->tenant_count];
    }
    qsort(group, count, sizeof(group[0]), compare_tenants);
    const int64_t began = clock_us();
    struct facts facts;
    facts_init(&facts, &c->arena, ledger_seed(c->ledger), ++c->group);
    for (size_t i = 0; i < count; i++) {
        shards[i] = group[i]->shard;
        want_tenant(c, &facts, group[i]);
    }
    must(ledger_begin(c->ledger, shards, count, &facts, &err), &err);
    const int64_t loaded = clock_us();
    for (size_t i = 0; i < count; i++) {
        decide(c, &facts, group[i]);
    }
    const struct plan plan = plan_from_facts(&facts);
    const int64_t built = clock_us();
    must(ledger_commit(c->ledger, &plan, &facts, &err), &err);
    const int64_t done = clock_us();
    facts_fini(&facts);
    arena_reset(&c->arena);
    c->commits++;
    c->load_us += loaded - began;
    c->build_us += built - loaded;
    c->commit_us += done - built;
    if (c->sample_count < SAMPLES_MAX) {
        c->samples[c->sample_count++] = (int32_t)(done - began);
    }
}

/* ---- The run ---- */

static void make_tenants(struct committer *c, struct tenant *tenants, int64_t count)
{
    struct err err = {0};
    int16_t shards[SHARD_COUNT];
    struct facts facts;
    facts_init(&facts, &c->arena, ledger_seed(c->ledger), ++c->group);
    for (int i = 0; i < SHARD_COUNT; i++) {
        shards[i] = (int16_t)i;
    }
    for (int64_t i = 0; i < count; i++) {
        (void)want(&facts, facts_tenant(&facts, tenants[i].shard, tenants[i].id), WANT_TENANT,
                   tenants[i].id.v);
    }
    must(ledger_begin(c->ledger, shards, SHARD_COUNT, &facts, &err), &err);
    for (int64_t i = 0; i < count; i++) {
        struct tenant_facts *t = facts_tenant(&facts, tenants[i].shard, tenants[i].id);
        if (t->row != NULL) {
            tenants[i].waiting = t->row->waiting;
            continue;
        }
        struct tenant_row *row = (struct tenant_row *)facts_add(&facts, t, TABLE_TENANTS);
        row->name = arena_format(&c->arena, "tenant-%d", t->id.v);
        row->weight = 1;
        row->next_job = 1;
        struct lane_row *lane = (struct lane_row *)facts_add(&facts, t, TABLE_LANES);
        lane->lane = LANE;
        lane->job_type = STR("bench");
    }
    const struct plan plan = plan_from_facts(&facts);
    must(ledger_commit(c->ledger, &plan, &facts, &err), &err);
    facts_fini(&facts);
    arena_reset(&c->arena);
}

static void *committer_thread(void *ctx)
{
    struct committer *c = ctx;
    while (!stopping && (c->quota == 0 || c->completed < c->quota)) {
        run_group(c);
    }
    return NULL;
}

static void run_all(struct committer *committers, int64_t count, int64_t seconds, int64_t quota)
{
    pthread_t threads[CONNS_MAX];
    stopping = false;
    for (int64_t i = 0; i < count; i++) {
        struct committer *c = &committers[i];
        c->completed = c->commits = c->load_us = c->build_us = c->commit_us = 0;
        c->sample_count = 0;
        c->quota = quota;
        CHECK(pthread_create(&threads[i], NULL, committer_thread, c) == 0);
    }
    if (quota == 0) {
        (void)nanosleep(&(struct timespec){.tv_sec = seconds}, NULL);
        stopping = true;
    }
    for (int64_t i = 0; i < count; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

static int compare_samples(const void *a, const void *b)
{
    return (*(const int32_t *)a > *(const int32_t *)b) -
           (*(const int32_t *)a < *(const int32_t *)b);
}

static int64_t cpu_us(void)
{
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void report(const struct committer *committers, int64_t count, int64_t took_us, int64_t cpu)
{
    int64_t jobs = 0;
    int64_t commits = 0;
    int64_t load = 0;
    int64_t build = 0;
    int64_t commit = 0;
    size_t n = 0;
    int32_t *all = calloc((size_t)count * SAMPLES_MAX, sizeof(*all));
    CHECK(all != NULL);
    for (int64_t i = 0; i < count; i++) {
        const struct committer *c = &committers[i];
        jobs += c->completed;
        commits += c->commits;
        load += c->load_us;
        build += c->build_us;
        commit += c->commit_us;
        memcpy(all + n, c->samples, c->sample_count * sizeof(*all));
        n += c->sample_count;
    }
    CHECK(jobs > 0 && n > 0);
    qsort(all, n, sizeof(*all), compare_samples);
    const size_t median = n / 2;
    const size_t late = n - 1 - n / 100;
    printf(
        "%.0f lifecycles/s, %.4f commits each, client CPU %.1f us each, group p50 %.1f p99 %.1f ms"
        " (load %.2f build %.2f commit %.2f)\n",
        (double)jobs * 1e6 / (double)took_us, (double)commits / (double)jobs,
        (double)cpu / (double)jobs, (double)all[median] / 1e3, (double)all[late] / 1e3,
        (double)load / (double)commits / 1e3, (double)build / (double)commits / 1e3,
        (double)commit / (double)commits / 1e3);
    free(all);
}

static void read_options(struct options *o, int argc, char **argv)
{
    const struct {
        const char *name;
        int64_t *value;
    } known[] = {{"tenants", &o->tenants}, {"conns", &o->conns},       {"spread", &o->spread},
                 {"batch", &o->batch},     {"submit", &o->submit},     {"backlog", &o->backlog},
                 {"payload", &o->payload}, {"outcomes", &o->outcomes}, {"keys", &o->keys},
                 {"lines", &o->lines},     {"security", &o->security}, {"cache", &o->cache},
                 {"preload", &o->preload}, {"warm", &o->warm},         {"seconds", &o->seconds}};

    for (int i = 2; i < argc; i++) {
        struct str rest = str_from(argv[i]);
        struct str name = {NULL, 0};
        bool found = false;
        (void)str_split(&rest, '=', &name);
        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
            if (str_eq(str_from(known[k].name), name)) {
                found = str_parse_i64(rest, known[k].value);
            }
        }
        if (!found) {
            fprintf(stderr, "ledger_bench: do not understand %s\n", argv[i]);
            exit(2);
        }
    }
    CHECK(o->tenants >= 1 && o->tenants <= TENANTS_MAX && o->conns >= 1 && o->conns <= CONNS_MAX);
    CHECK(o->batch <= BATCH_MAX && o->submit <= BATCH_MAX && o->spread >= 1);
}

static void say_nothing(const char *line)
{
    (void)line;
}

static void open_committer(struct committer *c, const struct options *o, int64_t number)
{
    struct err err = {0};
    const struct ledger_target target = {
        .url = o->url, .row_security = o->security != 0, .cache_mib = (int32_t)o->cache};
    c->options = o;
    c->random = 88172645463325252ULL + (uint64_t)number * 7919 + (uint64_t)time(NULL);
    c->group = (number + 1) << 48 | (int64_t)time(NULL) << 16;
    arena_init(&c->arena, (size_t)1 << 30);
    c->payload = malloc((size_t)o->payload + 1);
    c->samples = calloc(SAMPLES_MAX, sizeof(*c->samples));
    CHECK(c->payload != NULL && c->samples != NULL);
    memset(c->payload, 'x', (size_t)o->payload);
    must(ledger_open(&target, &c->ledger, &err), &err);
}

int main(int argc, char **argv)
{
    struct options o = {.tenants = 16,
                        .conns = 2,
                        .spread = 1,
                        .batch = 100,
                        .submit = 500,
                        .backlog = 1000,
                        .payload = 300,
                        .outcomes = 1,
                        .keys = 1,
                        .lines = 1,
                        .security = 1,
                        .warm = 1,
                        .seconds = 4};
    if (argc < 2) {
        fprintf(stderr, "usage: ledger_bench URL [name=value ...]\n");
        return 2;
    }
    o.url = argv[1];
    read_options(&o, argc, argv);
    struct err err = {0};
    must(ledger_migrate(&(struct ledger_target){.url = o.url, .row_security = true}, say_nothing,
                        &err),
         &err);
    static struct committer committers[CONNS_MAX];
    static struct tenant tenants[TENANTS_MAX];
    for (int64_t i = 0; i < o.conns; i++) {
        open_committer(&committers[i], &o, i);
    }
    for (int64_t i = 0; i < o.tenants; i++) {
        struct committer *c = &committers[i % o.conns];
        tenants[i].shard = (int16_t)(i % SHARD_COUNT);
        tenants[i].id.v = FIRST_TENANT + (int32_t)i;
        c->tenants[c->tenant_count++] = &tenants[i];
    }
    make_tenants(&committers[0], tenants, o.tenants);
    if (o.preload > 0) {
        run_all(committers, o.conns, 0, o.preload / o.conns);
    }
    run_all(committers, o.conns, o.warm, 0);
    const int64_t cpu = cpu_us();
    const int64_t began = clock_us();
    run_all(committers, o.conns, o.seconds, 0);
    report(committers, o.conns, clock_us() - began, cpu_us() - cpu);
    for (int64_t i = 0; i < o.conns; i++) {
        ledger_close(committers[i].ledger);
        arena_fini(&committers[i].arena);
        free(committers[i].payload);
        free(committers[i].samples);
    }
    return 0;
}
