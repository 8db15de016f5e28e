/* Rules of one CycloneDX component. */
#include "workers/lib/cyclonedx.h"

static bool is_digest(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (!hex) {
            return false;
        }
    }
    return text.len == 32 || text.len == 40 || text.len == 64 || text.len == 96 || text.len == 128;
}

static void check_hashes(struct reading *reading, const json_t *component, const struct place *at)
{
    static const char *const algorithms[] = {
        "MD5",         "SHA-1",    "SHA-256",      "SHA-384",      "SHA-512",
        "SHA3-256",    "SHA3-384", "SHA3-512",     "BLAKE2b-256",  "BLAKE2b-384",
        "BLAKE2b-512", "BLAKE3",   "Streebog-256", "Streebog-512", NULL};
    const json_t *list = reading_want_array(reading, component, at, "hashes", RULE_CYCLONEDX_SHAPE);
    const struct place list_at = PLACE_KEY(at, "hashes");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *hash = json_array_get(list, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        if (!reading_knows_word(json_text(json_object_get(hash, "alg")), algorithms) ||
            !is_digest(json_text(json_object_get(hash, "content")))) {
            reading_warn(reading, RULE_CYCLONEDX_HASH, &here);
        }
    }
}

static void check_attachment(struct reading *reading, const json_t *owner, const char *key,
                             const struct place *at)
{
    const json_t *text = json_object_get(owner, key);
    const json_t *encoding = json_object_get(text, "encoding");
    const struct place here = PLACE_KEY(at, key);
    if (encoding != NULL && !str_eq(json_text(encoding), STR("base64"))) {
        reading_warn(reading, RULE_CYCLONEDX_ATTACHMENT, &here);
    }
}

static void check_licenses(struct reading *reading, const json_t *component, const struct place *at)
{
    const json_t *list =
        reading_want_array(reading, component, at, "licenses", RULE_CYCLONEDX_SHAPE);
    const struct place list_at = PLACE_KEY(at, "licenses");
    size_t expressions = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *choice = json_array_get(list, i);
        const json_t *license = json_object_get(choice, "license");
        const bool expression = json_object_get(choice, "expression") != NULL;
        const struct place here = PLACE_INDEX(&list_at, i);
        const struct place license_at = PLACE_KEY(&here, "license");
        const bool named = json_text(json_object_get(license, "id")).len > 0 ||
                           json_text(json_object_get(license, "name")).len > 0;
        expressions += expression;
        if (expression == (license != NULL) || (license != NULL && !named)) {
            reading_warn(reading, RULE_CYCLONEDX_LICENSE, &here);
        }
        check_attachment(reading, license, "text", &license_at);
    }
    if (expressions > 0 && json_array_size(list) > 1) {
        reading_warn(reading, RULE_CYCLONEDX_LICENSE, &list_at);
    }
}

static void check_issues(struct reading *reading, const json_t *patch, const struct place *at)
{
    static const char *const types[] = {"defect", "enhancement", "security", NULL};
    const json_t *list = json_object_get(patch, "resolves");
    const struct place list_at = PLACE_KEY(at, "resolves");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct place here = PLACE_INDEX(&list_at, i);
        if (!reading_knows_word(json_text(json_object_get(json_array_get(list, i), "type")),
                                types)) {
            reading_warn(reading, RULE_CYCLONEDX_PEDIGREE, &here);
        }
    }
}

static void check_pedigree(struct reading *reading, const json_t *component, const struct place *at)
{
    static const char *const types[] = {"unofficial", "monkey", "backport", "cherry-pick", NULL};
    const struct place pedigree_at = PLACE_KEY(at, "pedigree");
    const json_t *list = json_object_get(json_object_get(component, "pedigree"), "patches");
    const struct place list_at = PLACE_KEY(&pedigree_at, "patches");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *patch = json_array_get(list, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        if (!reading_knows_word(json_text(json_object_get(patch, "type")), types)) {
            reading_warn(reading, RULE_CYCLONEDX_PEDIGREE, &here);
        }
        check_issues(reading, patch, &here);
    }
}

static void check_swid(struct reading *reading, const json_t *component, const struct place *at)
{
    const json_t *swid = json_object_get(component, "swid");
    const struct place here = PLACE_KEY(at, "swid");
    if (swid != NULL && (json_text(json_object_get(swid, "tagId")).len == 0 ||
                         json_text(json_object_get(swid, "name")).len == 0)) {
        reading_warn(reading, RULE_CYCLONEDX_SWID, &here);
    }
    check_attachment(reading, swid, "text", &here);
}

static void check_bom_ref(struct reading *reading, const json_t *component, const struct place *at)
{
    const json_t *ref = json_object_get(component, "bom-ref");
    const struct place here = PLACE_KEY(at, "bom-ref");
    if (ref != NULL && json_text(ref).len == 0) {
        reading_warn(reading, RULE_CYCLONEDX_BOM_REF, &here);
    }
}

void cyclonedx_check_component(struct reading *reading, const json_t *component,
                               const struct place *at)
{
    static const char *const types[] = {"application",
                                        "framework",
                                        "library",
                                        "container",
                                        "platform",
                                        "operating-system",
                                        "device",
                                        "device-driver",
                                        "firmware",
                                        "file",
                                        "machine-learning-model",
                                        "data",
                                        "cryptographic-asset",
                                        NULL};
    static const char *const scopes[] = {"required", "optional", "excluded", NULL};
    const struct place type_at = PLACE_KEY(at, "type");
    const struct place scope_at = PLACE_KEY(at, "scope");
    const struct str type =
        reading_want_text(reading, component, at, "type", RULE_CYCLONEDX_COMPONENT_TYPE);
    reading_check_word(reading, type, types, &type_at, RULE_CYCLONEDX_COMPONENT_TYPE);
    reading_check_word(reading, json_text(json_object_get(component, "scope")), scopes, &scope_at,
                       RULE_CYCLONEDX_COMPONENT_SCOPE);
    (void)reading_want_text(reading, component, at, "name", RULE_CYCLONEDX_COMPONENT_NAME);
    check_bom_ref(reading, component, at);
    check_hashes(reading, component, at);
    check_licenses(reading, component, at);
    check_pedigree(reading, component, at);
    check_swid(reading, component, at);
}
