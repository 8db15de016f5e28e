/*
 * core/secret - secrets in configuration are references: "env:NAME" or "file:PATH".
 *
 * Use      secrets_check() of a document before it is stored; secret_is_reference() of one text.
 * Bounds   JSON_DEPTH_MAX levels.
 * Errors   literal_secret with the pointer of the member; the message never holds its value.
 */
#ifndef CORE_SECRET_H
#define CORE_SECRET_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* "env:NAME" with a NAME of letters, digits and _; "file:PATH" with a plain relative path. */
bool secret_is_reference(struct str text);
/* Every member below `value` whose name says that it is a secret is a reference. `at` is the
 * pointer of `value`. */
enum err_code secrets_check(struct arena *arena, const json_t *value, struct str at,
                            struct err *err);

#endif
