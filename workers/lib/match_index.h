/*
 * match_index - advisories by package and VEX statements by vulnerability, as match_sbom() wants
 * them. Internal to the match room.
 */
#ifndef WORKERS_LIB_MATCH_INDEX_H
#define WORKERS_LIB_MATCH_INDEX_H

#include <jansson.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "workers/lib/affects.h"
#include "workers/lib/finding.h"
#include "workers/lib/purl.h"

struct index_advisory {
    struct str id;
    struct str cve;          /* First CVE among id and aliases; may be empty. */
    const struct str *names; /* id and aliases. */
    size_t names_count;
    bool withdrawn;
};

/* One affected entry of one advisory; those of one advisory lie together. */
struct index_entry {
    const struct index_advisory *advisory;
    struct affects_entry affects;
    bool informational;
};

struct index_package {
    enum ecosystem ecosystem;
    VEC(struct index_entry) entries;
};

/* A package URL that VEX scope is decided with. */
struct index_purl {
    bool usable; /* It was one. */
    struct purl purl;
    struct str key; /* Type and normal name: equal keys are the same package. */
};

struct index_link {
    struct str bom; /* "serial/version", lower case. */
    struct str element;
};

struct index_product {
    struct index_purl purl;
    const struct index_link *link; /* Null without a BOM link. */
    const struct index_purl *subcomponents;
    size_t subcomponents_count;
    const struct str *versions;
    size_t versions_count;
    bool versions_open;
};

struct index_statement {
    struct finding_vex vex;
    struct str issued; /* RFC 3339 in UTC, or empty: older than any. */
    const struct index_product *products;
    size_t products_count;
};

struct index_statements {
    VEC(const struct index_statement *) list;
};

/* A BOM among the VEX documents, for BOM links that lead there. */
struct index_bom {
    struct map elements;       /* bom-ref to struct index_purl. */
    struct index_purl subject; /* metadata.component, when it has a purl. */
};

struct index_boms {
    VEC(const struct index_bom *) list; /* Several documents may bear one serial number. */
};

struct match_index {
    struct arena arena;
    size_t max_bytes;
    struct map packages;        /* match_package_key() to struct index_package. */
    struct map vulnerabilities; /* Name to struct index_statements. */
    struct map boms;            /* "serial/version" to struct index_boms. */
    struct map seen;            /* Content hashes of advisories: the same bytes are one record. */
};

/* The ecosystem and the normalised name as one text. */
struct str match_package_key(struct arena *arena, enum ecosystem ecosystem, struct str name);
struct index_purl match_purl(struct arena *arena, struct str text);
/* `wide` speaks of `narrow` too; see purl_covers(). */
bool match_covers(const struct index_purl *wide, const struct index_purl *narrow);
/* "serial/version" of a BOM object; empty when it is none. */
struct str match_bom_key(struct arena *arena, const json_t *bom);

#endif
