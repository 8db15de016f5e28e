#include "contract/world.h"

#include <string.h>

#include "core/state.h"

enum { TRIES = 160, RANKS = 4 };

/* Small ranges, by column: values lie in [least, least + count). */
static const struct {
    const char *column;
    int64_t least;
    int64_t count;
} ranges[] = {
    {"shard", 3, 2},      {"tenant", 1, 3},     {"job", 1, 14},        {"lane", 1, 5},
    {"rank", -1, RANKS},  {"run", 0, 3},        {"pred", -2, 8},       {"succ", 1, 8},
    {"waiting", 0, 3},    {"inflight", 0, 3},   {"open_at", 0, 4},     {"due_at", 1, 5},
    {"generation", 0, 2}, {"hash", -1, 3},      {"token", 1, 3},       {"role", 0, 2},
    {"grant", 1, 3},      {"running", 0, 2},    {"ok", 0, 2},          {"claim", -1, 3},
    {"named", 1, 3},      {"home_shard", 3, 2}, {"next_due_at", 0, 5}, {"flags", 28, 36},
};

static const char *const job_types[] = {"in", "ingest", "gest"};
static const char *const names[] = {"a", "ab", "b", "\xC3\xA9"};

int64_t world_int(struct rig *rig, const char *column)
{
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (strcmp(ranges[i].column, column) == 0) {
            return ranges[i].least + rig_random(rig, ranges[i].count);
        }
    }
    return rig_random(rig, 4);
}

struct str world_text(struct rig *rig, const char *column)
{
    if (strcmp(column, "job_type") == 0) {
        return str_from(job_types[rig_random(rig, 3)]);
    }
    if (strcmp(column, "sha256") == 0) {
        return rig_random(rig, 2) == 0 ? STR("0123456789abcdef0123456789abcdef")
                                       : STR("fedcba9876543210fedcba9876543210");
    }
    return str_from(names[rig_random(rig, 4)]);
}

static struct row *random_row(struct rig *rig, enum table_id table_id)
{
    struct row *row = rig_row(rig, table_id);
    const struct table *table = table_get(table_id);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (column->kind == COLUMN_TEXT || column->kind == COLUMN_BYTES) {
            column_set_str(column, row, world_text(rig, column->name));
        } else {
            column_set_int(column, row, world_int(rig, column->name));
        }
    }
    if (table_id == TABLE_JOBS) {
        /* A lane's rank is a lower bound of those in ready. */
        row_set(row, "rank", row_int(row, "rank") + RANKS);
    }
    return row;
}

/* A lane is also known by its job type and source. */
static bool is_same_lane(const struct row *a, const struct row *b)
{
    const struct lane_row *x = (const struct lane_row *)a;
    const struct lane_row *y = (const struct lane_row *)b;
    return x->shard == y->shard && x->tenant == y->tenant && str_eq(x->job_type, y->job_type) &&
           str_eq(x->source, y->source);
}

static bool has_key(const row_list *rows, const struct row *row)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (row_compare_keys(table_get((enum table_id)row->table), rows->v[i], row) == 0 ||
            (row->table == TABLE_LANES && is_same_lane(rows->v[i], row))) {
            return true;
        }
    }
    return false;
}

/* A job of the world that nothing has yet, or null. */
static struct row *idle_job(struct rig *rig, const struct world *world)
{
    static const enum table_id places[] = {TABLE_BLOCKED, TABLE_READY, TABLE_DELAYED, TABLE_LEASED,
                                           TABLE_OUTCOMES};
    struct row *job =
        world->rows[TABLE_JOBS].v[rig_random(rig, (int64_t)world->rows[TABLE_JOBS].n)];
    for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
        const row_list *rows = &world->rows[places[p]];
        for (size_t i = 0; i < rows->n; i++) {
            const struct row *row = rows->v[i];
            if (row_int(row, "shard") == row_int(job, "shard") &&
                row_int(row, "tenant") == row_int(job, "tenant") &&
                row_int(row, "job") == row_int(job, "job")) {
                return NULL;
            }
        }
    }
    return job;
}

/* A job is in one place at most, with the lane and rank of its jobs row. */
static void place_job(struct rig *rig, const struct world *world, struct row *row)
{
    const struct row *job = idle_job(rig, world);
    if (job == NULL) {
        row->state = ROW_VOID;
        return;
    }
    static const char *const shared[] = {"shard", "tenant", "job", "lane", "rank", "run"};
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
        row_set(row, shared[i], row_int(job, shared[i]));
    }
    if (row->table == TABLE_OUTCOMES) {
        row_set(row, "state", JOB_SUCCEEDED + rig_random(rig, 3));
    }
}

static bool is_place(enum table_id table)
{
    return table == TABLE_BLOCKED || table == TABLE_READY || table == TABLE_DELAYED ||
           table == TABLE_LEASED || table == TABLE_OUTCOMES;
}

void world_make(struct rig *rig, struct world *world)
{
    memset(world, 0, sizeof(*world));
    struct plan plan = {0};
    for (int table = 0; table < TABLE_COUNT; table++) {
        row_list *rows = &world->rows[table];
        /* Few places each, so that every kind of place gets some of the jobs. */
        const int tries = is_place((enum table_id)table) ? 12 : TRIES;
        for (int i = 0; i < tries; i++) {
            struct row *row = random_row(rig, (enum table_id)table);
            if (is_place((enum table_id)table)) {
                place_job(rig, world, row);
            }
            if (row->state != ROW_VOID && !has_key(rows, row)) {
                VEC_PUSH(&rig->arena, rows, row);
            }
        }
        /* The shards are there since migrate. */
        *(table == TABLE_SHARDS ? &plan.updates[table] : &plan.inserts[table]) = *rows;
    }
    rig_write(rig, &plan);
}

row_list rows_fitting(struct rig *rig, const row_list *rows, const struct fits *fits, size_t count)
{
    row_list chosen = {0};
    for (size_t i = 0; i < rows->n; i++) {
        bool is_fit = true;
        for (size_t f = 0; f < count; f++) {
            is_fit = is_fit && row_int(rows->v[i], fits[f].column) == fits[f].value;
        }
        if (is_fit) {
            VEC_PUSH(&rig->arena, &chosen, rows->v[i]);
        }
    }
    return chosen;
}
