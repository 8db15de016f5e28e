#include <stdio.h>

#include "base/check.h"
#include "base/time.h"
#include "ledger/sqlite/backend.h"

/* Here the outcome of a COMMIT is always known, so ticks are kept only as long as one may ask. */
#define TICKS_KEPT_US (60 * US_PER_S)

enum { STATEMENT_NAME = 64 };

static sqlite3_stmt *prepare_for(sqlite3 *db, const char *verb, const struct table *table)
{
    char name[STATEMENT_NAME];
    const int len = snprintf(name, sizeof(name), "%s_%s", verb, table->name);
    CHECK(len > 0 && len < STATEMENT_NAME);
    const struct statement *statement = statement_find(&sqlite_apply, str_from(name));
    return statement == NULL ? NULL : database_prepare(db, statement);
}

void apply_prepare(struct sqlite_ledger *ledger)
{
    struct apply_statements *apply = &ledger->apply;
    for (int i = 0; i < TABLE_COUNT; i++) {
        const struct table *table = table_get((enum table_id)i);
        apply->insert[i] = prepare_for(ledger->db, "insert", table);
        apply->update[i] = prepare_for(ledger->db, "update", table);
        apply->remove[i] = prepare_for(ledger->db, "delete", table);
        /* The shards are made by migrate. */
        CHECK(i == TABLE_SHARDS || (apply->insert[i] != NULL && apply->remove[i] != NULL));
    }
    apply->chunk = database_prepare_named(ledger->db, &sqlite_apply, "insert_history");
    apply->tick = database_prepare_named(ledger->db, &sqlite_apply, "insert_tick");
    apply->old_ticks = database_prepare_named(ledger->db, &sqlite_apply, "delete_old_ticks");
}

/* Every row of the plan is there, or not there, exactly as it says; else the store is broken. */
static enum err_code apply_rows(sqlite3 *db, sqlite3_stmt *statement, const row_list *rows,
                                bool keys_only, struct err *err)
{
    CHECK(rows->n == 0 || statement != NULL);
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = rows->v[i];
        bind_row(statement, table_get((enum table_id)row->table), row, keys_only);
        TRY(database_run(db, statement, err));
        CHECK(sqlite3_changes(db) == 1);
    }
    return ERR_OK;
}

static enum err_code apply_table(struct sqlite_ledger *ledger, const struct plan *plan, int table,
                                 struct err *err)
{
    /* Deletes first: a row may go and another of the same key come in one tick. */
    TRY(apply_rows(ledger->db, ledger->apply.remove[table], &plan->deletes[table], true, err));
    TRY(apply_rows(ledger->db, ledger->apply.update[table], &plan->updates[table], false, err));
    return apply_rows(ledger->db, ledger->apply.insert[table], &plan->inserts[table], false, err);
}

static void bind_ints(sqlite3_stmt *statement, const int64_t *values, int count)
{
    for (int i = 0; i < count; i++) {
        CHECK(sqlite3_bind_int64(statement, i + 1, values[i]) == SQLITE_OK);
    }
}

static enum err_code apply_chunks(struct sqlite_ledger *ledger, const struct plan *plan,
                                  struct facts *facts, struct err *err)
{
    for (size_t i = 0; i < plan->chunks.n; i++) {
        const struct chunk *chunk = &plan->chunks.v[i];
        const int64_t values[] = {chunk->shard, chunk->tenant, chunk->seq,
                                  chunk->count, chunk->at,     (int64_t)chunk->lines.len};
        bind_ints(ledger->apply.chunk, values, 6);
        bind_bytes(ledger->apply.chunk, 7, packer_pack(ledger->packer, facts->arena, chunk->lines));
        TRY(database_run(ledger->db, ledger->apply.chunk, err));
    }
    return ERR_OK;
}

static enum err_code apply_tick(struct sqlite_ledger *ledger, const struct facts *facts,
                                struct err *err)
{
    const int16_t shard = ledger->shards[0];
    const int64_t old[] = {shard, facts->clock - TICKS_KEPT_US};
    bind_ints(ledger->apply.old_ticks, old, 2);
    TRY(database_run(ledger->db, ledger->apply.old_ticks, err));
    const int64_t tick[] = {shard, facts->clock, facts->group};
    bind_ints(ledger->apply.tick, tick, 3);
    return database_run(ledger->db, ledger->apply.tick, err);
}

enum err_code apply_plan(struct sqlite_ledger *ledger, const struct plan *plan, struct facts *facts,
                         struct err *err)
{
    for (int table = 0; table < TABLE_COUNT; table++) {
        TRY(apply_table(ledger, plan, table, err));
    }
    TRY(apply_chunks(ledger, plan, facts, err));
    return apply_tick(ledger, facts, err);
}
