#include "auth/scope.h"

static const struct {
    const char *name;
    int32_t bit;
} scopes[SCOPE_COUNT] = {
    {"orch:admin", SCOPE_ADMIN}, {"orch:backfill", SCOPE_BACKFILL}, {"orch:operate", SCOPE_OPERATE},
    {"orch:quota", SCOPE_QUOTA}, {"orch:read", SCOPE_READ},         {"orch:submit", SCOPE_SUBMIT},
    {"orch:work", SCOPE_WORK},
};

bool scope_find(struct str name, int32_t *out_bit)
{
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (str_eq(str_from(scopes[i].name), name)) {
            *out_bit = scopes[i].bit;
            return true;
        }
    }
    return false;
}

struct str scope_name(size_t i, int32_t *out_bit)
{
    *out_bit = scopes[i].bit;
    return str_from(scopes[i].name);
}

bool scope_allows(int32_t held, int32_t wanted)
{
    if ((held & SCOPE_ADMIN) != 0 && wanted != SCOPE_WORK) {
        return true;
    }
    return wanted == SCOPE_ANY || (held & wanted) != 0;
}
