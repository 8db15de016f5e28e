/* Every column of every table survives: insert, read, update, read, delete. */
#include <string.h>

#include "contract/suite.h"

enum { ROWS = 60, SHORT_TEXT_MAX = 200, TEXT_MAX = 6000 };

/* Extremes as often as what lies between. */
static int64_t random_int(struct rig *rig, enum column_kind kind)
{
    static const int64_t least[] = {0, INT16_MIN, INT32_MIN, INT64_MIN};
    static const int64_t most[] = {1, INT16_MAX, INT32_MAX, INT64_MAX};
    switch (rig_random(rig, 4)) {
    case 0: return least[kind];
    case 1: return most[kind];
    case 2: return rig_random(rig, 2);
    default: break;
    }
    const int64_t bits = (int64_t)rig_random_bits(rig);
    return kind == COLUMN_BOOL ? bits & 1
           : kind == COLUMN_I2 ? (int16_t)bits
           : kind == COLUMN_I4 ? (int32_t)bits
                               : bits;
}

static struct str random_bytes(struct rig *rig, size_t max)
{
    const size_t len = (size_t)rig_random(rig, (int64_t)max + 1);
    char *bytes = arena_alloc(&rig->arena, len + 1);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)rig_random(rig, 256);
    }
    return (struct str){bytes, len};
}

/* One UTF-8 character, never NUL. */
static size_t put_character(struct rig *rig, char *out)
{
    static const struct {
        uint32_t first;
        uint32_t count;
    } planes[] = {
        {0x01, 0x7f}, {0x80, 0x780}, {0x800, 0xD000}, {0xE000, 0x1FFE}, {0x10000, 0x100000}};

    const int64_t plane = rig_random(rig, 5);
    const uint32_t c =
        planes[plane].first + (uint32_t)rig_random(rig, (int64_t)planes[plane].count);
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

static struct str random_text(struct rig *rig, size_t max)
{
    const size_t most = rig_random(rig, 8) == 0 ? max : 12;
    const size_t wanted = (size_t)rig_random(rig, (int64_t)most + 1);
    char *text = arena_alloc(&rig->arena, wanted + 5);
    size_t len = 0;
    while (len < wanted) {
        len += put_character(rig, text + len);
    }
    assert_true(str_is_utf8((struct str){text, len}));
    return (struct str){text, len};
}

/* Names and digests are short wherever they come from, and indexed. */
static size_t text_max(const struct column *column)
{
    static const char *const shorts[] = {"name", "hash", "sha256", "digest", "job_type", "source"};
    for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++) {
        if (strcmp(column->name, shorts[i]) == 0) {
            return SHORT_TEXT_MAX;
        }
    }
    return column->role == COLUMN_KEY ? SHORT_TEXT_MAX : TEXT_MAX;
}

static void fill(struct rig *rig, struct row *row, const struct column *column)
{
    const size_t max = text_max(column);
    if (strcmp(column->name, "shard") == 0) {
        column_set_int(column, row, rig_random(rig, SHARD_COUNT));
    } else if (column->kind == COLUMN_TEXT) {
        column_set_str(column, row, random_text(rig, max));
    } else if (column->kind == COLUMN_BYTES) {
        column_set_str(column, row, random_bytes(rig, max));
    } else {
        const int64_t value = random_int(rig, column->kind);
        /* Lists begin after a key, so nothing lies at the very beginning. */
        const bool is_least = column->role == COLUMN_KEY && value == INT64_MIN;
        column_set_int(column, row, is_least ? value + 1 : value);
    }
}

static void fill_plain(struct rig *rig, struct row *row)
{
    const struct table *table = table_get((enum table_id)row->table);
    for (size_t i = 0; i < table->column_count; i++) {
        const enum column_role role = table->columns[i].role;
        if (role != COLUMN_KEY && role != COLUMN_FIXED) {
            fill(rig, row, &table->columns[i]);
        }
    }
}

static bool has_plain_columns(const struct table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].role != COLUMN_KEY) {
            return true;
        }
    }
    return false;
}

/* A ready row is found through its job, so there is one of each job. */
static bool is_same(const struct row *a, const struct row *b)
{
    if (a->table == TABLE_READY) {
        const struct ready_row *x = (const struct ready_row *)a;
        const struct ready_row *y = (const struct ready_row *)b;
        return x->shard == y->shard && x->tenant == y->tenant && x->job == y->job;
    }
    return row_compare_keys(table_get((enum table_id)a->table), a, b) == 0;
}

static void write_jobs_of(struct rig *rig, const row_list *ready)
{
    struct plan plan = {0};
    for (size_t i = 0; i < ready->n; i++) {
        static const char *const same[] = {"shard", "tenant", "job", "lane", "rank"};
        struct row *job = rig_row(rig, TABLE_JOBS);
        for (size_t c = 0; c < sizeof(same) / sizeof(same[0]); c++) {
            row_set(job, same[c], row_int(ready->v[i], same[c]));
        }
        VEC_PUSH(&rig->arena, &plan.inserts[TABLE_JOBS], job);
    }
    rig_write(rig, &plan);
}

static row_list random_rows(struct rig *rig, enum table_id table_id)
{
    const struct table *table = table_get(table_id);
    row_list rows = {0};
    for (int i = 0; i < ROWS; i++) {
        struct row *row = rig_row(rig, table_id);
        for (size_t c = 0; c < table->column_count; c++) {
            fill(rig, row, &table->columns[c]);
        }
        bool is_new = true;
        for (size_t r = 0; r < rows.n; r++) {
            is_new = is_new && !is_same(rows.v[r], row);
        }
        if (is_new) {
            VEC_PUSH(&rig->arena, &rows, row);
        }
    }
    if (table_id == TABLE_READY) {
        write_jobs_of(rig, &rows);
    }
    return rows;
}

static void assert_table_is(struct rig *rig, enum table_id table, row_list rows)
{
    const row_list found = rig_dump(rig, table);
    rows_sort_by_key(&rows);
    assert_int_equal(found.n, rows.n);
    for (size_t i = 0; i < rows.n; i++) {
        assert_rows_equal(found.v[i], rows.v[i]);
    }
}

static void insert_update_delete(struct rig *rig, enum table_id table)
{
    row_list rows = random_rows(rig, table);
    struct plan plan = {0};
    plan.inserts[table] = rows;
    rig_write(rig, &plan);
    assert_table_is(rig, table, rows);
    if (has_plain_columns(table_get(table))) {
        for (size_t i = 0; i < rows.n; i++) {
            fill_plain(rig, rows.v[i]);
        }
        plan = (struct plan){0};
        plan.updates[table] = rows;
        rig_write(rig, &plan);
        assert_table_is(rig, table, rows);
    }
    row_list gone = {0};
    row_list kept = {0};
    for (size_t i = 0; i < rows.n; i++) {
        VEC_PUSH(&rig->arena, i % 2 == 0 ? &gone : &kept, rows.v[i]);
    }
    plan = (struct plan){0};
    plan.deletes[table] = gone;
    rig_write(rig, &plan);
    assert_table_is(rig, table, kept);
    plan.deletes[table] = kept;
    rig_write(rig, &plan);
    assert_int_equal(rig_dump(rig, table).n, 0);
}

static void every_column_of_every_table_survives(void **state)
{
    struct rig *rig = *state;
    for (int table = TABLE_SHARDS + 1; table < TABLE_COUNT; table++) {
        insert_update_delete(rig, (enum table_id)table);
    }
}

static void the_shards_are_there_and_can_be_updated(void **state)
{
    struct rig *rig = *state;
    row_list rows = rig_dump(rig, TABLE_SHARDS);
    assert_int_equal(rows.n, SHARD_COUNT);
    for (size_t i = 0; i < rows.n; i++) {
        const struct shard_row *shard = (const struct shard_row *)rows.v[i];
        assert_int_equal(shard->shard, (int)i);
        assert_true(shard->next_due_at == INT64_MAX);
        assert_true(shard->last_at == 0 && shard->tick == 0);
        fill_plain(rig, rows.v[i]);
    }
    struct plan plan = {0};
    plan.updates[TABLE_SHARDS] = rows;
    rig_write(rig, &plan);
    assert_table_is(rig, TABLE_SHARDS, rows);
}

static void a_row_may_go_and_another_of_its_key_come_in_one_plan(void **state)
{
    struct rig *rig = *state;
    for (int table = TABLE_SHARDS + 1; table < TABLE_COUNT; table++) {
        const row_list rows = random_rows(rig, (enum table_id)table);
        struct plan plan = {0};
        plan.inserts[table] = rows;
        rig_write(rig, &plan);
        row_list again = {0};
        for (size_t i = 0; i < rows.n; i++) {
            struct row *row = row_copy(&rig->arena, rows.v[i]);
            fill_plain(rig, row);
            VEC_PUSH(&rig->arena, &again, row);
        }
        plan = (struct plan){0};
        plan.deletes[table] = rows;
        plan.inserts[table] = again;
        rig_write(rig, &plan);
        assert_table_is(rig, (enum table_id)table, again);
        plan = (struct plan){0};
        plan.deletes[table] = again;
        rig_write(rig, &plan);
    }
}

const struct CMUnitTest rows_tests[] = {
    RIG_TEST(every_column_of_every_table_survives),
    RIG_TEST(the_shards_are_there_and_can_be_updated),
    RIG_TEST(a_row_may_go_and_another_of_its_key_come_in_one_plan),
};
const size_t rows_test_count = sizeof(rows_tests) / sizeof(rows_tests[0]);
