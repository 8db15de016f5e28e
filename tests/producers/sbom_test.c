/* SBOMs: CycloneDX and SPDX. */
#include "producers/observed.h"

#define CYCLONEDX(members) "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\"" members "}"
#define COMPONENT(members) \
    CYCLONEDX(",\"components\":[{\"type\":\"library\",\"name\":\"a\"" members "}]")

static void cyclonedx_components_are_collected_from_every_level(void **state)
{
    (void)state;
    assert_body(
        DOCUMENT_SBOM,
        CYCLONEDX(",\"serialNumber\":\"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79\","
                  "\"version\":3,\"metadata\":{\"component\":{\"type\":\"application\","
                  "\"name\":\"p\",\"version\":\"1\",\"bom-ref\":\"p\",\"purl\":\"pkg:npm/p@1\","
                  "\"components\":[{\"type\":\"file\",\"name\":\"f\"}]}},\"components\":["
                  "{\"type\":\"library\",\"name\":\"a\",\"bom-ref\":\"a1\",\"purl\":"
                  "\"pkg:npm/a@1\",\"components\":[{\"type\":\"library\",\"name\":\"b\","
                  "\"purl\":\"pkg:npm/b@1\"}]},{\"type\":\"library\",\"name\":\"a\","
                  "\"bom-ref\":\"a2\",\"purl\":\"pkg:npm/a@1\"}]"),
        "{\"bom\":{\"serial\":\"3e671687-395b-41f5-a30f-a58921a69b79\",\"version\":3},"
        "\"components\":[{\"purl\":\"pkg:npm/p@1\",\"refs\":[\"p\"]},{\"purl\":\"pkg:npm/a@1\","
        "\"refs\":[\"a1\",\"a2\"]},{\"purl\":\"pkg:npm/b@1\",\"refs\":[]}],"
        "\"components_total\":5,\"name\":\"p\",\"subjects\":[{\"purl\":\"pkg:npm/p@1\","
        "\"ref\":\"p\",\"version\":\"1\"}]}");
}

static void components_of_the_wrong_type_are_quarantined(void **state)
{
    (void)state;
    const enum document_kind kind = DOCUMENT_SBOM;
    assert_quarantined(kind, STR(CYCLONEDX(",\"components\":{}")), QUARANTINE_WRONG_TYPE,
                       "/components");
    assert_quarantined(kind, STR(CYCLONEDX(",\"components\":[7]")), QUARANTINE_WRONG_TYPE,
                       "/components/0");
    assert_quarantined(kind, STR(COMPONENT(",\"purl\":{}")), QUARANTINE_WRONG_TYPE,
                       "/components/0/purl");
    assert_quarantined(kind, STR(COMPONENT(",\"components\":[{\"components\":7}]")),
                       QUARANTINE_WRONG_TYPE, "/components/0/components/0/components");
}

struct departure {
    const char *text;
    const char *rule;
    const char *pointer;
};

static const struct departure cyclonedx_departures[] = {
    {CYCLONEDX(",\"serialNumber\":\"urn:uuid:3e67\""), "cyclonedx.serial-number", "/serialNumber"},
    {CYCLONEDX(",\"version\":0"), "cyclonedx.version", "/version"},
    {CYCLONEDX(",\"colour\":0"), "cyclonedx.unknown-member", "/colour"},
    {CYCLONEDX(",\"metadata\":{\"timestamp\":\"2020-04-13\"}"), "cyclonedx.timestamp",
     "/metadata/timestamp"},
    {CYCLONEDX(",\"metadata\":{\"supplier\":{\"contact\":[{\"email\":\"https://x\"}]}}"),
     "cyclonedx.contact", "/metadata/supplier/contact/0"},
    {CYCLONEDX(",\"metadata\":{\"properties\":[{\"value\":\"x\"}]}"), "cyclonedx.property",
     "/metadata/properties/0"},
    {CYCLONEDX(",\"components\":[{\"name\":\"a\",\"type\":\"foo\"}]"), "cyclonedx.component-type",
     "/components/0/type"},
    {CYCLONEDX(",\"components\":[{\"type\":\"file\"}]"), "cyclonedx.component-name",
     "/components/0/name"},
    {COMPONENT(",\"scope\":\"foo\""), "cyclonedx.component-scope", "/components/0/scope"},
    {COMPONENT(",\"bom-ref\":\"\""), "cyclonedx.bom-ref", "/components/0/bom-ref"},
    {COMPONENT(",\"purl\":\"invalid purl\""), "purl.format", "/components/0/purl"},
    {COMPONENT(",\"bom-ref\":\"x\",\"components\":[{\"type\":\"file\",\"name\":\"a\","
               "\"bom-ref\":\"x\"}]"),
     "cyclonedx.duplicate-bom-ref", "/components/0/components/0/bom-ref"},
    {COMPONENT(",\"hashes\":[{\"alg\":\"MD5\",\"content\":\"foo\"}]"), "cyclonedx.hash",
     "/components/0/hashes/0"},
    {COMPONENT(",\"licenses\":[{\"license\":{\"id\":\"MIT\"},\"expression\":\"MIT\"}]"),
     "cyclonedx.license", "/components/0/licenses/0"},
    {COMPONENT(",\"licenses\":[{\"expression\":\"MIT\"},{\"license\":{\"id\":\"MIT\"}}]"),
     "cyclonedx.license", "/components/0/licenses"},
    {COMPONENT(",\"licenses\":[{\"license\":{\"id\":\"MIT\",\"text\":{\"encoding\":\"base85\"}}}]"),
     "cyclonedx.attachment", "/components/0/licenses/0/license/text"},
    {COMPONENT(",\"swid\":{\"name\":\"a\"}"), "cyclonedx.swid", "/components/0/swid"},
    {COMPONENT(",\"pedigree\":{\"patches\":[{\"type\":\"foo\"}]}"), "cyclonedx.pedigree",
     "/components/0/pedigree/patches/0"},
    {CYCLONEDX(",\"dependencies\":[{\"dependsOn\":[]}]"), "cyclonedx.dependency",
     "/dependencies/0"},
    {COMPONENT(",\"bom-ref\":\"a\"}],\"dependencies\":[{\"ref\":\"a\",\"dependsOn\":[\"b\"]"),
     "cyclonedx.dangling-ref", "/dependencies/0/dependsOn/0"},
    {CYCLONEDX(",\"services\":[{\"name\":\"s\",\"services\":[{\"data\":[{\"flow\":\"bar\"}]}]}]"),
     "cyclonedx.service-data", "/services/0/services/0/data/0"},
    {"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.9\"}", "cyclonedx.spec-version",
     "/specVersion"},
};

static void cyclonedx_departures_are_warned_of(void **state)
{
    (void)state;
    assert_accepted(DOCUMENT_SBOM, COMPONENT(",\"bom-ref\":\"a\""));
    for (size_t i = 0; i < sizeof(cyclonedx_departures) / sizeof(cyclonedx_departures[0]); i++) {
        assert_warned(DOCUMENT_SBOM, cyclonedx_departures[i].text, cyclonedx_departures[i].rule,
                      cyclonedx_departures[i].pointer);
    }
}

#define SPDX(version, rest)                                                      \
    "{\"spdxVersion\":\"" version "\",\"dataLicense\":\"CC0-1.0\",\"SPDXID\":"   \
    "\"SPDXRef-DOCUMENT\",\"name\":\"n\",\"documentNamespace\":\"https://x/1\"," \
    "\"creationInfo\":{\"created\":\"2024-01-01T00:00:00Z\",\"creators\":[\"Tool: t\"]}" rest "}"
#define PACKAGE(id, members) \
    "{\"SPDXID\":\"SPDXRef-" id "\",\"name\":\"" id "\",\"downloadLocation\":\"NONE\"" members "}"
#define PURL(purl)                                                                              \
    ",\"externalRefs\":[{\"referenceCategory\":\"PACKAGE-MANAGER\",\"referenceType\":\"purl\"," \
    "\"referenceLocator\":\"" purl "\"}]"
#define RELATION(from, type, to)                                           \
    "{\"spdxElementId\":\"SPDXRef-" from "\",\"relationshipType\":\"" type \
    "\",\"relatedSpdxElement\":\"SPDXRef-" to "\"}"
#define PACKAGES(list, relations) \
    SPDX("SPDX-2.3", ",\"packages\":[" list "],\"relationships\":[" relations "]")

static void spdx_packages_and_described_ones_are_kept(void **state)
{
    (void)state;
    assert_body(DOCUMENT_SBOM,
                PACKAGES(PACKAGE("p", PURL("pkg:npm/p@1")) "," PACKAGE(
                             "a", PURL("pkg:npm/a@1")) "," PACKAGE("x", ""),
                         RELATION("DOCUMENT", "DESCRIBES", "p") "," RELATION(
                             "DOCUMENT", "DESCRIBES",
                             "x") "," RELATION("p", "DESCRIBED_BY",
                                               "DOCUMENT") "," RELATION("DOCUMENT", "DESCRIBES",
                                                                        "DOCUMENT")),
                "{\"bom\":null,\"components\":[{\"purl\":\"pkg:npm/p@1\",\"refs\":"
                "[\"SPDXRef-p\"]},{\"purl\":\"pkg:npm/a@1\",\"refs\":[\"SPDXRef-a\"]}],"
                "\"components_total\":3,\"name\":\"n\",\"subjects\":[{\"purl\":\"pkg:npm/p@1\","
                "\"ref\":\"SPDXRef-p\"}]}");
}

static void spdx_of_the_wrong_type_is_quarantined(void **state)
{
    (void)state;
    const enum document_kind kind = DOCUMENT_SBOM;
    assert_quarantined(kind, STR(SPDX("SPDX-2.3", ",\"packages\":7")), QUARANTINE_WRONG_TYPE,
                       "/packages");
    assert_quarantined(kind, STR(PACKAGES("7", "")), QUARANTINE_WRONG_TYPE, "/packages/0");
    assert_quarantined(kind, STR(PACKAGES(PACKAGE("a", ",\"externalRefs\":{}"), "")),
                       QUARANTINE_WRONG_TYPE, "/packages/0/externalRefs");
    assert_quarantined(kind, STR(PACKAGES(PACKAGE("a", PURL("")), "")), QUARANTINE_MISSING_FIELD,
                       "/packages/0/externalRefs/0/referenceLocator");
}

#define DESCRIBED(list, relations) PACKAGES(list, RELATION("DOCUMENT", "DESCRIBES", "a") relations)

static const struct departure spdx_departures[] = {
    {SPDX("SPDX-2.9", ""), "spdx.version", "/spdxVersion"},
    {SPDX("SPDX-2.3", ""), "spdx.describes", ""},
    {DESCRIBED(PACKAGE("a", "") "," PACKAGE("a", ""), ""), "spdx.duplicate-id", "/packages/1"},
    {DESCRIBED(PACKAGE("a", "") ",{\"name\":\"b\",\"downloadLocation\":\"NONE\"}", ""),
     "spdx.package-id", "/packages/1"},
    {DESCRIBED(PACKAGE("a", ",\"checksums\":[{\"algorithm\":\"SHA1\",\"checksumValue\":\"x\"}]"),
               ""),
     "spdx.checksum", "/packages/0/checksums/0"},
    {DESCRIBED(PACKAGE("a", ",\"filesAnalyzed\":true"), ""), "spdx.verification-code",
     "/packages/0"},
    {DESCRIBED(PACKAGE("a", ",\"externalRefs\":[{\"referenceType\":\"cpe23Type\"}]"), ""),
     "spdx.external-ref", "/packages/0/externalRefs/0"},
    {DESCRIBED(PACKAGE("a", ""), "," RELATION("a", "DEPENDS_ON", "q")), "spdx.dangling-ref",
     "/relationships/1"},
    {DESCRIBED(PACKAGE("a", "") "," PACKAGE("b", ""),
               "," RELATION("a", "CONTAINS", "b") "," RELATION("a", "CONTAINED_BY", "b")),
     "spdx.containment-cycle", "/relationships"},
    {SPDX("SPDX-2.2", ",\"documentDescribes\":[\"SPDXRef-a\"],\"packages\":[" PACKAGE(
                          "a", ",\"licenseConcluded\":\"MIT\",\"licenseDeclared\":\"MIT\"") "]"),
     "spdx.package-licensing", "/packages/0/copyrightText"},
};

static void spdx_departures_are_warned_of(void **state)
{
    (void)state;
    assert_accepted(DOCUMENT_SBOM, DESCRIBED(PACKAGE("a", ""), ""));
    for (size_t i = 0; i < sizeof(spdx_departures) / sizeof(spdx_departures[0]); i++) {
        assert_warned(DOCUMENT_SBOM, spdx_departures[i].text, spdx_departures[i].rule,
                      spdx_departures[i].pointer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cyclonedx_components_are_collected_from_every_level),
        cmocka_unit_test(components_of_the_wrong_type_are_quarantined),
        cmocka_unit_test(cyclonedx_departures_are_warned_of),
        cmocka_unit_test(spdx_packages_and_described_ones_are_kept),
        cmocka_unit_test(spdx_of_the_wrong_type_is_quarantined),
        cmocka_unit_test(spdx_departures_are_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
