/*
 * statement - VEX statements in one shape, whatever format they come from.
 *
 * Body     {"author","bom","elements":[{"purl","ref"}],"id","issued","statements":[{"index",
 *          "issued","justification","products":[{"id","link","purl","subcomponents":[purl],
 *          "versions":[text],"versions_open"}],"state","status","vulnerability":[name]}],
 *          "subjects":[...]}; what a format does not have is null or absent.
 *          `status` is one of OpenVEX's four; `state` the word as the document has it.
 *          `link` {"element","serial","version"} is a CycloneDX BOM link.
 *          `versions_open`: the statement also names version ranges that are not evaluated.
 * Use      one writer call per part, in the order of the header: keys ascend.
 */
#ifndef WORKERS_LIB_STATEMENT_H
#define WORKERS_LIB_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "base/str.h"
#include "workers/lib/finding.h"

struct statement_head {
    size_t index;      /* Position in the document's list, from 0. */
    struct str issued; /* RFC 3339 or anything else, which becomes null. */
    struct str justification;
};

void statement_begin(struct json_writer *out, const struct statement_head *head);

struct statement_product {
    struct str id;   /* As written. */
    struct str purl; /* Empty when the id is none and no identifier is. */
    bool has_link;
    struct str link_serial; /* Without "urn:uuid:". */
    int64_t link_version;
    struct str link_element;
    const struct str *subcomponents; /* Package URLs. */
    size_t subcomponents_count;
    const struct str *versions; /* Exact versions that the statement is limited to. */
    size_t versions_count;
    bool versions_open;
};

void statement_product(struct json_writer *out, const struct statement_product *product);

/* Ends the products, then the rest of the statement. */
void statement_end(struct json_writer *out, enum vex_status status, struct str state,
                   const struct str *names, size_t names_count);

/* True when the text begins as a package URL does. */
bool statement_is_purl(struct str text);

#endif
