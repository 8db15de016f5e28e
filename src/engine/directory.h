/*
 * engine/directory - where tenants live, by name and by number, cached.
 *
 * A tenant's name, number and shard never change, so that what was found stays true. What was not
 * found is remembered for DIRECTORY_ABSENT_US only.
 *
 * Threads  any; misses ask the ledger one after another, hits do not wait for them.
 * Bounds   DIRECTORY_ABSENT_MAX names known to be absent.
 */
#ifndef ENGINE_DIRECTORY_H
#define ENGINE_DIRECTORY_H

#include <pthread.h>

#include "base/map.h"
#include "ledger/ledger.h"

#define DIRECTORY_ABSENT_US (1 * US_PER_S)

enum { DIRECTORY_ABSENT_MAX = 256 };

struct directory_entry {
    struct tenant_id tenant;
    int16_t shard;
    struct str name;
};

struct directory_absence {
    uint64_t name; /* Hash. */
    int64_t until; /* Mono. */
};

struct directory {
    pthread_mutex_t reader_lock; /* Of the reader; taken before `lock`. */
    struct reader *reader;
    pthread_mutex_t lock; /* Of the rest. */
    struct arena arena;
    struct map by_name; /* -> struct directory_entry */
    struct map by_id;
    struct directory_absence absent[DIRECTORY_ABSENT_MAX];
};

void directory_init(struct directory *directory);
void directory_fini(struct directory *directory);
enum err_code directory_open(struct directory *directory, const struct ledger_target *target,
                             struct err *err);
/* The system tenant is left out: nobody works in it. */
void directory_add(struct directory *directory, struct tenant_id tenant, int16_t shard,
                   struct str name);
/* ERR_NOT_FOUND; ERR_LEDGER_UNAVAILABLE. The name in *out lives as long as the directory. */
enum err_code directory_by_name(struct directory *directory, struct str name,
                                struct directory_entry *out, struct err *err);
/* Asks every shard when the number is not known. */
enum err_code directory_by_id(struct directory *directory, struct tenant_id tenant,
                              struct directory_entry *out, struct err *err);

#endif
