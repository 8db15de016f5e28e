/*
 * ledger/postgres/tick - commit groups: two round trips each.
 *
 *   begin    BEGIN, shards for row security, locks, clock, wants    (one pipeline)
 *   load     further wants                                          (one pipeline each)
 *   commit   the plan, history, ticks, jobs for the reply, COMMIT   (one pipeline)
 *
 * The outcome of a COMMIT is unknown from the moment it is queued until its answer is read: libpq
 * may have sent it before the pipeline's end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/time.h"
#include "ledger/compress.h"
#include "ledger/postgres/apply.h"
#include "ledger/postgres/load.h"
#include "ledger/postgres/postgres.h"

enum {
    SUBMIT_CAP = 500,
    SHARDS_TEXT = 64 * 4 + 3,
    TICKS_KEPT_S = 3600,
    TICKS_SWEEP = 64, /* Groups between two removals of old ticks rows. */
};

struct postgres_ledger {
    struct ledger ledger;
    struct session session;
    struct params params;
    struct packer *packer;
    int16_t shards[SHARD_COUNT]; /* Of the open group. */
    size_t shard_count;
    uint32_t groups; /* Since the last removal of old ticks rows. */
};

static struct postgres_ledger *own(struct ledger *ledger)
{
    CHECK(ledger->backend == &ledger_postgres);
    return (struct postgres_ledger *)ledger;
}

static enum err_code postgres_open(const struct ledger_target *target, struct ledger **out,
                                   struct err *err)
{
    struct postgres_ledger *l = calloc(1, sizeof(*l));
    CHECK(l != NULL);
    l->ledger.backend = &ledger_postgres;
    session_init(&l->session, target, SESSION_ENGINE);
    session_add_file(&l->session, &postgres_load);
    session_add_file(&l->session, &postgres_apply);
    params_init(&l->params);
    l->packer = packer_new();
    const enum err_code code = session_connect(&l->session, err);
    if (code != ERR_OK) {
        ledger_postgres.close(&l->ledger);
        return code;
    }
    l->ledger.seed = l->session.seed;
    *out = &l->ledger;
    return ERR_OK;
}

static void postgres_close(struct ledger *ledger)
{
    struct postgres_ledger *l = own(ledger);
    session_fini(&l->session);
    params_fini(&l->params);
    packer_free(l->packer);
    free(l);
}

/* ---- Begin and load ---- */

static void put_shards(struct postgres_ledger *l)
{
    params_array(&l->params, COLUMN_I2, l->shard_count);
    for (size_t i = 0; i < l->shard_count; i++) {
        params_add_int(&l->params, COLUMN_I2, l->shards[i]);
    }
}

static enum err_code send_plain(struct postgres_ledger *l, const char *statement, struct err *err)
{
    return session_send(&l->session, statement, NULL, err);
}

static enum err_code send_with_shards(struct postgres_ledger *l, const char *statement,
                                      struct err *err)
{
    params_reset(&l->params);
    put_shards(l);
    return session_send(&l->session, statement, &l->params, err);
}

/* BEGIN, the shards for row security, their locks. */
static enum err_code send_begin(struct postgres_ledger *l, struct err *err)
{
    struct buf text;
    buf_init(&text, SHARDS_TEXT);
    for (size_t i = 0; i < l->shard_count; i++) {
        buf_char(&text, i == 0 ? '{' : ',');
        buf_i64(&text, l->shards[i]);
    }
    buf_char(&text, '}');
    CHECK(!text.overflow);
    params_reset(&l->params);
    params_text(&l->params, buf_get(&text));
    buf_fini(&text);
    TRY(send_plain(l, "begin", err));
    TRY(session_send(&l->session, "set_shards", &l->params, err));
    return send_with_shards(l, "load_shard", err);
}

/* The result of a statement that has nothing to tell. */
static enum err_code skip(struct postgres_ledger *l, struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    return session_next(&l->session, SESSION_WAIT_MS, &result, err);
}

/* Learns the locked rows; facts may be null. */
static enum err_code receive_begin(struct postgres_ledger *l, struct facts *facts, struct err *err)
{
    CLEANUP(session_clear) PGresult *rows = NULL;
    TRY(skip(l, err));
    TRY(skip(l, err));
    TRY(session_next(&l->session, SESSION_WAIT_MS, &rows, err));
    CHECK(rows == NULL || PQntuples(rows) == (int)l->shard_count);
    if (rows != NULL) {
        load_check(rows, TABLE_SHARDS, 1);
    }
    for (int i = 0; facts != NULL && i < PQntuples(rows); i++) {
        const struct want asked = {.shard = l->shards[i]};
        facts_learn(facts, WANT_COUNT, &asked, load_row(facts->arena, TABLE_SHARDS, rows, i, 1));
    }
    return ERR_OK;
}

static enum err_code receive_clock(struct postgres_ledger *l, struct facts *facts, struct err *err)
{
    CLEANUP(session_clear) PGresult *clock = NULL;
    TRY(session_next(&l->session, SESSION_WAIT_MS, &clock, err));
    if (clock != NULL) {
        facts->clock = result_int(clock, 0, 0);
    }
    return ERR_OK;
}

static enum err_code begin_group(struct postgres_ledger *l, struct facts *facts, struct err *err)
{
    TRY(session_connect(&l->session, err));
    TRY(send_begin(l, err));
    TRY(send_plain(l, "clock", err));
    TRY(load_send(&l->session, &l->params, &facts->wants, err));
    TRY(session_sync(&l->session, err));
    TRY(receive_begin(l, facts, err));
    TRY(receive_clock(l, facts, err));
    TRY(load_receive(&l->session, facts, &facts->wants, err));
    TRY(session_end(&l->session, SESSION_WAIT_MS, err));
    facts_answered(facts);
    return ERR_OK;
}

static enum err_code postgres_begin(struct ledger *ledger, const int16_t *shards, size_t count,
                                    struct facts *facts, struct err *err)
{
    struct postgres_ledger *l = own(ledger);
    memcpy(l->shards, shards, count * sizeof(*shards));
    l->shard_count = count;
    const enum err_code code = begin_group(l, facts, err);
    if (code != ERR_OK) {
        session_rollback(&l->session);
    }
    return code;
}

static enum err_code load_more(struct postgres_ledger *l, struct facts *facts, struct err *err)
{
    TRY(load_send(&l->session, &l->params, &facts->wants, err));
    TRY(session_sync(&l->session, err));
    TRY(load_receive(&l->session, facts, &facts->wants, err));
    TRY(session_end(&l->session, SESSION_WAIT_MS, err));
    facts_answered(facts);
    return ERR_OK;
}

static enum err_code postgres_load_wants(struct ledger *ledger, struct facts *facts,
                                         struct err *err)
{
    struct postgres_ledger *l = own(ledger);
    const enum err_code code = load_more(l, facts, err);
    if (code != ERR_OK) {
        session_rollback(&l->session);
    }
    return code;
}

static void postgres_rollback(struct ledger *ledger)
{
    session_rollback(&own(ledger)->session);
}

/* ---- Commit ---- */

/* Jobs rows of the leases that the reply needs. */
static struct wants jobs_to_fetch(struct facts *facts)
{
    struct wants wants = {0};
    for (size_t i = 0; i < facts->fetch_jobs.n; i++) {
        const struct leased_row *leased = (const struct leased_row *)facts->fetch_jobs.v[i];
        const struct tenant_facts *t =
            facts_tenant(facts, leased->shard, (struct tenant_id){leased->tenant});
        if (facts_find(t, TABLE_JOBS, leased->job) != NULL) {
            continue;
        }
        const struct want want = {
            .shard = leased->shard, .tenant = leased->tenant, .a = leased->job};
        VEC_PUSH(facts->arena, &wants.of[WANT_JOB], want);
        wants.total++;
    }
    return wants;
}

static bool sweep_is_due(const struct postgres_ledger *l)
{
    return l->groups % TICKS_SWEEP == 0;
}

static enum err_code send_tick(struct postgres_ledger *l, const struct facts *facts,
                               struct err *err)
{
    params_reset(&l->params);
    params_i8(&l->params, l->shards[0]);
    params_i8(&l->params, facts->clock);
    params_i8(&l->params, facts->group);
    TRY(session_send(&l->session, "insert_tick", &l->params, err));
    if (!sweep_is_due(l)) {
        return ERR_OK;
    }
    params_reset(&l->params);
    put_shards(l);
    params_i8(&l->params, facts->clock - TICKS_KEPT_S * US_PER_S);
    return session_send(&l->session, "delete_old_ticks", &l->params, err);
}

static enum err_code send_writes(struct postgres_ledger *l, const struct plan *plan,
                                 const struct facts *facts, const struct wants *fetch,
                                 struct err *err)
{
    const struct apply apply = {&l->params, l->packer, facts->arena};
    TRY(apply_send(&l->session, &apply, plan, err));
    TRY(send_tick(l, facts, err));
    return load_send(&l->session, &l->params, fetch, err);
}

static enum err_code receive_commit(struct postgres_ledger *l, bool *out_committed, struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    TRY(session_next(&l->session, SESSION_COMMIT_WAIT_MS, &result, err));
    *out_committed = result != NULL && strcmp(PQcmdStatus(result), "COMMIT") == 0;
    return ERR_OK;
}

static enum err_code receive_writes(struct postgres_ledger *l, const struct plan *plan,
                                    struct facts *facts, const struct wants *fetch,
                                    bool *out_committed, struct err *err)
{
    TRY(apply_receive(&l->session, plan, err));
    TRY(skip(l, err));
    if (sweep_is_due(l)) {
        TRY(skip(l, err));
    }
    TRY(load_receive(&l->session, facts, fetch, err));
    TRY(receive_commit(l, out_committed, err));
    return session_end(&l->session, SESSION_COMMIT_WAIT_MS, err);
}

/* COMMIT is queued: find out what became of it. */
static enum err_code finish_commit(struct postgres_ledger *l, const struct plan *plan,
                                   struct facts *facts, const struct wants *fetch, struct err *err)
{
    bool committed = false;
    enum err_code code = session_sync(&l->session, err);
    if (code == ERR_OK) {
        code = receive_writes(l, plan, facts, fetch, &committed, err);
    }
    /* A statement before it failed: then it was not done, whatever became of the connection. A
     * warning at COMMIT says that it is done here but perhaps not on the standby. */
    if (l->session.failed) {
        return code;
    }
    if (code == ERR_OK && committed && !l->session.warned) {
        l->groups++;
        return ERR_OK;
    }
    session_drop(&l->session);
    return err_set(err, ERR_COMMIT_UNKNOWN, "The connection to PostgreSQL was lost at COMMIT.");
}

static enum err_code postgres_commit(struct ledger *ledger, const struct plan *plan,
                                     struct facts *facts, struct err *err)
{
    struct postgres_ledger *l = own(ledger);
    const struct wants fetch = jobs_to_fetch(facts);
    enum err_code code = send_writes(l, plan, facts, &fetch, err);
    if (code == ERR_OK && !session_is_alive(&l->session)) {
        code = session_lost(&l->session, err);
    }
    if (code == ERR_OK) {
        code = send_plain(l, "commit", err);
    }
    if (code != ERR_OK) {
        /* COMMIT was not queued; the server undoes what it has read. */
        session_drop(&l->session);
        return code;
    }
    code = finish_commit(l, plan, facts, &fetch, err);
    if (code != ERR_OK) {
        session_rollback(&l->session);
    }
    return code;
}

/* ---- After an unknown COMMIT ---- */

static enum err_code receive_count(struct postgres_ledger *l, int64_t *out_count, struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    TRY(session_next(&l->session, SESSION_WAIT_MS, &result, err));
    *out_count = result != NULL ? result_int(result, 0, 0) : 0;
    return ERR_OK;
}

static enum err_code look_for_group(struct postgres_ledger *l, int64_t group, bool *out_committed,
                                    struct err *err)
{
    int64_t found = 0;
    bool barrier = false;
    TRY(session_connect(&l->session, err));
    TRY(send_begin(l, err));
    TRY(send_with_shards(l, "touch_shards", err));
    params_reset(&l->params);
    params_i8(&l->params, l->shards[0]);
    params_i8(&l->params, group);
    TRY(session_send(&l->session, "find_tick", &l->params, err));
    TRY(send_plain(l, "commit", err));
    TRY(session_sync(&l->session, err));
    TRY(receive_begin(l, NULL, err));
    TRY(skip(l, err));
    TRY(receive_count(l, &found, err));
    TRY(receive_commit(l, &barrier, err));
    TRY(session_end(&l->session, SESSION_COMMIT_WAIT_MS, err));
    if (!barrier || l->session.warned) {
        session_drop(&l->session);
        return err_set(err, ERR_LEDGER_UNAVAILABLE, "PostgreSQL could not make sure of a COMMIT.");
    }
    *out_committed = found > 0;
    return ERR_OK;
}

static enum err_code postgres_was_committed(struct ledger *ledger, const int16_t *shards,
                                            size_t count, int64_t group, bool *out_committed,
                                            struct err *err)
{
    struct postgres_ledger *l = own(ledger);
    memcpy(l->shards, shards, count * sizeof(*shards));
    l->shard_count = count;
    const enum err_code code = look_for_group(l, group, out_committed, err);
    if (code != ERR_OK) {
        session_rollback(&l->session);
    }
    return code;
}

const struct ledger_backend ledger_postgres = {
    .name = "postgres",
    .single_writer = false,
    .submit_cap = SUBMIT_CAP,
    .migrate = postgres_migrate,
    .open = postgres_open,
    .close = postgres_close,
    .begin = postgres_begin,
    .load = postgres_load_wants,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .was_committed = postgres_was_committed,
    .reader_open = postgres_reader_open,
    .reader_close = postgres_reader_close,
    .reader_query = postgres_reader_query,
    .snapshot_begin = postgres_snapshot_begin,
    .snapshot_load = postgres_snapshot_load,
    .snapshot_end = postgres_snapshot_end,
    .blobs_open = postgres_blobs_open,
    .hints_new = postgres_hints_new,
};
