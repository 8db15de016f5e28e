/*
 * api/cursor - the opaque text between two pages of a listing.
 *
 * base64url of: version, keys, and a keyed hash over them and over what the page was asked for
 * (tenant, listing, filters). A cursor of another listing, tenant or filter, or one that somebody
 * made, is refused.
 */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

enum { CURSOR_KEYS = 3, CURSOR_NAME = 200 };

/* Where a page ended: up to three numbers and a name. */
struct cursor {
    int64_t keys[CURSOR_KEYS];
    struct str name;
};

/* The text; `asked` is tenant, listing and filters in one piece. */
struct str cursor_format(struct arena *arena, const struct hash_key *key, struct str asked,
                         const struct cursor *cursor);
/* ERR_BAD_CURSOR. */
enum err_code cursor_parse(struct arena *arena, const struct hash_key *key, struct str asked,
                           struct str text, struct cursor *out, struct err *err);

#endif
