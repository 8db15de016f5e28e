/* Two nodes over one PostgreSQL, and a server that goes away. On SQLite there is one node. */
#include "engine/rig.h"

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "platform/clock.h"
#include "platform/thread.h"

enum { NODES = 2, TENANTS = 4, SUBMITS = 10, JOBS_OF_SUBMIT = 50 };

struct crowd {
    struct engine *nodes[NODES];
    struct rig_tenant tenants[TENANTS];
    _Atomic int64_t completed;
};

/* One thread's part of the load: all its calls go to one node. */
struct member {
    struct crowd *crowd;
    struct engine *engine;
};

static void *produce(void *ctx)
{
    struct member *member = ctx;
    for (size_t i = 0; i < SUBMITS; i++) {
        rig_submit_jobs(member->engine, member->crowd->tenants[i % TENANTS], "scan",
                        JOBS_OF_SUBMIT);
    }
    return NULL;
}

static void *work(void *ctx)
{
    struct member *member = ctx;
    const int64_t until = clock_mono().us + RIG_PATIENCE_US;
    while (member->crowd->completed < NODES * SUBMITS * JOBS_OF_SUBMIT) {
        assert_true(clock_mono().us < until);
        struct rig_claim claim;
        rig_claim_init(&claim, "scan\n", 20, 200 * US_PER_MS);
        (void)rig_claim_jobs(member->engine, &claim);
        member->crowd->completed += (int64_t)rig_complete(member->engine, &claim);
        rig_claim_fini(&claim);
    }
    return NULL;
}

static void two_nodes_lose_and_double_nothing(void **state)
{
    struct rig *rig = rig_new(state);
    if (!rig->postgres) {
        rig_free(rig);
        return;
    }
    struct crowd crowd = {.nodes = {rig_start(rig), rig_start(rig)}};
    static const char *const names[TENANTS] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < TENANTS; i++) {
        crowd.tenants[i] = rig_tenant(rig, crowd.nodes[0], names[i]);
    }
    rig_job_type(rig, crowd.nodes[0], "scan", "{}");
    struct member members[NODES];
    pthread_t threads[3 * NODES];
    struct err err = {0};
    for (size_t i = 0; i < NODES; i++) {
        members[i] = (struct member){.crowd = &crowd, .engine = crowd.nodes[i]};
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(thread_start(&threads[3 * i + k], "test", k == 0 ? produce : work,
                                          &members[i], &err),
                             ERR_OK);
        }
    }
    for (size_t i = 0; i < 3 * NODES; i++) {
        thread_join(threads[i]);
    }
    int64_t jobs = 0;
    for (size_t i = 0; i < TENANTS; i++) {
        const struct rig_counts counts = rig_counts(crowd.nodes[1], crowd.tenants[i]);
        assert_int_equal(counts.live, 0);
        jobs += counts.next_job - 1;
        (void)rig_check_history(crowd.nodes[0], crowd.tenants[i]);
    }
    assert_int_equal(jobs, NODES * SUBMITS * JOBS_OF_SUBMIT);
    assert_int_equal(crowd.completed, jobs);
    rig_stop(crowd.nodes[0]);
    rig_stop(crowd.nodes[1]);
    rig_free(rig);
}

static void a_claim_parked_here_gets_what_was_submitted_there(void **state)
{
    struct rig *rig = rig_new(state);
    if (!rig->postgres) {
        rig_free(rig);
        return;
    }
    struct engine *here = rig_start(rig);
    struct engine *there = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, there, "acme");
    rig_job_type(rig, there, "scan", "{}");
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 1, 20 * US_PER_S);
    assert_int_equal(rig_claim_send(here, &claim), ERR_OK);
    rig_submit_jobs(there, tenant, "scan", 1);
    rig_claim_wait(&claim);
    assert_int_equal(rig_claim_count(&claim), 1);
    assert_int_equal(rig_complete(there, &claim), 1);
    struct tenant_id id;
    int16_t shard;
    struct err err = {0};
    assert_int_equal(engine_tenant_by_name(here, STR("acme"), &id, &shard, &err), ERR_OK);
    assert_int_equal(id.v, tenant.id.v);
    assert_int_equal(engine_tenant_by_name(here, STR("nobody"), &id, &shard, &err), ERR_NOT_FOUND);
    rig_claim_fini(&claim);
    rig_stop(here);
    rig_stop(there);
    rig_free(rig);
}

/* ---- Hints: no look brings anything in these tests, only they can ---- */

struct listening {
    struct rig *rig;
    struct engine *here;
    struct engine *there;
    atomic_int tokens_changed; /* As told to `here`. */
    uint64_t heard;            /* By `there` so far. */
};

static void on_tokens_changed(void *ctx)
{
    struct listening *both = ctx;
    atomic_fetch_add(&both->tokens_changed, 1);
}

static uint64_t hints_heard(struct engine *engine)
{
    struct engine_figures figures;
    engine_figures(engine, &figures);
    return figures.hints_heard;
}

static bool there_heard_more(void *ctx)
{
    struct listening *both = ctx;
    return hints_heard(both->there) > both->heard;
}

/* Two nodes that look once an hour; each knows that the other is there. */
static void listen_to_each_other(struct listening *both)
{
    struct engine_config config = rig_config(both->rig);
    config.look_us = 3600 * US_PER_S;
    both->there = rig_start_with(&config);
    config.tokens_changed = on_tokens_changed;
    config.tokens_ctx = both;
    both->here = rig_start_with(&config);
    rig_until(there_heard_more, both, "the first node heard of the second");
}

static void stop_listening(struct listening *both)
{
    rig_stop(both->here);
    rig_stop(both->there);
    rig_free(both->rig);
}

/* A claim that waits here gets a job submitted there. */
static void pick_up_elsewhere(struct listening *both, struct rig_tenant tenant)
{
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 1, 20 * US_PER_S);
    assert_int_equal(rig_claim_send(both->here, &claim), ERR_OK);
    rig_submit_jobs(both->there, tenant, "scan", 1);
    rig_claim_wait(&claim);
    assert_int_equal(rig_claim_count(&claim), 1);
    assert_int_equal(rig_complete(both->here, &claim), 1);
    rig_claim_fini(&claim);
}

static void a_hint_brings_work_to_a_claim_at_another_node(void **state)
{
    struct listening both = {.rig = rig_new(state)};
    if (!both.rig->postgres) {
        rig_free(both.rig);
        return;
    }
    listen_to_each_other(&both);
    const struct rig_tenant tenant = rig_tenant(both.rig, both.there, "acme");
    rig_job_type(both.rig, both.there, "scan", "{}");
    pick_up_elsewhere(&both, tenant);
    pick_up_elsewhere(&both, tenant);
    stop_listening(&both);
}

static bool tokens_have_changed(void *ctx)
{
    struct listening *both = ctx;
    return atomic_load(&both->tokens_changed) > 1; /* Once when it began to listen. */
}

static void a_hint_says_that_tokens_changed(void **state)
{
    struct listening both = {.rig = rig_new(state)};
    if (!both.rig->postgres) {
        rig_free(both.rig);
        return;
    }
    listen_to_each_other(&both);
    struct command make = {.kind = COMMAND_TOKEN_ADD,
                           .shard = SHARD_SYSTEM,
                           .tenant = {TENANT_SYSTEM},
                           .actor = STR("test"),
                           .arena = &both.rig->arena};
    make.token.name = STR("test");
    make.token.hash = STR("0123456789abcdef0123456789abcdef");
    assert_int_equal(rig_run(both.there, QUEUE_CONTROL, &make), ERR_OK);
    rig_until(tokens_have_changed, &both, "the other node was told of the token");
    stop_listening(&both);
}

/* ---- The server closes the database and cuts every connection ---- */

static void run_sql(const char *sql)
{
    PGconn *conn = PQconnectdb(getenv("STELLA_TEST_POSTGRES"));
    assert_int_equal(PQstatus(conn), CONNECTION_OK);
    PGresult *result = PQexec(conn, sql);
    const ExecStatusType status = PQresultStatus(result);
    assert_true(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
    PQclear(result);
    PQfinish(conn);
}

static void set_open(const struct rig *rig, bool open)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql), "ALTER DATABASE %s ALLOW_CONNECTIONS %s", rig->database,
                   open ? "true" : "false");
    run_sql(sql);
}

static void cut_connections(const struct rig *rig)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'",
                   rig->database);
    run_sql(sql);
}

static bool is_ready(void *ctx)
{
    return engine_is_ready(ctx);
}

/* What was told meanwhile is lost; listening anew means looking at everything. */
static void hints_come_back_after_a_cut(void **state)
{
    struct listening both = {.rig = rig_new(state)};
    if (!both.rig->postgres) {
        rig_free(both.rig);
        return;
    }
    listen_to_each_other(&both);
    const struct rig_tenant tenant = rig_tenant(both.rig, both.there, "acme");
    rig_job_type(both.rig, both.there, "scan", "{}");
    pick_up_elsewhere(&both, tenant);
    both.heard = hints_heard(both.there);
    cut_connections(both.rig);
    rig_until(tokens_have_changed, &both, "it listens anew and takes nothing for known");
    rig_until(there_heard_more, &both, "the other node heard of it again");
    pick_up_elsewhere(&both, tenant);
    stop_listening(&both);
}

static void without_hints_nodes_look(void **state)
{
    struct rig *rig = rig_new(state);
    if (!rig->postgres) {
        rig_free(rig);
        return;
    }
    struct engine_config config = rig_config(rig);
    config.hints = false;
    config.look_us = 10 * US_PER_MS;
    struct listening both = {
        .rig = rig, .here = rig_start_with(&config), .there = rig_start_with(&config)};
    const struct rig_tenant tenant = rig_tenant(rig, both.there, "acme");
    rig_job_type(rig, both.there, "scan", "{}");
    pick_up_elsewhere(&both, tenant);
    assert_int_equal(hints_heard(both.here), 0);
    stop_listening(&both);
}

static void the_server_goes_away_and_comes_back(void **state)
{
    struct rig *rig = rig_new(state);
    if (!rig->postgres) {
        rig_free(rig);
        return;
    }
    struct engine *engine = rig_start(rig);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", "{}");
    /* Only the connections: nobody notices. */
    cut_connections(rig);
    rig_submit_jobs(engine, tenant, "scan", 1);
    /* The whole database. */
    set_open(rig, false);
    cut_connections(rig);
    struct rig_submit submit;
    rig_submit_init(&submit, tenant, "scan", 1);
    assert_int_equal(rig_run(engine, QUEUE_SUBMITS, &submit.command), ERR_LEDGER_UNAVAILABLE);
    rig_submit_fini(&submit);
    assert_false(engine_is_ready(engine));
    set_open(rig, true);
    rig_until(is_ready, engine, "ready again");
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 10, 20 * US_PER_S);
    assert_int_equal(rig_claim_jobs(engine, &claim), 1);
    assert_int_equal(rig_complete(engine, &claim), 1);
    rig_claim_fini(&claim);
    assert_int_equal(rig_counts(engine, tenant).live, 0);
    rig_stop(engine);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_lose_and_double_nothing),
        cmocka_unit_test(a_hint_brings_work_to_a_claim_at_another_node),
        cmocka_unit_test(a_hint_says_that_tokens_changed),
        cmocka_unit_test(hints_come_back_after_a_cut),
        cmocka_unit_test(without_hints_nodes_look),
        cmocka_unit_test(a_claim_parked_here_gets_what_was_submitted_there),
        cmocka_unit_test(the_server_goes_away_and_comes_back),
    };
    return rig_main(tests, sizeof(tests) / sizeof(tests[0]));
}
