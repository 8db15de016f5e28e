/*
 * element - the components of an SBOM while it is read: one entry per distinct purl.
 *
 * Use      elements_init(); elements_add() for each component or package; elements_write().
 * Written  "components":[{"purl","refs":[...]}] in the order of the document.
 * Bounds   ELEMENTS_MAX purls; beyond that the document is too complex.
 */
#ifndef WORKERS_LIB_ELEMENT_H
#define WORKERS_LIB_ELEMENT_H

#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "workers/lib/reading.h"

enum { ELEMENTS_MAX = 500000 };

struct element {
    struct str purl; /* As written. */
    VEC(struct str) refs;
};

struct elements {
    struct map by_purl;  /* To struct element. */
    struct map by_ref;   /* Reference to struct element; set for components with a purl. */
    struct map all_refs; /* Every reference seen, for duplicates and dangling ends. */
    size_t total;        /* Components met, with or without purl. */
};

/*
 * Counts one component. `purl` and `ref` may be empty; a purl that is none is warned of at
 * `purl_at` and kept, for it is what the document says.
 */
void elements_add(struct reading *reading, struct elements *elements, struct str purl,
                  struct str ref, const struct place *purl_at);
/* True when a component or the document itself bears the reference. */
bool elements_has_ref(const struct elements *elements, struct str ref);
void elements_write(struct json_writer *out, const struct elements *elements);

#endif
