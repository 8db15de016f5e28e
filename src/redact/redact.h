/*
 * redact - takes secrets out of texts that people wrote, before they are stored, shown or logged.
 *
 * What is taken: authorization and cookie headers; bearer and basic credentials; user:password of
 * URLs; values of names such as password, api_key, signature; private key blocks; tokens of known
 * shape (clouds, forges, package registries, JWTs, our own); values that are known to be secret;
 * what the operator's patterns say. In its place stands "[redacted:KIND]".
 *
 * Use      redact_text() for plain text, redact_json() for a JSON text: only what is inside its
 *          strings changes, so the result is JSON of the same shape. `rules` may be null.
 * Owns     nothing; rules lie in the caller's arena and are not changed while in use.
 * Threads  any; pure.
 * Bounds   time is linear in the text: one pass, each look ahead bounded; at most
 *          REDACT_VALUES_MAX searches for known values. The text may hold any bytes; what is valid
 *          UTF-8 stays so. The result is at most REDACT_GROWTH times as long.
 * Rules    redacting twice gives the same as once.
 */
#ifndef REDACT_REDACT_H
#define REDACT_REDACT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
    REDACT_VALUES_MAX = 128,
    REDACT_VALUE_MIN = 6, /* Bytes; a shorter one would blank ordinary words. */
    REDACT_VALUE_MAX = 4096,
    REDACT_PATTERNS_MAX = 32,
    REDACT_PATTERN_MAX = 128,
    REDACT_GROWTH = 8,
};

struct redact_rules {
    struct str values[REDACT_VALUES_MAX]; /* Longest first. */
    size_t value_count;
    struct str patterns[REDACT_PATTERNS_MAX];
    size_t pattern_count;
};

/* What goes on from one line to the next: a private key that is logged line by line. */
struct redact_state {
    bool in_key;
};

/* Adds a value that is never to be shown, as it is and as URLs, JSON and base64 write it. Too short
 * ones are left out; a longer one is known by its first REDACT_VALUE_MAX bytes. */
void redact_add_value(struct redact_rules *rules, struct arena *arena, struct str value);
/* Adds patterns, separated by spaces: literal text in which '*' stands for 1 to 256 of
 * [A-Za-z0-9_.~+/=-]. Each begins with at least 3 literal bytes. Errors: ERR_USAGE. */
enum err_code redact_add_patterns(struct redact_rules *rules, struct arena *arena, struct str text,
                                  struct err *err);

/* Appends the text without its secrets; true when something was taken. `state` may be null. */
bool redact_text(const struct redact_rules *rules, struct redact_state *state, struct str text,
                 struct buf *out);
/* The same for a JSON text. */
bool redact_json(const struct redact_rules *rules, struct str json, struct buf *out);
/* The text without its secrets, in the arena; the text itself when there were none. */
struct str redact_copy(const struct redact_rules *rules, struct arena *arena, struct str text);
struct str redact_json_copy(const struct redact_rules *rules, struct arena *arena, struct str json);

#endif
