#include "auth/principal.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "platform/thread.h"

enum { WAYS = 4, SETS = PRINCIPALS_MAX / WAYS };

#define UNKNOWN_AGE US_PER_S

struct entry {
    struct sha256 hash;
    int64_t at; /* When it was read; 0: empty. */
    struct principal principal;
    char *texts; /* Owned: name and job types. */
};

struct principals {
    pthread_mutex_t lock;
    int64_t max_age_us;
    struct entry entries[SETS][WAYS];
};

struct principals *principals_new(int64_t max_age_us)
{
    struct principals *p = calloc(1, sizeof(*p));
    CHECK(p != NULL);
    mutex_init(&p->lock);
    p->max_age_us = max_age_us;
    return p;
}

static void entry_clear(struct entry *entry)
{
    free(entry->texts);
    *entry = (struct entry){0};
}

void principals_free(struct principals *p)
{
    for (size_t set = 0; set < SETS; set++) {
        for (size_t way = 0; way < WAYS; way++) {
            entry_clear(&p->entries[set][way]);
        }
    }
    mutex_fini(&p->lock);
    free(p);
}

/* The digest of a secret that nobody can choose: its first bytes are as good as any hash. */
static struct entry *set_of(struct principals *p, const struct sha256 *hash)
{
    return p->entries[((size_t)hash->bytes[0] << 8 | hash->bytes[1]) % SETS];
}

static bool is_fresh(const struct principals *p, const struct entry *entry, struct mono_time now)
{
    const int64_t age =
        entry->principal.token == 0 && p->max_age_us > UNKNOWN_AGE ? UNKNOWN_AGE : p->max_age_us;
    return entry->at != 0 && now.us - entry->at < age;
}

bool principals_find(struct principals *p, const struct sha256 *hash, struct mono_time now,
                     struct arena *arena, struct principal *out)
{
    bool found = false;
    mutex_take(&p->lock);
    const struct entry *set = set_of(p, hash);
    for (size_t way = 0; way < WAYS; way++) {
        const struct entry *entry = &set[way];
        if (CRYPTO_memcmp(&entry->hash, hash, sizeof(*hash)) == 0 && is_fresh(p, entry, now)) {
            *out = entry->principal;
            out->name = arena_str(arena, out->name);
            out->job_types = arena_str(arena, out->job_types);
            found = true;
        }
    }
    mutex_give(&p->lock);
    return found;
}

static struct entry *entry_for(struct entry *set, const struct sha256 *hash)
{
    struct entry *oldest = &set[0];
    for (size_t way = 0; way < WAYS; way++) {
        if (sha256_eq(&set[way].hash, hash)) {
            return &set[way];
        }
        oldest = set[way].at < oldest->at ? &set[way] : oldest;
    }
    return oldest;
}

void principals_put(struct principals *p, const struct sha256 *hash, struct mono_time now,
                    const struct principal *principal)
{
    const size_t name_len = principal->name.len;
    const size_t types_len = principal->job_types.len;
    char *texts = malloc(name_len + types_len + 1);
    CHECK(texts != NULL);
    if (name_len > 0) {
        memcpy(texts, principal->name.ptr, name_len);
    }
    if (types_len > 0) {
        memcpy(texts + name_len, principal->job_types.ptr, types_len);
    }
    mutex_take(&p->lock);
    struct entry *entry = entry_for(set_of(p, hash), hash);
    entry_clear(entry);
    *entry = (struct entry){*hash, now.us, *principal, texts};
    entry->principal.name = (struct str){texts, name_len};
    entry->principal.job_types = (struct str){texts + name_len, types_len};
    mutex_give(&p->lock);
}

void principals_forget(struct principals *p, int64_t token)
{
    mutex_take(&p->lock);
    for (size_t set = 0; set < SETS; set++) {
        for (size_t way = 0; way < WAYS; way++) {
            if (p->entries[set][way].principal.token == token) {
                entry_clear(&p->entries[set][way]);
            }
        }
    }
    mutex_give(&p->lock);
}

void principals_forget_all(struct principals *p)
{
    mutex_take(&p->lock);
    for (size_t set = 0; set < SETS; set++) {
        for (size_t way = 0; way < WAYS; way++) {
            entry_clear(&p->entries[set][way]);
        }
    }
    mutex_give(&p->lock);
}

bool principal_may_claim(const struct principal *principal, struct str job_type)
{
    struct str rest = principal->job_types;
    struct str one;
    if (rest.len == 0) {
        return true;
    }
    while (str_split(&rest, '\n', &one)) {
        if (str_eq(one, job_type)) {
            return true;
        }
    }
    return false;
}
