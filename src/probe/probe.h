/*
 * probe - can a source's documents be had? What is in the way, and who mends it; and a try.
 *
 * Use      probe_findings() looks at the configuration, this machine's folders and its secrets, and
 *          sends nothing; probe_try() fetches one document just as a producer would and keeps
 *          nothing.
 * Owns     texts lie in the arena given.
 * Threads  any; both block: folders are opened, and probe_try() waits for the network.
 * Bounds   probe_config.max_bytes and timeout_ms; five redirects; formats are recognised up to
 *          FORMAT_BYTES_MAX (probe.c).
 * Safety   workers/fetch: file: only below the roots, http(s) only to public addresses unless
 *          allowed, checked on the connected address. A secret's value is looked for, never read.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include <jansson.h>

#include "base/arena.h"
#include "core/config.h"

struct probe_config {
    struct str roots;      /* Absolute folders, separated by ':'. */
    struct str secrets;    /* Folder with one folder of secret files for each tenant, or empty. */
    struct str secret_env; /* "TENANT/NAME" separated by ',': variables that a tenant may name. */
    bool allow_private;
    int64_t max_bytes;
    int64_t timeout_ms;
};

/* One thing in the way. */
struct finding {
    const char *code;   /* Of the closed list in contract/openapi.json. */
    struct str pointer; /* The member that it is about. */
    struct str detail;
    struct str fix;
};

enum { FINDINGS_MAX = 24 };

struct findings {
    struct finding v[FINDINGS_MAX];
    size_t n;
};

void findings_add(struct findings *findings, const char *code, struct str pointer,
                  struct str detail, struct str fix);

/* `body` is the source's document. */
void probe_findings(const struct probe_config *config, struct str tenant,
                    const struct source *source, const json_t *body, struct arena *arena,
                    struct findings *out);

/* The head of one answer over HTTP, a redirect's too; texts as in workers/fetch. */
struct trial_answer {
    int status;
    bool has_etag;
    bool has_last_modified;
    struct str type;
    struct str url;
};

enum { TRIAL_ANSWERS_MAX = 6 };

struct trial {
    bool reached;            /* The whole document came. */
    bool throttled;          /* Its host asks to come later: retry_after_ms. */
    const char *error_class; /* As a producer would report it; null when reached. */
    struct str detail;
    struct str host;
    struct str type;   /* What the bytes look like: json, text, bytes or empty. */
    struct str format; /* That a producer would take it for: "osv", "unknown"; empty: not parsed. */
    struct trial_answer answers[TRIAL_ANSWERS_MAX];
    size_t answers_n;
    int64_t bytes;
    int64_t requests;
    int64_t retry_after_ms;
};

/* Fetches `path` below the source's url. */
void probe_try(const struct probe_config *config, const struct source *source, struct str url,
               struct str path, struct arena *arena, struct trial *out);

#endif
