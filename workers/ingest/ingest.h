/*
 * workers/ingest - one slice of a feed: documents in, observations and their outcomes out.
 *
 * Use      the handler of advisory.ingest, vex.ingest and sbom.ingest; `frame->data` is a const
 *          enum document_kind.
 * Payload  {"source":NAME, "paths":[...], "keep_raw"?:true}; the paths are below the source's url.
 * Makes    observations.jsonl, outcomes.jsonl ({"class","format","outcome","path","sha256",
 *          "warnings"} a line, in the payload's order), and raw/<path> for each document; a path
 *          that cannot be an artifact's name becomes raw/_/<hash of the path>-<its end>.
 * Result   {"accepted":n,"quarantined":{class:n},"read":n,"warnings":n}; `warnings` counts
 *          documents that were used although they depart from their format's rules.
 * Errors   a document that cannot be used is a good end (quarantined); the job fails only when a
 *          document cannot be had or an artifact cannot be kept.
 */
#ifndef WORKERS_INGEST_INGEST_H
#define WORKERS_INGEST_INGEST_H

#include <stella/worker.h>

/* Documents that one payload may name. */
enum { INGEST_PATHS_MAX = STELLA_ARTIFACTS_MAX - 2 };

int32_t ingest_run(void *context, struct stella_job *job);

#endif
