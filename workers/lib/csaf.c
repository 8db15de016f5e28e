#include "workers/lib/csaf.h"

#include "workers/lib/purl.h"
#include "workers/lib/statement.h"
#include "workers/lib/write.h"

static const struct place root = {NULL, NULL, 0};

/* Relationships may stand on relationships; a longer chain is a circle or nonsense. */
enum { CHAIN_MAX = 16 };

static const struct {
    const char *group;
    enum vex_status status;
} groups[] = {
    {"first_affected", VEX_AFFECTED},
    {"first_fixed", VEX_FIXED},
    {"fixed", VEX_FIXED},
    {"known_affected", VEX_AFFECTED},
    {"known_not_affected", VEX_NOT_AFFECTED},
    {"last_affected", VEX_AFFECTED},
    {"under_investigation", VEX_UNDER_INVESTIGATION},
};

enum { GROUP_COUNT = sizeof(groups) / sizeof(groups[0]) };

static const struct csaf_product *find(const struct csaf_tree *tree, struct str id)
{
    return map_find_str(&tree->products, id);
}

/* The package URL of a product: its own, or that of the component it is a relationship of. */
static struct str purl_of(const struct csaf_tree *tree, struct str id)
{
    const struct csaf_product *product = find(tree, id);
    for (int step = 0; product != NULL && step < CHAIN_MAX; step++) {
        if (product->purl.len > 0) {
            return product->purl;
        }
        product = product->component.len > 0 ? find(tree, product->component) : NULL;
    }
    return (struct str){NULL, 0};
}

static void write_product(struct json_writer *out, const struct csaf_tree *tree, struct str id)
{
    const struct csaf_product *product = find(tree, id);
    const struct str purl = purl_of(tree, id);
    const struct str container =
        product != NULL && product->container.len > 0 ? purl_of(tree, product->container) : purl;
    const bool part =
        purl.len > 0 && container.len > 0 && product != NULL && product->container.len > 0;
    statement_product(out, &(struct statement_product){.id = id,
                                                       .purl = part ? container : purl,
                                                       .subcomponents = &purl,
                                                       .subcomponents_count = part ? 1 : 0});
}

/* The vulnerability that is being read. */
struct vulnerability {
    const json_t *value;
    struct place at;
    const struct str *names;
    size_t names_count;
    struct str issued;
    struct map labels; /* Product id to its justification, a place in `labels`. */
};

/* The justifications that a flag can give; other labels are warned of and give none. */
static const char *const labels[] = {"component_not_present",
                                     "inline_mitigations_already_exist",
                                     "vulnerable_code_cannot_be_controlled_by_adversary",
                                     "vulnerable_code_not_in_execute_path",
                                     "vulnerable_code_not_present",
                                     NULL};

static const char *const *find_label(struct str text)
{
    const char *const *label = labels;
    while (*label != NULL && !str_eq(text, str_from(*label))) {
        label++;
    }
    return *label != NULL ? label : NULL;
}

static void label_all(struct reading *reading, struct vulnerability *v, const json_t *ids,
                      const char *const *label)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const struct str product = json_text(json_array_get(ids, i));
        if (product.len > 0 && map_find_str(&v->labels, product) == NULL) {
            map_put_str(reading->arena, &v->labels, product, (void *)(uintptr_t)label);
        }
    }
}

/* Which justification each product has: flags name products or groups of them. */
static void collect_labels(struct reading *reading, const struct csaf_tree *tree,
                           struct vulnerability *v)
{
    const json_t *flags = reading_want_array(reading, v->value, &v->at, "flags", RULE_CSAF_SHAPE);
    const struct place flags_at = PLACE_KEY(&v->at, "flags");
    for (size_t i = 0; i < json_array_size(flags); i++) {
        const json_t *flag = json_array_get(flags, i);
        const json_t *group_ids = json_object_get(flag, "group_ids");
        const char *const *label = find_label(json_text(json_object_get(flag, "label")));
        const struct place here = PLACE_INDEX(&flags_at, i);
        if (label == NULL) {
            reading_warn(reading, RULE_CSAF_FLAG_LABEL, &here);
            continue;
        }
        label_all(reading, v, json_object_get(flag, "product_ids"), label);
        for (size_t g = 0; g < json_array_size(group_ids); g++) {
            const json_t *group =
                map_find_str(&tree->groups, json_text(json_array_get(group_ids, g)));
            label_all(reading, v, json_object_get(group, "product_ids"), label);
        }
    }
}

/* One statement for the products of a status group that share a justification, or have none. */
static void write_statement(struct json_writer *out, const struct csaf_tree *tree,
                            const struct vulnerability *v, size_t group, const json_t *ids,
                            const char *const *label)
{
    bool begun = false;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const struct str id = json_text(json_array_get(ids, i));
        const bool justified = groups[group].status == VEX_NOT_AFFECTED;
        if ((justified ? map_find_str(&v->labels, id) : NULL) != (const void *)label) {
            continue;
        }
        if (!begun) {
            statement_begin(out, &(struct statement_head){
                                     .index = v->at.index,
                                     .issued = v->issued,
                                     .justification = str_from(label != NULL ? *label : NULL)});
            begun = true;
        }
        write_product(out, tree, id);
    }
    if (begun) {
        statement_end(out, groups[group].status, str_from(groups[group].group), v->names,
                      v->names_count);
    }
}

static void check_ids(struct reading *reading, const json_t *ids, const struct place *at)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const struct place here = PLACE_INDEX(at, i);
        if (!json_is_string(json_array_get(ids, i))) {
            reading_refuse(reading, QUARANTINE_WRONG_TYPE, &here, "a product id is no text");
        }
    }
}

static void write_statements(struct reading *reading, struct json_writer *out,
                             const struct csaf_tree *tree, const struct vulnerability *v)
{
    const json_t *status = reading_take_object(reading, v->value, &v->at, "product_status");
    const struct place status_at = PLACE_KEY(&v->at, "product_status");
    for (size_t g = 0; g < GROUP_COUNT; g++) {
        const json_t *ids = reading_take_array(reading, status, &status_at, groups[g].group);
        const struct place ids_at = PLACE_KEY(&status_at, groups[g].group);
        check_ids(reading, ids, &ids_at);
        if (reading_refused(reading)) {
            return;
        }
        for (const char *const *label = labels; *label != NULL; label++) {
            write_statement(out, tree, v, g, ids, label);
        }
        write_statement(out, tree, v, g, ids, NULL);
    }
}

/* The CVE and the ids of other systems. */
static void collect_names(struct reading *reading, struct vulnerability *v)
{
    const json_t *ids = reading_want_array(reading, v->value, &v->at, "ids", RULE_CSAF_SHAPE);
    struct str *names = arena_array(reading->arena, struct str, json_array_size(ids) + 1);
    size_t n = 0;
    const struct str cve = reading_take_text(reading, v->value, &v->at, "cve");
    if (cve.len > 0) {
        names[n++] = cve;
    }
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const struct str text = json_text(json_object_get(json_array_get(ids, i), "text"));
        if (text.len > 0) {
            names[n++] = text;
        }
    }
    v->names = names;
    v->names_count = n;
}

static void observe_vulnerabilities(struct reading *reading, const json_t *document,
                                    const struct csaf_tree *tree, struct str issued,
                                    struct json_writer *out)
{
    const json_t *list = reading_take_array(reading, document, &root, "vulnerabilities");
    const struct place list_at = PLACE_KEY(&root, "vulnerabilities");
    JSON_KEY(out, "statements");
    json_put_array(out);
    for (size_t i = 0; i < json_array_size(list) && !reading_refused(reading); i++) {
        struct vulnerability v = {.value = reading_need_element(reading, list, &list_at, i),
                                  .at = PLACE_INDEX(&list_at, i),
                                  .issued = issued};
        if (v.value != NULL) {
            collect_names(reading, &v);
            collect_labels(reading, tree, &v);
            write_statements(reading, out, tree, &v);
        }
    }
    json_put_array_end(out);
}

/* 2.1 keeps what is read here where 2.0 has it; another generation need not. */
static void check_generation(struct reading *reading, const json_t *head, const struct place *at)
{
    const struct place here = PLACE_KEY(at, "csaf_version");
    const struct str version = reading_take_text(reading, head, at, "csaf_version");
    if (version.len > 0 && !str_starts(version, STR("2."))) {
        reading_refuse(reading, QUARANTINE_UNSUPPORTED_FORMAT, &here, "CSAF %.*s is not read",
                       (int)reading_cut(version, 40).len, version.ptr);
    }
}

void csaf_observe(struct reading *reading, const json_t *document, struct json_writer *out)
{
    struct csaf_tree tree = {0};
    const json_t *head = reading_take_object(reading, document, &root, "document");
    const struct place head_at = PLACE_KEY(&root, "document");
    const json_t *tracking = reading_take_object(reading, head, &head_at, "tracking");
    const struct place tracking_at = PLACE_KEY(&head_at, "tracking");
    const struct str id = reading_need_text(reading, tracking, &tracking_at, "id");
    const struct str issued = json_text(json_object_get(tracking, "current_release_date"));
    const json_t *publisher = json_object_get(head, "publisher");
    check_generation(reading, head, &head_at);
    csaf_collect(reading, document, &tree);
    if (reading_refused(reading)) {
        return;
    }
    json_put_object(out);
    write_text(out, STR("author"), json_text(json_object_get(publisher, "name")));
    write_text(out, STR("category"), json_text(json_object_get(head, "category")));
    JSON_STR(out, "id", id);
    write_time(out, STR("issued"), issued);
    observe_vulnerabilities(reading, document, &tree, issued, out);
    write_text(out, STR("title"), json_text(json_object_get(head, "title")));
    json_put_object_end(out);
    if (!reading_refused(reading)) {
        csaf_check(reading, document, &tree);
        csaf_check_tracking(reading, document);
        csaf_check_vulnerabilities(reading, document, &tree);
    }
}
