/* Rules of a CycloneDX document as a whole. */
#include "workers/lib/cyclonedx.h"

static const struct place root = {NULL, NULL, 0};

static const char *const top_members[] = {
    "$schema",      "bomFormat",       "specVersion", "serialNumber",       "version",
    "metadata",     "components",      "services",    "externalReferences", "dependencies",
    "compositions", "vulnerabilities", "annotations", "formulation",        "declarations",
    "definitions",  "properties",      "signature",   "citations",          NULL};

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* urn:uuid: and eight-four-four-four-twelve hexadecimal digits. */
static bool serial_well_formed(struct str serial)
{
    const struct str scheme = STR("urn:uuid:");
    const struct str uuid = str_slice(serial, scheme.len, serial.len);
    if (!str_starts(serial, scheme) || uuid.len != 36) {
        return false;
    }
    for (size_t i = 0; i < uuid.len; i++) {
        const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? uuid.ptr[i] != '-' : !is_hex(uuid.ptr[i])) {
            return false;
        }
    }
    return true;
}

static void check_head(struct reading *reading, const json_t *document)
{
    static const char *const versions[] = {"1.2", "1.3", "1.4", "1.5", "1.6", "1.7", NULL};
    const json_t *serial = json_object_get(document, "serialNumber");
    const json_t *version = json_object_get(document, "version");
    const struct place serial_at = PLACE_KEY(&root, "serialNumber");
    const struct place version_at = PLACE_KEY(&root, "version");
    const struct place spec_at = PLACE_KEY(&root, "specVersion");
    const struct str spec =
        reading_want_text(reading, document, &root, "specVersion", RULE_CYCLONEDX_SPEC_VERSION);
    reading_check_word(reading, spec, versions, &spec_at, RULE_CYCLONEDX_SPEC_VERSION);
    if (serial != NULL && !serial_well_formed(json_text(serial))) {
        reading_warn(reading, RULE_CYCLONEDX_SERIAL, &serial_at);
    }
    if (version != NULL && (!json_is_integer(version) || json_integer_value(version) < 1)) {
        reading_warn(reading, RULE_CYCLONEDX_VERSION, &version_at);
    }
    json_t *object = (json_t *)(uintptr_t)document; /* jansson iterates non-const only */
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        const struct place here = PLACE_KEY(&root, key);
        reading_check_word(reading, str_from(key), top_members, &here,
                           RULE_CYCLONEDX_UNKNOWN_MEMBER);
    }
}

static void check_properties(struct reading *reading, const json_t *owner, const struct place *at)
{
    const json_t *list = json_object_get(owner, "properties");
    const struct place list_at = PLACE_KEY(at, "properties");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct place here = PLACE_INDEX(&list_at, i);
        if (json_text(json_object_get(json_array_get(list, i), "name")).len == 0) {
            reading_warn(reading, RULE_CYCLONEDX_PROPERTY, &here);
        }
    }
}

/* Something, one '@', something, and neither a colon nor white space. */
static bool email_well_formed(struct str text)
{
    const size_t at = str_find(text, '@');
    return at > 0 && at + 1 < text.len && str_find(text, ':') == text.len &&
           str_find(text, ' ') == text.len && str_find(text, '/') == text.len;
}

static void check_contacts(struct reading *reading, const json_t *entity, const struct place *at)
{
    const json_t *list = json_object_get(entity, "contact");
    const struct place list_at = PLACE_KEY(at, "contact");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *email = json_object_get(json_array_get(list, i), "email");
        const struct place here = PLACE_INDEX(&list_at, i);
        if (email != NULL && !email_well_formed(json_text(email))) {
            reading_warn(reading, RULE_CYCLONEDX_CONTACT, &here);
        }
    }
}

static void check_metadata(struct reading *reading, const json_t *document)
{
    static const char *const entities[] = {"manufacture", "manufacturer", "supplier", NULL};
    const json_t *metadata = json_object_get(document, "metadata");
    const struct place at = PLACE_KEY(&root, "metadata");
    reading_check_time(reading, metadata, &at, "timestamp", RULE_CYCLONEDX_TIMESTAMP);
    check_properties(reading, metadata, &at);
    for (size_t i = 0; entities[i] != NULL; i++) {
        const struct place entity_at = PLACE_KEY(&at, entities[i]);
        check_contacts(reading, json_object_get(metadata, entities[i]), &entity_at);
    }
}

static void check_data_flows(struct reading *reading, const json_t *service, const struct place *at)
{
    static const char *const flows[] = {"inbound", "outbound", "bi-directional", "unknown", NULL};
    const json_t *list = json_object_get(service, "data");
    const struct place list_at = PLACE_KEY(at, "data");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct place here = PLACE_INDEX(&list_at, i);
        const struct str flow = json_text(json_object_get(json_array_get(list, i), "flow"));
        reading_check_word(reading, flow, flows, &here, RULE_CYCLONEDX_SERVICE_DATA);
    }
}

/* A list of services that is being walked. */
struct level {
    const json_t *list;
    size_t next;
    struct place list_at;
    struct place here;
};

static size_t descend(const json_t *owner, const struct place *at, struct level *levels,
                      size_t depth)
{
    const json_t *list = json_object_get(owner, "services");
    if (!json_is_array(list) || json_array_size(list) == 0 || depth == CYCLONEDX_DEPTH_MAX) {
        return depth;
    }
    levels[depth] = (struct level){.list = list, .list_at = PLACE_KEY(at, "services")};
    return depth + 1;
}

/* Checks all services, and notes their references in *refs. */
static void check_services(struct reading *reading, const json_t *document, struct map *refs)
{
    struct level levels[CYCLONEDX_DEPTH_MAX];
    size_t depth = descend(document, &root, levels, 0);
    while (depth > 0) {
        struct level *top = &levels[depth - 1];
        if (top->next == json_array_size(top->list)) {
            depth--;
            continue;
        }
        const json_t *service = json_array_get(top->list, top->next);
        const struct str ref = json_text(json_object_get(service, "bom-ref"));
        top->here = PLACE_INDEX(&top->list_at, top->next);
        top->next++;
        if (ref.len > 0) {
            map_put_str(reading->arena, refs, ref, refs);
        }
        check_data_flows(reading, service, &top->here);
        depth = descend(service, &top->here, levels, depth);
    }
}

static bool resolves(const struct elements *elements, const struct map *services, struct str ref)
{
    return elements_has_ref(elements, ref) || map_find_str(services, ref) != NULL;
}

static void check_dependencies(struct reading *reading, const json_t *document,
                               const struct elements *elements, const struct map *services)
{
    const json_t *list =
        reading_want_array(reading, document, &root, "dependencies", RULE_CYCLONEDX_SHAPE);
    const struct place list_at = PLACE_KEY(&root, "dependencies");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *dependency = json_array_get(list, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        const struct place depends_at = PLACE_KEY(&here, "dependsOn");
        const struct str ref = json_text(json_object_get(dependency, "ref"));
        const json_t *depends = json_object_get(dependency, "dependsOn");
        if (ref.len == 0) {
            reading_warn(reading, RULE_CYCLONEDX_DEPENDENCY, &here);
        } else if (!resolves(elements, services, ref)) {
            reading_warn(reading, RULE_CYCLONEDX_DANGLING_REF, &here);
        }
        for (size_t d = 0; d < json_array_size(depends); d++) {
            const struct place edge_at = PLACE_INDEX(&depends_at, d);
            if (!resolves(elements, services, json_text(json_array_get(depends, d)))) {
                reading_warn(reading, RULE_CYCLONEDX_DANGLING_REF, &edge_at);
            }
        }
    }
}

void cyclonedx_check(struct reading *reading, const json_t *document,
                     const struct elements *elements)
{
    struct map services = {0};
    check_head(reading, document);
    check_metadata(reading, document);
    check_services(reading, document, &services);
    check_dependencies(reading, document, elements, &services);
}
