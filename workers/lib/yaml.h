/*
 * yaml - one YAML document as a JSON value.
 *
 * Numbers  stay what they were written as: a plain scalar becomes an integer only when it is in
 *          the canonical decimal form, otherwise a text. These documents are full of unquoted
 *          versions, and 1.10 must not become 1.1.
 * Bounds   JSON_DEPTH_MAX levels, YAML_NODES_MAX values counted as if aliases were copied, and
 *          YAML_ANCHORS_MAX anchors. An alias inside its own anchor is refused.
 * Owns     the caller owns the value (json_decref).
 */
#ifndef WORKERS_LIB_YAML_H
#define WORKERS_LIB_YAML_H

#include <jansson.h>

#include "base/str.h"
#include "workers/lib/reading.h"

enum { YAML_NODES_MAX = 1000000, YAML_ANCHORS_MAX = 1000 };

/* Null, and the reading refused, when it is not one well-formed document within the bounds. */
json_t *yaml_read(struct reading *reading, struct str bytes);

#endif
