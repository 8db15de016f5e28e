/*
 * workers/pipeline/plan - one run for a feed folder: advisories, VEX and SBOMs beside each other,
 * then policy, then the merge; fanned out in batches so that many jobs run at once.
 *
 * Use      plan_list() reads the folder's names; plan_put_run() writes the body of POST /runs, and
 *          plan_put_source() that of PUT /sources/{name}.
 * Owns     texts lie in the arena given.
 * Bounds   PLAN_FILES_MAX documents. Folders may be nested; links are not followed; names of
 *          folders other than advisories-osv, advisories-csaf, vex and sbom are not read.
 * Order    by path, so that the same folder gives the same jobs.
 */
#ifndef WORKERS_PIPELINE_PLAN_H
#define WORKERS_PIPELINE_PLAN_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/vec.h"

enum { PLAN_SOURCES = 4, PLAN_FILES_MAX = 1000000 };

/* One folder of the feed, as a source of the orchestrator. */
struct plan_source {
    const char *name;      /* "advisories-osv"; the folder's name too. */
    const char *kind;      /* "advisory-osv" */
    const char *job_type;  /* "advisory.ingest" */
    VEC(struct str) paths; /* Below the feed folder. */
};

struct plan {
    struct arena *arena;
    struct plan_source sources[PLAN_SOURCES];
    struct plan_source *sboms; /* The last of them. */
    size_t documents;
    size_t ingest_jobs, policy_jobs;
};

struct plan_options {
    size_t batch;      /* Documents of an ingest job. */
    size_t sbom_batch; /* SBOMs of a policy job. */
    bool keep_raw;
    const json_t *policy; /* Document, or null for the one that is shipped. */
};

/* False, said on stderr, when the folder cannot be read or holds nothing. */
bool plan_list(struct plan *plan, struct arena *arena, const char *folder);
/* `url` is where workers find the feed; `subjects` may be null. */
void plan_put_source(struct buf *out, const struct plan_source *source, const char *url,
                     const json_t *subjects);
void plan_put_run(struct buf *out, struct plan *plan, const struct plan_options *options);

#endif
