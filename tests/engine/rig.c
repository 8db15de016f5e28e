#include "engine/rig.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/random.h"
#include "platform/thread.h"

/* One thing that another thread will have done. */
struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
};

static void waiting_init(struct waiting *waiting)
{
    mutex_init(&waiting->lock);
    wake_init(&waiting->wake);
    waiting->done = false;
}

static void waiting_fini(struct waiting *waiting)
{
    wake_fini(&waiting->wake);
    mutex_fini(&waiting->lock);
}

static void waiting_done(struct waiting *waiting)
{
    mutex_take(&waiting->lock);
    waiting->done = true;
    wake_all(&waiting->wake);
    mutex_give(&waiting->lock);
}

static void waiting_wait(struct waiting *waiting)
{
    const int64_t until = clock_mono().us + RIG_PATIENCE_US;
    mutex_take(&waiting->lock);
    while (!waiting->done && clock_mono().us < until) {
        wake_wait_for(&waiting->wake, &waiting->lock, US_PER_S);
    }
    const bool done = waiting->done;
    mutex_give(&waiting->lock);
    assert_true(done);
}

/* ---- Ledgers ---- */

static bool on_postgres;

int rig_main(const struct CMUnitTest *tests, size_t count)
{
    on_postgres = false;
    int failed = _cmocka_run_group_tests("sqlite", tests, count, NULL, NULL);
    if (getenv("STELLA_TEST_POSTGRES") != NULL) {
        on_postgres = true;
        failed += _cmocka_run_group_tests("postgres", tests, count, NULL, NULL);
    }
    return failed;
}

static void run_sql(const char *before, const char *name, const char *after)
{
    PGconn *conn = PQconnectdb(getenv("STELLA_TEST_POSTGRES"));
    assert_int_equal(PQstatus(conn), CONNECTION_OK);
    char sql[256];
    (void)snprintf(sql, sizeof(sql), "%s%s%s", before, name, after);
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        print_error("%s: %s\n", sql, PQerrorMessage(conn));
        fail();
    }
    PQclear(result);
    PQfinish(conn);
}

/* The server's URL with the rig's own database. */
static void name_database(struct rig *rig)
{
    const char *server = getenv("STELLA_TEST_POSTGRES");
    const char *end = strrchr(server, '/');
    assert_non_null(end);
    (void)snprintf(rig->database, sizeof(rig->database), "stella_test_%lld",
                   (long long)random_below(INT64_C(1) << 48));
    (void)snprintf(rig->url, sizeof(rig->url), "%.*s/%s", (int)(end - server), server,
                   rig->database);
    run_sql("CREATE DATABASE ", rig->database, "");
}

static void no_progress(const char *step)
{
    (void)step;
}

struct rig *rig_new(void **state)
{
    (void)state;
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->postgres = on_postgres;
    arena_init(&rig->arena, (size_t)1 << 30);
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(rig->folder, sizeof(rig->folder), "%s/stella-engine-XXXXXX",
                   temporary == NULL || strlen(temporary) > 30 ? "/tmp" : temporary);
    assert_non_null(mkdtemp(rig->folder));
    if (rig->postgres) {
        name_database(rig);
    } else {
        (void)snprintf(rig->url, sizeof(rig->url), "sqlite:%s/ledger.db", rig->folder);
    }
    struct err err = {0};
    const struct ledger_target target = rig_config(rig).target;
    if (ledger_migrate(&target, no_progress, &err) != ERR_OK) {
        print_error("migrate: %s\n", err.message);
        fail();
    }
    return rig;
}

void rig_free(struct rig *rig)
{
    if (rig->postgres) {
        run_sql("DROP DATABASE ", rig->database, " WITH (FORCE)");
    } else {
        static const char *const files[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm",
                                            "ledger.db.lock"};
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
            char path[128];
            (void)snprintf(path, sizeof(path), "%s/%s", rig->folder, files[i]);
            (void)unlink(path);
        }
    }
    (void)rmdir(rig->folder);
    arena_fini(&rig->arena);
    free(rig);
}

struct engine_config rig_config(struct rig *rig)
{
    const struct ledger_target target = {.url = rig->url, .row_security = true};
    struct engine_config config = engine_config_default(target);
    config.stop_us = RIG_PATIENCE_US;
    return config;
}

struct engine *rig_start_with(const struct engine_config *config)
{
    struct err err = {0};
    struct engine *engine = NULL;
    enum err_code code = engine_open(config, &engine, &err);
    if (code == ERR_OK) {
        code = engine_start(engine, &err);
    }
    if (code != ERR_OK) {
        print_error("engine: %s\n", err.message);
        fail();
    }
    return engine;
}

struct engine *rig_start(struct rig *rig)
{
    const struct engine_config config = rig_config(rig);
    return rig_start_with(&config);
}

void rig_stop(struct engine *engine)
{
    engine_stop(engine);
    engine_free(engine);
}

/* ---- Commands ---- */

static void request_done(struct engine_request *request)
{
    waiting_done(request->ctx);
}

enum err_code rig_run(struct engine *engine, enum engine_queue queue, struct command *command)
{
    struct waiting waiting;
    struct err err = {0};
    waiting_init(&waiting);
    struct engine_request request = {
        .queue = queue, .commands = command, .count = 1, .done = request_done, .ctx = &waiting};
    enum err_code code = engine_submit(engine, &request, &err);
    if (code == ERR_OK) {
        waiting_wait(&waiting);
        code = command->err.code;
    }
    waiting_fini(&waiting);
    return code;
}

struct rig_tenant rig_tenant(struct rig *rig, struct engine *engine, const char *name)
{
    struct command command = {
        .kind = COMMAND_TENANT_NAME,
        .shard = SHARD_SYSTEM,
        .tenant = {TENANT_SYSTEM},
        .actor = STR("test"),
        .arena = &rig->arena,
        .tenant_change = {.name = str_from(name), .weight = -1, .max_inflight = -1, .max_live = -1},
    };
    assert_int_equal(rig_run(engine, QUEUE_CONTROL, &command), ERR_OK);
    const struct rig_tenant tenant = {.id = command.tenant_change.made,
                                      .shard = command.tenant_change.home_shard,
                                      .name = str_from(name)};
    command.kind = COMMAND_TENANT_OPEN;
    command.shard = tenant.shard;
    command.tenant = tenant.id;
    assert_int_equal(rig_run(engine, QUEUE_CONTROL, &command), ERR_OK);
    return tenant;
}

static json_t *parse(const char *body)
{
    json_error_t error;
    json_t *parsed = json_loads(body, 0, &error);
    assert_non_null(parsed);
    return parsed;
}

static void put(struct rig *rig, struct engine *engine, enum command_kind kind,
                struct rig_tenant tenant, const char *name, struct str body)
{
    struct command command = {
        .kind = kind,
        .shard = tenant.shard,
        .tenant = tenant.id,
        .actor = STR("test"),
        .arena = &rig->arena,
        .put = {.name = str_from(name), .body = body, .if_version = -1},
    };
    assert_int_equal(rig_run(engine, QUEUE_CONTROL, &command), ERR_OK);
}

void rig_job_type(struct rig *rig, struct engine *engine, const char *name, const char *body)
{
    const struct rig_tenant system = {.id = {TENANT_SYSTEM}, .shard = SHARD_SYSTEM};
    struct job_type type;
    struct str canonical;
    struct err err = {0};
    json_t *parsed = parse(body);
    if (job_type_parse(&rig->arena, str_from(name), parsed, &type, &canonical, &err) != ERR_OK) {
        print_error("job type: %s %s\n", err.message, err.pointer);
        fail();
    }
    json_decref(parsed);
    put(rig, engine, COMMAND_JOB_TYPE_PUT, system, name, canonical);
}

void rig_source(struct rig *rig, struct engine *engine, struct rig_tenant tenant, const char *name,
                const char *body)
{
    struct source source;
    struct str canonical;
    struct err err = {0};
    json_t *parsed = parse(body);
    if (source_parse(&rig->arena, str_from(name), parsed, &source, &canonical, &err) != ERR_OK) {
        print_error("source: %s %s\n", err.message, err.pointer);
        fail();
    }
    json_decref(parsed);
    put(rig, engine, COMMAND_SOURCE_PUT, tenant, name, canonical);
}

void rig_submit_init(struct rig_submit *submit, struct rig_tenant tenant, const char *type,
                     size_t count)
{
    memset(submit, 0, sizeof(*submit));
    arena_init(&submit->arena, (size_t)256 << 20);
    struct submit_item *items = arena_array(&submit->arena, struct submit_item, count);
    for (size_t i = 0; i < count; i++) {
        items[i].job_type = str_from(type);
        items[i].payload = STR("{\"n\":1}");
        submit_digest(&items[i], 1);
    }
    submit->command = (struct command){
        .kind = COMMAND_SUBMIT,
        .shard = tenant.shard,
        .tenant = tenant.id,
        .actor = STR("test"),
        .arena = &submit->arena,
        .submit = {.items = items, .count = count},
    };
}

void rig_submit_fini(struct rig_submit *submit)
{
    arena_fini(&submit->arena);
}

void rig_submit_jobs(struct engine *engine, struct rig_tenant tenant, const char *type,
                     size_t count)
{
    struct rig_submit submit;
    rig_submit_init(&submit, tenant, type, count);
    const enum err_code code = rig_run(engine, QUEUE_SUBMITS, &submit.command);
    if (code != ERR_OK) {
        print_error("submit: %s\n", submit.command.err.message);
    }
    assert_int_equal(code, ERR_OK);
    assert_int_equal(submit.command.submit.done, count);
    rig_submit_fini(&submit);
}

/* ---- Claims ---- */

static void claim_done(struct engine_claim *claim)
{
    waiting_done(claim->ctx);
}

void rig_claim_init(struct rig_claim *claim, const char *types, int32_t max, int64_t wait_us)
{
    memset(claim, 0, sizeof(*claim));
    arena_init(&claim->arena, (size_t)256 << 20);
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    assert_non_null(waiting);
    waiting_init(waiting);
    claim->wait = waiting;
    claim->claim = (struct engine_claim){
        .worker = STR("host/1"),
        .actor = STR("worker:host/1"),
        .credential = STR("tok-1"),
        .claim = random_below(INT64_MAX - 1) + 1,
        .types = str_from(types),
        .max = max,
        .wait_us = wait_us,
        .done = claim_done,
        .ctx = waiting,
        .arena = &claim->arena,
    };
}

void rig_claim_fini(struct rig_claim *claim)
{
    waiting_fini(claim->wait);
    free(claim->wait);
    arena_fini(&claim->arena);
}

enum err_code rig_claim_send(struct engine *engine, struct rig_claim *claim)
{
    return engine_claim(engine, &claim->claim, &claim->claim.err);
}

void rig_claim_wait(struct rig_claim *claim)
{
    waiting_wait(claim->wait);
}

bool rig_claim_is_done(struct rig_claim *claim)
{
    struct waiting *waiting = claim->wait;
    mutex_take(&waiting->lock);
    const bool done = waiting->done;
    mutex_give(&waiting->lock);
    return done;
}

size_t rig_claim_count(const struct rig_claim *claim)
{
    size_t count = 0;
    for (size_t i = 0; i < claim->claim.parts.n; i++) {
        count += claim->claim.parts.v[i].count;
    }
    return count;
}

size_t rig_claim_jobs(struct engine *engine, struct rig_claim *claim)
{
    assert_int_equal(rig_claim_send(engine, claim), ERR_OK);
    rig_claim_wait(claim);
    return rig_claim_count(claim);
}

static void fill_report(struct command *command, const struct claim_part *part, struct arena *arena)
{
    struct report_item *items = arena_array(arena, struct report_item, part->count);
    for (size_t i = 0; i < part->count; i++) {
        const struct leased_row *lease = part->grants[i].lease;
        items[i] = (struct report_item){.kind = REPORT_COMPLETE,
                                        .job = {lease->job},
                                        .lane = lease->carry.lane,
                                        .grant = lease->carry.grant,
                                        .digest = sha256_of(STR("{}")),
                                        .result = STR("{}"),
                                        .retry_after_us = -1,
                                        .requests_used = -1};
    }
    *command = (struct command){
        .kind = COMMAND_REPORT,
        .shard = part->grants[0].lease->shard,
        .tenant = part->tenant,
        .actor = STR("worker:host/1"),
        .arena = arena,
        .report = {.worker = STR("host/1"), .items = items, .count = part->count},
    };
}

size_t rig_complete(struct engine *engine, const struct rig_claim *claim)
{
    struct arena arena;
    size_t taken = 0;
    arena_init(&arena, (size_t)256 << 20);
    for (size_t i = 0; i < claim->claim.parts.n; i++) {
        struct command command;
        fill_report(&command, &claim->claim.parts.v[i], &arena);
        if (rig_run(engine, QUEUE_REPORTS, &command) != ERR_OK) {
            continue;
        }
        for (size_t k = 0; k < command.report.count; k++) {
            taken += command.report.items[k].code == ERR_OK;
        }
    }
    arena_fini(&arena);
    return taken;
}

/* ---- Looking ---- */

void rig_until(bool (*holds)(void *ctx), void *ctx, const char *what)
{
    const int64_t until = clock_mono().us + RIG_PATIENCE_US;
    while (!holds(ctx)) {
        if (clock_mono().us > until) {
            print_error("never came true: %s\n", what);
            fail();
        }
        /* tidy: sleep: the engine has threads of its own; this polls what they did, with an end. */
        (void)usleep(2000);
    }
}

struct read_call {
    struct waiting waiting;
    const struct query *query;
    struct query_result *out;
    enum err_code code;
};

static void run_read(void *ctx, struct reader *reader)
{
    struct read_call *call = ctx;
    struct err err = {0};
    call->code = reader_query(reader, call->query, call->out, &err);
    waiting_done(&call->waiting);
}

/* A reader whose connection was cut says so once. */
static void rig_query(struct engine *engine, const struct query *query, struct query_result *out)
{
    struct read_call call = {.query = query, .out = out};
    struct err err = {0};
    waiting_init(&call.waiting);
    for (int tries = 0; tries < 5; tries++) {
        call.waiting.done = false;
        assert_int_equal(engine_read(engine, run_read, &call, &err), ERR_OK);
        waiting_wait(&call.waiting);
        if (call.code == ERR_OK) {
            break;
        }
    }
    waiting_fini(&call.waiting);
    assert_int_equal(call.code, ERR_OK);
}

struct rig_counts rig_counts(struct engine *engine, struct rig_tenant tenant)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    struct query query = {.name = "tenant_by_id", .tenant = tenant.id, .arena = &arena};
    query_arg_int(&query, tenant.shard);
    query_arg_int(&query, tenant.id.v);
    struct query_result result;
    rig_query(engine, &query, &result);
    assert_int_equal(result.rows, 1);
    const struct rig_counts counts = {
        .waiting = result.values[query_column(&result, "waiting")].number,
        .inflight = result.values[query_column(&result, "inflight")].number,
        .live = result.values[query_column(&result, "live")].number,
        .head_seq = result.values[query_column(&result, "head_seq")].number,
        .next_job = result.values[query_column(&result, "next_job")].number,
    };
    arena_fini(&arena);
    return counts;
}

int64_t rig_check_history(struct engine *engine, struct rig_tenant tenant)
{
    const struct rig_counts counts = rig_counts(engine, tenant);
    int64_t seq = 0;
    while (seq < counts.head_seq) {
        struct arena arena;
        arena_init(&arena, (size_t)1 << 30);
        struct query query = {.name = "history_after", .tenant = tenant.id, .arena = &arena};
        query_arg_int(&query, tenant.shard);
        query_arg_int(&query, tenant.id.v);
        query_arg_int(&query, seq);
        query_arg_int(&query, 100);
        struct query_result result;
        rig_query(engine, &query, &result);
        assert_true(result.rows > 0);
        for (size_t i = 0; i < result.rows; i++) {
            const struct query_value *row = &result.values[i * result.columns];
            assert_int_equal(row[0].number, seq + 1);
            seq += row[1].number;
        }
        arena_fini(&arena);
    }
    assert_int_equal(seq, counts.head_seq);
    return seq;
}
