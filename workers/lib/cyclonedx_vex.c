#include "workers/lib/cyclonedx.h"

#include "workers/lib/purl.h"
#include "workers/lib/statement.h"
#include "workers/lib/write.h"

static const struct place root = {NULL, NULL, 0};

static const struct {
    const char *state;
    enum vex_status status;
} states[] = {
    {"resolved", VEX_FIXED},
    {"resolved_with_pedigree", VEX_FIXED},
    {"exploitable", VEX_AFFECTED},
    {"in_triage", VEX_UNDER_INVESTIGATION},
    {"false_positive", VEX_NOT_AFFECTED},
    {"not_affected", VEX_NOT_AFFECTED},
};

static const char *const justifications[] = {"code_not_present",
                                             "code_not_reachable",
                                             "requires_configuration",
                                             "requires_dependency",
                                             "requires_environment",
                                             "protected_by_compiler",
                                             "protected_at_runtime",
                                             "protected_at_perimeter",
                                             "protected_by_mitigating_control",
                                             NULL};

/* What is known of the document while its vulnerabilities are read. */
struct vex_document {
    struct elements elements;
    struct str serial;  /* Without "urn:uuid:"; empty when there is none. */
    int64_t version;    /* Of the BOM. */
    struct str subject; /* Package URL of metadata.component; may be empty. */
    struct str subject_ref;
    struct str issued;
};

static enum vex_status status_of(struct str state)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (str_eq(state, str_from(states[i].state))) {
            return states[i].status;
        }
    }
    return VEX_NONE;
}

/* urn:cdx:serial/version[#element] */
static bool parse_link(struct arena *arena, struct str ref, struct statement_product *out)
{
    const struct str scheme = STR("urn:cdx:");
    if (!str_eq_nocase(str_slice(ref, 0, scheme.len), scheme)) {
        return false;
    }
    const struct str rest = str_slice(ref, scheme.len, ref.len);
    const size_t hash = str_find(rest, '#');
    const struct str bom = str_slice(rest, 0, hash);
    const size_t slash = str_find(bom, '/');
    out->link_serial = str_slice(bom, 0, slash);
    out->link_element = purl_decode(arena, str_slice(rest, hash + 1, rest.len));
    out->has_link = out->link_serial.len > 0 &&
                    str_parse_i64(str_slice(bom, slash + 1, bom.len), &out->link_version);
    return out->has_link;
}

/* A ref of this document: its subject, or an element within that. */
static void resolve_local(struct reading *reading, const struct vex_document *vex, struct str ref,
                          const struct place *at, struct str *sub, struct statement_product *out)
{
    const struct element *element = map_find_str(&vex->elements.by_ref, ref);
    const bool is_subject = str_eq(ref, vex->subject_ref);
    if (!is_subject && !elements_has_ref(&vex->elements, ref)) {
        reading_warn(reading, RULE_CYCLONEDX_AFFECTS_DANGLING, at);
        return;
    }
    out->purl = vex->subject;
    if (!is_subject && element != NULL && vex->subject.len > 0) {
        *sub = element->purl;
        out->subcomponents = sub;
        out->subcomponents_count = 1;
    } else if (!is_subject) {
        out->purl = element != NULL ? element->purl : STR("");
    }
    if (vex->serial.len > 0) {
        out->has_link = true;
        out->link_serial = vex->serial;
        out->link_version = vex->version;
        out->link_element = ref;
    }
}

/* Exact versions limit the statement; ranges are noted, not evaluated. */
static void observe_versions(struct reading *reading, const json_t *affects, const struct place *at,
                             struct statement_product *out)
{
    const json_t *list = reading_take_array(reading, affects, at, "versions");
    const size_t n = json_array_size(list);
    struct str *versions = arena_array(reading->arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct str version = json_text(json_object_get(json_array_get(list, i), "version"));
        if (version.len > 0) {
            versions[out->versions_count++] = version;
        } else {
            out->versions_open = true;
        }
    }
    out->versions = versions;
}

static void observe_affects(struct reading *reading, const struct vex_document *vex,
                            const json_t *affects, const struct place *at, struct json_writer *out)
{
    struct str subcomponent = {NULL, 0};
    const struct place ref_at = PLACE_KEY(at, "ref");
    const struct str ref = reading_take_text(reading, affects, at, "ref");
    struct statement_product product = {.id = ref};
    if (ref.len == 0) {
        reading_warn(reading, RULE_CYCLONEDX_AFFECTS, at);
        return;
    }
    if (!parse_link(reading->arena, ref, &product)) {
        resolve_local(reading, vex, ref, &ref_at, &subcomponent, &product);
    }
    observe_versions(reading, affects, at, &product);
    statement_product(out, &product);
}

static struct str moment_of(const json_t *vulnerability, const json_t *analysis,
                            struct str document)
{
    const struct str texts[] = {json_text(json_object_get(analysis, "lastUpdated")),
                                json_text(json_object_get(analysis, "firstIssued")),
                                json_text(json_object_get(vulnerability, "updated")),
                                json_text(json_object_get(vulnerability, "published")), document};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].len > 0) {
            return texts[i];
        }
    }
    return (struct str){NULL, 0};
}

/* Its id and those of its references: the same vulnerability in other databases. */
static size_t names_of(struct reading *reading, const json_t *vulnerability, const struct place *at,
                       struct str **out_names)
{
    const json_t *references =
        reading_want_array(reading, vulnerability, at, "references", RULE_CYCLONEDX_SHAPE);
    const size_t most = json_array_size(references) + 1;
    struct str *names = arena_array(reading->arena, struct str, most);
    size_t n = 0;
    names[n++] = reading_need_text(reading, vulnerability, at, "id");
    for (size_t i = 0; i < json_array_size(references); i++) {
        const struct str id = json_text(json_object_get(json_array_get(references, i), "id"));
        if (id.len > 0) {
            names[n++] = id;
        }
    }
    *out_names = names;
    return n;
}

static void observe_vulnerability(struct reading *reading, const struct vex_document *vex,
                                  const json_t *vulnerability, const struct place *at,
                                  struct json_writer *out)
{
    const json_t *analysis = reading_take_object(reading, vulnerability, at, "analysis");
    const struct place analysis_at = PLACE_KEY(at, "analysis");
    const struct place justification_at = PLACE_KEY(&analysis_at, "justification");
    const struct str state = reading_take_text(reading, analysis, &analysis_at, "state");
    const struct str justification = json_text(json_object_get(analysis, "justification"));
    const enum vex_status status = status_of(state);
    if (status == VEX_NONE) {
        reading_warn(reading, RULE_CYCLONEDX_ANALYSIS, &analysis_at);
        return;
    }
    reading_check_word(reading, justification, justifications, &justification_at,
                       RULE_CYCLONEDX_JUSTIFICATION);
    struct str *names = NULL;
    const size_t names_count = names_of(reading, vulnerability, at, &names);
    const json_t *list = reading_take_array(reading, vulnerability, at, "affects");
    const struct place list_at = PLACE_KEY(at, "affects");
    if (json_array_size(list) == 0) {
        reading_warn(reading, RULE_CYCLONEDX_AFFECTS, at);
    }
    statement_begin(
        out, &(struct statement_head){.index = at->index,
                                      .issued = moment_of(vulnerability, analysis, vex->issued),
                                      .justification = justification});
    for (size_t i = 0; i < json_array_size(list) && !reading_refused(reading); i++) {
        const json_t *affects = reading_need_element(reading, list, &list_at, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        if (affects != NULL) {
            observe_affects(reading, vex, affects, &here, out);
        }
    }
    statement_end(out, status, state, names, names_count);
}

static void observe_vulnerabilities(struct reading *reading, const struct vex_document *vex,
                                    const json_t *document, struct json_writer *out)
{
    const json_t *list = reading_take_array(reading, document, &root, "vulnerabilities");
    const struct place list_at = PLACE_KEY(&root, "vulnerabilities");
    JSON_KEY(out, "statements");
    json_put_array(out);
    for (size_t i = 0; i < json_array_size(list) && !reading_refused(reading); i++) {
        const json_t *vulnerability = reading_need_element(reading, list, &list_at, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        if (vulnerability != NULL) {
            observe_vulnerability(reading, vex, vulnerability, &here, out);
        }
    }
    json_put_array_end(out);
}

/* Every reference of the document, so that links into it can be told from dangling ones. */
static void write_elements(struct json_writer *out, const struct elements *elements)
{
    JSON_KEY(out, "elements");
    json_put_array(out);
    for (size_t i = 0; i < elements->all_refs.n; i++) {
        const struct str ref = elements->all_refs.entries[i].text;
        const struct element *element = map_find_str(&elements->by_ref, ref);
        json_put_object(out);
        write_text(out, STR("purl"), element != NULL ? element->purl : STR(""));
        JSON_STR(out, "ref", ref);
        json_put_object_end(out);
    }
    json_put_array_end(out);
}

void cyclonedx_observe_vex(struct reading *reading, const json_t *document, struct json_writer *out)
{
    struct vex_document vex = {0};
    const json_t *metadata = json_object_get(document, "metadata");
    const json_t *subject = json_object_get(metadata, "component");
    const json_t *version = json_object_get(document, "version");
    const struct str serial = json_text(json_object_get(document, "serialNumber"));
    cyclonedx_collect(reading, document, &vex.elements);
    vex.serial = str_slice(serial, STR("urn:uuid:").len, serial.len);
    vex.version = json_is_integer(version) ? json_integer_value(version) : 1;
    vex.subject = json_text(json_object_get(subject, "purl"));
    vex.subject_ref = json_text(json_object_get(subject, "bom-ref"));
    vex.issued = json_text(json_object_get(metadata, "timestamp"));
    json_put_object(out);
    cyclonedx_write_bom(out, document);
    write_elements(out, &vex.elements);
    write_time(out, STR("issued"), vex.issued);
    observe_vulnerabilities(reading, &vex, document, out);
    cyclonedx_write_subjects(out, document);
    json_put_object_end(out);
    if (!reading_refused(reading)) {
        cyclonedx_check(reading, document, &vex.elements);
    }
}
