/*
 * auth/principal - who a token is, and a bounded cache of them by the token's hash.
 *
 * Use      principals_find(); when it does not know, read the ledger and principals_put(); what is
 *          older than the age given is not known. principals_forget() at once after a revocation
 *          made here, principals_forget_all() when another node says that tokens changed.
 * Owns     the cache its copies; a found principal lies in the caller's arena.
 * Threads  any.
 * Bounds   PRINCIPALS_MAX; unknown tokens are kept too, for a second, so that a flood of them does
 *          not reach the ledger one by one.
 */
#ifndef AUTH_PRINCIPAL_H
#define AUTH_PRINCIPAL_H

#include "auth/scope.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/time.h"

struct principal {
    int64_t token; /* Number in "tok-3"; 0: there is no such token, or it was revoked. */
    struct str name;
    int32_t for_tenant; /* 0: the installation. */
    int32_t scopes;
    struct str job_types; /* Each ended by '\n'; empty: all. */
};

enum { PRINCIPALS_MAX = 4096 };

struct principals;

struct principals *principals_new(int64_t max_age_us);
void principals_free(struct principals *principals);
/* True when it is known, be it as none. */
bool principals_find(struct principals *principals, const struct sha256 *hash, struct mono_time now,
                     struct arena *arena, struct principal *out);
void principals_put(struct principals *principals, const struct sha256 *hash, struct mono_time now,
                    const struct principal *principal);
void principals_forget(struct principals *principals, int64_t token);
void principals_forget_all(struct principals *principals);
/* The job type is one that this token may claim. */
bool principal_may_claim(const struct principal *principal, struct str job_type);

#endif
