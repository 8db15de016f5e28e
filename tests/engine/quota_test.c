/* Slots that tenants share, under many claimers: on two nodes over one PostgreSQL, on one over
 * SQLite. */
#include "engine/rig.h"

#include <stdatomic.h>

#include "platform/clock.h"
#include "platform/thread.h"

enum { NODES = 2, TENANTS = 4, JOBS = 60, CLAIMERS = 4, CAPACITY = 5 };

struct crowd {
    struct engine *nodes[NODES];
    struct rig_tenant tenants[TENANTS];
    _Atomic int64_t held; /* Granted and not reported: never more than what is in use. */
    _Atomic int64_t most;
    _Atomic int64_t completed;
};

struct claimer {
    struct crowd *crowd;
    struct engine *engine;
};

static void put_group(struct engine *engine, struct arena *arena, enum quota_policy policy,
                      int32_t version)
{
    struct command command = {
        .kind = COMMAND_QUOTA_GROUP_PUT,
        .shard = SHARD_SYSTEM,
        .tenant = {TENANT_SYSTEM},
        .actor = STR("test"),
        .arena = arena,
        .quota = {.group = STR("shared"),
                  .policy = policy,
                  .capacity = CAPACITY,
                  .weight = 1,
                  .if_version = version},
    };
    assert_int_equal(rig_run(engine, QUEUE_CONTROL, &command), ERR_OK);
}

static void join(struct engine *engine, struct arena *arena, struct rig_tenant tenant)
{
    struct command command = {
        .kind = COMMAND_QUOTA_SET,
        .shard = tenant.shard,
        .tenant = tenant.id,
        .actor = STR("test"),
        .arena = arena,
        .quota = {.group = STR("shared"),
                  .member = {.nominal = 1,
                             .borrow_limit = QUOTA_ANY,
                             .lend_limit = QUOTA_ANY,
                             .hard_max = 3}},
    };
    assert_int_equal(rig_run(engine, QUEUE_CONTROL, &command), ERR_OK);
}

static void *work(void *ctx)
{
    struct claimer *claimer = ctx;
    struct crowd *crowd = claimer->crowd;
    const int64_t until = clock_mono().us + RIG_PATIENCE_US;
    while (crowd->completed < TENANTS * JOBS) {
        assert_true(clock_mono().us < until);
        struct rig_claim claim;
        rig_claim_init(&claim, "scan\n", 3, 100 * US_PER_MS);
        const int64_t granted = (int64_t)rig_claim_jobs(claimer->engine, &claim);
        const int64_t held = atomic_fetch_add(&crowd->held, granted) + granted;
        int64_t most = crowd->most;
        while (held > most && !atomic_compare_exchange_weak(&crowd->most, &most, held)) {
        }
        crowd->held -= granted;
        crowd->completed += (int64_t)rig_complete(claimer->engine, &claim);
        rig_claim_fini(&claim);
    }
    return NULL;
}

static void a_group_is_never_over_its_capacity(void **state)
{
    struct rig *rig = rig_new(state);
    const size_t nodes = rig->postgres ? NODES : 1;
    struct crowd crowd = {0};
    for (size_t i = 0; i < nodes; i++) {
        crowd.nodes[i] = rig_start(rig);
    }
    static const char *const names[TENANTS] = {"a", "b", "c", "d"};
    put_group(crowd.nodes[0], &rig->arena, QUOTA_FAIR_SHARE, 0);
    rig_job_type(rig, crowd.nodes[0], "scan", "{}");
    for (size_t i = 0; i < TENANTS; i++) {
        crowd.tenants[i] = rig_tenant(rig, crowd.nodes[0], names[i]);
        join(crowd.nodes[nodes - 1], &rig->arena, crowd.tenants[i]);
        rig_submit_jobs(crowd.nodes[i % nodes], crowd.tenants[i], "scan", JOBS);
    }
    struct claimer claimers[NODES];
    pthread_t threads[NODES * CLAIMERS];
    struct err err = {0};
    for (size_t i = 0; i < nodes * CLAIMERS; i++) {
        claimers[i % nodes] = (struct claimer){&crowd, crowd.nodes[i % nodes]};
        assert_int_equal(thread_start(&threads[i], "test", work, &claimers[i % nodes], &err),
                         ERR_OK);
    }
    put_group(crowd.nodes[0], &rig->arena, QUOTA_PROPORTIONAL, 1); /* On a backlog. */
    for (size_t i = 0; i < nodes * CLAIMERS; i++) {
        thread_join(threads[i]);
    }
    assert_in_range(crowd.most, 1, CAPACITY);
    for (size_t i = 0; i < TENANTS; i++) {
        assert_int_equal(rig_counts(crowd.nodes[0], crowd.tenants[i]).live, 0);
        (void)rig_check_history(crowd.nodes[0], crowd.tenants[i]);
    }
    for (size_t i = 0; i < nodes; i++) {
        rig_stop(crowd.nodes[i]);
    }
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_never_over_its_capacity),
    };
    return rig_main(tests, sizeof(tests) / sizeof(tests[0]));
}
