/*
 * match_scope - which VEX statements speak of a component of one SBOM, and whether they decide.
 * Internal to the match room.
 *
 * Rule     a product without subcomponents speaks of the components that it covers; one with
 *          subcomponents occurs in the SBOM and speaks of those that a subcomponent covers. It
 *          decides when the product is what the SBOM is about, and only hints when it is merely
 *          another component. A product without subcomponents that is the subject itself only hints
 *          for its parts. A BOM link into this very SBOM always decides: for the element it names,
 *          or for all components when that is the subject.
 * Choice   among several the newest, then the least reassuring, then by document and position.
 */
#ifndef WORKERS_LIB_MATCH_SCOPE_H
#define WORKERS_LIB_MATCH_SCOPE_H

#include "workers/lib/match_index.h"

struct scope_component {
    struct str text; /* The purl as written. */
    struct index_purl purl;
    const struct str *refs;
    size_t refs_count;
    bool is_subject;
};

struct scope_subject {
    struct index_purl purl;
    struct str ref;
    struct str version;
};

/* The components of one package. */
struct scope_package {
    VEC(struct scope_component *) components;
};

struct scope_view {
    struct str bom; /* "serial/version", or empty. */
    VEC(struct scope_component *) components;
    VEC(struct scope_subject) subjects;
    struct map packages; /* Key of index_purl to struct scope_package. */
};

void scope_add_component(struct arena *arena, struct scope_view *view, struct str purl,
                         const struct str *refs, size_t refs_count);
void scope_add_subject(struct arena *arena, struct scope_view *view, struct str purl,
                       struct str ref, struct str version);
/* Marks the components that are subjects; call once all are added. */
void scope_seal(struct scope_view *view);

/* Sets *out_vex to the statement that decides, else *out_hint to one that hints, if any. */
void scope_decide(const struct match_index *index, const struct scope_view *view,
                  const struct scope_component *component, const struct index_advisory *advisory,
                  struct finding_vex *out_vex, struct finding_vex *out_hint);

#endif
