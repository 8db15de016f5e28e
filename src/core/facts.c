#include "core/facts.h"

#include <string.h>

#include "base/check.h"
#include "core/tables.h"

enum { LINES_MAX = 64 * 1024 * 1024 };

#define KEY_BITS 56
#define KEY_MASK ((UINT64_C(1) << KEY_BITS) - 1)

static uint64_t want_key(enum want_kind kind, int64_t a)
{
    return (uint64_t)kind << KEY_BITS | ((uint64_t)a & KEY_MASK);
}

void facts_init(struct facts *facts, struct arena *arena, struct hash_key seed, int64_t group)
{
    memset(facts, 0, sizeof(*facts));
    facts->arena = arena;
    facts->seed = seed;
    facts->group = group;
}

void facts_fini(struct facts *facts)
{
    for (size_t i = 0; i < facts->tenants.n; i++) {
        buf_fini(&((struct tenant_facts *)facts->tenants.entries[i].value)->log.lines);
    }
    for (size_t i = 0; i < facts->shards.n; i++) {
        buf_fini(&((struct shard_facts *)facts->shards.entries[i].value)->log.lines);
    }
}

struct shard_facts *facts_shard(struct facts *facts, int16_t shard)
{
    struct shard_facts *s = map_find(&facts->shards, (uint64_t)shard + 1);
    if (s == NULL) {
        s = arena_new(facts->arena, struct shard_facts);
        buf_init(&s->log.lines, LINES_MAX);
        map_put(facts->arena, &facts->shards, (uint64_t)shard + 1, s);
    }
    return s;
}

struct tenant_facts *facts_tenant(struct facts *facts, int16_t shard, struct tenant_id tenant)
{
    struct tenant_facts *t = map_find(&facts->tenants, (uint64_t)tenant.v);
    if (t == NULL) {
        t = arena_new(facts->arena, struct tenant_facts);
        t->shard = shard;
        t->id = tenant;
        buf_init(&t->log.lines, LINES_MAX);
        map_put(facts->arena, &facts->tenants, (uint64_t)tenant.v, t);
    }
    CHECK(t->shard == shard);
    return t;
}

/* ---- Asking ---- */

static void ask(struct facts *facts, enum want_kind kind, struct want asked)
{
    VEC_PUSH(facts->arena, &facts->wants.of[kind], asked);
    facts->wants.total++;
}

/* Marks the want as asked; true when it was already. */
static bool was_asked(struct facts *facts, struct tenant_facts *t, uint64_t key)
{
    if (map_find(&t->known, key) != NULL) {
        return true;
    }
    map_put(facts->arena, &t->known, key, t);
    return false;
}

bool want(struct facts *facts, struct tenant_facts *t, enum want_kind kind, int64_t a)
{
    if (was_asked(facts, t, want_key(kind, a))) {
        return true;
    }
    ask(facts, kind, (struct want){.shard = t->shard, .tenant = t->id.v, .a = a});
    return false;
}

bool facts_meets_again(struct facts *facts, struct tenant_facts *t, const void *thing)
{
    return was_asked(facts, t, want_key(WANT_COUNT, (int64_t)(intptr_t)thing));
}

/* Texts of different kinds must not meet: the key is the kind's letter, then both texts. */
static struct str text_key(struct arena *arena, enum want_kind kind, struct str text,
                           struct str text2)
{
    char *key = arena_alloc(arena, text.len + text2.len + 2);
    size_t len = 0;
    key[len++] = (char)('A' + (int)kind);
    if (text.len > 0) {
        memcpy(key + len, text.ptr, text.len);
        len += text.len;
    }
    key[len++] = '\n';
    if (text2.len > 0) {
        memcpy(key + len, text2.ptr, text2.len);
        len += text2.len;
    }
    return (struct str){key, len};
}

static bool text_was_asked(struct facts *facts, struct tenant_facts *t, struct str key)
{
    if (map_find_str(&t->known_texts, key) != NULL) {
        return true;
    }
    map_put_str(facts->arena, &t->known_texts, key, t);
    return false;
}

bool want_text(struct facts *facts, struct tenant_facts *t, enum want_kind kind, struct str text,
               struct str text2)
{
    if (text_was_asked(facts, t, text_key(facts->arena, kind, text, text2))) {
        return true;
    }
    ask(facts, kind,
        (struct want){.shard = t->shard, .tenant = t->id.v, .text = text, .text2 = text2});
    return false;
}

bool want_config_version(struct facts *facts, struct tenant_facts *t, enum config_kind_id kind,
                         struct str name, int32_t version)
{
    const struct str key = text_key(facts->arena, WANT_CONFIG_VERSION, name,
                                    arena_format(facts->arena, "%d.%d", (int)kind, version));
    if (text_was_asked(facts, t, key)) {
        return true;
    }
    ask(facts, WANT_CONFIG_VERSION,
        (struct want){
            .shard = t->shard, .tenant = t->id.v, .a = (int64_t)kind, .b = version, .text = name});
    return false;
}

bool want_job_key(struct facts *facts, struct tenant_facts *t, int64_t hash, int32_t generation)
{
    /* Hashes use all 64 bits: fold the generation in, an extra load after a collision is harmless.
     */
    const uint64_t key =
        (uint64_t)hash ^ ((uint64_t)(uint32_t)generation * UINT64_C(0x9E3779B97F4A7C15));
    if (map_find(&t->job_keys, key ^ 1) != NULL) {
        return true;
    }
    map_put(facts->arena, &t->job_keys, key ^ 1, t);
    ask(facts, WANT_JOB_KEY,
        (struct want){.shard = t->shard, .tenant = t->id.v, .a = hash, .b = generation});
    return false;
}

bool want_list_of(struct facts *facts, struct tenant_facts *t, enum want_kind kind, int64_t a,
                  int64_t after, int32_t limit)
{
    if (was_asked(facts, t, want_key(kind, a))) {
        return true;
    }
    map_put(facts->arena, &t->lists, want_key(kind, a), arena_new(facts->arena, row_list));
    ask(facts, kind,
        (struct want){.shard = t->shard, .tenant = t->id.v, .a = a, .b = after, .limit = limit});
    return false;
}

bool want_open_lanes(struct facts *facts, struct tenant_facts *t, struct str types, int64_t now,
                     int32_t heads)
{
    if (text_was_asked(facts, t, text_key(facts->arena, WANT_OPEN_LANES, types, STR("")))) {
        return true;
    }
    ask(facts, WANT_OPEN_LANES,
        (struct want){
            .shard = t->shard, .tenant = t->id.v, .a = now, .limit = heads, .text = types});
    return false;
}

bool want_of_shard(struct facts *facts, int16_t shard, enum want_kind kind, int32_t limit)
{
    struct shard_facts *s = facts_shard(facts, shard);
    if (s->known[kind]) {
        return true;
    }
    s->known[kind] = true;
    ask(facts, kind, (struct want){.shard = shard, .limit = limit});
    return false;
}

bool want_shared(struct facts *facts)
{
    const bool is_locked = facts_shard(facts, SHARD_SYSTEM)->row != NULL;
    facts->wants_shared |= !is_locked;
    return is_locked;
}

/* ---- Learning ---- */

/* The number under which a row is found; false for tables found by text or in lists only. */
static bool number_of(const struct row *row, int64_t *out_key)
{
    switch ((enum table_id)row->table) {
    case TABLE_INSTALLATION: *out_key = ((const struct installation_row *)row)->tenant; return true;
    case TABLE_TOKENS: *out_key = ((const struct token_row *)row)->token; return true;
    case TABLE_QUOTA_GROUPS:
        *out_key = ((const struct quota_group_row *)row)->quota_group;
        return true;
    case TABLE_QUOTA_MEMBERS:
        *out_key = ((const struct quota_member_row *)row)->member;
        return true;
    case TABLE_LANES: *out_key = ((const struct lane_row *)row)->lane; return true;
    case TABLE_RUNS: *out_key = ((const struct run_row *)row)->run; return true;
    case TABLE_JOBS: *out_key = ((const struct job_row *)row)->job; return true;
    case TABLE_BLOCKED: *out_key = ((const struct blocked_row *)row)->job; return true;
    case TABLE_READY: *out_key = ((const struct ready_row *)row)->job; return true;
    case TABLE_DELAYED: *out_key = ((const struct delayed_row *)row)->job; return true;
    case TABLE_LEASED: *out_key = ((const struct leased_row *)row)->job; return true;
    case TABLE_OUTCOMES: *out_key = ((const struct outcome_row *)row)->job; return true;
    case TABLE_SETTLING: *out_key = ((const struct settling_row *)row)->pred; return true;
    case TABLE_BULK_ACTIONS: *out_key = ((const struct bulk_action_row *)row)->bulk; return true;
    case TABLE_LOG_HEADS: *out_key = ((const struct log_head_row *)row)->job; return true;
    case TABLE_SHARDS:
    case TABLE_TENANTS:
    case TABLE_TENANT_NAMES:
    case TABLE_JOB_TYPES:
    case TABLE_SOURCES:
    case TABLE_CONFIG_VERSIONS:
    case TABLE_WORKERS:
    case TABLE_BREAKERS:
    case TABLE_THROTTLES:
    case TABLE_JOB_KEYS:
    case TABLE_RUN_KEYS:
    case TABLE_DAG_EDGES:
    case TABLE_START_DEADLINES:
    case TABLE_ATTEMPTS:
    case TABLE_BULK_PARTS:
    case TABLE_ARTIFACTS:
    case TABLE_REQUEST_KEYS:
    case TABLE_JOB_LOGS:
    case TABLE_COUNT: return false;
    }
    return false;
}

static bool text_of(const struct row *row, struct str *out_key)
{
    if (row->table == TABLE_TENANT_NAMES) {
        *out_key = ((const struct tenant_name_row *)row)->name;
    } else if (row->table == TABLE_JOB_TYPES) {
        *out_key = ((const struct job_type_row *)row)->name;
    } else if (row->table == TABLE_SOURCES) {
        *out_key = ((const struct source_row *)row)->name;
    } else if (row->table == TABLE_WORKERS) {
        *out_key = ((const struct worker_row *)row)->name;
    } else if (row->table == TABLE_BREAKERS) {
        *out_key = ((const struct breaker_row *)row)->service;
    } else if (row->table == TABLE_THROTTLES) {
        *out_key = ((const struct throttle_row *)row)->host;
    } else if (row->table == TABLE_RUN_KEYS) {
        *out_key = ((const struct run_key_row *)row)->key;
    } else if (row->table == TABLE_REQUEST_KEYS) {
        *out_key = ((const struct request_key_row *)row)->key;
    } else {
        return false;
    }
    return true;
}

static struct str version_key(struct arena *arena, enum config_kind_id kind, struct str name,
                              int32_t version)
{
    return text_key(arena, WANT_CONFIG_VERSION, name,
                    arena_format(arena, "%d.%d", (int)kind, version));
}

static struct str lane_name(struct arena *arena, struct str job_type, struct str source)
{
    return text_key(arena, WANT_LANE_NAME, job_type, source);
}

static struct lane_heads *heads_of(struct facts *facts, struct tenant_facts *t, int32_t lane)
{
    struct lane_heads *heads = map_find(&t->ready_of_lane, (uint64_t)lane);
    if (heads == NULL) {
        heads = arena_new(facts->arena, struct lane_heads);
        map_put(facts->arena, &t->ready_of_lane, (uint64_t)lane, heads);
    }
    return heads;
}

static int compare_ready(const struct ready_row *a, const struct ready_row *b)
{
    if (a->carry.rank != b->carry.rank) {
        return a->carry.rank < b->carry.rank ? -1 : 1;
    }
    return (a->job > b->job) - (a->job < b->job);
}

/* Puts a row among the lane's heads, unless rows that were not loaded may come before it. */
static void heads_insert(struct facts *facts, struct tenant_facts *t, struct ready_row *row)
{
    struct lane_heads *heads = heads_of(facts, t, row->carry.lane);
    size_t at = heads->rows.n;
    while (at > heads->next && compare_ready(row, heads->rows.v[at - 1]) < 0) {
        at--;
    }
    if (at == heads->rows.n && !heads->complete) {
        return;
    }
    VEC_PUSH(facts->arena, &heads->rows, row);
    memmove(&heads->rows.v[at + 1], &heads->rows.v[at],
            (heads->rows.n - 1 - at) * sizeof(struct ready_row *));
    heads->rows.v[at] = row;
}

static struct tenant_facts *tenant_of(struct facts *facts, const struct row *row)
{
    /* Every table but shards begins its key with shard, tenant. */
    const struct table *table = table_get((enum table_id)row->table);
    const int16_t shard = (int16_t)column_int(&table->columns[0], row);
    const int32_t tenant = (int32_t)column_int(&table->columns[1], row);
    return facts_tenant(facts, shard, (struct tenant_id){tenant});
}

static void index_lane(struct facts *facts, struct tenant_facts *t, struct lane_row *lane)
{
    map_put_str(facts->arena, &t->by_text[TABLE_LANES],
                lane_name(facts->arena, lane->job_type, lane->source), lane);
    if (lane->waiting == 0) {
        heads_of(facts, t, lane->lane)->complete = true;
    }
}

void facts_index(struct facts *facts, struct tenant_facts *t, struct row *row)
{
    int64_t number = 0;
    struct str text = {NULL, 0};
    if (row->table == TABLE_TENANTS) {
        t->row = (struct tenant_row *)row;
    } else if (number_of(row, &number)) {
        map_put(facts->arena, &t->by_key[row->table], (uint64_t)number, row);
    } else if (text_of(row, &text)) {
        map_put_str(facts->arena, &t->by_text[row->table], text, row);
    } else if (row->table == TABLE_JOB_KEYS) {
        const uint64_t hash = (uint64_t)((struct job_key_row *)row)->hash;
        row_list *keys = map_find(&t->by_key[TABLE_JOB_KEYS], hash);
        if (keys == NULL) {
            keys = arena_new(facts->arena, row_list);
            map_put(facts->arena, &t->by_key[TABLE_JOB_KEYS], hash, keys);
        }
        VEC_PUSH(facts->arena, keys, row);
    }
    if (row->table == TABLE_CONFIG_VERSIONS) {
        const struct config_version_row *old = (const struct config_version_row *)row;
        map_put_str(
            facts->arena, &t->by_text[TABLE_CONFIG_VERSIONS],
            version_key(facts->arena, (enum config_kind_id)old->kind, old->name, old->version),
            row);
    } else if (row->table == TABLE_LANES) {
        index_lane(facts, t, (struct lane_row *)row);
    } else if (row->table == TABLE_READY && row->state == ROW_NEW) {
        heads_insert(facts, t, (struct ready_row *)row);
    }
}

/* Rows that answer a listing of the tenant go into its list too. */
static void learn_listed(struct facts *facts, struct tenant_facts *t, enum want_kind kind,
                         const struct want *asked, struct row *row)
{
    row_list *list = map_find(&t->lists, want_key(kind, asked->a));
    if (list != NULL) {
        VEC_PUSH(facts->arena, list, row);
    }
}

static void learn_of_shard(struct facts *facts, enum want_kind kind, const struct want *asked,
                           struct row *row)
{
    struct shard_facts *s = facts_shard(facts, asked->shard);
    row_list *list = kind == WANT_DUE_LEASED      ? &s->due_leased
                     : kind == WANT_DUE_DELAYED   ? &s->due_delayed
                     : kind == WANT_DUE_DEADLINES ? &s->due_deadlines
                     : kind == WANT_DUE_THROTTLES ? &s->due_throttles
                     : kind == WANT_DUE_BULKS     ? &s->due_bulks
                                                  : &s->settling;
    VEC_PUSH(facts->arena, list, row);
}

/* The known version of the same row, or null. */
static struct row *known_row(struct tenant_facts *t, struct row *row)
{
    int64_t number = 0;
    struct str text = {NULL, 0};
    if (row->table == TABLE_TENANTS) {
        return t->row == NULL ? NULL : &t->row->row;
    }
    if (number_of(row, &number)) {
        return map_find(&t->by_key[row->table], (uint64_t)number);
    }
    return text_of(row, &text) ? map_find_str(&t->by_text[row->table], text) : NULL;
}

/* Heads come in order; the first `limit` of a lane are asked for. */
static void learn_head(struct facts *facts, struct tenant_facts *t, const struct want *asked,
                       struct ready_row *row)
{
    struct lane_heads *heads = heads_of(facts, t, row->carry.lane);
    VEC_PUSH(facts->arena, &heads->rows, row);
    heads->complete = (int32_t)heads->rows.n < asked->limit;
}

/* A head that another want told before (a job that is canceled, prioritised, settled in this very
 * tick) is a head all the same: a claim that passed over it would move the lane's rank past it.
 * One that is among the heads already is not after the last of them. */
static void learn_known_head(struct facts *facts, struct tenant_facts *t, const struct want *asked,
                             struct ready_row *row)
{
    const struct lane_heads *heads = heads_of(facts, t, row->carry.lane);
    const size_t n = heads->rows.n;
    if (row_is_live(&row->row) && (n == 0 || compare_ready(row, heads->rows.v[n - 1]) > 0)) {
        learn_head(facts, t, asked, row);
    }
}

void facts_learn(struct facts *facts, enum want_kind kind, const struct want *asked,
                 struct row *row)
{
    row->state = ROW_CLEAN;
    row->listed = false;
    if (row->table == TABLE_SHARDS) {
        facts_shard(facts, ((struct shard_row *)row)->shard)->row = (struct shard_row *)row;
        return;
    }
    struct tenant_facts *t = tenant_of(facts, row);
    struct row *known = known_row(t, row);
    if (known == NULL) {
        facts_index(facts, t, row);
        if (kind == WANT_OPEN_LANES && row->table == TABLE_READY) {
            learn_head(facts, t, asked, (struct ready_row *)row);
        }
    } else {
        row = known;
        if (kind == WANT_OPEN_LANES && row->table == TABLE_READY) {
            learn_known_head(facts, t, asked, (struct ready_row *)row);
        }
    }
    if (kind >= WANT_DUE_LEASED && kind <= WANT_ALL_SETTLING) {
        learn_of_shard(facts, kind, asked, row);
    } else {
        learn_listed(facts, t, kind, asked, row);
    }
}

void facts_answered(struct facts *facts)
{
    const want_list *configs = &facts->wants.of[WANT_CONFIG];
    for (size_t i = 0; i < configs->n; i++) {
        facts_tenant(facts, configs->v[i].shard, (struct tenant_id){configs->v[i].tenant})
            ->config_known = true;
    }
    memset(&facts->wants, 0, sizeof(facts->wants));
}

/* ---- Finding and changing ---- */

bool row_is_live(const struct row *row)
{
    return row->state != ROW_GONE && row->state != ROW_VOID;
}

struct row *facts_find(const struct tenant_facts *t, enum table_id table, int64_t key)
{
    struct row *row = map_find(&t->by_key[table], (uint64_t)key);
    return row != NULL && row_is_live(row) ? row : NULL;
}

struct row *facts_find_text(const struct tenant_facts *t, enum table_id table, struct str key)
{
    struct row *row = map_find_str(&t->by_text[table], key);
    return row != NULL && row_is_live(row) ? row : NULL;
}

struct config_version_row *facts_config_version(struct facts *facts, const struct tenant_facts *t,
                                                enum config_kind_id kind, struct str name,
                                                int32_t version)
{
    return (struct config_version_row *)facts_find_text(
        t, TABLE_CONFIG_VERSIONS, version_key(facts->arena, kind, name, version));
}

struct lane_row *facts_lane_by_name(const struct tenant_facts *t, struct str job_type,
                                    struct str source)
{
    char key[1024];
    CHECK(job_type.len + source.len + 2 <= sizeof(key));
    size_t len = 0;
    key[len++] = (char)('A' + (int)WANT_LANE_NAME);
    memcpy(key + len, job_type.ptr, job_type.len);
    len += job_type.len;
    key[len++] = '\n';
    if (source.len > 0) {
        memcpy(key + len, source.ptr, source.len);
        len += source.len;
    }
    return (struct lane_row *)facts_find_text(t, TABLE_LANES, (struct str){key, len});
}

row_list *facts_list_find(struct tenant_facts *t, enum want_kind kind, int64_t a)
{
    return map_find(&t->lists, want_key(kind, a));
}

void facts_list_forget(struct facts *facts, struct tenant_facts *t, enum want_kind kind, int64_t a)
{
    map_put(facts->arena, &t->lists, want_key(kind, a), NULL);
}

row_list *facts_list(struct tenant_facts *t, enum want_kind kind, int64_t a)
{
    row_list *list = facts_list_find(t, kind, a);
    CHECK(list != NULL);
    return list;
}

static void touch(struct facts *facts, struct row *row)
{
    if (!row->listed) {
        row->listed = true;
        VEC_PUSH(facts->arena, &facts->touched[row->table], row);
    }
}

struct row *facts_add(struct facts *facts, struct tenant_facts *t, enum table_id table)
{
    struct row *row = arena_alloc(facts->arena, table_get(table)->row_size);
    row->table = (uint8_t)table;
    row->state = ROW_NEW;
    const struct column *columns = table_get(table)->columns;
    column_set_int(&columns[0], row, t->shard);
    column_set_int(&columns[1], row, t->id.v);
    touch(facts, row);
    return row;
}

void facts_change(struct facts *facts, struct row *row)
{
    CHECK(row_is_live(row));
    if (row->state == ROW_CLEAN) {
        row->state = ROW_CHANGED;
        touch(facts, row);
    }
}

void facts_remove(struct facts *facts, struct row *row)
{
    CHECK(row_is_live(row));
    row->state = row->state == ROW_NEW ? ROW_VOID : ROW_GONE;
    touch(facts, row);
}
