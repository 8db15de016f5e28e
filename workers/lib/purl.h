/*
 * purl - a package URL taken apart, and what the OSV ecosystems make of it.
 *
 * Use      purl_parse() once per text; purl_key() gives the (ecosystem, name) under which
 *          advisories are found; purl_covers() is the rule of VEX scope.
 * Owns     the parts lie in the arena given, or borrow the text parsed.
 * Source   the purl specification; PEP 503 for PyPI names.
 * Bounds   texts over PURL_MAX bytes are refused.
 */
#ifndef WORKERS_LIB_PURL_H
#define WORKERS_LIB_PURL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"
#include "workers/lib/version.h"

enum { PURL_MAX = 8192 };

struct purl {
    struct str type;       /* Lower case. */
    struct str namespace;  /* Decoded, segments joined by '/'; empty when there is none. */
    struct str name;       /* Decoded, never empty. */
    struct str version;    /* Decoded; empty when there is none. */
    struct str qualifiers; /* As written, without the '?'. */
    struct str subpath;    /* As written, without the '#'. */
};

/* The ecosystems whose versions are evaluated. */
enum ecosystem {
    ECOSYSTEM_NONE, /* Known or not, nothing is evaluated. */
    ECOSYSTEM_GO,
    ECOSYSTEM_NPM,
    ECOSYSTEM_PYPI,
    ECOSYSTEM_CRATES_IO,
    ECOSYSTEM_PACKAGIST,
    ECOSYSTEM_COUNT,
};

struct ecosystem_info {
    const char *osv_name;       /* "crates.io" */
    const char *purl_type;      /* "cargo" */
    enum version_scheme scheme; /* How its versions are ordered. */
};

const struct ecosystem_info *ecosystem_info(enum ecosystem ecosystem);
/* By the name OSV uses, without its ":suffix"; ECOSYSTEM_NONE when it is not evaluated. */
enum ecosystem ecosystem_from_osv(struct str name);
enum ecosystem ecosystem_from_purl_type(struct str type);
/* The name as the ecosystem compares it: PEP 503, lower case, or unchanged. */
struct str ecosystem_normal_name(struct arena *arena, enum ecosystem ecosystem, struct str name);

/* Percent-decoding; an escape that is none, or of a NUL, stays as it is written. */
struct str purl_decode(struct arena *arena, struct str text);
/* False when the text is not a package URL. */
bool purl_parse(struct arena *arena, struct str text, struct purl *out_purl);
/* Namespace and name as the ecosystem writes them, not yet normalised. */
struct str purl_full_name(struct arena *arena, const struct purl *purl);
/* Value of one qualifier, decoded; empty when it is absent. */
struct str purl_qualifier(struct arena *arena, const struct purl *purl, struct str key);
/* Type and normal name as one text: equal keys are the same package. */
struct str purl_package_key(struct arena *arena, const struct purl *purl);
/* True when the versions are the same text, a leading 'v' ignored. */
bool purl_same_version(struct str a, struct str b);
/*
 * True when a VEX statement about `wide` speaks of `narrow` too: the same package, and the same
 * version if `wide` has one (a leading 'v' ignored).
 */
bool purl_covers(struct arena *arena, const struct purl *wide, const struct purl *narrow);

#endif
