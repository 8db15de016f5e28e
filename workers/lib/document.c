#include "workers/lib/document.h"

#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "workers/lib/yaml.h"

static const char *const format_names[] = {
    [DOCUMENT_OSV] = "osv",
    [DOCUMENT_CSAF] = "csaf",
    [DOCUMENT_OPENVEX] = "openvex",
    [DOCUMENT_CYCLONEDX] = "cyclonedx",
    [DOCUMENT_SPDX_2] = "spdx-2",
    [DOCUMENT_SPDX_3] = "spdx-3",
    [DOCUMENT_ROLIE_FEED] = "rolie-feed",
    [DOCUMENT_ROLIE_SERVICE] = "rolie-service",
    [DOCUMENT_CSAF_AGGREGATOR] = "csaf-aggregator",
    [DOCUMENT_CSAF_PROVIDER] = "csaf-provider-metadata",
    [DOCUMENT_VEX_HUB_MANIFEST] = "vex-hub-manifest",
    [DOCUMENT_UNKNOWN] = "unknown",
};

static const char *const kind_names[] = {
    [DOCUMENT_ADVISORY] = "advisory",
    [DOCUMENT_VEX] = "vex",
    [DOCUMENT_SBOM] = "sbom",
    [DOCUMENT_ANY] = "any",
};

const char *document_format_name(enum document_format format)
{
    CHECK(format <= DOCUMENT_UNKNOWN);
    return format_names[format];
}

const char *document_kind_name(enum document_kind kind)
{
    CHECK(kind <= DOCUMENT_ANY);
    return kind_names[kind];
}

bool document_kind_of_path(struct str path, enum document_kind *out_kind)
{
    static const struct {
        const char *folder;
        enum document_kind kind;
    } folders[] = {{"advisories-osv", DOCUMENT_ADVISORY},
                   {"advisories-csaf", DOCUMENT_ADVISORY},
                   {"vex", DOCUMENT_VEX},
                   {"sbom", DOCUMENT_SBOM}};

    const size_t slash = str_find(path, '/');
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        if (slash + 1 < path.len &&
            str_eq(str_slice(path, 0, slash), str_from(folders[i].folder))) {
            *out_kind = folders[i].kind;
            return true;
        }
    }
    return false;
}

static const struct place root = {NULL, NULL, 0};

/* No fewer than the values in it; those in strings are counted too. */
static size_t values_at_most(struct str text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        n += c == ',' || c == '[' || c == '{';
    }
    return n;
}

static json_t *read_json(struct reading *reading, struct str text)
{
    if (values_at_most(text) > DOCUMENT_VALUES_MAX) {
        reading_refuse(reading, QUARANTINE_TOO_COMPLEX, &root, "more than %d values",
                       DOCUMENT_VALUES_MAX);
        return NULL;
    }
    json_error_t why;
    json_t *value = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &why);
    if (value == NULL && json_error_code(&why) == json_error_duplicate_key) {
        value = json_loadb(text.ptr, text.len, 0, &why);
        if (value != NULL) {
            reading_warn(reading, RULE_DOCUMENT_DUPLICATE_KEY, &root);
        }
    }
    if (value == NULL) {
        const bool deep = json_error_code(&why) == json_error_stack_overflow;
        reading_refuse(reading, deep ? QUARANTINE_TOO_COMPLEX : QUARANTINE_DOES_NOT_PARSE, &root,
                       "not valid JSON at byte %d: %s", why.position, why.text);
    }
    return value;
}

json_t *document_read(struct reading *reading, struct str bytes, bool *out_is_yaml)
{
    *out_is_yaml = false;
    if (bytes.len > DOCUMENT_MAX) {
        reading_refuse(reading, QUARANTINE_TOO_LARGE, &root, "%zu bytes are more than %d",
                       bytes.len, DOCUMENT_MAX);
        return NULL;
    }
    if (str_starts(bytes, STR("\xEF\xBB\xBF"))) {
        reading_warn(reading, RULE_DOCUMENT_BYTE_ORDER_MARK, &root);
        bytes = str_slice(bytes, 3, bytes.len);
    }
    const struct str text = str_trim(bytes);
    if (text.len > 0 && (text.ptr[0] == '{' || text.ptr[0] == '[')) {
        return read_json(reading, text);
    }
    *out_is_yaml = true;
    if (bytes.len > DOCUMENT_YAML_MAX) {
        reading_refuse(reading, QUARANTINE_TOO_LARGE, &root,
                       "%zu bytes are more than %d, the most for YAML", bytes.len,
                       DOCUMENT_YAML_MAX);
        return NULL;
    }
    return yaml_read(reading, bytes);
}

static bool has_object(const json_t *document, const char *key)
{
    return json_is_object(json_object_get(document, key));
}

static bool has_array(const json_t *document, const char *key)
{
    return json_is_array(json_object_get(document, key));
}

/* "@context" is a text, or a list whose first element is one. */
static struct str context_of(const json_t *document)
{
    const json_t *context = json_object_get(document, "@context");
    return json_text(json_is_array(context) ? json_array_get(context, 0) : context);
}

static bool is_openvex(const json_t *document)
{
    if (str_starts(context_of(document), STR("https://openvex.dev/ns"))) {
        return true;
    }
    const json_t *first = json_array_get(json_object_get(document, "statements"), 0);
    return json_object_get(first, "vulnerability") != NULL &&
           json_object_get(first, "status") != NULL;
}

static bool is_csaf(const json_t *document)
{
    const json_t *head = json_object_get(document, "document");
    return json_is_object(head) && (json_object_get(head, "csaf_version") != NULL ||
                                    json_is_object(json_object_get(head, "tracking")));
}

static bool is_osv(const json_t *document)
{
    return json_object_get(document, "id") != NULL &&
           (json_object_get(document, "modified") != NULL ||
            json_object_get(document, "schema_version") != NULL || has_array(document, "affected"));
}

static bool is_spdx_3(const json_t *document)
{
    const struct str context = context_of(document);
    return str_starts(context, STR("https://spdx.org/rdf/3")) ||
           str_starts(json_text(json_object_get(document, "spdxVersion")), STR("SPDX-3"));
}

enum document_format document_format(const json_t *document)
{
    if (str_eq(json_text(json_object_get(document, "bomFormat")), STR("CycloneDX"))) {
        return DOCUMENT_CYCLONEDX;
    }
    if (is_spdx_3(document)) {
        return DOCUMENT_SPDX_3;
    }
    if (str_starts(json_text(json_object_get(document, "spdxVersion")), STR("SPDX-2"))) {
        return DOCUMENT_SPDX_2;
    }
    if (is_openvex(document)) {
        return DOCUMENT_OPENVEX;
    }
    if (is_csaf(document)) {
        return DOCUMENT_CSAF;
    }
    if (has_object(document, "feed") && has_array(json_object_get(document, "feed"), "link")) {
        return DOCUMENT_ROLIE_FEED;
    }
    if (has_object(document, "service") &&
        has_array(json_object_get(document, "service"), "workspace")) {
        return DOCUMENT_ROLIE_SERVICE;
    }
    if (json_object_get(document, "aggregator_version") != NULL) {
        return DOCUMENT_CSAF_AGGREGATOR;
    }
    if (json_object_get(document, "metadata_version") != NULL &&
        json_object_get(document, "canonical_url") != NULL) {
        return DOCUMENT_CSAF_PROVIDER;
    }
    if (json_object_get(document, "ID") != NULL && has_array(document, "Sources")) {
        return DOCUMENT_VEX_HUB_MANIFEST;
    }
    return is_osv(document) ? DOCUMENT_OSV : DOCUMENT_UNKNOWN;
}
