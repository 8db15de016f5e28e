#include "engine/directory.h"

#include <string.h>

#include "platform/clock.h"
#include "platform/thread.h"

#define DIRECTORY_BYTES_MAX ((size_t)1 << 30)

void directory_init(struct directory *directory)
{
    memset(directory, 0, sizeof(*directory));
    mutex_init(&directory->lock);
    mutex_init(&directory->reader_lock);
    arena_init(&directory->arena, DIRECTORY_BYTES_MAX);
}

void directory_fini(struct directory *directory)
{
    reader_close(directory->reader);
    arena_fini(&directory->arena);
    mutex_fini(&directory->reader_lock);
    mutex_fini(&directory->lock);
}

enum err_code directory_open(struct directory *directory, const struct ledger_target *target,
                             struct err *err)
{
    return reader_open(target, &directory->reader, err);
}

static uint64_t name_hash(struct str name)
{
    static const struct hash_key key = {{UINT64_C(0x6469726563746f72), 1}};
    return hash_keyed(&key, name);
}

void directory_add(struct directory *directory, struct tenant_id tenant, int16_t shard,
                   struct str name)
{
    if (tenant.v == TENANT_SYSTEM) {
        return; /* Nobody's tenant. */
    }
    mutex_take(&directory->lock);
    if (map_find(&directory->by_id, (uint64_t)tenant.v) == NULL) {
        struct directory_entry *entry = arena_new(&directory->arena, struct directory_entry);
        entry->tenant = tenant;
        entry->shard = shard;
        entry->name = arena_str(&directory->arena, name);
        map_put(&directory->arena, &directory->by_id, (uint64_t)tenant.v, entry);
        map_put_str(&directory->arena, &directory->by_name, entry->name, entry);
    }
    const uint64_t hash = name_hash(name);
    struct directory_absence *absence = &directory->absent[hash % DIRECTORY_ABSENT_MAX];
    if (absence->name == hash) {
        absence->until = 0;
    }
    mutex_give(&directory->lock);
}

/* What is known without asking the ledger. */
enum knowledge { KNOWN, KNOWN_ABSENT, UNKNOWN };

static enum knowledge look_name(struct directory *directory, struct str name,
                                struct directory_entry *out)
{
    const uint64_t hash = name_hash(name);
    mutex_take(&directory->lock);
    const struct directory_entry *entry = map_find_str(&directory->by_name, name);
    enum knowledge knowledge = UNKNOWN;
    if (entry != NULL) {
        *out = *entry;
        knowledge = KNOWN;
    } else {
        const struct directory_absence *absence = &directory->absent[hash % DIRECTORY_ABSENT_MAX];
        if (absence->name == hash && clock_mono().us < absence->until) {
            knowledge = KNOWN_ABSENT;
        }
    }
    mutex_give(&directory->lock);
    return knowledge;
}

static void note_absent(struct directory *directory, struct str name)
{
    const uint64_t hash = name_hash(name);
    mutex_take(&directory->lock);
    directory->absent[hash % DIRECTORY_ABSENT_MAX] =
        (struct directory_absence){.name = hash, .until = clock_mono().us + DIRECTORY_ABSENT_US};
    mutex_give(&directory->lock);
}

/* Adds the tenants that the query names; both queries give shard, tenant, name first. */
static enum err_code ask(struct directory *directory, struct query *query, struct err *err)
{
    struct query_result result;
    enum err_code code = reader_query(directory->reader, query, &result, err);
    if (code == ERR_LEDGER_UNAVAILABLE) { /* A connection that was cut says so once. */
        code = reader_query(directory->reader, query, &result, err);
    }
    TRY(code);
    for (size_t i = 0; i < result.rows; i++) {
        const struct query_value *row = &result.values[i * result.columns];
        directory_add(directory, (struct tenant_id){(int32_t)row[1].number}, (int16_t)row[0].number,
                      row[2].text);
    }
    return ERR_OK;
}

static enum err_code ask_name(struct directory *directory, struct str name, struct err *err)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    struct query query = {.name = "tenant_by_name", .arena = &arena};
    query_arg_text(&query, name);
    const enum err_code code = ask(directory, &query, err);
    arena_fini(&arena);
    return code;
}

enum err_code directory_by_name(struct directory *directory, struct str name,
                                struct directory_entry *out, struct err *err)
{
    enum knowledge knowledge = look_name(directory, name, out);
    if (knowledge == UNKNOWN) {
        mutex_take(&directory->reader_lock);
        enum err_code code = ERR_OK;
        knowledge = look_name(directory, name, out); /* Another may have asked meanwhile. */
        if (knowledge == UNKNOWN) {
            code = ask_name(directory, name, err);
            knowledge = look_name(directory, name, out);
        }
        mutex_give(&directory->reader_lock);
        TRY(code);
        if (knowledge == UNKNOWN) {
            note_absent(directory, name);
        }
    }
    return knowledge == KNOWN ? ERR_OK : err_set(err, ERR_NOT_FOUND, "there is no such tenant");
}

static bool look_id(struct directory *directory, struct tenant_id tenant,
                    struct directory_entry *out)
{
    mutex_take(&directory->lock);
    const struct directory_entry *entry = map_find(&directory->by_id, (uint64_t)tenant.v);
    if (entry != NULL) {
        *out = *entry;
    }
    mutex_give(&directory->lock);
    return entry != NULL;
}

static enum err_code ask_id(struct directory *directory, struct tenant_id tenant, struct err *err)
{
    struct arena arena;
    arena_init(&arena, (size_t)16 << 20);
    enum err_code code = ERR_OK;
    for (int16_t shard = 0; shard < SHARD_COUNT && code == ERR_OK; shard++) {
        struct query query = {.name = "tenant_by_id", .arena = &arena};
        query_arg_int(&query, shard);
        query_arg_int(&query, tenant.v);
        code = ask(directory, &query, err);
    }
    arena_fini(&arena);
    return code;
}

enum err_code directory_by_id(struct directory *directory, struct tenant_id tenant,
                              struct directory_entry *out, struct err *err)
{
    if (tenant.v <= 0) {
        return err_set(err, ERR_NOT_FOUND, "there is no such tenant");
    }
    if (look_id(directory, tenant, out)) {
        return ERR_OK;
    }
    mutex_take(&directory->reader_lock);
    const enum err_code code =
        look_id(directory, tenant, out) ? ERR_OK : ask_id(directory, tenant, err);
    mutex_give(&directory->reader_lock);
    TRY(code);
    return look_id(directory, tenant, out) ? ERR_OK
                                           : err_set(err, ERR_NOT_FOUND, "there is no such tenant");
}
