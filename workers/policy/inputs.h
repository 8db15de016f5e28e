/*
 * workers/policy/inputs - what the jobs before this one in its run have made.
 *
 * Use      inputs_list() for one artifact name, inputs_load() for each item.
 * Owns     items lie in the arena given; a loaded body is the caller's (buf_fini).
 * Order    by content hash, each content once: the same inputs give the same order in every run.
 */
#ifndef WORKERS_POLICY_INPUTS_H
#define WORKERS_POLICY_INPUTS_H

#include <stella/worker.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"

enum { INPUT_BYTES_MAX = 1024 * 1024 * 1024 };

struct input {
    const char *job; /* That made it. */
    const char *sha256;
    uint64_t size; /* Bytes. */
};

struct inputs {
    struct arena *arena;
    const char *name; /* Of the artifacts that are meant. */
    VEC(struct input) items;
};

/* Lists the outputs of the job's run that are called `name`. */
int32_t inputs_list(struct stella_job *job, struct arena *arena, const char *name,
                    struct inputs *out, struct stella_error *error);
/* Downloads one, verified, and records for lineage that it was read. */
int32_t inputs_load(struct stella_job *job, const struct inputs *inputs, size_t i,
                    struct buf *out_body, struct stella_error *error);

#endif
