#include "ledger/ledger.h"

#include <string.h>

#include "base/check.h"
#include "core/tables.h"
#include "ledger/backend.h"

/* By the beginning of the URL. */
static const struct {
    struct str scheme;
    const struct ledger_backend *backend;
} schemes[] = {
    {{"sqlite:", 7}, &ledger_sqlite},
    {{"postgres://", 11}, &ledger_postgres},
    {{"postgresql://", 13}, &ledger_postgres},
};

enum err_code ledger_backend_for(const char *url, const struct ledger_backend **out,
                                 struct err *err)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (str_starts(str_from(url), schemes[i].scheme)) {
            *out = schemes[i].backend;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_USAGE, "A ledger's URL begins with sqlite: or postgres://.");
}

enum err_code ledger_migrate(const struct ledger_target *target, void (*progress)(const char *),
                             struct err *err)
{
    const struct ledger_backend *backend = NULL;
    TRY(ledger_backend_for(target->url, &backend, err));
    return backend->migrate(target, progress, err);
}

enum err_code ledger_open(const struct ledger_target *target, struct ledger **out, struct err *err)
{
    const struct ledger_backend *backend = NULL;
    TRY(ledger_backend_for(target->url, &backend, err));
    return backend->open(target, out, err);
}

void ledger_close(struct ledger *ledger)
{
    if (ledger != NULL) {
        ledger->backend->close(ledger);
    }
}

struct hash_key ledger_seed(const struct ledger *ledger)
{
    return ledger->seed;
}

const struct ledger_backend *ledger_backend(const struct ledger *ledger)
{
    return ledger->backend;
}

enum err_code ledger_begin(struct ledger *ledger, const int16_t *shards, size_t count,
                           struct facts *facts, struct err *err)
{
    CHECK(count > 0 && count <= SHARD_COUNT);
    for (size_t i = 1; i < count; i++) {
        CHECK(shards[i - 1] < shards[i]);
    }
    return ledger->backend->begin(ledger, shards, count, facts, err);
}

enum err_code ledger_load(struct ledger *ledger, struct facts *facts, struct err *err)
{
    return ledger->backend->load(ledger, facts, err);
}

enum err_code ledger_commit(struct ledger *ledger, const struct plan *plan, struct facts *facts,
                            struct err *err)
{
    return ledger->backend->commit(ledger, plan, facts, err);
}

void ledger_rollback(struct ledger *ledger)
{
    ledger->backend->rollback(ledger);
}

enum err_code ledger_was_committed(struct ledger *ledger, const int16_t *shards, size_t count,
                                   int64_t group, bool *out_committed, struct err *err)
{
    return ledger->backend->was_committed(ledger, shards, count, group, out_committed, err);
}

/* ---- Reading ---- */

enum err_code reader_open(const struct ledger_target *target, struct reader **out, struct err *err)
{
    const struct ledger_backend *backend = NULL;
    TRY(ledger_backend_for(target->url, &backend, err));
    return backend->reader_open(target, out, err);
}

void reader_close(struct reader *reader)
{
    if (reader != NULL) {
        reader->backend->reader_close(reader);
    }
}

enum err_code reader_query(struct reader *reader, const struct query *query,
                           struct query_result *out, struct err *err)
{
    return reader->backend->reader_query(reader, query, out, err);
}

enum err_code reader_snapshot_begin(struct reader *reader, struct tenant_id tenant,
                                    struct facts *facts, struct err *err)
{
    return reader->backend->snapshot_begin(reader, tenant, facts, err);
}

enum err_code reader_snapshot_load(struct reader *reader, struct facts *facts, struct err *err)
{
    return reader->backend->snapshot_load(reader, facts, err);
}

void reader_snapshot_end(struct reader *reader)
{
    reader->backend->snapshot_end(reader);
}

static void add_arg(struct query *query, struct query_value value)
{
    CHECK(query->arg_count < QUERY_ARGS_MAX);
    query->args[query->arg_count++] = value;
}

void query_arg_int(struct query *query, int64_t value)
{
    add_arg(query, (struct query_value){.kind = QUERY_INT, .number = value});
}

void query_arg_text(struct query *query, struct str text)
{
    add_arg(query, (struct query_value){.kind = QUERY_TEXT, .text = text});
}

void query_arg_bytes(struct query *query, struct str bytes)
{
    add_arg(query, (struct query_value){.kind = QUERY_BYTES, .text = bytes});
}

size_t query_column(const struct query_result *result, const char *name)
{
    for (size_t i = 0; i < result->columns; i++) {
        if (strcmp(result->names[i], name) == 0) {
            return i;
        }
    }
    UNREACHABLE();
}

const struct query_value *query_at(const struct query_result *result, size_t row, size_t column)
{
    CHECK(row < result->rows && column < result->columns);
    return &result->values[row * result->columns + column];
}

int64_t query_int(const struct query_result *result, size_t row, const char *column)
{
    return query_at(result, row, query_column(result, column))->number;
}

struct str query_text(const struct query_result *result, size_t row, const char *column)
{
    return query_at(result, row, query_column(result, column))->text;
}

bool query_is_null(const struct query_result *result, size_t row, const char *column)
{
    return query_at(result, row, query_column(result, column))->kind == QUERY_NULL;
}

struct row *query_row(const struct query_result *result, size_t row, enum table_id table,
                      struct arena *arena)
{
    const struct table *description = table_get(table);
    CHECK(result->columns == description->column_count);
    struct row *made = arena_alloc(arena, description->row_size);
    made->table = (uint8_t)table;
    for (size_t i = 0; i < description->column_count; i++) {
        const struct column *column = &description->columns[i];
        const struct query_value *value = query_at(result, row, i);
        if (column->kind == COLUMN_TEXT || column->kind == COLUMN_BYTES) {
            column_set_str(column, made, value->text);
        } else {
            column_set_int(column, made, value->number);
        }
    }
    return made;
}

enum err_code ledger_scrub(struct reader *reader, struct arena *arena, counter_fault_list *out,
                           struct err *err)
{
    for (size_t i = 0; i < shared_counters.count; i++) {
        const struct query query = {.name = shared_counters.statements[i].name, .arena = arena};
        struct query_result found = {0};
        TRY(reader_query(reader, &query, &found, err));
        for (size_t row = 0; row < found.rows; row++) {
            VEC_PUSH(arena, out,
                     ((struct counter_fault){
                         .counter = query.name,
                         .shard = (int16_t)query_int(&found, row, "shard"),
                         .tenant = (int32_t)query_int(&found, row, "tenant"),
                         .id = query_int(&found, row, "id"),
                         .stored = query_int(&found, row, "stored"),
                         .counted = query_int(&found, row, "counted"),
                     }));
        }
    }
    return ERR_OK;
}

/* ---- Blobs ---- */

enum err_code blobs_open(const struct ledger_target *target, struct blobs **out, struct err *err)
{
    const struct ledger_backend *backend = NULL;
    TRY(ledger_backend_for(target->url, &backend, err));
    return backend->blobs_open(target, out, err);
}

struct hints *hints_new(const struct ledger_target *target)
{
    const struct ledger_backend *backend = NULL;
    struct err ignored = {0};
    if (ledger_backend_for(target->url, &backend, &ignored) != ERR_OK ||
        backend->hints_new == NULL) {
        return NULL;
    }
    return backend->hints_new(target);
}
