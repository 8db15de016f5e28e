#include "ledger/postgres/places.h"

#include "base/check.h"

static const char *const place_of[TABLE_COUNT] = {
    [TABLE_TENANTS] = "place_tenants",     [TABLE_TENANT_NAMES] = "place_tenant_names",
    [TABLE_JOB_TYPES] = "place_job_types", [TABLE_SOURCES] = "place_sources",
    [TABLE_TOKENS] = "place_tokens",       [TABLE_LANES] = "place_lanes",
    [TABLE_THROTTLES] = "place_throttles", [TABLE_RUNS] = "place_runs",
    [TABLE_JOBS] = "place_jobs",           [TABLE_JOB_KEYS] = "place_job_keys",
    [TABLE_RUN_KEYS] = "place_run_keys",   [TABLE_DAG_EDGES] = "place_dag_edges",
    [TABLE_BLOCKED] = "place_blocked",     [TABLE_READY] = "place_ready",
    [TABLE_DELAYED] = "place_delayed",     [TABLE_START_DEADLINES] = "place_start_deadlines",
    [TABLE_LEASED] = "place_leased",       [TABLE_OUTCOMES] = "place_outcomes",
    [TABLE_ATTEMPTS] = "place_attempts",   [TABLE_SETTLING] = "place_settling",
    [TABLE_ARTIFACTS] = "place_artifacts", [TABLE_REQUEST_KEYS] = "place_request_keys",
};

static void add_unplaced(struct arena *arena, const row_list *rows, row_list *out)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (rows->v[i]->locator == 0) {
            VEC_PUSH(arena, out, rows->v[i]);
        }
    }
}

static enum err_code send_keys(struct session *session, struct params *params, enum table_id table,
                               const row_list *rows, struct err *err)
{
    const struct table *description = table_get(table);
    params_reset(params);
    for (size_t i = 0; i < description->column_count; i++) {
        if (description->columns[i].role == COLUMN_KEY) {
            params_column(params, &description->columns[i], rows);
        }
    }
    return session_send(session, place_of[table], params, err);
}

static enum err_code receive_places(struct session *session, const row_list *rows, struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    TRY(session_next(session, SESSION_WAIT_MS, &result, err));
    CHECK(result == NULL || PQntuples(result) == (int)rows->n);
    for (int i = 0; i < PQntuples(result); i++) {
        const int64_t number = result_int(result, i, 0);
        CHECK(number >= 1 && (size_t)number <= rows->n);
        rows->v[number - 1]->locator = place_from_bytes(PQgetvalue(result, i, 1));
    }
    return ERR_OK;
}

enum err_code places_find(struct session *session, struct params *params, struct arena *arena,
                          const struct plan *plan, struct places *out, struct err *err)
{
    size_t count = 0;
    /* A shard's row is found by its number. */
    for (int at = TABLE_SHARDS + 1; at < TABLE_COUNT; at++) {
        row_list *rows = &out->found[at];
        add_unplaced(arena, &plan->updates[at], rows);
        add_unplaced(arena, &plan->deletes[at], rows);
        count += rows->n;
        if (rows->n > 0) {
            TRY(send_keys(session, params, (enum table_id)at, rows, err));
        }
    }
    if (count == 0) {
        return ERR_OK;
    }
    TRY(session_sync(session, err));
    for (int at = 0; at < TABLE_COUNT; at++) {
        if (out->found[at].n > 0) {
            TRY(receive_places(session, &out->found[at], err));
        }
    }
    return session_end(session, SESSION_WAIT_MS, err);
}

void places_forget(struct places *places)
{
    for (int at = 0; at < TABLE_COUNT; at++) {
        for (size_t i = 0; i < places->found[at].n; i++) {
            places->found[at].v[i]->locator = 0;
        }
    }
}
