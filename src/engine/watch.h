/*
 * engine/watch - learns what is in the ledger: everything at the start, then once in `look_us`, or
 * when a hint says so (hints.h), what other nodes changed.
 *
 * A shard's row counts its ticks: when it counted on without this node, its tenants and lanes are
 * read again. What is read is older than what this node committed meanwhile, or as old: a
 * tenant's rows are learned only when its history is not shorter than what is known.
 *
 * Threads  watch_load() before the threads start; watch_run() is a thread's body.
 */
#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H

#include "engine/node.h"

/* Reads all shards, tenants and busy lanes. */
enum err_code watch_load(struct engine *engine, struct err *err);
void *watch_run(void *engine);

#endif
