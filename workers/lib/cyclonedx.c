#include "workers/lib/cyclonedx.h"

#include "workers/lib/write.h"

static const struct place root = {NULL, NULL, 0};

/* A list of components that is being walked. */
struct level {
    const json_t *list;
    size_t next;
    struct place list_at;
    struct place here; /* Of the component that is being looked at. */
};

static void collect_one(struct reading *reading, const json_t *component, const struct place *at,
                        struct elements *elements)
{
    const struct place purl_at = PLACE_KEY(at, "purl");
    const struct place ref_at = PLACE_KEY(at, "bom-ref");
    const struct str purl = reading_take_text(reading, component, at, "purl");
    const struct str ref = json_text(json_object_get(component, "bom-ref"));
    if (ref.len > 0 && elements_has_ref(elements, ref)) {
        reading_warn(reading, RULE_CYCLONEDX_DUPLICATE_REF, &ref_at);
    }
    elements_add(reading, elements, purl, ref, &purl_at);
    cyclonedx_check_component(reading, component, at);
}

/* Steps into the "components" of `owner`, if it has any. */
static size_t descend(struct reading *reading, const json_t *owner, const struct place *at,
                      struct level *levels, size_t depth)
{
    const json_t *list = reading_take_array(reading, owner, at, "components");
    if (json_array_size(list) == 0) {
        return depth;
    }
    if (depth == CYCLONEDX_DEPTH_MAX) {
        reading_refuse(reading, QUARANTINE_TOO_COMPLEX, at, "components nest deeper than %d",
                       CYCLONEDX_DEPTH_MAX);
        return depth;
    }
    levels[depth] = (struct level){.list = list, .list_at = PLACE_KEY(at, "components")};
    return depth + 1;
}

static void collect_list(struct reading *reading, const json_t *owner, const struct place *at,
                         struct elements *elements)
{
    struct level levels[CYCLONEDX_DEPTH_MAX];
    size_t depth = descend(reading, owner, at, levels, 0);
    while (depth > 0 && !reading_refused(reading)) {
        struct level *top = &levels[depth - 1];
        if (top->next == json_array_size(top->list)) {
            depth--;
            continue;
        }
        top->here = PLACE_INDEX(&top->list_at, top->next);
        const json_t *component =
            reading_need_element(reading, top->list, &top->list_at, top->next);
        top->next++;
        if (component != NULL) {
            collect_one(reading, component, &top->here, elements);
            depth = descend(reading, component, &top->here, levels, depth);
        }
    }
}

/* What a next generation of the format means is not ours to guess. */
static void check_generation(struct reading *reading, const json_t *document)
{
    const struct place at = PLACE_KEY(&root, "specVersion");
    const struct str version = reading_take_text(reading, document, &root, "specVersion");
    if (version.len > 0 && !str_starts(version, STR("1."))) {
        reading_refuse(reading, QUARANTINE_UNSUPPORTED_FORMAT, &at, "CycloneDX %.*s is not read",
                       (int)reading_cut(version, 40).len, version.ptr);
    }
}

void cyclonedx_collect(struct reading *reading, const json_t *document, struct elements *elements)
{
    check_generation(reading, document);
    const json_t *metadata = reading_take_object(reading, document, &root, "metadata");
    const struct place metadata_at = PLACE_KEY(&root, "metadata");
    const json_t *subject = reading_take_object(reading, metadata, &metadata_at, "component");
    const struct place subject_at = PLACE_KEY(&metadata_at, "component");
    if (subject != NULL) {
        collect_one(reading, subject, &subject_at, elements);
        collect_list(reading, subject, &subject_at, elements);
    }
    collect_list(reading, document, &root, elements);
}

void cyclonedx_write_bom(struct json_writer *out, const json_t *document)
{
    const struct str serial = json_text(json_object_get(document, "serialNumber"));
    const json_t *version = json_object_get(document, "version");
    const struct str scheme = STR("urn:uuid:");
    JSON_KEY(out, "bom");
    if (serial.len == 0) {
        json_put_null(out);
        return;
    }
    json_put_object(out);
    JSON_STR(out, "serial",
             str_starts(serial, scheme) ? str_slice(serial, scheme.len, serial.len) : serial);
    JSON_INT(out, "version", json_is_integer(version) ? json_integer_value(version) : 1);
    json_put_object_end(out);
}

static const json_t *subject_of(const json_t *document)
{
    return json_object_get(json_object_get(document, "metadata"), "component");
}

void cyclonedx_write_subjects(struct json_writer *out, const json_t *document)
{
    const json_t *subject = subject_of(document);
    JSON_KEY(out, "subjects");
    json_put_array(out);
    if (subject != NULL) {
        json_put_object(out);
        write_text(out, STR("purl"), json_text(json_object_get(subject, "purl")));
        write_text(out, STR("ref"), json_text(json_object_get(subject, "bom-ref")));
        write_text(out, STR("version"), json_text(json_object_get(subject, "version")));
        json_put_object_end(out);
    }
    json_put_array_end(out);
}

void cyclonedx_observe_sbom(struct reading *reading, const json_t *document,
                            struct json_writer *out)
{
    struct elements elements = {0};
    cyclonedx_collect(reading, document, &elements);
    json_put_object(out);
    cyclonedx_write_bom(out, document);
    elements_write(out, &elements);
    write_text(out, STR("name"), json_text(json_object_get(subject_of(document), "name")));
    cyclonedx_write_subjects(out, document);
    json_put_object_end(out);
    if (!reading_refused(reading)) {
        cyclonedx_check(reading, document, &elements);
    }
}
