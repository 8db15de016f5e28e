/*
 * observation - one document turned into one line of canonical JSON.
 *
 * Use      observe_document() for each document of a job; append the lines to the job's artifact.
 *          Observations are what `match` reads; nobody needs the document again.
 * Never    fails, whatever the bytes are: the outcome is accepted, accepted with warnings, or
 *          quarantined with a class of the closed list in reading.h. No severity and no verdict
 *          is invented.
 * Line     {"body":{...},"format":"osv","format_version":"1.6.0","kind":"advisory","outcome":
 *          "accepted|warnings|quarantined","path":"...","quarantine":{class,detail,pointer},
 *          "schema":1,"sha256":"...","warnings":[{pointer,rule}],"warnings_total":n}, ending in \n.
 *          `body` is absent from a quarantined document, `quarantine` from any other.
 * Bounds   a line of OBSERVATION_MAX bytes; READING_WARNINGS_MAX warnings are kept, all counted.
 *          An arena with a cap of OBSERVATION_ARENA_MAX never runs out; reset it between documents.
 * Threads  none shared; any number of calls in parallel, each with its own arena.
 */
#ifndef WORKERS_LIB_OBSERVATION_H
#define WORKERS_LIB_OBSERVATION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "workers/lib/document.h"
#include "workers/lib/reading.h"

enum { OBSERVATION_MAX = 64 * 1024 * 1024, OBSERVATION_SCHEMA = 1 };

#define OBSERVATION_ARENA_MAX ((size_t)2 << 30)

enum observation_outcome {
    OBSERVATION_ACCEPTED,
    OBSERVATION_WARNINGS,
    OBSERVATION_QUARANTINED,
};

struct observation_source {
    enum document_kind kind; /* What the feed folder promises. */
    struct str path;         /* Below the feed folder, e.g. "sbom/x.spdx.json". */
    struct str bytes;        /* The document. */
    struct str sha256;       /* Its content hash, 64 hexadecimal digits. */
};

/* What a job's summary and its log say of one document. Texts lie in the arena. */
struct observation_summary {
    enum observation_outcome outcome;
    enum document_format format;
    enum quarantine quarantine; /* Meaningful when quarantined. */
    struct str detail;          /* One sentence when quarantined. */
    struct str pointer;         /* JSON pointer of what is wrong; may be empty. */
    size_t warnings;            /* All of them, also those beyond the kept ones. */
    struct str first_rule;      /* Name of the first warning's rule, or empty. */
    size_t line_bytes;          /* Length of the line appended. */
};

/* "accepted", "warnings", "quarantined". */
const char *observation_outcome_name(enum observation_outcome outcome);

/*
 * Appends the observation line of one document to `out_lines`. When the buffer would overflow
 * the document is quarantined as too large, so leave OBSERVATION_QUARANTINE_ROOM bytes for that.
 */
enum { OBSERVATION_QUARANTINE_ROOM = 1024 * 1024 };

void observe_document(struct arena *arena, const struct observation_source *source,
                      struct buf *out_lines, struct observation_summary *out_summary);

#endif
