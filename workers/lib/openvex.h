/*
 * openvex - an OpenVEX document, 0.0.1 to 0.2.0, as a VEX observation body (statement.h).
 *
 * Needed   of each statement its vulnerability's name and its status. Products are texts (0.0.x)
 *          or objects (0.2.0); a statement without products states nothing about anything.
 * Source   the OpenVEX specification 0.2.0 and the 0.0.x documents that are in use.
 */
#ifndef WORKERS_LIB_OPENVEX_H
#define WORKERS_LIB_OPENVEX_H

#include <jansson.h>

#include "base/json.h"
#include "workers/lib/reading.h"

void openvex_observe(struct reading *reading, const json_t *document, struct json_writer *out);

#endif
