/* Rules of a CSAF document as a whole: its head, and that what is named is defined. */
#include "workers/lib/csaf.h"

#include <string.h>

#include "workers/lib/circle.h"

static const struct place root = {NULL, NULL, 0};

/* Two-letter primary subtags of ISO 639-1; longer ones are only looked at for their form. */
static const char languages[] =
    " aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy "
    "da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu "
    "hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb "
    "lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om "
    "or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw "
    "ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu ";

static bool language_known(struct str tag)
{
    char padded[5] = "    ";
    const struct str primary = str_slice(tag, 0, str_find(tag, '-'));
    for (size_t i = 0; i < primary.len; i++) {
        const char c = primary.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
            return false;
        }
        if (i < 2) {
            padded[i + 1] = (char)(c | 0x20);
        }
    }
    if (primary.len != 2) {
        return primary.len >= 1 && primary.len <= 8;
    }
    return memmem(languages, sizeof(languages) - 1, padded, 4) != NULL;
}

static void check_languages(struct reading *reading, const json_t *head, const struct place *at)
{
    const struct str lang = json_text(json_object_get(head, "lang"));
    const struct str source = json_text(json_object_get(head, "source_lang"));
    const struct place lang_at = PLACE_KEY(at, "lang");
    const struct place source_at = PLACE_KEY(at, "source_lang");
    const struct str publisher =
        json_text(json_object_get(json_object_get(head, "publisher"), "category"));
    if (lang.len > 0 && !language_known(lang)) {
        reading_warn(reading, RULE_CSAF_LANG, &lang_at);
    }
    if (source.len > 0 && !language_known(source)) {
        reading_warn(reading, RULE_CSAF_LANG, &source_at);
    }
    if (source.len > 0 && str_eq_nocase(source, lang)) {
        reading_warn(reading, RULE_CSAF_TRANSLATION, &source_at);
    }
    if (str_eq(publisher, STR("translator")) && source.len == 0) {
        reading_warn(reading, RULE_CSAF_TRANSLATOR, at);
    }
}

static const char *const profiles[] = {"csaf_base",
                                       "csaf_security_incident_response",
                                       "csaf_informational_advisory",
                                       "csaf_security_advisory",
                                       "csaf_vex",
                                       NULL};

/* Letters of a category in lower case, without the signs that may stand between words. */
static struct str squeezed(struct arena *arena, struct str category)
{
    char *out = arena_alloc(arena, category.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < category.len; i++) {
        const char c = category.ptr[i];
        if (c != ' ' && c != '-' && c != '_') {
            out[len++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        }
    }
    return (struct str){out, len};
}

static void check_category(struct reading *reading, struct str category, const struct place *at)
{
    static const char *const prohibited[] = {"csafbase",
                                             "csafsecurityincidentresponse",
                                             "csafinformationaladvisory",
                                             "csafsecurityadvisory",
                                             "csafvex",
                                             "securityincidentresponse",
                                             "informationaladvisory",
                                             "securityadvisory",
                                             "vex",
                                             NULL};
    if (!reading_knows_word(category, profiles) &&
        reading_knows_word(squeezed(reading->arena, category), prohibited)) {
        reading_warn(reading, RULE_CSAF_PROHIBITED_CATEGORY, at);
    }
}

static void check_publisher(struct reading *reading, const json_t *head, const struct place *at)
{
    static const char *const categories[] = {"coordinator", "discoverer", "other", "translator",
                                             "user",        "vendor",     NULL};
    const json_t *publisher =
        reading_want_object(reading, head, at, "publisher", RULE_CSAF_PUBLISHER);
    const struct place here = PLACE_KEY(at, "publisher");
    if (!reading_knows_word(json_text(json_object_get(publisher, "category")), categories) ||
        json_text(json_object_get(publisher, "name")).len == 0 ||
        json_text(json_object_get(publisher, "namespace")).len == 0) {
        reading_warn(reading, RULE_CSAF_PUBLISHER, &here);
    }
}

/* CSAF 2.0, 5.1: the tracking id in lower case, each run of other signs one '_'. */
static bool filename_fits(struct str path, struct str id)
{
    size_t slash = path.len;
    while (slash > 0 && path.ptr[slash - 1] != '/') {
        slash--;
    }
    const struct str name = str_slice(path, slash, path.len);
    size_t at = 0;
    bool in_run = false;
    for (size_t i = 0; i < id.len; i++) {
        const char c = id.ptr[i] >= 'A' && id.ptr[i] <= 'Z' ? (char)(id.ptr[i] | 0x20) : id.ptr[i];
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-';
        if (!plain && in_run) {
            continue;
        }
        if (at >= name.len || name.ptr[at] != (plain ? c : '_')) {
            return false;
        }
        in_run = !plain;
        at++;
    }
    return str_eq(str_slice(name, at, name.len), STR(".json"));
}

static void check_head(struct reading *reading, const json_t *head, const struct place *at)
{
    const struct place version_at = PLACE_KEY(at, "csaf_version");
    const struct place category_at = PLACE_KEY(at, "category");
    const json_t *tracking = json_object_get(head, "tracking");
    if (!str_eq(json_text(json_object_get(head, "csaf_version")), STR("2.0"))) {
        reading_warn(reading, RULE_CSAF_VERSION, &version_at);
    }
    check_category(reading, reading_want_text(reading, head, at, "category", RULE_CSAF_CATEGORY),
                   &category_at);
    (void)reading_want_text(reading, head, at, "title", RULE_CSAF_TITLE);
    check_publisher(reading, head, at);
    check_languages(reading, head, at);
    if (reading->path.len > 0 &&
        !filename_fits(reading->path, json_text(json_object_get(tracking, "id")))) {
        reading_warn(reading, RULE_CSAF_FILENAME, at);
    }
}

/* ---- what is named is defined ---- */

static void check_products(struct reading *reading, const struct csaf_tree *tree, const json_t *ids,
                           const struct place *at)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const struct place here = PLACE_INDEX(at, i);
        if (map_find_str(&tree->products, json_text(json_array_get(ids, i))) == NULL) {
            reading_warn(reading, RULE_CSAF_MISSING_DEFINITION, &here);
        }
    }
}

static void check_groups(struct reading *reading, const struct csaf_tree *tree, const json_t *ids,
                         const struct place *at)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const struct place here = PLACE_INDEX(at, i);
        if (map_find_str(&tree->groups, json_text(json_array_get(ids, i))) == NULL) {
            reading_warn(reading, RULE_CSAF_MISSING_GROUP, &here);
        }
    }
}

/* The members of one vulnerability that list products or groups. */
static void check_references(struct reading *reading, const struct csaf_tree *tree,
                             const json_t *vulnerability, const struct place *at)
{
    static const struct {
        const char *list;
        const char *products;
    } lists[] = {{"flags", "product_ids"},
                 {"remediations", "product_ids"},
                 {"scores", "products"},
                 {"threats", "product_ids"}};

    for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
        const json_t *list = json_object_get(vulnerability, lists[l].list);
        const struct place list_at = PLACE_KEY(at, lists[l].list);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *entry = json_array_get(list, i);
            const struct place here = PLACE_INDEX(&list_at, i);
            const struct place products_at = PLACE_KEY(&here, lists[l].products);
            const struct place groups_at = PLACE_KEY(&here, "group_ids");
            check_products(reading, tree, json_object_get(entry, lists[l].products), &products_at);
            check_groups(reading, tree, json_object_get(entry, "group_ids"), &groups_at);
        }
    }
}

static void check_statuses(struct reading *reading, const struct csaf_tree *tree,
                           const json_t *vulnerability, const struct place *at)
{
    json_t *status = json_object_get(vulnerability, "product_status");
    const struct place status_at = PLACE_KEY(at, "product_status");
    const char *group = NULL;
    json_t *ids = NULL;
    json_object_foreach(status, group, ids)
    {
        const struct place here = PLACE_KEY(&status_at, group);
        check_products(reading, tree, ids, &here);
    }
}

static void check_tree(struct reading *reading, const json_t *document,
                       const struct csaf_tree *tree)
{
    const json_t *owner = json_object_get(document, "product_tree");
    const struct place at = PLACE_KEY(&root, "product_tree");
    const json_t *groups = json_object_get(owner, "product_groups");
    const struct place groups_at = PLACE_KEY(&at, "product_groups");
    const struct place relationships_at = PLACE_KEY(&at, "relationships");
    const size_t n = tree->products.n;
    struct circle_edge *edges = arena_array(reading->arena, struct circle_edge, 2 * n + 1);
    size_t edges_count = 0;
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const struct place here = PLACE_INDEX(&groups_at, i);
        const struct place ids_at = PLACE_KEY(&here, "product_ids");
        check_products(reading, tree, json_object_get(json_array_get(groups, i), "product_ids"),
                       &ids_at);
    }
    for (size_t i = 0; i < n; i++) {
        const struct csaf_product *product = tree->products.entries[i].value;
        const struct str ends[] = {product->component, product->container};
        for (size_t e = 0; e < 2; e++) {
            if (ends[e].len == 0) {
                continue;
            }
            edges[edges_count++] = (struct circle_edge){product->id, ends[e]};
            if (map_find_str(&tree->products, ends[e]) == NULL) {
                reading_warn(reading, RULE_CSAF_MISSING_DEFINITION, &relationships_at);
            }
        }
    }
    if (circle_find(reading->arena, edges, edges_count) < edges_count) {
        reading_warn(reading, RULE_CSAF_CIRCULAR, &relationships_at);
    }
}

/* ---- profiles, 6.1.27 ---- */

static bool has_note(const json_t *head)
{
    static const char *const categories[] = {"description", "details", "general", "summary", NULL};
    const json_t *notes = json_object_get(head, "notes");
    for (size_t i = 0; i < json_array_size(notes); i++) {
        if (reading_knows_word(json_text(json_object_get(json_array_get(notes, i), "category")),
                               categories)) {
            return true;
        }
    }
    return false;
}

static bool has_vex_status(const json_t *vulnerability)
{
    static const char *const statuses[] = {"fixed", "known_affected", "known_not_affected",
                                           "under_investigation", NULL};
    const json_t *status = json_object_get(vulnerability, "product_status");
    for (size_t i = 0; statuses[i] != NULL; i++) {
        if (json_object_get(status, statuses[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void check_vulnerability_profile(struct reading *reading, const json_t *vulnerability,
                                        const struct place *at, bool is_vex)
{
    const bool named = json_object_get(vulnerability, "cve") != NULL ||
                       json_object_get(vulnerability, "ids") != NULL;
    if (json_object_get(vulnerability, "notes") == NULL ||
        json_object_get(vulnerability, "product_status") == NULL ||
        (is_vex && (!named || !has_vex_status(vulnerability)))) {
        reading_warn(reading, RULE_CSAF_PROFILE, at);
    }
}

static void check_profile(struct reading *reading, const json_t *document)
{
    const json_t *head = json_object_get(document, "document");
    const struct str category = json_text(json_object_get(head, "category"));
    const bool is_vex = str_eq(category, STR("csaf_vex"));
    const json_t *list = json_object_get(document, "vulnerabilities");
    const struct place list_at = PLACE_KEY(&root, "vulnerabilities");
    if (str_eq(category, STR("csaf_informational_advisory")) ||
        str_eq(category, STR("csaf_security_incident_response"))) {
        if (!has_note(head) || json_object_get(head, "references") == NULL) {
            reading_warn(reading, RULE_CSAF_PROFILE, &root);
        }
    }
    if (!is_vex && !str_eq(category, STR("csaf_security_advisory"))) {
        return;
    }
    if (json_object_get(document, "product_tree") == NULL || list == NULL) {
        reading_warn(reading, RULE_CSAF_PROFILE, &root);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct place here = PLACE_INDEX(&list_at, i);
        check_vulnerability_profile(reading, json_array_get(list, i), &here, is_vex);
    }
}

void csaf_check(struct reading *reading, const json_t *document, const struct csaf_tree *tree)
{
    const struct place head_at = PLACE_KEY(&root, "document");
    const json_t *list = json_object_get(document, "vulnerabilities");
    const struct place list_at = PLACE_KEY(&root, "vulnerabilities");
    check_head(reading, json_object_get(document, "document"), &head_at);
    check_tree(reading, document, tree);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct place here = PLACE_INDEX(&list_at, i);
        check_references(reading, tree, json_array_get(list, i), &here);
        check_statuses(reading, tree, json_array_get(list, i), &here);
    }
    check_profile(reading, document);
}
