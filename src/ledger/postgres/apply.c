#include "ledger/postgres/apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct writes {
    const char *insert;
    const char *update;
    const char *delete;
};

#define WRITES(table)                                      \
    {                                                      \
        "insert_" table, "update_" table, "delete_" table, \
    }

static const struct writes writes_of[TABLE_COUNT] = {
    [TABLE_SHARDS] = {NULL, "update_shards", NULL},
    [TABLE_TENANTS] = WRITES("tenants"),
    [TABLE_TENANT_NAMES] = WRITES("tenant_names"),
    [TABLE_JOB_TYPES] = WRITES("job_types"),
    [TABLE_SOURCES] = WRITES("sources"),
    [TABLE_CONFIG_VERSIONS] = WRITES("config_versions"),
    [TABLE_WORKERS] = WRITES("workers"),
    [TABLE_INSTALLATION] = WRITES("installation"),
    [TABLE_TOKENS] = WRITES("tokens"),
    [TABLE_BREAKERS] = WRITES("breakers"),
    [TABLE_QUOTA_GROUPS] = WRITES("quota_groups"),
    [TABLE_QUOTA_MEMBERS] = WRITES("quota_members"),
    [TABLE_LANES] = WRITES("lanes"),
    [TABLE_THROTTLES] = WRITES("throttles"),
    [TABLE_RUNS] = WRITES("runs"),
    [TABLE_JOBS] = WRITES("jobs"),
    [TABLE_JOB_KEYS] = {"insert_job_keys", NULL, "delete_job_keys"},
    [TABLE_RUN_KEYS] = WRITES("run_keys"),
    [TABLE_DAG_EDGES] = WRITES("dag_edges"),
    [TABLE_BLOCKED] = WRITES("blocked"),
    [TABLE_READY] = WRITES("ready"),
    [TABLE_DELAYED] = WRITES("delayed"),
    [TABLE_START_DEADLINES] = {"insert_start_deadlines", NULL, "delete_start_deadlines"},
    [TABLE_LEASED] = WRITES("leased"),
    [TABLE_OUTCOMES] = WRITES("outcomes"),
    [TABLE_ATTEMPTS] = WRITES("attempts"),
    [TABLE_SETTLING] = WRITES("settling"),
    [TABLE_BULK_ACTIONS] = WRITES("bulk_actions"),
    [TABLE_BULK_PARTS] = WRITES("bulk_parts"),
    [TABLE_ARTIFACTS] = WRITES("artifacts"),
    [TABLE_REQUEST_KEYS] = WRITES("request_keys"),
    [TABLE_LOG_HEADS] = WRITES("log_heads"),
    [TABLE_JOB_LOGS] = WRITES("job_logs"),
};

/* ---- Sending ---- */

static enum err_code send_inserts(struct session *session, struct params *params,
                                  enum table_id table, const row_list *rows, struct err *err)
{
    if (rows->n == 0) {
        return ERR_OK;
    }
    const struct table *description = table_get(table);
    CHECK(writes_of[table].insert != NULL);
    params_reset(params);
    for (size_t i = 0; i < description->column_count; i++) {
        params_column(params, &description->columns[i], rows);
    }
    return session_send(session, writes_of[table].insert, params, err);
}

/* Shard, tenant and place; a shard's row is found by its number. */
static void put_places(struct params *params, const struct table *table, const row_list *rows)
{
    params_reset(params);
    params_column(params, &table->columns[0], rows);
    if (table != table_get(TABLE_SHARDS)) {
        params_column(params, &table->columns[1], rows);
        params_places(params, rows);
    }
}

static enum err_code send_updates(struct session *session, struct params *params,
                                  enum table_id table, const row_list *rows, struct err *err)
{
    if (rows->n == 0) {
        return ERR_OK;
    }
    const struct table *description = table_get(table);
    CHECK(writes_of[table].update != NULL);
    put_places(params, description, rows);
    for (size_t i = 0; i < description->column_count; i++) {
        const enum column_role role = description->columns[i].role;
        if (role != COLUMN_KEY && role != COLUMN_FIXED) {
            params_column(params, &description->columns[i], rows);
        }
    }
    return session_send(session, writes_of[table].update, params, err);
}

static enum err_code send_deletes(struct session *session, struct params *params,
                                  enum table_id table, const row_list *rows, struct err *err)
{
    if (rows->n == 0) {
        return ERR_OK;
    }
    CHECK(writes_of[table].delete != NULL);
    put_places(params, table_get(table), rows);
    return session_send(session, writes_of[table].delete, params, err);
}

static void put_chunk_ints(struct params *params, const struct plan *plan, enum column_kind kind,
                           int64_t (*member)(const struct chunk *chunk))
{
    params_array(params, kind, plan->chunks.n);
    for (size_t i = 0; i < plan->chunks.n; i++) {
        params_add_int(params, kind, member(&plan->chunks.v[i]));
    }
}

static int64_t chunk_shard(const struct chunk *chunk)
{
    return chunk->shard;
}

static int64_t chunk_tenant(const struct chunk *chunk)
{
    return chunk->tenant;
}

static int64_t chunk_seq(const struct chunk *chunk)
{
    return chunk->seq;
}

static int64_t chunk_count(const struct chunk *chunk)
{
    return chunk->count;
}

static int64_t chunk_at(const struct chunk *chunk)
{
    return chunk->at;
}

static int64_t chunk_raw_len(const struct chunk *chunk)
{
    return (int64_t)chunk->lines.len;
}

static enum err_code send_history(struct session *session, const struct apply *apply,
                                  const struct plan *plan, struct err *err)
{
    if (plan->chunks.n == 0) {
        return ERR_OK;
    }
    struct params *params = apply->params;
    params_reset(params);
    put_chunk_ints(params, plan, COLUMN_I2, chunk_shard);
    put_chunk_ints(params, plan, COLUMN_I4, chunk_tenant);
    put_chunk_ints(params, plan, COLUMN_I8, chunk_seq);
    put_chunk_ints(params, plan, COLUMN_I4, chunk_count);
    put_chunk_ints(params, plan, COLUMN_I8, chunk_at);
    put_chunk_ints(params, plan, COLUMN_I8, chunk_raw_len);
    params_array(params, COLUMN_BYTES, plan->chunks.n);
    for (size_t i = 0; i < plan->chunks.n; i++) {
        params_add_str(params, packer_pack(apply->packer, apply->arena, plan->chunks.v[i].lines));
    }
    return session_send(session, "insert_history", params, err);
}

enum err_code apply_send(struct session *session, const struct apply *apply,
                         const struct plan *plan, struct err *err)
{
    for (int at = 0; at < TABLE_COUNT; at++) {
        const enum table_id table = (enum table_id)at;
        TRY(send_deletes(session, apply->params, table, &plan->deletes[table], err));
        TRY(send_updates(session, apply->params, table, &plan->updates[table], err));
        TRY(send_inserts(session, apply->params, table, &plan->inserts[table], err));
    }
    return send_history(session, apply, plan, err);
}

/* ---- Receiving ---- */

static enum err_code receive_count(struct session *session, size_t expected, struct err *err)
{
    if (expected == 0) {
        return ERR_OK;
    }
    CLEANUP(session_clear) PGresult *result = NULL;
    TRY(session_next(session, SESSION_WAIT_MS, &result, err));
    if (result != NULL) {
        int64_t done = 0;
        CHECK(str_parse_i64(str_from(PQcmdTuples(result)), &done) && done == (int64_t)expected);
    }
    return ERR_OK;
}

enum err_code apply_receive(struct session *session, const struct plan *plan, struct err *err)
{
    for (int table = 0; table < TABLE_COUNT; table++) {
        TRY(receive_count(session, plan->deletes[table].n, err));
        TRY(receive_count(session, plan->updates[table].n, err));
        TRY(receive_count(session, plan->inserts[table].n, err));
    }
    return receive_count(session, plan->chunks.n, err);
}
