/*
 * ledger/postgres/reader - named queries, each in a transaction of its own: one round trip.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "ledger/postgres/load.h"
#include "ledger/postgres/postgres.h"
#include "ledger/postgres/session.h"

struct postgres_reader {
    struct reader reader;
    struct session session;
    struct params params;
};

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23 };

enum err_code postgres_reader_open(const struct ledger_target *target, struct reader **out,
                                   struct err *err)
{
    struct postgres_reader *r = calloc(1, sizeof(*r));
    CHECK(r != NULL);
    r->reader.backend = &ledger_postgres;
    session_init(&r->session, target, SESSION_READER);
    session_add_file(&r->session, &postgres_queries);
    session_add_file(&r->session, &shared_counters);
    session_add_file(&r->session, &postgres_load);
    params_init(&r->params);
    const enum err_code code = session_connect(&r->session, err);
    if (code != ERR_OK) {
        postgres_reader_close(&r->reader);
        return code;
    }
    *out = &r->reader;
    return ERR_OK;
}

void postgres_reader_close(struct reader *reader)
{
    struct postgres_reader *r = (struct postgres_reader *)reader;
    session_fini(&r->session);
    params_fini(&r->params);
    free(r);
}

static void put_args(struct params *params, const struct query *query)
{
    params_reset(params);
    for (size_t i = 0; i < query->arg_count; i++) {
        const struct query_value *arg = &query->args[i];
        switch (arg->kind) {
        case QUERY_INT: params_decimal(params, arg->number); break;
        case QUERY_TEXT: params_text(params, arg->text); break;
        case QUERY_BYTES: params_bytes(params, arg->text); break;
        case QUERY_NULL: params_null(params); break;
        }
    }
}

static struct query_value value_at(struct arena *arena, const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column)) {
        return (struct query_value){.kind = QUERY_NULL};
    }
    const Oid type = PQftype(result, column);
    if (type == OID_INT2 || type == OID_INT4 || type == OID_INT8 || type == OID_BOOL) {
        return (struct query_value){.kind = QUERY_INT, .number = result_int(result, row, column)};
    }
    return (struct query_value){.kind = type == OID_BYTEA ? QUERY_BYTES : QUERY_TEXT,
                                .text = arena_str(arena, result_bytes(result, row, column))};
}

static void take_result(struct arena *arena, const PGresult *result, struct query_result *out)
{
    const int rows = PQntuples(result);
    const int columns = PQnfields(result);
    const char **names = arena_array(arena, const char *, (size_t)columns);
    *out = (struct query_result){.rows = (size_t)rows, .columns = (size_t)columns, .names = names};
    out->values = arena_array(arena, struct query_value, out->rows * out->columns);
    for (int column = 0; column < columns; column++) {
        names[column] = arena_cstr(arena, str_from(PQfname(result, column)));
    }
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            out->values[(size_t)row * out->columns + (size_t)column] =
                value_at(arena, result, row, column);
        }
    }
}

static bool is_recount(const char *statement)
{
    return statement_find(&shared_counters, str_from(statement)) != NULL;
}

/* BEGIN, and the tenant for row security. */
static enum err_code send_begin(struct postgres_reader *r, const char *begin,
                                struct tenant_id tenant, struct err *err)
{
    TRY(session_send(&r->session, begin, NULL, err));
    params_reset(&r->params);
    struct buf text;
    buf_init(&text, ID_TEXT);
    buf_i64(&text, tenant.v);
    params_text(&r->params, buf_get(&text));
    buf_fini(&text);
    return session_send(&r->session, "set_tenant", &r->params, err);
}

static enum err_code send_query(struct postgres_reader *r, const char *statement,
                                const struct query *query, struct err *err)
{
    TRY(send_begin(r, "begin_read", query->tenant, err));
    if (is_recount(statement)) {
        TRY(session_send(&r->session, "allow_joins", NULL, err));
    }
    put_args(&r->params, query);
    TRY(session_send(&r->session, statement, &r->params, err));
    TRY(session_send(&r->session, "commit", NULL, err));
    return session_sync(&r->session, err);
}

static enum err_code skip(struct postgres_reader *r, struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    return session_next(&r->session, SESSION_WAIT_MS, &result, err);
}

static enum err_code run_query(struct postgres_reader *r, const char *statement,
                               const struct query *query, PGresult **out, struct err *err)
{
    TRY(session_connect(&r->session, err));
    TRY(send_query(r, statement, query, err));
    TRY(skip(r, err));
    TRY(skip(r, err));
    if (is_recount(statement)) {
        TRY(skip(r, err));
    }
    TRY(session_next(&r->session, SESSION_WAIT_MS, out, err));
    TRY(skip(r, err));
    return session_end(&r->session, SESSION_WAIT_MS, err);
}

enum err_code postgres_reader_query(struct reader *reader, const struct query *query,
                                    struct query_result *out, struct err *err)
{
    struct postgres_reader *r = (struct postgres_reader *)reader;
    const struct statement *statement = reader_statement(&postgres_queries, query->name);
    CHECK(statement != NULL && statement->arg_count == query->arg_count);
    CLEANUP(session_clear) PGresult *result = NULL;
    const enum err_code code = run_query(r, statement->name, query, &result, err);
    if (code != ERR_OK) {
        session_rollback(&r->session);
        return code;
    }
    take_result(query->arena, result, out);
    return ERR_OK;
}

/* ---- Snapshots: a transaction over several round trips ---- */

static enum err_code begin_snapshot(struct postgres_reader *r, struct tenant_id tenant,
                                    struct facts *facts, struct err *err)
{
    CLEANUP(session_clear) PGresult *clock = NULL;
    TRY(session_connect(&r->session, err));
    TRY(send_begin(r, "begin_snapshot", tenant, err));
    TRY(session_send(&r->session, "clock", NULL, err));
    TRY(session_sync(&r->session, err));
    TRY(skip(r, err));
    TRY(skip(r, err));
    TRY(session_next(&r->session, SESSION_WAIT_MS, &clock, err));
    TRY(session_end(&r->session, SESSION_WAIT_MS, err));
    facts->clock = result_int(clock, 0, 0);
    return ERR_OK;
}

enum err_code postgres_snapshot_begin(struct reader *reader, struct tenant_id tenant,
                                      struct facts *facts, struct err *err)
{
    return begin_snapshot((struct postgres_reader *)reader, tenant, facts, err);
}

enum err_code postgres_snapshot_load(struct reader *reader, struct facts *facts, struct err *err)
{
    struct postgres_reader *r = (struct postgres_reader *)reader;
    TRY(load_send(&r->session, &r->params, &facts->wants, err));
    TRY(session_sync(&r->session, err));
    TRY(load_receive(&r->session, facts, &facts->wants, err));
    TRY(session_end(&r->session, SESSION_WAIT_MS, err));
    facts_answered(facts);
    return ERR_OK;
}

void postgres_snapshot_end(struct reader *reader)
{
    session_rollback(&((struct postgres_reader *)reader)->session);
}
