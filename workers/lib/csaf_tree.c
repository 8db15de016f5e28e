/* The product tree of CSAF: branches are walked with a stack of our own. */
#include "workers/lib/csaf.h"

#include "workers/lib/purl.h"

static const struct place root = {NULL, NULL, 0};

static void add_product(struct reading *reading, struct csaf_tree *tree,
                        const struct csaf_product *product, const struct place *at)
{
    const struct place id_at = PLACE_KEY(at, "product_id");
    if (tree->products.n == CSAF_PRODUCTS_MAX) {
        reading_refuse(reading, QUARANTINE_TOO_COMPLEX, at, "more than %d products",
                       CSAF_PRODUCTS_MAX);
        return;
    }
    if (map_find_str(&tree->products, product->id) != NULL) {
        reading_warn(reading, RULE_CSAF_DUPLICATE_PRODUCT, &id_at);
        return;
    }
    struct csaf_product *kept = arena_new(reading->arena, struct csaf_product);
    *kept = *product;
    map_put_str(reading->arena, &tree->products, kept->id, kept);
}

/* CSAF 2.0 has one purl, 2.1 a list of them. */
static struct str purl_of(struct reading *reading, const json_t *name, const struct place *at)
{
    struct purl parts;
    const json_t *helper = json_object_get(name, "product_identification_helper");
    const struct place helper_at = PLACE_KEY(at, "product_identification_helper");
    const struct place purl_at = PLACE_KEY(&helper_at, "purl");
    struct str purl = json_text(json_object_get(helper, "purl"));
    purl = purl.len > 0 ? purl : json_text(json_array_get(json_object_get(helper, "purls"), 0));
    if (purl.len > 0 && !purl_parse(reading->arena, purl, &parts)) {
        reading_warn(reading, RULE_CSAF_PURL, &purl_at);
    }
    return purl;
}

/* A full product name; without a product id nothing can refer to it. */
static void collect_name(struct reading *reading, struct csaf_tree *tree, const json_t *name,
                         const struct place *at, struct str component, struct str container)
{
    const struct str id = reading_need_text(reading, name, at, "product_id");
    if (json_text(json_object_get(name, "name")).len == 0) {
        reading_warn(reading, RULE_CSAF_SHAPE, at);
    }
    if (!reading_refused(reading)) {
        const struct csaf_product product = {.id = id,
                                             .purl = purl_of(reading, name, at),
                                             .component = component,
                                             .container = container};
        add_product(reading, tree, &product, at);
    }
}

/* CSAF 2.0, 6.1.31: words and signs that make a range of a version's name. */
static bool names_a_range(struct str name)
{
    static const char *const words[] = {"<",      "<=",      ">",     ">=",    "after",    "all",
                                        "before", "earlier", "later", "prior", "versions", NULL};
    struct str rest = name;
    struct str word;
    while (str_split(&rest, ' ', &word)) {
        for (size_t i = 0; words[i] != NULL; i++) {
            if (str_eq_nocase(word, str_from(words[i]))) {
                return true;
            }
        }
    }
    return name.len > 0 && (name.ptr[0] == '<' || name.ptr[0] == '>');
}

static void check_branch(struct reading *reading, const json_t *branch, const struct place *at)
{
    static const char *const categories[] = {"architecture",    "host_name",
                                             "language",        "legacy",
                                             "patch_level",     "platform",
                                             "product_family",  "product_name",
                                             "product_version", "product_version_range",
                                             "service_pack",    "specification",
                                             "vendor",          NULL};
    const struct place name_at = PLACE_KEY(at, "name");
    const struct str category = json_text(json_object_get(branch, "category"));
    const struct str name = json_text(json_object_get(branch, "name"));
    reading_check_word(reading, category.len > 0 ? category : STR("(absent)"), categories, at,
                       RULE_CSAF_SHAPE);
    if (str_eq(category, STR("product_version")) && names_a_range(name)) {
        reading_warn(reading, RULE_CSAF_VERSION_RANGE, &name_at);
    }
}

/* A list of branches that is being walked. */
struct level {
    const json_t *list;
    size_t next;
    struct place list_at;
    struct place here;
};

static size_t descend(struct reading *reading, const json_t *owner, const struct place *at,
                      struct level *levels, size_t depth)
{
    const json_t *list = reading_take_array(reading, owner, at, "branches");
    if (json_array_size(list) == 0) {
        return depth;
    }
    if (depth == CSAF_DEPTH_MAX) {
        reading_refuse(reading, QUARANTINE_TOO_COMPLEX, at, "branches nest deeper than %d",
                       CSAF_DEPTH_MAX);
        return depth;
    }
    levels[depth] = (struct level){.list = list, .list_at = PLACE_KEY(at, "branches")};
    return depth + 1;
}

static void collect_branches(struct reading *reading, struct csaf_tree *tree, const json_t *owner,
                             const struct place *at)
{
    struct level levels[CSAF_DEPTH_MAX];
    size_t depth = descend(reading, owner, at, levels, 0);
    while (depth > 0 && !reading_refused(reading)) {
        struct level *top = &levels[depth - 1];
        if (top->next == json_array_size(top->list)) {
            depth--;
            continue;
        }
        top->here = PLACE_INDEX(&top->list_at, top->next);
        const json_t *branch = reading_need_element(reading, top->list, &top->list_at, top->next);
        top->next++;
        if (branch == NULL) {
            return;
        }
        const json_t *product = reading_take_object(reading, branch, &top->here, "product");
        const struct place product_at = PLACE_KEY(&top->here, "product");
        check_branch(reading, branch, &top->here);
        if (product != NULL) {
            collect_name(reading, tree, product, &product_at, STR(""), STR(""));
        }
        depth = descend(reading, branch, &top->here, levels, depth);
    }
}

static void collect_names(struct reading *reading, struct csaf_tree *tree, const json_t *owner,
                          const struct place *at)
{
    const json_t *list = reading_take_array(reading, owner, at, "full_product_names");
    const struct place list_at = PLACE_KEY(at, "full_product_names");
    for (size_t i = 0; i < json_array_size(list) && !reading_refused(reading); i++) {
        const json_t *name = reading_need_element(reading, list, &list_at, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        if (name != NULL) {
            collect_name(reading, tree, name, &here, STR(""), STR(""));
        }
    }
}

static void collect_relationships(struct reading *reading, struct csaf_tree *tree,
                                  const json_t *owner, const struct place *at)
{
    const json_t *list = reading_take_array(reading, owner, at, "relationships");
    const struct place list_at = PLACE_KEY(at, "relationships");
    for (size_t i = 0; i < json_array_size(list) && !reading_refused(reading); i++) {
        const json_t *relation = reading_need_element(reading, list, &list_at, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        const struct place name_at = PLACE_KEY(&here, "full_product_name");
        const json_t *name = reading_take_object(reading, relation, &here, "full_product_name");
        if (name == NULL) {
            reading_warn(reading, RULE_CSAF_SHAPE, &here);
            continue;
        }
        collect_name(reading, tree, name, &name_at,
                     reading_take_text(reading, relation, &here, "product_reference"),
                     reading_take_text(reading, relation, &here, "relates_to_product_reference"));
    }
}

static void collect_groups(struct reading *reading, struct csaf_tree *tree, const json_t *owner,
                           const struct place *at)
{
    const json_t *list = reading_want_array(reading, owner, at, "product_groups", RULE_CSAF_SHAPE);
    const struct place list_at = PLACE_KEY(at, "product_groups");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *group = json_array_get(list, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        const struct str id = json_text(json_object_get(group, "group_id"));
        if (id.len == 0) {
            reading_warn(reading, RULE_CSAF_SHAPE, &here);
        } else if (map_find_str(&tree->groups, id) != NULL) {
            reading_warn(reading, RULE_CSAF_DUPLICATE_GROUP, &here);
        } else {
            map_put_str(reading->arena, &tree->groups, id, group);
        }
    }
}

void csaf_collect(struct reading *reading, const json_t *document, struct csaf_tree *tree)
{
    const json_t *owner = reading_take_object(reading, document, &root, "product_tree");
    const struct place at = PLACE_KEY(&root, "product_tree");
    collect_names(reading, tree, owner, &at);
    collect_branches(reading, tree, owner, &at);
    collect_relationships(reading, tree, owner, &at);
    collect_groups(reading, tree, owner, &at);
}
