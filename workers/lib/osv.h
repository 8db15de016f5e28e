/*
 * osv - an OSV advisory, in JSON or YAML, as an observation body.
 *
 * Body     {"affected":[{"ecosystem","informational","name","ranges":[{"events":[{kind:version}],
 *          "type"}],"versions":[...]}],"aliases":[...],"id","modified","published","withdrawn"}.
 *          Entries without a package, and GIT ranges, are left out: nothing evaluates them.
 * Needed   id, and of each affected package its ecosystem and name; aliases, ranges, events,
 *          versions and withdrawn with their types.
 * Source   the OSV schema, 1.0 to 1.7.
 */
#ifndef WORKERS_LIB_OSV_H
#define WORKERS_LIB_OSV_H

#include <jansson.h>

#include "base/json.h"
#include "workers/lib/reading.h"

void osv_observe(struct reading *reading, const json_t *document, struct json_writer *out);
/* The rules of the members that the observation does not hold; warnings only. */
void osv_check(struct reading *reading, const json_t *document);

#endif
