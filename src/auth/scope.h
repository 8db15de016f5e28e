/*
 * auth/scope - what a token may do, as bits (tokens.scopes).
 */
#ifndef AUTH_SCOPE_H
#define AUTH_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum scope_bit {
    SCOPE_READ = 1,
    SCOPE_SUBMIT = 2,
    SCOPE_OPERATE = 4,
    SCOPE_QUOTA = 8,
    SCOPE_BACKFILL = 16,
    SCOPE_ADMIN = 32,
    SCOPE_WORK = 64,
    SCOPE_ANY = 128, /* In routes: any valid token. */
};

enum { SCOPE_COUNT = 7 };

/* "orch:read"; false when unknown. */
bool scope_find(struct str name, int32_t *out_bit);
/* Name of the i-th scope, in order of their names. */
struct str scope_name(size_t i, int32_t *out_bit);
/* The scopes held allow what needs `wanted`: orch:admin implies all but orch:work. */
bool scope_allows(int32_t held, int32_t wanted);

#endif
