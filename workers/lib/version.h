/*
 * version - is one version older than another, in the scheme of its ecosystem.
 *
 * Use      version_valid() tells whether the scheme can read a text; version_compare() orders two.
 *          Both work on the text itself: nothing is allocated and no number overflows.
 * Source   Semantic Versioning 2.0.0 section 11; PEP 440 (2024) with its normalisation.
 * Bounds   texts over VERSION_MAX bytes are no versions.
 */
#ifndef WORKERS_LIB_VERSION_H
#define WORKERS_LIB_VERSION_H

#include <stdbool.h>

#include "base/str.h"

enum { VERSION_MAX = 1024 };

enum version_scheme {
    VERSION_SEMVER,       /* Exactly Semantic Versioning: npm, crates.io. */
    VERSION_SEMVER_LOOSE, /* The same with an optional leading `v`: Go, Packagist. */
    VERSION_PEP440,       /* PyPI. */
};

/* True when the scheme can read the text. */
bool version_valid(enum version_scheme scheme, struct str text);
/*
 * Sets *out_order to <0, 0 or >0 when `a` is older than, equal to or newer than `b`; false, and
 * nothing set, when the scheme cannot read one of them. Build metadata of Semantic Versioning
 * is ignored; local versions of PEP 440 count.
 */
bool version_compare(enum version_scheme scheme, struct str a, struct str b, int *out_order);

#endif
