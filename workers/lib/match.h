/*
 * match - SBOM components against advisories and VEX statements.
 *
 * Use      match_index_new(); feed it every line of the advisory and VEX artifacts, in any order
 *          and any batches; then match_sbom() for each SBOM line. Findings come sorted bytewise
 *          and without repetition per SBOM; finding_merge() joins the parts. Version schemes,
 *          names, ranges, withdrawn advisories and VEX scope: docs/internals/producers.md.
 * Bounds   the index refuses to grow beyond the bytes it was given, of which it fills about half
 *          (its tables double); match_index_bytes() reports. match_sbom() needs memory in
 *          proportion to the SBOM's line and to its findings, of which it takes 1 GiB.
 * Threads  an index is read-only once filled: then match_sbom() may run in parallel on it.
 * Errors   malformed_json or unprocessable for a line that is no observation of ours,
 *          out_of_bounds when the index is full. Lines of quarantined documents are skipped.
 */
#ifndef WORKERS_LIB_MATCH_H
#define WORKERS_LIB_MATCH_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "workers/lib/finding.h"
#include "workers/lib/policy.h"
#include "workers/lib/subjects.h"

struct match_index;

struct match_index *match_index_new(size_t max_bytes);
void match_index_free(struct match_index *index);
/* Memory the index holds now. */
size_t match_index_bytes(const struct match_index *index);

/* Adds one observation line, with or without its newline; advisory, vex or neither by its kind. */
MUST_CHECK enum err_code match_add_line(struct match_index *index, struct str line,
                                        struct err *err);
/* The same for every line of an artifact. */
MUST_CHECK enum err_code match_add_lines(struct match_index *index, struct str lines,
                                         struct err *err);

/* What match_sbom() met. */
struct match_counts {
    size_t components; /* Distinct purls. */
    size_t evaluated;  /* Of them, in ecosystems that are evaluated. */
    size_t findings;
    size_t verdicts[VERDICT_COUNT];
};

/* Adds to *counts. A line of a quarantined SBOM has no findings. `subjects` may be null. */
MUST_CHECK enum err_code match_sbom(const struct match_index *index, struct str sbom_line,
                                    const struct policy *policy, const struct subjects *subjects,
                                    struct finding_sink sink, struct match_counts *counts,
                                    struct err *err);

#endif
