#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "ledger/sqlite/backend.h"

enum { OPEN_LANES_MAX = 64 }; /* WANT_OPEN_LANES */

/* Members of struct want that a statement may take. */
enum want_field {
    FIELD_SHARD,
    FIELD_TENANT,
    FIELD_A,
    FIELD_B,
    FIELD_LIMIT,
    FIELD_TEXT,
    FIELD_TEXT2,
    FIELD_COUNT
};

static const char *const field_names[FIELD_COUNT] = {"shard", "tenant", "a",    "b",
                                                     "limit", "text",   "text2"};

static uint8_t field_find(const char *name)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (strcmp(field_names[i], name) == 0) {
            return (uint8_t)i;
        }
    }
    UNREACHABLE();
}

static struct load_statement prepare(sqlite3 *db, const char *name, enum table_id table)
{
    const struct statement *statement = statement_find(&sqlite_load, str_from(name));
    CHECK(statement != NULL);
    struct load_statement load = {.statement = database_prepare(db, statement),
                                  .table = table,
                                  .field_count = statement->arg_count};
    for (size_t i = 0; i < statement->arg_count; i++) {
        load.fields[i] = field_find(statement->args[i]);
    }
    return load;
}

void loader_prepare(struct loader *loader, sqlite3 *db)
{
    loader->db = db;
    for (int kind = 0; kind < WANT_COUNT; kind++) {
        const struct want_loads *loads = want_loads_of((enum want_kind)kind);
        for (size_t i = 0; i < loads->count; i++) {
            loader->wants[kind][i] = prepare(db, loads->loads[i].statement, loads->loads[i].table);
        }
    }
    loader->open_heads = prepare(db, "load_open_heads", TABLE_READY);
}

void load_prepare(struct sqlite_ledger *ledger)
{
    loader_prepare(&ledger->load.loader, ledger->db);
    ledger->load.shard = database_prepare_named(ledger->db, &sqlite_load, "load_shard");
    ledger->load.tick = database_prepare_named(ledger->db, &sqlite_apply, "find_tick");
}

static void bind_want(const struct load_statement *load, const struct want *want)
{
    for (size_t i = 0; i < load->field_count; i++) {
        const int index = (int)i + 1;
        int64_t number = 0;
        switch ((enum want_field)load->fields[i]) {
        case FIELD_SHARD: number = want->shard; break;
        case FIELD_TENANT: number = want->tenant; break;
        case FIELD_A: number = want->a; break;
        case FIELD_B: number = want->b; break;
        case FIELD_LIMIT: number = want->limit; break;
        case FIELD_TEXT: bind_text(load->statement, index, want->text); continue;
        case FIELD_TEXT2: bind_text(load->statement, index, want->text2); continue;
        case FIELD_COUNT: UNREACHABLE();
        }
        CHECK(sqlite3_bind_int64(load->statement, index, number) == SQLITE_OK);
    }
}

/* Every row that the statement gives, in order. */
static enum err_code read_all(struct loader *loader, const struct load_statement *load,
                              const struct want *want, struct arena *arena, row_list *out_rows,
                              struct err *err)
{
    bind_want(load, want);
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(load->statement)) == SQLITE_ROW) {
        struct row *row = read_row(load->statement, load->table, arena);
        VEC_PUSH(arena, out_rows, row);
    }
    const enum err_code result = code == SQLITE_DONE ? ERR_OK : database_error(loader->db, err);
    sqlite3_reset(load->statement);
    return result;
}

static enum err_code learn_all(struct loader *loader, const struct load_statement *load,
                               enum want_kind kind, const struct want *want, struct facts *facts,
                               struct err *err)
{
    row_list rows = {0};
    TRY(read_all(loader, load, want, facts->arena, &rows, err));
    for (size_t i = 0; i < rows.n; i++) {
        facts_learn(facts, kind, want, rows.v[i]);
    }
    return ERR_OK;
}

static int compare_lanes(const void *a, const void *b)
{
    const struct lane_row *x = *(const struct lane_row *const *)a;
    const struct lane_row *y = *(const struct lane_row *const *)b;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    return (x->lane > y->lane) - (x->lane < y->lane);
}

/* Each job type is asked for apart, so that its lanes come ordered from the index and those of
 * other types cost nothing; then the best of all. */
static enum err_code read_open_lanes(struct loader *loader, const struct want *want,
                                     struct arena *arena, row_list *out_lanes, struct err *err)
{
    struct want of_type = *want;
    struct str types = want->text;
    while (str_split(&types, '\n', &of_type.text)) {
        TRY(read_all(loader, &loader->wants[WANT_OPEN_LANES][0], &of_type, arena, out_lanes, err));
    }
    if (out_lanes->n > 1) {
        qsort(out_lanes->v, out_lanes->n, sizeof(struct row *), compare_lanes);
    }
    size_t kept = 0; /* A type may be named twice. */
    for (size_t i = 0; i < out_lanes->n && kept < OPEN_LANES_MAX; i++) {
        if (kept == 0 || compare_lanes(&out_lanes->v[kept - 1], &out_lanes->v[i]) != 0) {
            out_lanes->v[kept++] = out_lanes->v[i];
        }
    }
    out_lanes->n = kept;
    return ERR_OK;
}

/* The open lanes first, then the heads of each. */
static enum err_code learn_open_lanes(struct loader *loader, const struct want *want,
                                      struct facts *facts, struct err *err)
{
    row_list lanes = {0};
    TRY(read_open_lanes(loader, want, facts->arena, &lanes, err));
    struct want heads = *want;
    for (size_t i = 0; i < lanes.n; i++) {
        facts_learn(facts, WANT_OPEN_LANES, want, lanes.v[i]);
        heads.a = ((const struct lane_row *)lanes.v[i])->lane;
        TRY(learn_all(loader, &loader->open_heads, WANT_OPEN_LANES, &heads, facts, err));
    }
    return ERR_OK;
}

static enum err_code answer(struct loader *loader, enum want_kind kind, const struct want *want,
                            struct facts *facts, struct err *err)
{
    if (kind == WANT_OPEN_LANES) {
        return learn_open_lanes(loader, want, facts, err);
    }
    const size_t count = want_loads_of(kind)->count;
    for (size_t i = 0; i < count; i++) {
        TRY(learn_all(loader, &loader->wants[kind][i], kind, want, facts, err));
    }
    return ERR_OK;
}

enum err_code loader_answer(struct loader *loader, struct facts *facts, struct err *err)
{
    for (int kind = 0; kind < WANT_COUNT; kind++) {
        for (size_t i = 0; i < facts->wants.of[kind].n; i++) {
            TRY(answer(loader, (enum want_kind)kind, &facts->wants.of[kind].v[i], facts, err));
        }
    }
    facts_answered(facts);
    return ERR_OK;
}

enum err_code load_wants(struct sqlite_ledger *ledger, struct facts *facts, struct err *err)
{
    return loader_answer(&ledger->load.loader, facts, err);
}

enum err_code load_shards(struct sqlite_ledger *ledger, struct facts *facts, struct err *err)
{
    sqlite3_stmt *statement = ledger->load.shard;
    for (size_t i = 0; i < ledger->shard_count; i++) {
        CHECK(sqlite3_bind_int64(statement, 1, ledger->shards[i]) == SQLITE_OK);
        const int code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            facts_learn(facts, WANT_TENANT, NULL, read_row(statement, TABLE_SHARDS, facts->arena));
        }
        const bool failed = code != SQLITE_ROW && code != SQLITE_DONE;
        const enum err_code result = failed ? database_error(ledger->db, err) : ERR_OK;
        sqlite3_reset(statement);
        TRY(result);
        CHECK(code == SQLITE_ROW);
    }
    return ERR_OK;
}

enum err_code load_fetched_jobs(struct sqlite_ledger *ledger, struct facts *facts, struct err *err)
{
    for (size_t i = 0; i < facts->fetch_jobs.n; i++) {
        const struct leased_row *leased = (const struct leased_row *)facts->fetch_jobs.v[i];
        const struct tenant_facts *t =
            facts_tenant(facts, leased->shard, (struct tenant_id){leased->tenant});
        if (facts_find(t, TABLE_JOBS, leased->job) != NULL) {
            continue;
        }
        const struct want want = {
            .shard = leased->shard, .tenant = leased->tenant, .a = leased->job};
        TRY(answer(&ledger->load.loader, WANT_JOB, &want, facts, err));
    }
    return ERR_OK;
}

enum err_code load_was_committed(struct sqlite_ledger *ledger, int16_t first_shard, int64_t group,
                                 bool *out_committed, struct err *err)
{
    sqlite3_stmt *statement = ledger->load.tick;
    CHECK(sqlite3_bind_int64(statement, 1, first_shard) == SQLITE_OK);
    CHECK(sqlite3_bind_int64(statement, 2, group) == SQLITE_OK);
    const int code = sqlite3_step(statement);
    *out_committed = code == SQLITE_ROW;
    const bool failed = code != SQLITE_ROW && code != SQLITE_DONE;
    const enum err_code result = failed ? database_error(ledger->db, err) : ERR_OK;
    sqlite3_reset(statement);
    return result;
}
