/*
 * query/json_diff - what differs between two JSON documents, as a list of changed paths.
 *
 * Use      json_diff_put() writes an array of {"op","path","value"?,"was"?}, as JSON Patch (RFC
 *          6902) has them and with what was there before. Members are compared by name, elements
 *          of arrays by their place.
 * Owns     nothing; texts lie in the arena.
 * Threads  any; pure.
 * Order    by path, so that the same two documents give the same list.
 */
#ifndef QUERY_JSON_DIFF_H
#define QUERY_JSON_DIFF_H

#include "base/arena.h"
#include "base/json.h"

void json_diff_put(struct json_writer *w, struct arena *arena, const json_t *before,
                   const json_t *after);

#endif
