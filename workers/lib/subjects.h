/*
 * subjects - what the operator says an SBOM is about, where the SBOM does not say it itself.
 *
 * Document {"sbom/x.spdx.json": ["pkg:golang/example.com/x"], ...}: SBOM path below the feed
 *          folder to package URLs.
 * Owns     texts lie in the arena given.
 */
#ifndef WORKERS_LIB_SUBJECTS_H
#define WORKERS_LIB_SUBJECTS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"

struct subjects_list {
    struct str *purls;
    size_t n;
};

struct subjects {
    struct map by_path; /* To struct subjects_list. */
};

/* Errors: malformed_json, unprocessable with a pointer. An empty text means none. */
MUST_CHECK enum err_code subjects_read(struct arena *arena, struct str text,
                                       struct subjects *out_subjects, struct err *err);
/* Null when nothing is said of that SBOM. */
const struct subjects_list *subjects_find(const struct subjects *subjects, struct str sbom_path);

#endif
