/* VEX: OpenVEX of all versions, CycloneDX, and what they become. */
#include "producers/observed.h"

#define OPENVEX(statements)                                                                     \
    "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"@id\":\"https://x/1\",\"author\":\"a\"," \
    "\"timestamp\":\"2024-01-01T00:00:00Z\",\"version\":1,\"statements\":[" statements "]}"

static void openvex_statements_keep_names_products_and_subcomponents(void **state)
{
    (void)state;
    assert_body(
        DOCUMENT_VEX,
        OPENVEX("{\"vulnerability\":{\"name\":\"CVE-2024-1\",\"aliases\":[\"GHSA-1\"]},"
                "\"products\":[{\"@id\":\"https://x/product\",\"identifiers\":{\"purl\":"
                "\"pkg:npm/p\"},\"subcomponents\":[{\"@id\":\"pkg:npm/a@1\"}]}],"
                "\"status\":\"not_affected\",\"justification\":\"component_not_present\","
                "\"timestamp\":\"2024-02-01T00:00:00Z\"}"),
        "{\"author\":\"a\",\"id\":\"https://x/1\",\"issued\":\"2024-01-01T00:00:00.000000Z\","
        "\"statements\":[{\"index\":0,\"issued\":\"2024-02-01T00:00:00.000000Z\","
        "\"justification\":\"component_not_present\",\"products\":[{\"id\":\"https://x/product\","
        "\"purl\":\"pkg:npm/p\",\"subcomponents\":[\"pkg:npm/a@1\"]}],\"state\":\"not_affected\","
        "\"status\":\"not_affected\",\"vulnerability\":[\"CVE-2024-1\",\"GHSA-1\"]}]}");
}

static void openvex_of_the_first_version_has_plain_texts(void **state)
{
    (void)state;
    assert_body(DOCUMENT_VEX,
                "{\"@context\":\"https://openvex.dev/ns\",\"statements\":[{\"vulnerability\":"
                "\"CVE-2024-1\",\"products\":[\"pkg:npm/p\"],\"subcomponents\":[\"pkg:npm/a\"],"
                "\"status\":\"fixed\"}]}",
                "{\"author\":null,\"id\":null,\"issued\":null,\"statements\":[{\"index\":0,"
                "\"issued\":null,\"justification\":null,\"products\":[{\"id\":\"pkg:npm/p\","
                "\"purl\":\"pkg:npm/p\",\"subcomponents\":[\"pkg:npm/a\"]}],\"state\":\"fixed\","
                "\"status\":\"fixed\",\"vulnerability\":[\"CVE-2024-1\"]}]}");
}

/* Otherwise a statement about a part would become one about the whole. */
static void a_product_whose_subcomponents_cannot_be_read_is_left_out(void **state)
{
    (void)state;
    assert_body(DOCUMENT_VEX,
                OPENVEX("{\"vulnerability\":{\"name\":\"C\"},\"products\":[{\"@id\":"
                        "\"pkg:npm/p\",\"subcomponents\":[{\"name\":\"x\"}]}],"
                        "\"status\":\"fixed\"}"),
                "{\"author\":\"a\",\"id\":\"https://x/1\","
                "\"issued\":\"2024-01-01T00:00:00.000000Z\",\"statements\":[{\"index\":0,"
                "\"issued\":\"2024-01-01T00:00:00.000000Z\",\"justification\":null,"
                "\"products\":[],\"state\":\"fixed\",\"status\":\"fixed\","
                "\"vulnerability\":[\"C\"]}]}");
}

static void openvex_without_a_needed_member_is_quarantined(void **state)
{
    (void)state;
    const enum document_kind kind = DOCUMENT_VEX;
    assert_quarantined(kind, STR(OPENVEX("{\"vulnerability\":{\"name\":\"C\"}}")),
                       QUARANTINE_MISSING_FIELD, "/statements/0/status");
    assert_quarantined(kind, STR(OPENVEX("{\"status\":\"fixed\"}")), QUARANTINE_MISSING_FIELD,
                       "/statements/0/vulnerability");
    assert_quarantined(kind, STR(OPENVEX("{\"vulnerability\":{},\"status\":\"fixed\"}")),
                       QUARANTINE_MISSING_FIELD, "/statements/0/vulnerability");
    assert_quarantined(kind, STR(OPENVEX("{\"vulnerability\":\"C\",\"status\":\"safe\"}")),
                       QUARANTINE_WRONG_TYPE, "/statements/0/status");
    assert_quarantined(kind, STR(OPENVEX("{\"vulnerability\":\"C\",\"status\":\"none\"}")),
                       QUARANTINE_WRONG_TYPE, "/statements/0/status");
    assert_quarantined(kind,
                       STR(OPENVEX("{\"vulnerability\":\"C\",\"status\":\"fixed\",\"products\":"
                                   "[7]}")),
                       QUARANTINE_WRONG_TYPE, "/statements/0/products/0");
}

static void openvex_departures_are_warned_of(void **state)
{
    (void)state;
    const enum document_kind kind = DOCUMENT_VEX;
    assert_warned(kind, OPENVEX(""), "openvex.statements", "/statements");
    assert_warned(kind, OPENVEX("{\"vulnerability\":\"C\",\"status\":\"fixed\"}"),
                  "openvex.products", "/statements/0");
    assert_warned(kind,
                  OPENVEX("{\"vulnerability\":\"C\",\"status\":\"not_affected\",\"products\":"
                          "[\"pkg:npm/a\"]}"),
                  "openvex.justification", "/statements/0");
    assert_warned(kind,
                  OPENVEX("{\"vulnerability\":\"C\",\"status\":\"affected\",\"products\":"
                          "[\"pkg:npm/a\"]}"),
                  "openvex.action-statement", "/statements/0");
    assert_warned(kind,
                  OPENVEX("{\"vulnerability\":\"C\",\"status\":\"fixed\",\"products\":"
                          "[\"pkg:npm\"]}"),
                  "purl.format", "/statements/0/products/0");
}

#define CYCLONEDX(head, vulnerabilities)                                                    \
    "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\"," head                            \
    "\"version\":2,\"metadata\":{\"timestamp\":\"2024-01-01T00:00:00Z\",\"component\":{"    \
    "\"type\":\"application\",\"name\":\"p\",\"bom-ref\":\"p\",\"purl\":\"pkg:npm/p@1\"}}," \
    "\"components\":[{\"type\":\"library\",\"name\":\"a\",\"bom-ref\":\"a\",\"purl\":"      \
    "\"pkg:npm/a@1\"}],\"vulnerabilities\":[" vulnerabilities "]}"
#define SERIAL "\"serialNumber\":\"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79\","
#define STATED(state, affects)                                                                \
    "{\"id\":\"CVE-1\",\"references\":[{\"id\":\"GHSA-1\"}],\"analysis\":{\"state\":\"" state \
    "\"},\"affects\":[" affects "]}"

static void cyclonedx_refs_become_products_within_the_subject(void **state)
{
    (void)state;
    assert_body(
        DOCUMENT_VEX,
        CYCLONEDX("", STATED("resolved_with_pedigree", "{\"ref\":\"a\"},{\"ref\":"
                                                       "\"p\"}")),
        "{\"bom\":null,\"elements\":[{\"purl\":\"pkg:npm/p@1\",\"ref\":\"p\"},{\"purl\":"
        "\"pkg:npm/a@1\",\"ref\":\"a\"}],\"issued\":\"2024-01-01T00:00:00.000000Z\","
        "\"statements\":[{\"index\":0,\"issued\":\"2024-01-01T00:00:00.000000Z\","
        "\"justification\":null,\"products\":[{\"id\":\"a\",\"purl\":\"pkg:npm/p@1\","
        "\"subcomponents\":[\"pkg:npm/a@1\"]},{\"id\":\"p\",\"purl\":\"pkg:npm/p@1\","
        "\"subcomponents\":[]}],\"state\":\"resolved_with_pedigree\",\"status\":\"fixed\","
        "\"vulnerability\":[\"CVE-1\",\"GHSA-1\"]}],\"subjects\":[{\"purl\":\"pkg:npm/p@1\","
        "\"ref\":\"p\",\"version\":null}]}");
}

static void assert_product(const char *text, const char *expected)
{
    struct observed o;
    struct buf product;
    struct json_writer writer;
    observed_init(&o, DOCUMENT_VEX, "", str_from(text));
    const json_t *body = json_object_get(o.value, "body");
    const json_t *statement = json_array_get(json_object_get(body, "statements"), 0);
    const json_t *first = json_array_get(json_object_get(statement, "products"), 0);
    buf_init(&product, 1 << 16);
    json_begin(&writer, &product);
    assert_non_null(first);
    json_put_value(&writer, first);
    if (!str_eq(buf_get(&product), str_from(expected))) {
        print_error("%.*s\n", STR_ARG(buf_get(&product)));
    }
    assert_true(str_eq(buf_get(&product), str_from(expected)));
    buf_fini(&product);
    observed_fini(&o);
}

static void cyclonedx_links_are_taken_apart(void **state)
{
    (void)state;
    assert_product(CYCLONEDX("", STATED("in_triage", "{\"ref\":\"urn:cdx:AB/3#pkg:npm/x%401\"}")),
                   "{\"id\":\"urn:cdx:AB/3#pkg:npm/x%401\",\"link\":{\"element\":\"pkg:npm/x@1\","
                   "\"serial\":\"AB\",\"version\":3},\"purl\":null,\"subcomponents\":[]}");
    assert_product(CYCLONEDX(SERIAL, STATED("in_triage", "{\"ref\":\"p\",\"versions\":["
                                                         "{\"version\":\"1\"},{\"range\":"
                                                         "\"vers:npm/>2\"}]}")),
                   "{\"id\":\"p\",\"link\":{\"element\":\"p\",\"serial\":"
                   "\"3e671687-395b-41f5-a30f-a58921a69b79\",\"version\":2},"
                   "\"purl\":\"pkg:npm/p@1\",\"subcomponents\":[],\"versions\":[\"1\"],"
                   "\"versions_open\":true}");
}

static void cyclonedx_departures_are_warned_of(void **state)
{
    (void)state;
    const enum document_kind kind = DOCUMENT_VEX;
    assert_warned(kind, CYCLONEDX("", STATED("unsure", "")), "cyclonedx.analysis",
                  "/vulnerabilities/0/analysis");
    assert_warned(kind, CYCLONEDX("", STATED("in_triage", "")), "cyclonedx.affects",
                  "/vulnerabilities/0");
    assert_warned(kind, CYCLONEDX("", STATED("in_triage", "{\"ref\":\"q\"}")),
                  "cyclonedx.affects-dangling", "/vulnerabilities/0/affects/0/ref");
    assert_quarantined(
        kind, STR(CYCLONEDX("", "{\"analysis\":{\"state\":\"in_triage\"},\"affects\":[]}")),
        QUARANTINE_MISSING_FIELD, "/vulnerabilities/0/id");
    assert_quarantined(kind, STR(CYCLONEDX("", "7")), QUARANTINE_WRONG_TYPE, "/vulnerabilities/0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openvex_statements_keep_names_products_and_subcomponents),
        cmocka_unit_test(openvex_of_the_first_version_has_plain_texts),
        cmocka_unit_test(a_product_whose_subcomponents_cannot_be_read_is_left_out),
        cmocka_unit_test(openvex_without_a_needed_member_is_quarantined),
        cmocka_unit_test(openvex_departures_are_warned_of),
        cmocka_unit_test(cyclonedx_refs_become_products_within_the_subject),
        cmocka_unit_test(cyclonedx_links_are_taken_apart),
        cmocka_unit_test(cyclonedx_departures_are_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
