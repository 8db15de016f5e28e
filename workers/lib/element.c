#include "workers/lib/element.h"

#include "workers/lib/purl.h"

/* Any address will do as the value of a set. */
static char present;

void elements_add(struct reading *reading, struct elements *elements, struct str purl,
                  struct str ref, const struct place *purl_at)
{
    struct purl parts;
    elements->total++;
    if (elements->total > ELEMENTS_MAX) {
        reading_refuse(reading, QUARANTINE_TOO_COMPLEX, purl_at, "more than %d components",
                       ELEMENTS_MAX);
        return;
    }
    if (ref.len > 0) {
        map_put_str(reading->arena, &elements->all_refs, ref, &present);
    }
    if (purl.len == 0) {
        return;
    }
    struct element *element = map_find_str(&elements->by_purl, purl);
    if (element == NULL) {
        if (!purl_parse(reading->arena, purl, &parts)) {
            reading_warn(reading, RULE_PURL_FORMAT, purl_at);
        }
        element = arena_new(reading->arena, struct element);
        element->purl = purl;
        map_put_str(reading->arena, &elements->by_purl, purl, element);
    }
    if (ref.len > 0) {
        VEC_PUSH(reading->arena, &element->refs, ref);
        map_put_str(reading->arena, &elements->by_ref, ref, element);
    }
}

bool elements_has_ref(const struct elements *elements, struct str ref)
{
    return map_find_str(&elements->all_refs, ref) != NULL;
}

void elements_write(struct json_writer *out, const struct elements *elements)
{
    JSON_KEY(out, "components");
    json_put_array(out);
    for (size_t i = 0; i < elements->by_purl.n; i++) {
        const struct element *element = elements->by_purl.entries[i].value;
        json_put_object(out);
        JSON_STR(out, "purl", element->purl);
        JSON_KEY(out, "refs");
        json_put_array(out);
        for (size_t r = 0; r < element->refs.n; r++) {
            json_put_str(out, element->refs.v[r]);
        }
        json_put_array_end(out);
        json_put_object_end(out);
    }
    json_put_array_end(out);
    JSON_INT(out, "components_total", (int64_t)elements->total);
}
