/*
 * core/members - reads the members of a JSON body from outside, each within its bounds.
 *
 * Errors   ERR_UNPROCESSABLE, pointing at the member.
 * Threads  none; pure.
 */
#ifndef CORE_MEMBERS_H
#define CORE_MEMBERS_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

/* A member that is an integer within bounds. */
struct int_member {
    const char *name;
    int64_t min;
    int64_t max;
    int64_t standard; /* When it is not given. */
};

enum err_code members_refuse(struct err *err, const char *member, const char *why);
/* Refuses members that are in neither list. */
enum err_code members_known(const json_t *body, const struct int_member *ints, size_t int_count,
                            const char *const *names, size_t name_count, struct err *err);
enum err_code members_int(const json_t *body, const struct int_member *member, int64_t *out,
                          struct err *err);
/* A text member, `standard` when absent or null. */
enum err_code members_text(struct arena *arena, const json_t *body, const char *name,
                           struct str standard, size_t max, struct str *out, struct err *err);
/* The position of a text in a closed list. */
enum err_code members_choice(const json_t *body, const char *name, const char *const *choices,
                             size_t count, int standard, int *out, struct err *err);
/* A switch, `standard` when absent. */
enum err_code members_switch(const json_t *body, const char *name, bool standard, bool *out,
                             struct err *err);
/* A list of at most `max` different names, each of at most `name_max` bytes; null when absent. */
enum err_code members_names(struct arena *arena, const json_t *body, const char *member, size_t max,
                            size_t name_max, const struct str **out, size_t *out_count,
                            struct err *err);

#endif
