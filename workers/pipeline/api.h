/*
 * workers/pipeline/api - the orchestrator's HTTP API, as the pipeline needs it.
 *
 * Use      api_open(), then api_call() and api_download(), then api_close().
 * Owns     an answer's body is the caller's (buf_fini).
 * Threads  none.
 * Errors   a call is repeated, with pauses, while the server does not answer or says 429 or 5xx,
 *          for at most API_PATIENCE_S; everything that is sent may be repeated (PUT, GET, and POST
 *          with an Idempotency-Key). After that, and for any other refusal: false, said on stderr.
 */
#ifndef WORKERS_PIPELINE_API_H
#define WORKERS_PIPELINE_API_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

enum { API_PATIENCE_S = 60, API_ETAG = 128, API_BODY_MAX = 256 * 1024 * 1024 };

struct api {
    CURL *easy;
    char base[1024]; /* With /api/v1. */
    char authorization[640];
    char tenant[300]; /* The whole header, or empty. */
    char idempotency_key[80];
};

struct api_call {
    const char *method;
    const char *path;     /* "/runs" */
    struct str body;      /* JSON, or empty. */
    const char *if_match; /* ETag, or null. */
    bool idempotent;      /* Send the Idempotency-Key. */
    bool missing_is_fine; /* 404 is an answer, not a failure. */
    bool stale_is_fine;   /* 412 and 428 are answers. */
};

struct api_answer {
    int status;
    char etag[API_ETAG];
    struct buf body;
};

bool api_open(struct api *api, const char *url, const char *token, const char *tenant);
void api_close(struct api *api);
bool api_call(struct api *api, const struct api_call *call, struct api_answer *out);
/* Downloads an artifact, verifies its digest, and puts it at `path`, whose folder exists. */
bool api_download(struct api *api, const char *sha256, const char *path);

#endif
