/*
 * csaf - a CSAF 2.0 document, security advisory or VEX, as an observation body (statement.h).
 *
 * Products of the tree (full_product_names, branches, relationships) are found by their package
 * URLs. A product of a relationship becomes its component within the product that it relates to,
 * when that one has a package URL; otherwise the component alone.
 *
 * Needed   document.tracking.id; csaf_version, where there is one, of 2.x; product tree,
 *          vulnerabilities and product_status with their types.
 * Bounds   branches CSAF_DEPTH_MAX deep, CSAF_PRODUCTS_MAX products.
 * Source   CSAF 2.0 (OASIS Standard, 18 November 2022); mandatory tests of section 6.1 are rules.
 */
#ifndef WORKERS_LIB_CSAF_H
#define WORKERS_LIB_CSAF_H

#include <jansson.h>

#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "workers/lib/reading.h"

enum { CSAF_DEPTH_MAX = 64, CSAF_PRODUCTS_MAX = 500000 };

/* One product of the tree. */
struct csaf_product {
    struct str id;
    struct str purl;      /* Its own, may be empty. */
    struct str component; /* Of a relationship: product_reference; else empty. */
    struct str container; /* Of a relationship: relates_to_product_reference; else empty. */
};

struct csaf_tree {
    struct map products; /* Id to struct csaf_product. */
    struct map groups;   /* Group id to its json_t object. */
};

void csaf_observe(struct reading *reading, const json_t *document, struct json_writer *out);

/* Collects the product tree, warning of doubles and refusing what cannot be walked. */
void csaf_collect(struct reading *reading, const json_t *document, struct csaf_tree *tree);
/* The rules of the whole document; warnings only. */
void csaf_check(struct reading *reading, const json_t *document, const struct csaf_tree *tree);
void csaf_check_tracking(struct reading *reading, const json_t *document);
void csaf_check_vulnerabilities(struct reading *reading, const json_t *document,
                                const struct csaf_tree *tree);
void csaf_check_scores(struct reading *reading, const json_t *vulnerability,
                       const struct place *at);

#endif
