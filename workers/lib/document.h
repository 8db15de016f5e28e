/*
 * document - what a document is, found out from its content and never from its name.
 *
 * Use      document_read() turns bytes into one JSON value, whether they are JSON or YAML;
 *          document_format() recognises the format of that value.
 * Owns     the caller owns the value (json_decref).
 * Bounds   DOCUMENT_MAX bytes of JSON with DOCUMENT_VALUES_MAX values (counted by their commas and
 *          brackets before anything is allocated), DOCUMENT_YAML_MAX bytes of YAML.
 */
#ifndef WORKERS_LIB_DOCUMENT_H
#define WORKERS_LIB_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"
#include "workers/lib/reading.h"

enum {
    DOCUMENT_MAX = 64 * 1024 * 1024,
    DOCUMENT_YAML_MAX = 4 * 1024 * 1024,
    DOCUMENT_VALUES_MAX = 2000000,
};

/* What a document is wanted as; it follows from the feed folder. */
enum document_kind {
    DOCUMENT_ADVISORY, /* advisories-osv/, advisories-csaf/ */
    DOCUMENT_VEX,      /* vex/ */
    DOCUMENT_SBOM,     /* sbom/ */
    DOCUMENT_ANY,      /* Whatever it turns out to be; CSAF counts as an advisory then. */
};

/* The formats that are recognised; those after DOCUMENT_READ_COUNT are named but not read. */
enum document_format {
    DOCUMENT_OSV,
    DOCUMENT_CSAF,
    DOCUMENT_OPENVEX,
    DOCUMENT_CYCLONEDX,
    DOCUMENT_SPDX_2,
    DOCUMENT_READ_COUNT,
    DOCUMENT_SPDX_3 = DOCUMENT_READ_COUNT,
    DOCUMENT_ROLIE_FEED,
    DOCUMENT_ROLIE_SERVICE,
    DOCUMENT_CSAF_AGGREGATOR,
    DOCUMENT_CSAF_PROVIDER,
    DOCUMENT_VEX_HUB_MANIFEST,
    DOCUMENT_UNKNOWN,
};

/* "osv", "csaf", "spdx-3", "unknown", ... */
const char *document_format_name(enum document_format format);
/* "advisory", "vex", "sbom", "any". */
const char *document_kind_name(enum document_kind kind);
/* The kind that a feed folder's name stands for; false when the folder is not read. */
bool document_kind_of_path(struct str path, enum document_kind *out_kind);

/* Null, and the reading refused, when the bytes cannot be read at all. */
json_t *document_read(struct reading *reading, struct str bytes, bool *out_is_yaml);
enum document_format document_format(const json_t *document);

#endif
