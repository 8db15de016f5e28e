/* What is removed by itself, on one node and on several: keys, payloads, blobs without an artifact;
 * and what then is refused. */
#include "engine/rig.h"

#include <string.h>

#include "platform/clock.h"

enum { NODES = 2, JOBS = 40 };

static const char scan[] = "{\"ttl_ms\":60000,\"max_attempts\":1}";

static struct engine_config impatient(struct rig *rig)
{
    struct engine_config config = rig_config(rig);
    config.retain_us = 20 * US_PER_MS;
    config.orphan_us = 300 * US_PER_MS;
    config.limits.key_generation_us = 20 * US_PER_MS;
    config.limits.key_retention_us = 60 * US_PER_MS;
    config.limits.payload_retention_us = 60 * US_PER_MS;
    config.limits.retain_cap = 7;
    return config;
}

/* One job with a key; what became of it. */
static struct submit_item submit_keyed(struct engine *engine, struct rig_tenant tenant,
                                       const char *key)
{
    struct rig_submit submit;
    rig_submit_init(&submit, tenant, "scan", 1);
    submit.command.submit.items[0].key = str_from(key);
    assert_int_equal(rig_run(engine, QUEUE_SUBMITS, &submit.command), ERR_OK);
    const struct submit_item item = submit.command.submit.items[0];
    rig_submit_fini(&submit);
    return item;
}

static size_t claim_and_complete(struct engine *engine, int32_t max)
{
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", max, 5 * US_PER_S);
    (void)rig_claim_jobs(engine, &claim);
    const size_t done = rig_complete(engine, &claim);
    rig_claim_fini(&claim);
    return done;
}

static enum err_code control(struct engine *engine, struct rig_tenant tenant,
                             enum command_kind kind, struct job_id job)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    struct command command = {.kind = kind,
                              .shard = tenant.shard,
                              .tenant = tenant.id,
                              .actor = STR("test"),
                              .reason = STR("because"),
                              .arena = &arena,
                              .job = {.job = job}};
    const enum err_code code = rig_run(engine, QUEUE_CONTROL, &command);
    arena_fini(&arena);
    return code;
}

/* ---- What has been removed, by all nodes together ---- */

struct removed {
    struct engine *nodes[NODES];
    uint64_t keys, payloads, blobs, runs; /* At least. */
};

static bool is_removed(void *ctx)
{
    const struct removed *least = ctx;
    struct engine_figures sum = {0};
    for (size_t i = 0; i < NODES && least->nodes[i] != NULL; i++) {
        struct engine_figures figures;
        engine_figures(least->nodes[i], &figures);
        assert_int_equal(figures.retain_failed, 0);
        sum.retained_keys += figures.retained_keys;
        sum.erased_payloads += figures.erased_payloads;
        sum.swept_blobs += figures.swept_blobs;
        sum.retain_runs += figures.retain_runs;
    }
    return sum.retained_keys >= least->keys && sum.erased_payloads >= least->payloads &&
           sum.swept_blobs >= least->blobs && sum.retain_runs >= least->runs;
}

/* ---- Tests ---- */

static void the_key_of_an_ended_job_is_free_again_and_of_a_live_one_never(void **state)
{
    struct rig *rig = rig_new(state);
    const struct engine_config config = impatient(rig);
    struct engine *engine = rig_start_with(&config);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", scan);
    const struct submit_item ended = submit_keyed(engine, tenant, "ended");
    assert_int_equal(claim_and_complete(engine, 1), 1);
    const struct submit_item live = submit_keyed(engine, tenant, "live");
    struct removed removed = {.nodes = {engine}, .keys = 1, .runs = 20};
    rig_until(is_removed, &removed, "the key of the ended job is dropped");
    assert_true(submit_keyed(engine, tenant, "ended").id.v != ended.id.v);
    const struct submit_item again = submit_keyed(engine, tenant, "live");
    assert_true(again.duplicate && again.id.v == live.id.v);
    (void)rig_check_history(engine, tenant);
    rig_stop(engine);
    rig_free(rig);
}

static void a_job_without_its_payload_is_not_run_again(void **state)
{
    struct rig *rig = rig_new(state);
    const struct engine_config config = impatient(rig);
    struct engine *engine = rig_start_with(&config);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", scan);
    const struct submit_item canceled = submit_keyed(engine, tenant, "");
    assert_int_equal(control(engine, tenant, COMMAND_JOB_CANCEL, canceled.id), ERR_OK);
    const struct submit_item live = submit_keyed(engine, tenant, "");
    struct removed removed = {.nodes = {engine}, .payloads = 1, .runs = 10};
    rig_until(is_removed, &removed, "the payload is erased");
    assert_int_equal(control(engine, tenant, COMMAND_JOB_RETRY, canceled.id), ERR_PAYLOAD_ERASED);
    assert_int_equal(control(engine, tenant, COMMAND_JOB_REPLAY, canceled.id), ERR_PAYLOAD_ERASED);
    /* The other was passed while it lived: it is erased when it has been over for long enough. */
    assert_int_equal(claim_and_complete(engine, 1), 1);
    removed.payloads = 2;
    rig_until(is_removed, &removed, "the late payload is erased");
    assert_int_equal(control(engine, tenant, COMMAND_JOB_REPLAY, live.id), ERR_PAYLOAD_ERASED);
    rig_stop(engine);
    rig_free(rig);
}

static struct sha256 put_blob(struct blobs *blobs, struct rig_tenant tenant, struct str content)
{
    struct err err = {0};
    struct blob_writer *writer = NULL;
    const struct sha256 digest = sha256_of(content);
    assert_int_equal(blobs->put_begin(blobs, tenant.id, &digest, &writer, &err), ERR_OK);
    assert_int_equal(blobs->put_add(writer, content, &err), ERR_OK);
    assert_int_equal(blobs->put_finish(writer, &err), ERR_OK);
    return digest;
}

/* Completes one job with an artifact of this content. */
static void register_blob(struct engine *engine, struct sha256 digest)
{
    struct rig_claim claim;
    rig_claim_init(&claim, "scan\n", 1, 5 * US_PER_S);
    assert_int_equal(rig_claim_jobs(engine, &claim), 1);
    const struct claim_part *part = &claim.claim.parts.v[0];
    const struct lease_grant *grant = &part->grants[0];
    struct report_artifact artifact = {
        .name = STR("found"), .sha256 = digest, .size = 4, .media_type = STR("text/plain")};
    struct report_item item = {.kind = REPORT_COMPLETE,
                               .job = {grant->job->job},
                               .lane = grant->lane->lane,
                               .grant = grant->lease->carry.grant,
                               .result = STR("{}"),
                               .requests_used = -1,
                               .artifacts = &artifact,
                               .artifact_count = 1};
    struct command command = {.kind = COMMAND_REPORT,
                              .shard = grant->lease->shard,
                              .tenant = part->tenant,
                              .actor = STR("test"),
                              .arena = &claim.arena,
                              .report = {.worker = claim.claim.worker, .items = &item, .count = 1}};
    assert_int_equal(rig_run(engine, QUEUE_REPORTS, &command), ERR_OK);
    assert_int_equal(item.code, ERR_OK);
    rig_claim_fini(&claim);
}

static void a_blob_without_an_artifact_is_swept(void **state)
{
    struct rig *rig = rig_new(state);
    const struct engine_config config = impatient(rig);
    struct engine *engine = NULL;
    struct blobs *blobs = NULL;
    struct err err = {0};
    assert_int_equal(blobs_open(&config.target, &blobs, &err), ERR_OK);
    assert_int_equal(engine_open(&config, &engine, &err), ERR_OK);
    engine_sweep(engine, blobs);
    assert_int_equal(engine_start(engine, &err), ERR_OK);
    const struct rig_tenant tenant = rig_tenant(rig, engine, "acme");
    rig_job_type(rig, engine, "scan", scan);
    rig_submit_jobs(engine, tenant, "scan", 1);
    const struct sha256 kept = put_blob(blobs, tenant, STR("kept"));
    register_blob(engine, kept);
    const struct sha256 orphan = put_blob(blobs, tenant, STR("orphan"));
    struct removed removed = {.nodes = {engine}, .blobs = 1, .runs = 30};
    rig_until(is_removed, &removed, "the orphan is swept");
    bool has = true;
    int64_t size = 0;
    assert_int_equal(blobs->has(blobs, tenant.id, &orphan, &has, &size, &err), ERR_OK);
    assert_false(has);
    assert_int_equal(blobs->has(blobs, tenant.id, &kept, &has, &size, &err), ERR_OK);
    assert_true(has);
    rig_stop(engine);
    blobs->close(blobs);
    rig_free(rig);
}

static void nodes_that_remove_at_once_remove_each_thing_once(void **state)
{
    struct rig *rig = rig_new(state);
    if (!rig->postgres) { /* SQLite has one node. */
        rig_free(rig);
        return;
    }
    const struct engine_config config = impatient(rig);
    struct removed removed = {.nodes = {rig_start_with(&config), rig_start_with(&config)},
                              .keys = JOBS,
                              .payloads = JOBS,
                              .runs = 10};
    const struct rig_tenant tenant = rig_tenant(rig, removed.nodes[0], "acme");
    rig_job_type(rig, removed.nodes[0], "scan", scan);
    for (int i = 0; i < JOBS; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "key-%d", i);
        (void)submit_keyed(removed.nodes[i % NODES], tenant, key);
    }
    size_t done = 0;
    while (done < JOBS) {
        done += claim_and_complete(removed.nodes[done % NODES], 10);
    }
    rig_until(is_removed, &removed, "all is removed");
    uint64_t keys = 0;
    uint64_t payloads = 0;
    for (size_t i = 0; i < NODES; i++) {
        struct engine_figures figures;
        engine_figures(removed.nodes[i], &figures);
        keys += figures.retained_keys;
        payloads += figures.erased_payloads;
    }
    assert_int_equal(keys, JOBS);
    assert_int_equal(payloads, JOBS);
    (void)rig_check_history(removed.nodes[1], tenant);
    rig_stop(removed.nodes[0]);
    rig_stop(removed.nodes[1]);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_of_an_ended_job_is_free_again_and_of_a_live_one_never),
        cmocka_unit_test(a_job_without_its_payload_is_not_run_again),
        cmocka_unit_test(a_blob_without_an_artifact_is_swept),
        cmocka_unit_test(nodes_that_remove_at_once_remove_each_thing_once),
    };
    return rig_main(tests, sizeof(tests) / sizeof(tests[0]));
}
