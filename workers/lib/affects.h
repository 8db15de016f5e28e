/*
 * affects - does an affected entry of an OSV advisory hold a version: OSV's evaluation.
 *
 * Use      affects_sort() once per range when it is indexed, then affects_decide() as often as
 *          wanted.
 * Source   the OSV schema, "Evaluation"; an event that the scheme cannot read makes its range
 *          undecidable instead of wrong.
 */
#ifndef WORKERS_LIB_AFFECTS_H
#define WORKERS_LIB_AFFECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "workers/lib/finding.h"
#include "workers/lib/version.h"

enum affects_kind { AFFECTS_INTRODUCED, AFFECTS_FIXED, AFFECTS_LAST_AFFECTED, AFFECTS_LIMIT };

struct affects_event {
    enum affects_kind kind;
    struct str version; /* "0" is below everything. */
    size_t position;    /* In the document; breaks ties. */
};

struct affects_range {
    struct affects_event *events; /* Ascending after affects_sort(). */
    size_t n;
    bool undecidable; /* Some event is no version of the scheme. */
};

struct affects_entry {
    const struct affects_range *ranges;
    size_t ranges_count;
    const struct str *versions;
    size_t versions_count;
};

void affects_sort(enum version_scheme scheme, struct affects_range *range);

struct affects_answer {
    enum affected affected;
    struct str fixed; /* First fixed version above, in the range that holds it; may be empty. */
};

/* `version` may be empty: then the answer is unknown. */
struct affects_answer affects_decide(enum version_scheme scheme, const struct affects_entry *entry,
                                     struct str version);

#endif
