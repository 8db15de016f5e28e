/*
 * finding - one answer: this component, this advisory, affected or not, and the verdict.
 *
 * Line     canonical JSON: {"advisory","affected","component","cve","fixed","sbom","verdict","vex"}
 *          and "vex_hint" when there is one, ending in a newline.
 * Use      finding_format() makes a line; finding_merge() joins sorted parts into findings.jsonl.
 */
#ifndef WORKERS_LIB_FINDING_H
#define WORKERS_LIB_FINDING_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum affected { AFFECTED_YES, AFFECTED_NO, AFFECTED_UNKNOWN, AFFECTED_COUNT };

enum verdict { VERDICT_FAIL, VERDICT_WARN, VERDICT_PASS, VERDICT_SUPPRESSED, VERDICT_COUNT };

/* OpenVEX's words; the other formats are mapped to them. */
enum vex_status {
    VEX_NONE,
    VEX_NOT_AFFECTED,
    VEX_FIXED,
    VEX_UNDER_INVESTIGATION,
    VEX_AFFECTED,
    VEX_STATUS_COUNT,
};

const char *affected_name(enum affected affected);
const char *verdict_name(enum verdict verdict);
/* "not_affected", ...; "none" for VEX_NONE. */
const char *vex_status_name(enum vex_status status);
bool affected_find(struct str name, enum affected *out_affected);
bool verdict_find(struct str name, enum verdict *out_verdict);
bool vex_status_find(struct str name, enum vex_status *out_status);

/* The statement that decided, or that hints. */
struct finding_vex {
    enum vex_status status;   /* VEX_NONE: there is none. */
    struct str justification; /* As written; empty becomes null. */
    struct str document;      /* Path of the VEX document below the feed folder. */
    size_t statement;         /* Its position there, from 0. */
};

struct finding {
    struct str sbom;      /* Path below the feed folder. */
    struct str component; /* The purl as written. */
    struct str advisory;  /* Its id. */
    struct str cve;       /* First CVE among id and aliases; empty becomes null. */
    enum affected affected;
    struct str fixed; /* Empty becomes null. */
    struct finding_vex vex;
    struct finding_vex vex_hint;
    enum verdict verdict;
};

/* Takes finding lines, each with its newline, in order. */
struct finding_sink {
    void *ctx;
    enum err_code (*on_line)(void *ctx, struct str line, struct err *err);
};

void finding_format(struct buf *out, const struct finding *finding);
/* Sorts lines bytewise and hands on each distinct one. */
MUST_CHECK enum err_code finding_sort(struct str *lines, size_t n, struct finding_sink sink,
                                      struct err *err);
/*
 * Merges parts, each sorted bytewise with newline-ended lines, into one sorted sequence without
 * repetitions. Errors: unprocessable when a part is not sorted; whatever the sink says.
 */
MUST_CHECK enum err_code finding_merge(const struct str *parts, size_t n, struct finding_sink sink,
                                       struct err *err);

#endif
