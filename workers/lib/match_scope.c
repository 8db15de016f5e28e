#include "workers/lib/match_scope.h"

#include "base/check.h"

/* How far a statement reaches a component; a greater one is better. */
enum reach { REACH_NONE, REACH_HINTS, REACH_DECIDES };

static enum reach farther(enum reach a, enum reach b)
{
    return a > b ? a : b;
}

void scope_add_component(struct arena *arena, struct scope_view *view, struct str purl,
                         const struct str *refs, size_t refs_count)
{
    struct scope_component *component = arena_new(arena, struct scope_component);
    *component = (struct scope_component){
        .text = purl, .purl = match_purl(arena, purl), .refs = refs, .refs_count = refs_count};
    VEC_PUSH(arena, &view->components, component);
    if (!component->purl.usable) {
        return;
    }
    struct scope_package *package = map_find_str(&view->packages, component->purl.key);
    if (package == NULL) {
        package = arena_new(arena, struct scope_package);
        map_put_str(arena, &view->packages, component->purl.key, package);
    }
    VEC_PUSH(arena, &package->components, component);
}

void scope_add_subject(struct arena *arena, struct scope_view *view, struct str purl,
                       struct str ref, struct str version)
{
    const struct scope_subject subject = {
        .purl = match_purl(arena, purl), .ref = ref, .version = version};
    VEC_PUSH(arena, &view->subjects, subject);
}

void scope_seal(struct scope_view *view)
{
    for (size_t s = 0; s < view->subjects.n; s++) {
        const struct index_purl *subject = &view->subjects.v[s].purl;
        const struct scope_package *package =
            subject->usable ? map_find_str(&view->packages, subject->key) : NULL;
        for (size_t i = 0; package != NULL && i < package->components.n; i++) {
            struct scope_component *component = package->components.v[i];
            component->is_subject |= match_covers(subject, &component->purl);
        }
    }
}

/* What a product is to this SBOM: its subject, another component, or nothing. */
static enum reach role_of(const struct scope_view *view, const struct index_purl *product)
{
    enum reach role = REACH_NONE;
    if (!product->usable) {
        return role;
    }
    for (size_t s = 0; s < view->subjects.n; s++) {
        if (match_covers(product, &view->subjects.v[s].purl)) {
            return REACH_DECIDES;
        }
    }
    const struct scope_package *package = map_find_str(&view->packages, product->key);
    for (size_t i = 0; package != NULL && i < package->components.n; i++) {
        const struct scope_component *component = package->components.v[i];
        if (match_covers(product, &component->purl)) {
            if (component->is_subject) {
                return REACH_DECIDES;
            }
            role = REACH_HINTS;
        }
    }
    return role;
}

static bool any_covers(const struct index_purl *purls, size_t n,
                       const struct scope_component *component)
{
    for (size_t i = 0; i < n; i++) {
        if (match_covers(&purls[i], &component->purl)) {
            return true;
        }
    }
    return false;
}

static enum reach reach_by_purl(const struct scope_view *view,
                                const struct scope_component *component,
                                const struct index_purl *product,
                                const struct index_purl *subcomponents, size_t n)
{
    if (n > 0) {
        return any_covers(subcomponents, n, component) ? role_of(view, product) : REACH_NONE;
    }
    if (match_covers(product, &component->purl)) {
        return component->is_subject ? REACH_DECIDES : REACH_HINTS;
    }
    /* Of the whole subject: it may mean this part, but does not say so. */
    return role_of(view, product) == REACH_DECIDES ? REACH_HINTS : REACH_NONE;
}

/* A statement limited to versions reaches those; version ranges beside them are not evaluated. */
static enum reach limit_by_version(const struct index_product *product, struct str version,
                                   enum reach reach)
{
    if (product->versions_count == 0 && !product->versions_open) {
        return reach;
    }
    for (size_t i = 0; i < product->versions_count; i++) {
        if (purl_same_version(product->versions[i], version)) {
            return reach;
        }
    }
    return product->versions_open && reach != REACH_NONE ? REACH_HINTS : REACH_NONE;
}

static bool has_ref(const struct scope_component *component, struct str ref)
{
    for (size_t i = 0; i < component->refs_count; i++) {
        if (str_eq(component->refs[i], ref)) {
            return true;
        }
    }
    return false;
}

/* A link into this SBOM: to the component, or to the subject and so to all that is in it. */
static enum reach reach_by_own_link(const struct scope_view *view,
                                    const struct scope_component *component,
                                    const struct index_product *product)
{
    const struct str element = product->link->element;
    if (element.len > 0 && has_ref(component, element)) {
        return limit_by_version(product, component->purl.purl.version, REACH_DECIDES);
    }
    for (size_t s = 0; s < view->subjects.n; s++) {
        const struct scope_subject *subject = &view->subjects.v[s];
        if (element.len == 0 || (subject->ref.len > 0 && str_eq(subject->ref, element))) {
            return limit_by_version(product, subject->version, REACH_DECIDES);
        }
    }
    return REACH_NONE;
}

/* A link into another BOM of the feed: its subject is the product, the element a part of it. */
static enum reach reach_by_foreign_link(const struct match_index *index,
                                        const struct scope_view *view,
                                        const struct scope_component *component,
                                        const struct index_product *product)
{
    enum reach best = REACH_NONE;
    const struct index_boms *boms = map_find_str(&index->boms, product->link->bom);
    for (size_t i = 0; boms != NULL && i < boms->list.n; i++) {
        const struct index_bom *bom = boms->list.v[i];
        const struct index_purl *element = map_find_str(&bom->elements, product->link->element);
        const struct index_purl *owner = bom->subject.usable ? &bom->subject : element;
        if (element == NULL || !element->usable) {
            continue;
        }
        const bool part = owner != element && !str_eq(owner->key, element->key);
        const enum reach reach = reach_by_purl(view, component, owner, element, part ? 1 : 0);
        best = farther(best, reach);
    }
    return limit_by_version(product, component->purl.purl.version, best);
}

static enum reach reach_of_product(const struct match_index *index, const struct scope_view *view,
                                   const struct scope_component *component,
                                   const struct index_product *product)
{
    const bool own =
        product->link != NULL && view->bom.len > 0 && str_eq(product->link->bom, view->bom);
    const enum reach linked = own ? reach_by_own_link(view, component, product) : REACH_NONE;
    if (!product->purl.usable && product->link != NULL) {
        return farther(linked, reach_by_foreign_link(index, view, component, product));
    }
    const enum reach named = reach_by_purl(view, component, &product->purl, product->subcomponents,
                                           product->subcomponents_count);
    return farther(linked, limit_by_version(product, component->purl.purl.version, named));
}

static enum reach reach_of(const struct match_index *index, const struct scope_view *view,
                           const struct scope_component *component,
                           const struct index_statement *statement)
{
    enum reach best = REACH_NONE;
    for (size_t i = 0; i < statement->products_count && best != REACH_DECIDES; i++) {
        const enum reach reach = reach_of_product(index, view, component, &statement->products[i]);
        best = farther(best, reach);
    }
    return best;
}

/* True when `a` is to be believed before `b`. */
static bool goes_before(const struct index_statement *a, const struct index_statement *b)
{
    const int issued = str_cmp(a->issued, b->issued);
    if (issued != 0) {
        return issued > 0;
    }
    if (a->vex.status != b->vex.status) {
        return a->vex.status > b->vex.status; /* The enum ascends from reassuring to not. */
    }
    const int document = str_cmp(a->vex.document, b->vex.document);
    return document != 0 ? document < 0 : a->vex.statement < b->vex.statement;
}

static void consider(const struct index_statement *statement, const struct index_statement **best)
{
    if (*best == NULL || goes_before(statement, *best)) {
        *best = statement;
    }
}

void scope_decide(const struct match_index *index, const struct scope_view *view,
                  const struct scope_component *component, const struct index_advisory *advisory,
                  struct finding_vex *out_vex, struct finding_vex *out_hint)
{
    const struct index_statement *deciding = NULL;
    const struct index_statement *hinting = NULL;
    for (size_t n = 0; n < advisory->names_count; n++) {
        const struct index_statements *statements =
            map_find_str(&index->vulnerabilities, advisory->names[n]);
        for (size_t i = 0; statements != NULL && i < statements->list.n; i++) {
            const struct index_statement *statement = statements->list.v[i];
            const enum reach reach = reach_of(index, view, component, statement);
            if (reach != REACH_NONE) {
                consider(statement, reach == REACH_DECIDES ? &deciding : &hinting);
            }
        }
    }
    if (deciding != NULL) {
        *out_vex = deciding->vex;
    } else if (hinting != NULL) {
        *out_hint = hinting->vex;
    }
}
