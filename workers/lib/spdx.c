#include "workers/lib/spdx.h"

#include "workers/lib/write.h"

static const struct place root = {NULL, NULL, 0};

static void observe_external_refs(struct reading *reading, const json_t *package,
                                  const struct place *at, struct elements *elements)
{
    const json_t *list = reading_take_array(reading, package, at, "externalRefs");
    const struct place list_at = PLACE_KEY(at, "externalRefs");
    const struct str id = json_text(json_object_get(package, "SPDXID"));
    bool found = false;
    for (size_t i = 0; i < json_array_size(list) && !reading_refused(reading); i++) {
        const json_t *ref = reading_need_element(reading, list, &list_at, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        const struct place locator_at = PLACE_KEY(&here, "referenceLocator");
        if (str_eq(json_text(json_object_get(ref, "referenceType")), STR("purl"))) {
            const struct str purl = reading_need_text(reading, ref, &here, "referenceLocator");
            elements_add(reading, elements, purl, id, &locator_at);
            found = true;
        }
    }
    if (!found) {
        elements_add(reading, elements, STR(""), id, at);
    }
}

static void observe_packages(struct reading *reading, const json_t *document,
                             struct elements *elements)
{
    const json_t *packages = reading_take_array(reading, document, &root, "packages");
    const struct place packages_at = PLACE_KEY(&root, "packages");
    for (size_t i = 0; i < json_array_size(packages) && !reading_refused(reading); i++) {
        const json_t *package = reading_need_element(reading, packages, &packages_at, i);
        const struct place here = PLACE_INDEX(&packages_at, i);
        if (package != NULL) {
            observe_external_refs(reading, package, &here, elements);
        }
    }
}

/* The element that a relationship says the document describes; empty for other relationships. */
static struct str described_by(const json_t *relationship)
{
    const struct str type = json_text(json_object_get(relationship, "relationshipType"));
    const struct str from = json_text(json_object_get(relationship, "spdxElementId"));
    const struct str to = json_text(json_object_get(relationship, "relatedSpdxElement"));
    if (str_eq(type, STR("DESCRIBES")) && str_eq(from, STR("SPDXRef-DOCUMENT"))) {
        return to;
    }
    if (str_eq(type, STR("DESCRIBED_BY")) && str_eq(to, STR("SPDXRef-DOCUMENT"))) {
        return from;
    }
    return (struct str){NULL, 0};
}

struct subject_list {
    struct map seen; /* By reference. */
    VEC(const struct element *) found;
    VEC(struct str) refs;
};

static void add_subject(struct reading *reading, const struct elements *elements, struct str ref,
                        struct subject_list *list)
{
    struct element *element = ref.len > 0 ? map_find_str(&elements->by_ref, ref) : NULL;
    if (element != NULL && map_find_str(&list->seen, ref) == NULL) {
        map_put_str(reading->arena, &list->seen, ref, element);
        VEC_PUSH(reading->arena, &list->found, element);
        VEC_PUSH(reading->arena, &list->refs, ref);
    }
}

static void observe_subjects(struct reading *reading, const json_t *document,
                             const struct elements *elements, struct json_writer *out)
{
    struct subject_list list = {0};
    const json_t *described =
        reading_want_array(reading, document, &root, "documentDescribes", RULE_SPDX_SHAPE);
    for (size_t i = 0; i < json_array_size(described); i++) {
        add_subject(reading, elements, json_text(json_array_get(described, i)), &list);
    }
    const json_t *relationships = reading_take_array(reading, document, &root, "relationships");
    for (size_t i = 0; i < json_array_size(relationships); i++) {
        add_subject(reading, elements, described_by(json_array_get(relationships, i)), &list);
    }
    JSON_KEY(out, "subjects");
    json_put_array(out);
    for (size_t i = 0; i < list.found.n; i++) {
        json_put_object(out);
        JSON_STR(out, "purl", list.found.v[i]->purl);
        JSON_STR(out, "ref", list.refs.v[i]);
        json_put_object_end(out);
    }
    json_put_array_end(out);
}

void spdx_observe(struct reading *reading, const json_t *document, struct json_writer *out)
{
    struct elements elements = {0};
    observe_packages(reading, document, &elements);
    json_put_object(out);
    JSON_NULL(out, "bom");
    elements_write(out, &elements);
    write_text(out, STR("name"), json_text(json_object_get(document, "name")));
    observe_subjects(reading, document, &elements, out);
    json_put_object_end(out);
    if (!reading_refused(reading)) {
        spdx_check(reading, document);
    }
}
