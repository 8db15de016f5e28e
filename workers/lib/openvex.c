#include "workers/lib/openvex.h"

#include "base/time.h"
#include "base/vec.h"
#include "workers/lib/purl.h"
#include "workers/lib/statement.h"
#include "workers/lib/write.h"

static const struct place root = {NULL, NULL, 0};

static const char *const justifications[] = {"component_not_present",
                                             "vulnerable_code_not_present",
                                             "vulnerable_code_not_in_execute_path",
                                             "vulnerable_code_cannot_be_controlled_by_adversary",
                                             "inline_mitigations_already_exist",
                                             NULL};

/* The package URL of a product or subcomponent: its @id, or an identifier. */
static struct str purl_of(const json_t *product)
{
    const struct str id =
        json_text(json_is_string(product) ? product : json_object_get(product, "@id"));
    if (statement_is_purl(id)) {
        return id;
    }
    return json_text(json_object_get(json_object_get(product, "identifiers"), "purl"));
}

static void check_purl(struct reading *reading, struct str purl, const struct place *at)
{
    struct purl parts;
    if (purl.len > 0 && !purl_parse(reading->arena, purl, &parts)) {
        reading_warn(reading, RULE_PURL_FORMAT, at);
    }
}

struct purl_list {
    VEC(struct str) purls;
};

static struct purl_list subcomponents_of(struct reading *reading, const json_t *owner,
                                         const struct place *at)
{
    struct purl_list found = {0};
    const json_t *list = reading_take_array(reading, owner, at, "subcomponents");
    const struct place list_at = PLACE_KEY(at, "subcomponents");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct place here = PLACE_INDEX(&list_at, i);
        const struct str purl = purl_of(json_array_get(list, i));
        if (purl.len == 0) {
            reading_warn(reading, RULE_OPENVEX_PRODUCT_ID, &here);
            continue;
        }
        check_purl(reading, purl, &here);
        VEC_PUSH(reading->arena, &found.purls, purl);
    }
    return found;
}

/* A product whose subcomponents are all unreadable must not become one without any. */
static bool lost_subcomponents(const json_t *owner, const struct purl_list *found)
{
    return found->purls.n == 0 && json_array_size(json_object_get(owner, "subcomponents")) > 0;
}

static void observe_product(struct reading *reading, const json_t *product, const struct place *at,
                            const struct purl_list *common, struct json_writer *out)
{
    const bool is_text = json_is_string(product);
    if (!is_text && !json_is_object(product)) {
        reading_refuse(reading, QUARANTINE_WRONG_TYPE, at, "a product is no text and no object");
        return;
    }
    const struct purl_list own =
        is_text ? (struct purl_list){0} : subcomponents_of(reading, product, at);
    const struct purl_list *subcomponents = own.purls.n > 0 ? &own : common;
    const struct str purl = purl_of(product);
    const struct str id = json_text(is_text ? product : json_object_get(product, "@id"));
    if (id.len == 0 && purl.len == 0) {
        reading_warn(reading, RULE_OPENVEX_PRODUCT_ID, at);
    }
    check_purl(reading, purl, at);
    if (lost_subcomponents(product, &own)) {
        return;
    }
    statement_product(out,
                      &(struct statement_product){.id = id.len > 0 ? id : purl,
                                                  .purl = purl,
                                                  .subcomponents = subcomponents->purls.v,
                                                  .subcomponents_count = subcomponents->purls.n});
}

static void observe_products(struct reading *reading, const json_t *statement,
                             const struct place *at, struct json_writer *out)
{
    const json_t *list = reading_take_array(reading, statement, at, "products");
    const struct place list_at = PLACE_KEY(at, "products");
    const struct purl_list common = subcomponents_of(reading, statement, at);
    if (json_array_size(list) == 0) {
        reading_warn(reading, RULE_OPENVEX_PRODUCTS, at);
    }
    if (lost_subcomponents(statement, &common)) {
        return;
    }
    for (size_t i = 0; i < json_array_size(list) && !reading_refused(reading); i++) {
        const struct place here = PLACE_INDEX(&list_at, i);
        observe_product(reading, json_array_get(list, i), &here, &common, out);
    }
}

struct name_list {
    VEC(struct str) names;
};

/* The vulnerability's name and aliases; a text in 0.0.x, an object since. */
static struct name_list names_of(struct reading *reading, const json_t *statement,
                                 const struct place *at)
{
    struct name_list list = {0};
    const json_t *vulnerability = json_object_get(statement, "vulnerability");
    const struct place here = PLACE_KEY(at, "vulnerability");
    if (json_is_string(vulnerability)) {
        VEC_PUSH(reading->arena, &list.names,
                 reading_need_text(reading, statement, at, "vulnerability"));
        return list;
    }
    const json_t *object = reading_take_object(reading, statement, at, "vulnerability");
    if (object == NULL) {
        reading_refuse(reading, QUARANTINE_MISSING_FIELD, &here,
                       "a statement has no vulnerability");
        return list;
    }
    const struct str name = reading_take_text(reading, object, &here, "name");
    const struct str id = json_text(json_object_get(object, "@id"));
    if (name.len == 0 && id.len == 0) {
        reading_refuse(reading, QUARANTINE_MISSING_FIELD, &here, "a vulnerability has no name");
    }
    VEC_PUSH(reading->arena, &list.names, name.len > 0 ? name : id);
    const json_t *aliases = reading_take_array(reading, object, &here, "aliases");
    for (size_t i = 0; i < json_array_size(aliases); i++) {
        const struct str alias = json_text(json_array_get(aliases, i));
        if (alias.len > 0) {
            VEC_PUSH(reading->arena, &list.names, alias);
        }
    }
    return list;
}

static void check_statement(struct reading *reading, const json_t *statement,
                            const struct place *at, enum vex_status status)
{
    static const char *const members[] = {"@id",
                                          "version",
                                          "vulnerability",
                                          "vuln_description",
                                          "timestamp",
                                          "last_updated",
                                          "products",
                                          "subcomponents",
                                          "status",
                                          "supplier",
                                          "status_notes",
                                          "justification",
                                          "impact_statement",
                                          "action_statement",
                                          "action_statement_timestamp",
                                          NULL};
    const struct str justification = json_text(json_object_get(statement, "justification"));
    const struct place justification_at = PLACE_KEY(at, "justification");
    reading_check_word(reading, justification, justifications, &justification_at,
                       RULE_OPENVEX_JUSTIFICATION);
    if (status == VEX_NOT_AFFECTED && justification.len == 0 &&
        json_text(json_object_get(statement, "impact_statement")).len == 0) {
        reading_warn(reading, RULE_OPENVEX_JUSTIFICATION, at);
    }
    if (status == VEX_AFFECTED &&
        json_text(json_object_get(statement, "action_statement")).len == 0) {
        reading_warn(reading, RULE_OPENVEX_ACTION, at);
    }
    reading_check_time(reading, statement, at, "timestamp", RULE_TIME_FORMAT);
    reading_check_time(reading, statement, at, "last_updated", RULE_TIME_FORMAT);
    json_t *object = (json_t *)(uintptr_t)statement; /* jansson iterates non-const only */
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        const struct place here = PLACE_KEY(at, key);
        reading_check_word(reading, str_from(key), members, &here, RULE_OPENVEX_UNKNOWN_MEMBER);
    }
}

static struct str first_text(const json_t *object, const char *const *keys)
{
    for (size_t i = 0; keys[i] != NULL; i++) {
        const struct str text = json_text(json_object_get(object, keys[i]));
        if (text.len > 0) {
            return text;
        }
    }
    return (struct str){NULL, 0};
}

static const char *const moment_keys[] = {"last_updated", "timestamp", NULL};

static void observe_statement(struct reading *reading, const json_t *statement,
                              const struct place *at, struct str document_issued,
                              struct json_writer *out)
{
    enum vex_status status = VEX_NONE;
    const struct place status_at = PLACE_KEY(at, "status");
    const struct str word = reading_need_text(reading, statement, at, "status");
    const struct name_list list = names_of(reading, statement, at);
    const struct str own = first_text(statement, moment_keys);
    if (!reading_refused(reading) && (!vex_status_find(word, &status) || status == VEX_NONE)) {
        reading_refuse(reading, QUARANTINE_WRONG_TYPE, &status_at,
                       "\"%.*s\" is no status of OpenVEX", (int)(word.len > 80 ? 80 : word.len),
                       word.ptr);
    }
    if (reading_refused(reading)) {
        return;
    }
    statement_begin(out, &(struct statement_head){.index = at->index,
                                                  .issued = own.len > 0 ? own : document_issued,
                                                  .justification = json_text(json_object_get(
                                                      statement, "justification"))});
    observe_products(reading, statement, at, out);
    statement_end(out, status, word, list.names.v, list.names.n);
    check_statement(reading, statement, at, status);
}

static void check_head(struct reading *reading, const json_t *document)
{
    const struct place context_at = PLACE_KEY(&root, "@context");
    const struct place version_at = PLACE_KEY(&root, "version");
    const struct place timestamp_at = PLACE_KEY(&root, "timestamp");
    const json_t *version = json_object_get(document, "version");
    struct wall_time when;
    if (!str_starts(json_text(json_object_get(document, "@context")),
                    STR("https://openvex.dev/ns"))) {
        reading_warn(reading, RULE_OPENVEX_CONTEXT, &context_at);
    }
    if (!json_is_integer(version) || json_integer_value(version) < 1) {
        reading_warn(reading, RULE_OPENVEX_VERSION, &version_at);
    }
    if (!time_parse(json_text(json_object_get(document, "timestamp")), &when)) {
        reading_warn(reading, RULE_OPENVEX_TIMESTAMP, &timestamp_at);
    }
    (void)reading_want_text(reading, document, &root, "@id", RULE_OPENVEX_ID);
    (void)reading_want_text(reading, document, &root, "author", RULE_OPENVEX_AUTHOR);
    reading_check_time(reading, document, &root, "last_updated", RULE_TIME_FORMAT);
}

void openvex_observe(struct reading *reading, const json_t *document, struct json_writer *out)
{
    const json_t *list = reading_take_array(reading, document, &root, "statements");
    const struct place list_at = PLACE_KEY(&root, "statements");
    const struct str issued = first_text(document, moment_keys);
    check_head(reading, document);
    if (json_array_size(list) == 0) {
        reading_warn(reading, RULE_OPENVEX_STATEMENTS, &list_at);
    }
    json_put_object(out);
    write_text(out, STR("author"), json_text(json_object_get(document, "author")));
    write_text(out, STR("id"), json_text(json_object_get(document, "@id")));
    write_time(out, STR("issued"), issued);
    JSON_KEY(out, "statements");
    json_put_array(out);
    for (size_t i = 0; i < json_array_size(list) && !reading_refused(reading); i++) {
        const json_t *statement = reading_need_element(reading, list, &list_at, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        if (statement != NULL) {
            observe_statement(reading, statement, &here, issued, out);
        }
    }
    json_put_array_end(out);
    json_put_object_end(out);
}
