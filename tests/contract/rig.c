#include "contract/rig.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract/fresh.h"

enum { ARENA_MAX = 1 << 30 };

const char *rig_backend = "sqlite";
uint64_t rig_seed = 1;

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

void rig_progress(const char *line)
{
    (void)line;
}

uint64_t rig_random_bits(struct rig *rig)
{
    /* Splitmix64. */
    uint64_t z = (rig->random += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

int64_t rig_random(struct rig *rig, int64_t bound)
{
    return (int64_t)(rig_random_bits(rig) % (uint64_t)bound);
}

void rig_ok(const struct rig *rig, enum err_code code)
{
    if (code != ERR_OK) {
        fail_msg("%s: %s", err_info(code)->name, rig->err.message);
    }
}

void rig_open(struct rig *rig)
{
    rig_ok(rig, ledger_open(&rig->target, &rig->ledger, &rig->err));
    rig_ok(rig, reader_open(&rig->target, &rig->reader, &rig->err));
}

void rig_close(struct rig *rig)
{
    reader_close(rig->reader);
    ledger_close(rig->ledger);
    rig->reader = NULL;
    rig->ledger = NULL;
}

int rig_setup_bare(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    rig->backend = rig_backend;
    rig->random = rig_seed;
    arena_init(&rig->arena, ARENA_MAX);
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(rig->folder, sizeof(rig->folder), "%s/stella_contract_XXXXXX",
                   temporary != NULL ? temporary : "/tmp");
    assert_non_null(mkdtemp(rig->folder));
    if (strcmp(rig->backend, "sqlite") == 0) {
        (void)snprintf(rig->url, sizeof(rig->url), "sqlite:%.400s/ledger.db", rig->folder);
    } else {
        fresh_postgres(rig->url, sizeof(rig->url));
    }
    rig->target = (struct ledger_target){.url = rig->url, .row_security = true};
    *state = rig;
    return 0;
}

int rig_setup(void **state)
{
    rig_setup_bare(state);
    struct rig *rig = *state;
    rig_ok(rig, ledger_migrate(&rig->target, rig_progress, &rig->err));
    rig_open(rig);
    return 0;
}

int rig_teardown(void **state)
{
    struct rig *rig = *state;
    rig_close(rig);
    if (strcmp(rig->backend, "sqlite") != 0) {
        fresh_postgres_drop(rig->url);
    }
    (void)nftw(rig->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    arena_fini(&rig->arena);
    free(rig);
    return 0;
}

void rig_begin(struct rig *rig, struct facts *facts)
{
    int16_t shards[SHARD_COUNT];
    for (int16_t i = 0; i < SHARD_COUNT; i++) {
        shards[i] = i;
    }
    facts_init(facts, &rig->arena, ledger_seed(rig->ledger), ++rig->group);
    rig_ok(rig, ledger_begin(rig->ledger, shards, SHARD_COUNT, facts, &rig->err));
}

/* ---- What a ledger tells: facts_learn() and facts_answered() are wrapped by the linker. ---- */

static row_list *told; /* Null: facts_learn() learns. */
static struct arena *told_arena;

void __wrap_facts_learn(struct facts *facts, enum want_kind kind, const struct want *asked,
                        struct row *row);
void __real_facts_learn(struct facts *facts, enum want_kind kind, const struct want *asked,
                        struct row *row);

void __wrap_facts_learn(struct facts *facts, enum want_kind kind, const struct want *asked,
                        struct row *row)
{
    if (told == NULL) {
        __real_facts_learn(facts, kind, asked, row);
    } else {
        VEC_PUSH(told_arena, told, row);
    }
}

void __wrap_facts_answered(struct facts *facts);
void __real_facts_answered(struct facts *facts);

void __wrap_facts_answered(struct facts *facts)
{
    if (told == NULL) {
        __real_facts_answered(facts);
    } else {
        memset(&facts->wants, 0, sizeof(facts->wants));
    }
}

row_list rig_load(struct rig *rig, struct facts *facts)
{
    row_list rows = {0};
    told = &rows;
    told_arena = &rig->arena;
    const enum err_code code = ledger_load(rig->ledger, facts, &rig->err);
    told = NULL;
    rig_ok(rig, code);
    return rows;
}

row_list rig_load_snapshot(struct rig *rig, struct facts *facts)
{
    row_list rows = {0};
    told = &rows;
    told_arena = &rig->arena;
    const enum err_code code = reader_snapshot_load(rig->reader, facts, &rig->err);
    told = NULL;
    rig_ok(rig, code);
    return rows;
}

/* ---- Writing ---- */

/* The want that finds one row of each table by its key. */
static const struct {
    enum want_kind kind;
    const char *a;
    const char *after; /* b = this column - 1 */
    const char *text;
} finders[TABLE_COUNT] = {
    [TABLE_TENANTS] = {WANT_TENANT, NULL, NULL, NULL},
    [TABLE_TENANT_NAMES] = {WANT_TENANT_NAME, NULL, NULL, "name"},
    [TABLE_JOB_TYPES] = {WANT_CONFIG, NULL, NULL, NULL},
    [TABLE_SOURCES] = {WANT_CONFIG, NULL, NULL, NULL},
    [TABLE_CONFIG_VERSIONS] = {WANT_CONFIG_VERSION, "kind", NULL, "name"},
    [TABLE_WORKERS] = {WANT_WORKER, NULL, NULL, "name"},
    [TABLE_INSTALLATION] = {WANT_INSTALLATION, NULL, NULL, NULL},
    [TABLE_TOKENS] = {WANT_TOKEN, "token", NULL, NULL},
    [TABLE_BREAKERS] = {WANT_BREAKER, NULL, NULL, "service"},
    [TABLE_QUOTA_GROUPS] = {WANT_QUOTA_GROUP, "quota_group", NULL, NULL},
    [TABLE_QUOTA_MEMBERS] = {WANT_QUOTA_MEMBER, "member", NULL, NULL},
    [TABLE_LANES] = {WANT_LANE, "lane", NULL, NULL},
    [TABLE_THROTTLES] = {WANT_THROTTLE, NULL, NULL, "host"},
    [TABLE_RUNS] = {WANT_RUN, "run", NULL, NULL},
    [TABLE_JOBS] = {WANT_JOB, "job", NULL, NULL},
    [TABLE_JOB_KEYS] = {WANT_JOB_KEY, "hash", NULL, NULL},
    [TABLE_RUN_KEYS] = {WANT_RUN_KEY, NULL, NULL, "key"},
    [TABLE_DAG_EDGES] = {WANT_EDGES_FROM, "pred", "succ", NULL},
    [TABLE_BLOCKED] = {WANT_WAITING, "job", NULL, NULL},
    [TABLE_READY] = {WANT_WAITING, "job", NULL, NULL},
    [TABLE_DELAYED] = {WANT_WAITING, "job", NULL, NULL},
    [TABLE_START_DEADLINES] = {WANT_DUE_DEADLINES, NULL, NULL, NULL},
    [TABLE_LEASED] = {WANT_LEASED, "job", NULL, NULL},
    [TABLE_OUTCOMES] = {WANT_OUTCOME, "job", NULL, NULL},
    [TABLE_ATTEMPTS] = {WANT_ATTEMPTS, "job", "grant", NULL},
    [TABLE_SETTLING] = {WANT_SETTLING, "pred", NULL, NULL},
    [TABLE_BULK_ACTIONS] = {WANT_BULK, "bulk", NULL, NULL},
    [TABLE_BULK_PARTS] = {WANT_BULK_PARTS, "bulk", "first", NULL},
    [TABLE_ARTIFACTS] = {WANT_ARTIFACTS, "job", NULL, NULL},
    [TABLE_REQUEST_KEYS] = {WANT_REQUEST_KEY, NULL, NULL, "key"},
    [TABLE_LOG_HEADS] = {WANT_LOG_HEAD, "job", NULL, NULL},
    [TABLE_JOB_LOGS] = {WANT_JOB_LOGS, "job", "grant", NULL},
};

static struct want want_of(const struct row *row)
{
    const enum table_id table = (enum table_id)row->table;
    struct want want = {.shard = (int16_t)row_int(row, "shard"),
                        .tenant = (int32_t)row_int(row, "tenant"),
                        .limit = 1};
    if (finders[table].a != NULL) {
        want.a = row_int(row, finders[table].a);
    }
    if (finders[table].after != NULL) {
        want.b = row_int(row, finders[table].after) - 1;
    }
    if (finders[table].text != NULL) {
        want.text = row_text(row, finders[table].text);
    }
    if (table == TABLE_JOB_KEYS) {
        want.b = row_int(row, "generation");
    } else if (table == TABLE_CONFIG_VERSIONS) {
        want.b = row_int(row, "version");
    } else if (table == TABLE_START_DEADLINES) {
        want.tenant = 0;
        want.limit = 100000;
    } else if (table == TABLE_JOB_LOGS) {
        want.limit = 100000;
    }
    return want;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = *(struct row *const *)a;
    const struct row *y = *(struct row *const *)b;
    if (x->table != y->table) {
        return x->table < y->table ? -1 : 1;
    }
    return row_compare_keys(table_get((enum table_id)x->table), x, y);
}

static void take_locators(const row_list *rows, const row_list *found)
{
    for (size_t i = 0; i < rows->n; i++) {
        struct row **same =
            bsearch(&rows->v[i], found->v, found->n, sizeof(struct row *), compare_rows);
        if (same == NULL) {
            fail_msg("a row of %s was not found",
                     table_get((enum table_id)rows->v[i]->table)->name);
        }
        rows->v[i]->locator = (*same)->locator;
    }
}

/* A backend may know a row by where it was loaded from, so what changes is loaded in its group. */
static void locate(struct rig *rig, struct facts *facts, const row_list *rows)
{
    if (rows->n == 0) {
        return;
    }
    if (rows->v[0]->table == TABLE_SHARDS) {
        for (size_t i = 0; i < rows->n; i++) {
            const int16_t shard = ((const struct shard_row *)rows->v[i])->shard;
            rows->v[i]->locator = facts_shard(facts, shard)->row->row.locator;
        }
        return;
    }
    for (size_t i = 0; i < rows->n; i++) {
        const enum want_kind kind = finders[rows->v[i]->table].kind;
        VEC_PUSH(&rig->arena, &facts->wants.of[kind], want_of(rows->v[i]));
        facts->wants.total++;
    }
    row_list found = rig_load(rig, facts);
    if (found.n > 0) {
        qsort(found.v, found.n, sizeof(struct row *), compare_rows);
    }
    take_locators(rows, &found);
}

void rig_write(struct rig *rig, const struct plan *plan)
{
    struct facts facts;
    rig_begin(rig, &facts);
    for (int table = 0; table < TABLE_COUNT; table++) {
        locate(rig, &facts, &plan->updates[table]);
        locate(rig, &facts, &plan->deletes[table]);
    }
    rig_ok(rig, ledger_commit(rig->ledger, plan, &facts, &rig->err));
    facts_fini(&facts);
}

row_list rig_dump(struct rig *rig, enum table_id table)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "dump_%s", table_get(table)->name);
    const struct query query = {.name = name, .arena = &rig->arena};
    struct query_result result = {0};
    rig_ok(rig, reader_query(rig->reader, &query, &result, &rig->err));
    row_list rows = {0};
    for (size_t i = 0; i < result.rows; i++) {
        VEC_PUSH(&rig->arena, &rows, query_row(&result, i, table, &rig->arena));
    }
    return rows;
}

struct query_result rig_query(struct rig *rig, const char *name, const char *kinds, ...)
{
    struct query query = {.name = name, .arena = &rig->arena};
    va_list args;
    va_start(args, kinds);
    for (const char *kind = kinds; *kind != '\0'; kind++) {
        if (*kind == 'i') {
            query_arg_int(&query, va_arg(args, int64_t));
        } else if (*kind == 't') {
            query_arg_text(&query, str_from(va_arg(args, const char *)));
        } else {
            query_arg_bytes(&query, va_arg(args, struct str));
        }
    }
    va_end(args);
    struct query_result result = {0};
    rig_ok(rig, reader_query(rig->reader, &query, &result, &rig->err));
    return result;
}

/* ---- Rows ---- */

struct row *rig_row(struct rig *rig, enum table_id table)
{
    struct row *row = arena_alloc(&rig->arena, table_get(table)->row_size);
    row->table = (uint8_t)table;
    return row;
}

static const struct column *column_of(const struct row *row, const char *name)
{
    const struct table *table = table_get((enum table_id)row->table);
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0) {
            return &table->columns[i];
        }
    }
    fail_msg("%s has no column %s", table->name, name);
    return NULL;
}

static bool is_text(const struct column *column)
{
    return column->kind == COLUMN_TEXT || column->kind == COLUMN_BYTES;
}

int64_t row_int(const struct row *row, const char *column)
{
    return column_int(column_of(row, column), row);
}

struct str row_text(const struct row *row, const char *column)
{
    return column_str(column_of(row, column), row);
}

void row_set(struct row *row, const char *column, int64_t value)
{
    column_set_int(column_of(row, column), row, value);
}

void row_set_text(struct row *row, const char *column, struct str value)
{
    column_set_str(column_of(row, column), row, value);
}

static const struct column *first_difference(const struct row *a, const struct row *b)
{
    const struct table *table = table_get((enum table_id)a->table);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        const bool same = is_text(column) ? str_eq(column_str(column, a), column_str(column, b))
                                          : column_int(column, a) == column_int(column, b);
        if (!same) {
            return column;
        }
    }
    return NULL;
}

bool rows_equal(const struct row *a, const struct row *b)
{
    return a->table == b->table && first_difference(a, b) == NULL;
}

void assert_rows_equal(const struct row *a, const struct row *b)
{
    assert_int_equal(a->table, b->table);
    const struct column *column = first_difference(a, b);
    if (column != NULL) {
        fail_msg("%s.%s differs", table_get((enum table_id)a->table)->name, column->name);
    }
}

static int compare_column(const struct column *column, const struct row *a, const struct row *b)
{
    if (is_text(column)) {
        return str_cmp(column_str(column, a), column_str(column, b));
    }
    const int64_t x = column_int(column, a);
    const int64_t y = column_int(column, b);
    return (x > y) - (x < y);
}

static int compare_by(const struct row *a, const struct row *b, const char *const *columns)
{
    if (columns == NULL) {
        return row_compare_keys(table_get((enum table_id)a->table), a, b);
    }
    int order = 0;
    for (size_t i = 0; columns[i] != NULL && order == 0; i++) {
        order = compare_column(column_of(a, columns[i]), a, b);
    }
    return order;
}

void rows_sort(row_list *rows, const char *const *columns)
{
    for (size_t i = 1; i < rows->n; i++) {
        struct row *row = rows->v[i];
        size_t at = i;
        while (at > 0 && compare_by(row, rows->v[at - 1], columns) < 0) {
            rows->v[at] = rows->v[at - 1];
            at--;
        }
        rows->v[at] = row;
    }
}

void rows_sort_by_key(row_list *rows)
{
    rows_sort(rows, NULL);
}
