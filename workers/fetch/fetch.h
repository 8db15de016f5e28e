/*
 * workers/fetch - reads one document of a source, from a folder or over HTTP, with bounds.
 *
 * Use      fetch_new() once per slot of work, fetch_get() per document, fetch_free().
 * Owns     the body is the caller's (buf_fini).
 * Threads  one thread per struct fetch; several may share a cache folder.
 * Bounds   max_bytes a document, 5 redirects, timeouts on connecting and on standing still.
 * Safety   file: only below the roots that the operator gave, resolved by the kernel
 *          (RESOLVE_BENEATH), regular files only. http(s): refuses addresses that are private,
 *          loopback, link-local or otherwise not public unless allowed; checked on the address that
 *          is connected to, for every redirect too. No proxy, since it would hide that address.
 *          A redirect never goes from https to http, nor away from a paced host.
 */
#ifndef WORKERS_FETCH_FETCH_H
#define WORKERS_FETCH_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/rate_fields.h"
#include "base/str.h"

enum {
    FETCH_ROOTS_MAX = 16,
    FETCH_MESSAGE = 320,
    FETCH_HOST = 256,
    FETCH_REDIRECTS_MAX = 5,
    FETCH_TYPE = 128,
    FETCH_SHOWN = 1024,
};

/* The head of one answer over HTTP, a redirect's too. */
struct fetch_answer {
    int status;
    bool has_etag;          /* A later fetch can ask whether it changed. */
    bool has_last_modified; /* Told only: no producer asks with it. */
    char type[FETCH_TYPE];  /* Content-Type as sent, cut; empty: none. */
    char url[FETCH_SHOWN];  /* That was asked, cut; without user, query and fragment, which may be
                               secrets. */
};

struct fetch_trail {
    struct fetch_answer v[FETCH_REDIRECTS_MAX + 1];
    size_t n;
};

struct fetch_config {
    const char *roots[FETCH_ROOTS_MAX]; /* Absolute folders; file: is refused without one. */
    size_t roots_n;
    bool allow_private;    /* http(s) to addresses that are not public. */
    const char *cache_dir; /* Bodies with an ETag are kept here; null: no cache. */
    size_t max_bytes;      /* Of one document. */
    uint32_t timeout_ms;   /* For a whole document; also the longest standstill is a fifth of it. */
    struct fetch_trail *trail; /* What was answered to the last fetch_get(); null: not kept. */
};

enum fetch_verdict {
    FETCH_OK,
    FETCH_THROTTLED, /* 429, or 503 with Retry-After: come later. */
    FETCH_FAILED
};

struct fetch_result {
    enum fetch_verdict verdict;
    struct buf body;             /* Whole when FETCH_OK, else empty. */
    bool from_cache;             /* The server said it did not change. */
    const char *error_class;     /* "http_5xx", "timeout", "truncated", "too_large", … */
    bool permanent;              /* Trying again cannot help. */
    int64_t retry_after_ms;      /* When throttled; 0: not said. */
    bool is_overloaded;          /* It answered 503 and no time. */
    bool has_limit;              /* Any answer said what the host takes … */
    struct rate_limit limit;     /* … and that is it. */
    uint32_t requests;           /* Made over HTTP, redirects included. */
    char host[FETCH_HOST];       /* That answered, or that was asked. */
    char message[FETCH_MESSAGE]; /* For people. */
};

struct fetch;

/* Null when a root or the cache folder cannot be opened; then *message says why. */
struct fetch *fetch_new(const struct fetch_config *config, char message[FETCH_MESSAGE]);
/* Null is allowed. */
void fetch_free(struct fetch *fetch);
/* The host whose pace is kept: a redirect to another one is refused from now on, since its pace is
 * not ours to spend. Empty: any host. */
void fetch_keep_to_host(struct fetch *fetch, const char *host);
/* Reads `path` below `base` ("file:/feeds", "https://example.org/feeds"). */
void fetch_get(struct fetch *fetch, struct str base, struct str path, struct fetch_result *out);
/* A literal address ("10.0.0.1", "::1") that is not of the public internet, or localhost. */
bool fetch_host_is_refused(const char *host);
/* Reads a path that is used as it stands: no empty, "." or ".." part, no NUL. */
bool fetch_path_is_plain(struct str path);

#endif
