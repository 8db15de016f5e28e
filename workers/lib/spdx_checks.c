/* Rules of SPDX members that the observation does not hold. */
#include "workers/lib/spdx.h"

#include "base/time.h"
#include "workers/lib/circle.h"

static const struct place root = {NULL, NULL, 0};

static void check_creation(struct reading *reading, const json_t *document)
{
    const json_t *info =
        reading_want_object(reading, document, &root, "creationInfo", RULE_SPDX_CREATION);
    const struct place at = PLACE_KEY(&root, "creationInfo");
    const struct place created_at = PLACE_KEY(&at, "created");
    struct wall_time when;
    if (json_array_size(json_object_get(info, "creators")) == 0) {
        reading_warn(reading, RULE_SPDX_CREATION, &at);
    }
    if (!time_parse(json_text(json_object_get(info, "created")), &when)) {
        reading_warn(reading, RULE_SPDX_CREATION, &created_at);
    }
}

static void check_head(struct reading *reading, const json_t *document)
{
    static const char *const versions[] = {"SPDX-2.2", "SPDX-2.3", NULL};
    const struct place version_at = PLACE_KEY(&root, "spdxVersion");
    const struct place id_at = PLACE_KEY(&root, "SPDXID");
    const struct place namespace_at = PLACE_KEY(&root, "documentNamespace");
    const struct place license_at = PLACE_KEY(&root, "dataLicense");
    const struct str namespace = json_text(json_object_get(document, "documentNamespace"));
    reading_check_word(reading, json_text(json_object_get(document, "spdxVersion")), versions,
                       &version_at, RULE_SPDX_VERSION);
    if (!str_eq(json_text(json_object_get(document, "SPDXID")), STR("SPDXRef-DOCUMENT"))) {
        reading_warn(reading, RULE_SPDX_DOCUMENT_ID, &id_at);
    }
    (void)reading_want_text(reading, document, &root, "name", RULE_SPDX_NAME);
    if (namespace.len == 0 || str_find(namespace, ':') == namespace.len ||
        str_find(namespace, '#') < namespace.len) {
        reading_warn(reading, RULE_SPDX_NAMESPACE, &namespace_at);
    }
    if (!str_eq(json_text(json_object_get(document, "dataLicense")), STR("CC0-1.0"))) {
        reading_warn(reading, RULE_SPDX_DATA_LICENSE, &license_at);
    }
    check_creation(reading, document);
}

static bool is_hex(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
            return false;
        }
    }
    return text.len > 0;
}

static void check_checksums(struct reading *reading, const json_t *owner, const struct place *at)
{
    static const char *const algorithms[] = {
        "ADLER32", "BLAKE2b-256", "BLAKE2b-384", "BLAKE2b-512", "BLAKE3",   "MD2",
        "MD4",     "MD5",         "MD6",         "SHA1",        "SHA224",   "SHA256",
        "SHA384",  "SHA512",      "SHA3-256",    "SHA3-384",    "SHA3-512", NULL};
    const json_t *list = reading_want_array(reading, owner, at, "checksums", RULE_SPDX_SHAPE);
    const struct place list_at = PLACE_KEY(at, "checksums");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *checksum = json_array_get(list, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        if (!reading_knows_word(json_text(json_object_get(checksum, "algorithm")), algorithms) ||
            !is_hex(json_text(json_object_get(checksum, "checksumValue")))) {
            reading_warn(reading, RULE_SPDX_CHECKSUM, &here);
        }
    }
}

static void check_external_refs(struct reading *reading, const json_t *package,
                                const struct place *at)
{
    static const char *const categories[] = {
        "SECURITY", "PACKAGE-MANAGER", "PACKAGE_MANAGER", "PERSISTENT-ID", "PERSISTENT_ID", "OTHER",
        NULL};
    const json_t *list = json_object_get(package, "externalRefs");
    const struct place list_at = PLACE_KEY(at, "externalRefs");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *ref = json_array_get(list, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        if (!reading_knows_word(json_text(json_object_get(ref, "referenceCategory")), categories) ||
            json_text(json_object_get(ref, "referenceType")).len == 0 ||
            json_text(json_object_get(ref, "referenceLocator")).len == 0) {
            reading_warn(reading, RULE_SPDX_EXTERNAL_REF, &here);
        }
    }
}

/* The licence members that 2.2 asks for, and 2.3 no longer. */
static void check_licensing(struct reading *reading, const json_t *package, bool is_2_2,
                            const struct place *at)
{
    static const char *const members[] = {"copyrightText", "licenseConcluded", "licenseDeclared",
                                          NULL};
    for (size_t i = 0; is_2_2 && members[i] != NULL; i++) {
        (void)reading_want_text(reading, package, at, members[i], RULE_SPDX_LICENSE_TEXT);
    }
}

/* Element ids of one list go into *ids; doubles are warned of. */
static void collect_ids(struct reading *reading, const json_t *document, const char *key,
                        struct map *ids)
{
    const json_t *list = reading_want_array(reading, document, &root, key, RULE_SPDX_SHAPE);
    const struct place list_at = PLACE_KEY(&root, key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct place here = PLACE_INDEX(&list_at, i);
        const struct str id = json_text(json_object_get(json_array_get(list, i), "SPDXID"));
        if (!str_starts(id, STR("SPDXRef-"))) {
            reading_warn(reading, RULE_SPDX_PACKAGE_ID, &here);
        } else if (map_find_str(ids, id) != NULL) {
            reading_warn(reading, RULE_SPDX_DUPLICATE_ID, &here);
        } else {
            map_put_str(reading->arena, ids, id, ids);
        }
    }
}

static void check_packages(struct reading *reading, const json_t *document)
{
    const bool is_2_2 =
        str_eq(json_text(json_object_get(document, "spdxVersion")), STR("SPDX-2.2"));
    const json_t *list = json_object_get(document, "packages");
    const struct place list_at = PLACE_KEY(&root, "packages");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *package = json_array_get(list, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        (void)reading_want_text(reading, package, &here, "name", RULE_SPDX_PACKAGE_NAME);
        (void)reading_want_text(reading, package, &here, "downloadLocation", RULE_SPDX_DOWNLOAD);
        check_licensing(reading, package, is_2_2, &here);
        check_checksums(reading, package, &here);
        check_external_refs(reading, package, &here);
        if (json_is_true(json_object_get(package, "filesAnalyzed")) &&
            json_object_get(package, "packageVerificationCode") == NULL) {
            reading_warn(reading, RULE_SPDX_VERIFICATION, &here);
        }
    }
}

static void check_files(struct reading *reading, const json_t *document)
{
    const json_t *list = json_object_get(document, "files");
    const struct place list_at = PLACE_KEY(&root, "files");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *file = json_array_get(list, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        if (json_array_size(json_object_get(file, "checksums")) == 0) {
            reading_warn(reading, RULE_SPDX_CHECKSUM, &here);
        }
        check_checksums(reading, file, &here);
    }
}

/* +1 when the first end holds or needs the second, -1 the other way round, 0 neither. */
static int direction_of(struct str type)
{
    static const char *const forward[] = {"CONTAINS", "DEPENDS_ON", "ANCESTOR_OF", NULL};
    static const char *const backward[] = {"CONTAINED_BY", "DEPENDENCY_OF", "DESCENDANT_OF",
                                           "PACKAGE_OF", NULL};
    return reading_knows_word(type, forward) - reading_knows_word(type, backward);
}

static bool end_known(const struct map *ids, struct str id)
{
    return map_find_str(ids, id) != NULL || str_starts(id, STR("DocumentRef-")) ||
           str_eq(id, STR("NONE")) || str_eq(id, STR("NOASSERTION"));
}

static void check_relationships(struct reading *reading, const json_t *document,
                                const struct map *ids)
{
    const json_t *list = json_object_get(document, "relationships");
    const struct place list_at = PLACE_KEY(&root, "relationships");
    const size_t n = json_array_size(list);
    struct circle_edge *edges = arena_array(reading->arena, struct circle_edge, n + 1);
    size_t edges_count = 0;
    bool describes = json_array_size(json_object_get(document, "documentDescribes")) > 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *relationship = json_array_get(list, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        const struct str type = json_text(json_object_get(relationship, "relationshipType"));
        const struct str from = json_text(json_object_get(relationship, "spdxElementId"));
        const struct str to = json_text(json_object_get(relationship, "relatedSpdxElement"));
        const int direction = direction_of(type);
        describes |= str_eq(type, STR("DESCRIBES")) || str_eq(type, STR("DESCRIBED_BY"));
        if (type.len == 0 || from.len == 0 || to.len == 0) {
            reading_warn(reading, RULE_SPDX_RELATIONSHIP, &here);
        } else if (!end_known(ids, from) || !end_known(ids, to)) {
            reading_warn(reading, RULE_SPDX_DANGLING, &here);
        } else if (direction != 0) {
            edges[edges_count++] =
                direction > 0 ? (struct circle_edge){from, to} : (struct circle_edge){to, from};
        }
    }
    if (circle_find(reading->arena, edges, edges_count) < edges_count) {
        reading_warn(reading, RULE_SPDX_CYCLE, &list_at);
    }
    if (!describes) {
        reading_warn(reading, RULE_SPDX_DESCRIBES, &root);
    }
}

void spdx_check(struct reading *reading, const json_t *document)
{
    static const char *const lists[] = {"packages", "files", "snippets", NULL};
    struct map ids = {0};
    map_put_str(reading->arena, &ids, STR("SPDXRef-DOCUMENT"), &ids);
    for (size_t i = 0; lists[i] != NULL; i++) {
        collect_ids(reading, document, lists[i], &ids);
    }
    check_head(reading, document);
    check_packages(reading, document);
    check_files(reading, document);
    check_relationships(reading, document, &ids);
}
