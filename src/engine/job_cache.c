#include "engine/job_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/tables.h"
#include "platform/thread.h"

enum { SLOTS_LEAST = 64, BYTES_PER_SLOT = 1024 };

struct kept_job {
    struct kept_job *same_slot;
    struct kept_job *older;
    struct kept_job *newer;
    int64_t at; /* Mono. */
    size_t bytes;
    struct job_row row;
    char texts[];
};

void job_cache_init(struct job_cache *cache, size_t max)
{
    *cache = (struct job_cache){.max = max, .slot_count = SLOTS_LEAST};
    mutex_init(&cache->lock);
    while (cache->slot_count < max / BYTES_PER_SLOT) {
        cache->slot_count *= 2;
    }
    cache->slots = calloc(cache->slot_count, sizeof(struct kept_job *));
    CHECK(cache->slots != NULL);
}

static struct kept_job **slot_of(const struct job_cache *cache, int32_t tenant, int64_t job)
{
    const uint64_t key = (uint64_t)job + ((uint64_t)(uint32_t)tenant << 40);
    return &cache->slots[(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (cache->slot_count - 1)];
}

/* Lock held. */
static void take_out(struct job_cache *cache, struct kept_job *kept)
{
    struct kept_job **at = slot_of(cache, kept->row.tenant, kept->row.job);
    while (*at != kept) {
        at = &(*at)->same_slot;
    }
    *at = kept->same_slot;
    *(kept->older == NULL ? &cache->oldest : &kept->older->newer) = kept->newer;
    *(kept->newer == NULL ? &cache->newest : &kept->newer->older) = kept->older;
    cache->bytes -= kept->bytes;
}

void job_cache_fini(struct job_cache *cache)
{
    while (cache->oldest != NULL) {
        struct kept_job *kept = cache->oldest;
        take_out(cache, kept);
        free(kept);
    }
    free(cache->slots);
    mutex_fini(&cache->lock);
}

static size_t text_bytes(const struct table *table, const struct job_row *row)
{
    size_t bytes = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        const enum column_kind kind = table->columns[i].kind;
        if (kind == COLUMN_TEXT || kind == COLUMN_BYTES) {
            bytes += column_str(&table->columns[i], &row->row).len;
        }
    }
    return bytes;
}

/* As if it had been read: unchanged, at no place that anybody may write to. */
static struct kept_job *copy_of(const struct job_row *row, int64_t mono)
{
    const struct table *table = table_get(TABLE_JOBS);
    const size_t bytes = sizeof(struct kept_job) + text_bytes(table, row);
    struct kept_job *kept = malloc(bytes);
    CHECK(kept != NULL);
    *kept = (struct kept_job){.at = mono, .bytes = bytes, .row = *row};
    kept->row.row = (struct row){.table = TABLE_JOBS};
    char *at = kept->texts;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (column->kind == COLUMN_TEXT || column->kind == COLUMN_BYTES) {
            const struct str text = column_str(column, &row->row);
            if (text.len > 0) {
                memcpy(at, text.ptr, text.len);
            }
            column_set_str(column, &kept->row.row, (struct str){at, text.len});
            at += text.len;
        }
    }
    return kept;
}

/* Lock held. */
static bool make_room(struct job_cache *cache, size_t bytes, int64_t mono)
{
    while (cache->bytes + bytes > cache->max) {
        struct kept_job *oldest = cache->oldest;
        if (oldest == NULL || mono - oldest->at < JOB_KEPT_US) {
            return false;
        }
        take_out(cache, oldest);
        free(oldest);
    }
    return true;
}

void job_cache_put(struct job_cache *cache, const struct job_row *row, int64_t mono)
{
    if (cache->max == 0) {
        return;
    }
    struct kept_job *kept = copy_of(row, mono);
    mutex_take(&cache->lock);
    const bool fits = make_room(cache, kept->bytes, mono);
    if (fits) {
        struct kept_job **slot = slot_of(cache, row->tenant, row->job);
        kept->same_slot = *slot;
        *slot = kept;
        kept->older = cache->newest;
        *(cache->newest == NULL ? &cache->oldest : &cache->newest->newer) = kept;
        cache->newest = kept;
        cache->bytes += kept->bytes;
    }
    mutex_give(&cache->lock);
    if (!fits) {
        free(kept);
    }
}

struct job_row *job_cache_take(struct job_cache *cache, int32_t tenant, int64_t job, int64_t rank)
{
    mutex_take(&cache->lock);
    struct kept_job *kept = *slot_of(cache, tenant, job);
    while (kept != NULL && (kept->row.tenant != tenant || kept->row.job != job)) {
        kept = kept->same_slot;
    }
    if (kept != NULL) {
        take_out(cache, kept);
    }
    mutex_give(&cache->lock);
    if (kept != NULL && kept->row.rank != rank) {
        free(kept);
        return NULL;
    }
    return kept == NULL ? NULL : &kept->row;
}

void job_cache_free(struct job_row *row)
{
    free((char *)row - offsetof(struct kept_job, row));
}
