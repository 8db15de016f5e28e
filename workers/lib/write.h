/*
 * write - small words for observation bodies, on the canonical writer of base/json.
 */
#ifndef WORKERS_LIB_WRITE_H
#define WORKERS_LIB_WRITE_H

#include <jansson.h>

#include "base/json.h"
#include "base/str.h"

/* A text, or null when it is empty. */
void write_text(struct json_writer *out, struct str key, struct str value);
/* A moment in UTC with microseconds so that texts compare as moments do; null when it is none. */
void write_time(struct json_writer *out, struct str key, struct str value);
/* The texts of an array, other elements left out; an empty array for null. */
void write_texts(struct json_writer *out, struct str key, const json_t *array);

#endif
