/*
 * spdx - an SPDX 2.2 or 2.3 document as an SBOM observation body.
 *
 * Body {"bom":null,"components":[{"purl","refs"}],"components_total","name","subjects":[{"purl",
 *          "ref"}]}: packages with an external reference of type purl; subjects are described
 *          packages that have one.
 * Needed   spdxVersion SPDX-2.x; packages, external references and relationships with their types.
 * Source   the SPDX specification 2.3 and its JSON schema.
 */
#ifndef WORKERS_LIB_SPDX_H
#define WORKERS_LIB_SPDX_H

#include <jansson.h>

#include "base/json.h"
#include "workers/lib/element.h"
#include "workers/lib/reading.h"

void spdx_observe(struct reading *reading, const json_t *document, struct json_writer *out);
/* The rules of the members that the observation does not hold; warnings only. */
void spdx_check(struct reading *reading, const json_t *document);

#endif
