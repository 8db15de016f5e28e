/*
 * cyclonedx - a CycloneDX document as an SBOM, or as VEX.
 *
 * SBOM     {"bom":{"serial","version"},"components":[{"purl","refs"}],"components_total","name",
 *          "subjects":[{"purl","ref"}]}: metadata.component, components and all nested ones; the
 *          subject is metadata.component.
 * VEX      the body of statement.h, with "bom" and the document's own elements, so that BOM links
 *          of other documents can be followed. One without vulnerabilities states nothing.
 * Needed   specVersion, where there is one, of 1.x; components and vulnerabilities with their
 *          types; of a vulnerability that is stated on, its id.
 * Bounds   nesting is walked with a stack of CYCLONEDX_DEPTH_MAX.
 * Source   CycloneDX 1.2 to 1.7, JSON.
 */
#ifndef WORKERS_LIB_CYCLONEDX_H
#define WORKERS_LIB_CYCLONEDX_H

#include <jansson.h>

#include "base/json.h"
#include "workers/lib/element.h"
#include "workers/lib/reading.h"

enum { CYCLONEDX_DEPTH_MAX = 64 };

void cyclonedx_observe_sbom(struct reading *reading, const json_t *document,
                            struct json_writer *out);
void cyclonedx_observe_vex(struct reading *reading, const json_t *document,
                           struct json_writer *out);

/* Shared by both: all components into *elements. */
void cyclonedx_collect(struct reading *reading, const json_t *document, struct elements *elements);
/* "bom":{"serial","version"}, or null when the document has no serial number. */
void cyclonedx_write_bom(struct json_writer *out, const json_t *document);
/* "subjects":[{"purl","ref"}]; the purl is null when the component has none. */
void cyclonedx_write_subjects(struct json_writer *out, const json_t *document);
/* The rules of the members that the observation does not hold; warnings only. */
void cyclonedx_check(struct reading *reading, const json_t *document,
                     const struct elements *elements);
/* The rules of one component's members. */
void cyclonedx_check_component(struct reading *reading, const json_t *component,
                               const struct place *at);

#endif
