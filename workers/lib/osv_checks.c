/* Rules of OSV members that the observation does not hold. */
#include "workers/lib/osv.h"

#include "base/time.h"

static const struct place root = {NULL, NULL, 0};

static const char *const top_members[] = {
    "schema_version", "id",      "modified",          "published", "withdrawn", "aliases",
    "upstream",       "related", "summary",           "details",   "severity",  "affected",
    "references",     "credits", "database_specific", NULL};

static const char *const ecosystems[] = {"AlmaLinux",
                                         "Alpaquita",
                                         "Alpine",
                                         "Android",
                                         "Azure Linux",
                                         "BellSoft Hardened Containers",
                                         "Bioconductor",
                                         "Bitnami",
                                         "Chainguard",
                                         "CleanStart",
                                         "ConanCenter",
                                         "CRAN",
                                         "Debian",
                                         "Echo",
                                         "FreeBSD",
                                         "GHC",
                                         "GIT",
                                         "GSD",
                                         "GitHub Actions",
                                         "Go",
                                         "Hackage",
                                         "Hex",
                                         "Julia",
                                         "Kubernetes",
                                         "Linux",
                                         "Mageia",
                                         "Maven",
                                         "MinimOS",
                                         "NuGet",
                                         "OSS-Fuzz",
                                         "Packagist",
                                         "Photon OS",
                                         "Pub",
                                         "PyPI",
                                         "Red Hat",
                                         "Rocky Linux",
                                         "RubyGems",
                                         "SUSE",
                                         "SwiftURL",
                                         "Ubuntu",
                                         "VSCode",
                                         "Wolfi",
                                         "crates.io",
                                         "npm",
                                         "openEuler",
                                         "openSUSE",
                                         "Root",
                                         "TuxCare",
                                         "Alpaquita",
                                         "Docker Hardened Images",
                                         "opam",
                                         NULL};

static void check_top_members(struct reading *reading, const json_t *document)
{
    json_t *object = (json_t *)(uintptr_t)document; /* jansson iterates non-const only */
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        if (!reading_knows_word(str_from(key), top_members)) {
            const struct place here = PLACE_KEY(&root, key);
            reading_warn(reading, RULE_OSV_UNKNOWN_MEMBER, &here);
        }
    }
}

/* A database prefix of letters, digits and '_', a hyphen, and something behind it. */
static bool id_well_formed(struct str id)
{
    const size_t hyphen = str_find(id, '-');
    if (hyphen == 0 || hyphen + 1 >= id.len) {
        return false;
    }
    for (size_t i = 0; i < id.len; i++) {
        if ((unsigned char)id.ptr[i] <= ' ') {
            return false;
        }
    }
    return true;
}

static void check_head(struct reading *reading, const json_t *document)
{
    const json_t *schema = json_object_get(document, "schema_version");
    const struct place schema_at = PLACE_KEY(&root, "schema_version");
    const struct place id_at = PLACE_KEY(&root, "id");
    const struct place modified_at = PLACE_KEY(&root, "modified");
    struct wall_time when;
    if (schema != NULL && json_text(schema).len == 0) {
        reading_warn(reading, RULE_OSV_SCHEMA_VERSION, &schema_at);
    }
    if (!id_well_formed(json_text(json_object_get(document, "id")))) {
        reading_warn(reading, RULE_OSV_ID, &id_at);
    }
    if (!time_parse(json_text(json_object_get(document, "modified")), &when)) {
        reading_warn(reading, RULE_OSV_MODIFIED, &modified_at);
    }
    reading_check_time(reading, document, &root, "published", RULE_OSV_PUBLISHED);
}

static void check_ecosystems(struct reading *reading, const json_t *document)
{
    const json_t *list = json_object_get(document, "affected");
    const struct place list_at = PLACE_KEY(&root, "affected");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *package = json_object_get(json_array_get(list, i), "package");
        const struct place entry_at = PLACE_INDEX(&list_at, i);
        const struct place package_at = PLACE_KEY(&entry_at, "package");
        const struct place here = PLACE_KEY(&package_at, "ecosystem");
        const struct str name = json_text(json_object_get(package, "ecosystem"));
        if (name.len > 0 &&
            !reading_knows_word(str_slice(name, 0, str_find(name, ':')), ecosystems)) {
            reading_warn(reading, RULE_OSV_ECOSYSTEM, &here);
        }
    }
}

/* The score begins as vectors of its type do, and has no empty part. */
static bool severity_well_formed(struct str type, struct str score)
{
    if (str_eq(type, STR("CVSS_V2"))) {
        return str_starts(score, STR("AV:")) && !str_ends(score, STR("/"));
    }
    if (str_eq(type, STR("CVSS_V3"))) {
        return (str_starts(score, STR("CVSS:3.0/")) || str_starts(score, STR("CVSS:3.1/"))) &&
               !str_ends(score, STR("/"));
    }
    if (str_eq(type, STR("CVSS_V4"))) {
        return str_starts(score, STR("CVSS:4.0/")) && !str_ends(score, STR("/"));
    }
    return str_eq(type, STR("Ubuntu")) && score.len > 0;
}

static void check_severities(struct reading *reading, const json_t *owner, const struct place *at)
{
    const json_t *list = reading_want_array(reading, owner, at, "severity", RULE_OSV_SEVERITY);
    const struct place list_at = PLACE_KEY(at, "severity");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *severity = json_array_get(list, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        if (!severity_well_formed(json_text(json_object_get(severity, "type")),
                                  json_text(json_object_get(severity, "score")))) {
            reading_warn(reading, RULE_OSV_SEVERITY, &here);
        }
    }
}

static void check_affected_severities(struct reading *reading, const json_t *document)
{
    const json_t *list = json_object_get(document, "affected");
    const struct place list_at = PLACE_KEY(&root, "affected");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct place here = PLACE_INDEX(&list_at, i);
        check_severities(reading, json_array_get(list, i), &here);
    }
}

static void check_references(struct reading *reading, const json_t *document)
{
    static const char *const types[] = {"ADVISORY", "ARTICLE",  "DETECTION",  "DISCUSSION",
                                        "REPORT",   "FIX",      "INTRODUCED", "GIT",
                                        "PACKAGE",  "EVIDENCE", "WEB",        NULL};
    const json_t *list =
        reading_want_array(reading, document, &root, "references", RULE_OSV_REFERENCE);
    const struct place list_at = PLACE_KEY(&root, "references");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *reference = json_array_get(list, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        const struct str url = json_text(json_object_get(reference, "url"));
        if (!reading_knows_word(json_text(json_object_get(reference, "type")), types) ||
            str_find(url, ':') == url.len) {
            reading_warn(reading, RULE_OSV_REFERENCE, &here);
        }
    }
}

static void check_credits(struct reading *reading, const json_t *document)
{
    const json_t *list = reading_want_array(reading, document, &root, "credits", RULE_OSV_CREDIT);
    const struct place list_at = PLACE_KEY(&root, "credits");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct place here = PLACE_INDEX(&list_at, i);
        if (json_text(json_object_get(json_array_get(list, i), "name")).len == 0) {
            reading_warn(reading, RULE_OSV_CREDIT, &here);
        }
    }
}

void osv_check(struct reading *reading, const json_t *document)
{
    check_head(reading, document);
    check_top_members(reading, document);
    check_ecosystems(reading, document);
    check_severities(reading, document, &root);
    check_affected_severities(reading, document);
    check_references(reading, document);
    check_credits(reading, document);
}
