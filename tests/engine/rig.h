/*
 * engine tests' rig - ledgers to throw away, engines over them, and calls that wait for their
 * answer.
 *
 * Use      rig_main() runs the tests once on SQLite, and once on PostgreSQL when
 *          STELLA_TEST_POSTGRES names a server (each rig makes a database of its own there).
 *          A test begins with rig_new() and ends with rig_free().
 */
#ifndef TESTS_ENGINE_RIG_H
#define TESTS_ENGINE_RIG_H

#include "lib/cmocka.h"

#include "core/config.h"
#include "engine/engine.h"

/* The longest a test waits for what must happen. */
#define RIG_PATIENCE_US (60 * US_PER_S)

struct rig {
    bool postgres;
    char folder[64];
    char database[64]; /* PostgreSQL. */
    char url[512];
    struct arena arena; /* Of the test; one thread. */
};

struct rig_tenant {
    struct tenant_id id;
    int16_t shard;
    struct str name;
};

/* Runs the tests on each ledger there is; the result of main(). */
int rig_main(const struct CMUnitTest *tests, size_t count);

struct rig *rig_new(void **state);
void rig_free(struct rig *rig);
/* The default configuration for this ledger. */
struct engine_config rig_config(struct rig *rig);
struct engine *rig_start(struct rig *rig);
struct engine *rig_start_with(const struct engine_config *config);
void rig_stop(struct engine *engine);

/* Hands over one command, waits, and returns its code. */
enum err_code rig_run(struct engine *engine, enum engine_queue queue, struct command *command);
struct rig_tenant rig_tenant(struct rig *rig, struct engine *engine, const char *name);
/* Puts a job type of the installation. */
void rig_job_type(struct rig *rig, struct engine *engine, const char *name, const char *body);
void rig_source(struct rig *rig, struct engine *engine, struct rig_tenant tenant, const char *name,
                const char *body);

/* A submit and its memory. */
struct rig_submit {
    struct arena arena;
    struct command command;
    struct engine_request request;
};

void rig_submit_init(struct rig_submit *submit, struct rig_tenant tenant, const char *type,
                     size_t count);
void rig_submit_fini(struct rig_submit *submit);
/* Submits and requires that it is taken. */
void rig_submit_jobs(struct engine *engine, struct rig_tenant tenant, const char *type,
                     size_t count);

/* A claim and its memory; `types` each ended by '\n'. */
struct rig_claim {
    struct arena arena;
    struct engine_claim claim;
    void *wait;
};

void rig_claim_init(struct rig_claim *claim, const char *types, int32_t max, int64_t wait_us);
void rig_claim_fini(struct rig_claim *claim);
/* Hands it over; rig_claim_wait() waits until it is answered. */
enum err_code rig_claim_send(struct engine *engine, struct rig_claim *claim);
void rig_claim_wait(struct rig_claim *claim);
bool rig_claim_is_done(struct rig_claim *claim);
size_t rig_claim_count(const struct rig_claim *claim);
/* Both; returns how many jobs were granted. */
size_t rig_claim_jobs(struct engine *engine, struct rig_claim *claim);
/* Reports success of everything the claim was granted; returns how many were taken. */
size_t rig_complete(struct engine *engine, const struct rig_claim *claim);

/* Calls `holds` until it is true; fails the test after RIG_PATIENCE_US. */
void rig_until(bool (*holds)(void *ctx), void *ctx, const char *what);

/* What the ledger says of the tenant now. */
struct rig_counts {
    int64_t waiting, inflight, live, head_seq, next_job;
};
struct rig_counts rig_counts(struct engine *engine, struct rig_tenant tenant);
/* History is dense: chunks follow each other without gap up to head_seq. Returns its lines. */
int64_t rig_check_history(struct engine *engine, struct rig_tenant tenant);

#endif
