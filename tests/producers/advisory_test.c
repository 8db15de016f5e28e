/* Advisories: OSV and CSAF. */
#include "producers/observed.h"

#define HEAD            "\"id\":\"X-1\",\"modified\":\"2024-01-01T00:00:00Z\""
#define OSV(members)    "{" HEAD members "}"
#define AFFECTED(entry) OSV(",\"affected\":[" entry "]")
#define PACKAGE         "\"package\":{\"ecosystem\":\"npm\",\"name\":\"a\"}"
#define RANGE(range)    AFFECTED("{" PACKAGE ",\"ranges\":[" range "]}")

static void osv_keeps_what_matching_needs(void **state)
{
    (void)state;
    assert_body(DOCUMENT_ADVISORY,
                OSV(",\"aliases\":[\"CVE-2024-1\"],\"withdrawn\":\"2024-02-01T00:00:00Z\","
                    "\"severity\":[],\"affected\":[{" PACKAGE
                    ",\"database_specific\":{\"informational\":\"unsound\"},\"ranges\":["
                    "{\"type\":\"GIT\",\"repo\":\"https://x\",\"events\":[{\"introduced\":\"0\"}]},"
                    "{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1.0.0\"}]"
                    "}],\"versions\":[\"0.9.0\"]},{\"ranges\":[{\"type\":\"GIT\",\"repo\":"
                    "\"https://x\",\"events\":[{\"introduced\":\"0\"}]}]}]"),
                "{\"affected\":[{\"ecosystem\":\"npm\",\"informational\":\"unsound\","
                "\"name\":\"a\",\"ranges\":[{\"events\":[{\"introduced\":\"0\"},"
                "{\"fixed\":\"1.0.0\"}],\"type\":\"SEMVER\"}],\"versions\":[\"0.9.0\"]}],"
                "\"aliases\":[\"CVE-2024-1\"],\"id\":\"X-1\","
                "\"modified\":\"2024-01-01T00:00:00.000000Z\",\"published\":null,"
                "\"withdrawn\":\"2024-02-01T00:00:00Z\"}");
}

static void osv_without_a_needed_member_is_quarantined(void **state)
{
    (void)state;
    const enum quarantine missing = QUARANTINE_MISSING_FIELD;
    const enum quarantine type = QUARANTINE_WRONG_TYPE;
    const enum document_kind kind = DOCUMENT_ADVISORY;
    assert_quarantined(kind, STR("{\"id\":\"\",\"modified\":\"x\"}"), missing, "/id");
    assert_quarantined(kind, STR("{\"id\":7,\"modified\":\"x\"}"), type, "/id");
    assert_quarantined(kind, STR(OSV(",\"affected\":{}")), type, "/affected");
    assert_quarantined(kind, STR(AFFECTED("7")), type, "/affected/0");
    assert_quarantined(kind, STR(AFFECTED("{\"package\":{\"name\":\"a\"}}")), missing,
                       "/affected/0/package/ecosystem");
    assert_quarantined(kind, STR(AFFECTED("{\"package\":{\"ecosystem\":\"npm\",\"name\":\"\"}}")),
                       missing, "/affected/0/package/name");
    assert_quarantined(kind, STR(RANGE("{\"events\":{}}")), type, "/affected/0/ranges/0/events");
    assert_quarantined(kind, STR(RANGE("{\"events\":[{\"fixed\":[]}]}")), type,
                       "/affected/0/ranges/0/events/0/fixed");
    assert_quarantined(kind, STR(OSV(",\"aliases\":[1]")), type, "/aliases/0");
    assert_quarantined(kind, STR(OSV(",\"withdrawn\":true")), type, "/withdrawn");
}

static void osv_departures_are_warned_of(void **state)
{
    (void)state;
    const enum document_kind kind = DOCUMENT_ADVISORY;
    assert_warned(kind, OSV(",\"schema_version\":null"), "osv.schema-version", "/schema_version");
    assert_warned(kind, "{\"id\":\"X-1\",\"schema_version\":\"1.0\"}", "osv.modified", "/modified");
    assert_warned(kind, "{\"id\":\"X\",\"modified\":\"2024-01-01T00:00:00Z\"}", "osv.id", "/id");
    assert_warned(kind, OSV(",\"published\":\"yesterday\""), "osv.published", "/published");
    assert_warned(kind, OSV(",\"withdrawn\":\"yesterday\""), "osv.withdrawn", "/withdrawn");
    assert_warned(kind, OSV(",\"colour\":1"), "osv.unknown-member", "/colour");
    assert_warned(kind, AFFECTED("{}"), "osv.package", "/affected/0");
    assert_warned(kind, AFFECTED("{\"package\":{\"ecosystem\":\"NPM\",\"name\":\"a\"}}"),
                  "osv.ecosystem", "/affected/0/package/ecosystem");
    assert_warned(kind, RANGE("{\"type\":\"NONE\",\"events\":[{\"introduced\":\"0\"}]}"),
                  "osv.range-type", "/affected/0/ranges/0");
    assert_warned(kind, RANGE("{\"type\":\"SEMVER\",\"events\":[{\"fixed\":\"1.0.0\"}]}"),
                  "osv.introduced", "/affected/0/ranges/0/events");
    assert_warned(kind, RANGE("{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"1.0\"}]}"),
                  "osv.event-version", "/affected/0/ranges/0/events/0/introduced");
    assert_warned(kind, RANGE("{\"type\":\"SEMVER\",\"events\":[{\"introduced\":0}]}"),
                  "osv.version-type", "/affected/0/ranges/0/events/0/introduced");
    assert_warned(kind, OSV(",\"severity\":[{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:N/\"}]"),
                  "osv.severity", "/severity/0");
    assert_warned(kind, OSV(",\"references\":[{\"type\":\"BLOG\",\"url\":\"https://x\"}]"),
                  "osv.reference", "/references/0");
}

#define CSAF(tracking, rest)                                                              \
    "{\"document\":{\"category\":\"csaf_base\",\"csaf_version\":\"2.0\",\"title\":\"t\"," \
    "\"publisher\":{\"category\":\"vendor\",\"name\":\"n\",\"namespace\":\"https://x\"}," \
    "\"tracking\":{\"id\":\"T-1\",\"status\":\"final\","                                  \
    "\"initial_release_date\":\"2024-01-01T00:00:00Z\","                                  \
    "\"current_release_date\":\"2024-01-01T00:00:00Z\"," tracking "}}" rest "}"
#define HISTORY                                                  \
    "\"version\":\"1\",\"revision_history\":[{\"number\":\"1\"," \
    "\"date\":\"2024-01-01T00:00:00Z\",\"summary\":\"s\"}]"
#define TREE                                                                                 \
    ",\"product_tree\":{\"full_product_names\":[{\"name\":\"A\",\"product_id\":\"A\","       \
    "\"product_identification_helper\":{\"purl\":\"pkg:npm/a@1.0.0\"}},"                     \
    "{\"name\":\"B\",\"product_id\":\"B\","                                                  \
    "\"product_identification_helper\":{\"purl\":\"pkg:npm/b@2.0.0\"}}],"                    \
    "\"relationships\":[{\"category\":\"default_component_of\",\"product_reference\":\"A\"," \
    "\"relates_to_product_reference\":\"B\","                                                \
    "\"full_product_name\":{\"name\":\"A in B\",\"product_id\":\"A:B\"}}]}"
#define VULNERABILITY(members) TREE ",\"vulnerabilities\":[{\"cve\":\"CVE-2024-1000\"," members "}]"

static void csaf_statements_follow_relationships_and_flags(void **state)
{
    (void)state;
    assert_body(
        DOCUMENT_ADVISORY,
        CSAF(HISTORY, VULNERABILITY("\"ids\":[{\"system_name\":\"s\",\"text\":\"GHSA-x\"}],"
                                    "\"flags\":[{\"label\":\"component_not_present\","
                                    "\"product_ids\":[\"A:B\"]}],\"product_status\":{"
                                    "\"fixed\":[\"B\"],\"known_not_affected\":[\"A:B\",\"A\"]}")),
        "{\"author\":\"n\",\"category\":\"csaf_base\",\"id\":\"T-1\","
        "\"issued\":\"2024-01-01T00:00:00.000000Z\",\"statements\":["
        "{\"index\":0,\"issued\":\"2024-01-01T00:00:00.000000Z\",\"justification\":null,"
        "\"products\":[{\"id\":\"B\",\"purl\":\"pkg:npm/b@2.0.0\",\"subcomponents\":[]}],"
        "\"state\":\"fixed\",\"status\":\"fixed\",\"vulnerability\":[\"CVE-2024-1000\",\"GHSA-x\"]"
        "},{\"index\":0,\"issued\":\"2024-01-01T00:00:00.000000Z\","
        "\"justification\":\"component_not_present\",\"products\":[{\"id\":\"A:B\","
        "\"purl\":\"pkg:npm/b@2.0.0\",\"subcomponents\":[\"pkg:npm/a@1.0.0\"]}],"
        "\"state\":\"known_not_affected\",\"status\":\"not_affected\","
        "\"vulnerability\":[\"CVE-2024-1000\",\"GHSA-x\"]},{\"index\":0,"
        "\"issued\":\"2024-01-01T00:00:00.000000Z\",\"justification\":null,\"products\":["
        "{\"id\":\"A\",\"purl\":\"pkg:npm/a@1.0.0\",\"subcomponents\":[]}],"
        "\"state\":\"known_not_affected\",\"status\":\"not_affected\","
        "\"vulnerability\":[\"CVE-2024-1000\",\"GHSA-x\"]}],\"title\":\"t\"}");
}

static void csaf_without_a_needed_member_is_quarantined(void **state)
{
    (void)state;
    const enum document_kind kind = DOCUMENT_ADVISORY;
    assert_quarantined(kind, STR("{\"document\":{\"csaf_version\":\"2.0\",\"tracking\":{}}}"),
                       QUARANTINE_MISSING_FIELD, "/document/tracking/id");
    assert_quarantined(kind,
                       STR("{\"document\":{\"csaf_version\":\"3.0\",\"tracking\":{\"id\":"
                           "\"a\"}}}"),
                       QUARANTINE_UNSUPPORTED_FORMAT, "/document/csaf_version");
    assert_quarantined(kind,
                       STR(CSAF(HISTORY, ",\"product_tree\":{\"branches\":[{\"product\":{}}]}")),
                       QUARANTINE_MISSING_FIELD, "/product_tree/branches/0/product/product_id");
    assert_quarantined(kind,
                       STR(CSAF(HISTORY, ",\"vulnerabilities\":[{\"product_status\":{"
                                         "\"fixed\":[7]}}]")),
                       QUARANTINE_WRONG_TYPE, "/vulnerabilities/0/product_status/fixed/0");
}

/* A document that breaks one rule and no other. */
struct broken {
    const char *text;
    const char *rule;
    const char *pointer;
};

static const struct broken csaf_broken[] = {
    {CSAF(HISTORY, VULNERABILITY("\"product_status\":{\"fixed\":[\"C\"]}")), "csaf.6.1.1",
     "/vulnerabilities/0/product_status/fixed/0"},
    {CSAF(HISTORY, ",\"product_tree\":{\"full_product_names\":[{\"name\":\"A\",\"product_id\":"
                   "\"A\"},{\"name\":\"A\",\"product_id\":\"A\"}]}"),
     "csaf.6.1.2", "/product_tree/full_product_names/1/product_id"},
    {CSAF(HISTORY, ",\"product_tree\":{\"relationships\":[{\"product_reference\":\"A\","
                   "\"relates_to_product_reference\":\"A\",\"full_product_name\":{\"name\":\"A\","
                   "\"product_id\":\"A\"}}]}"),
     "csaf.6.1.3", "/product_tree/relationships"},
    {CSAF(HISTORY, VULNERABILITY("\"threats\":[{\"group_ids\":[\"G\"]}]")), "csaf.6.1.4",
     "/vulnerabilities/0/threats/0/group_ids/0"},
    {CSAF(HISTORY, VULNERABILITY("\"product_status\":{\"fixed\":[\"A\"],\"known_affected\":"
                                 "[\"A\"]}")),
     "csaf.6.1.6", "/vulnerabilities/0/product_status/fixed/0"},
    {CSAF(HISTORY, VULNERABILITY("\"scores\":[{\"products\":[\"A\"],\"cvss_v3\":{\"version\":"
                                 "\"3.1\",\"vectorString\":\"CVSS:3.0/AV:N\",\"baseScore\":9.8,"
                                 "\"baseSeverity\":\"CRITICAL\"}}]")),
     "csaf.6.1.8", "/vulnerabilities/0/scores/0/cvss_v3"},
    {CSAF(HISTORY, VULNERABILITY("\"scores\":[{\"products\":[\"A\"],\"cvss_v3\":{\"version\":"
                                 "\"3.1\",\"vectorString\":\"CVSS:3.1/AV:N\",\"baseScore\":6.9,"
                                 "\"baseSeverity\":\"HIGH\"}}]")),
     "csaf.6.1.9", "/vulnerabilities/0/scores/0/cvss_v3"},
    {CSAF(HISTORY, VULNERABILITY("\"scores\":[{\"products\":[\"A\"],\"cvss_v2\":{\"version\":"
                                 "\"2.0\",\"vectorString\":\"AV:N/AC:L/Au:N/C:P/I:P/A:P\","
                                 "\"baseScore\":7.4}}]")),
     "csaf.6.1.9", "/vulnerabilities/0/scores/0/cvss_v2"},
    {CSAF(HISTORY, VULNERABILITY("\"scores\":[{\"products\":[\"A\"],\"cvss_v3\":{\"version\":"
                                 "\"3.1\",\"vectorString\":\"CVSS:3.1/AV:N\",\"baseScore\":6.9,"
                                 "\"baseSeverity\":\"MEDIUM\",\"attackVector\":\"LOCAL\"}}]")),
     "csaf.6.1.10", "/vulnerabilities/0/scores/0/cvss_v3/attackVector"},
    {CSAF(HISTORY, VULNERABILITY("\"cwe\":{\"id\":\"79\",\"name\":\"n\"}")), "csaf.6.1.11",
     "/vulnerabilities/0/cwe"},
    {CSAF("\"version\":\"2\",\"revision_history\":[{\"number\":\"2\",\"date\":"
          "\"2024-01-01T00:00:00Z\"},{\"number\":\"1\",\"date\":\"2024-01-02T00:00:00Z\"}]",
          ""),
     "csaf.6.1.14", "/document/tracking/revision_history/1"},
    {CSAF("\"version\":\"1\",\"revision_history\":[{\"number\":\"1\",\"date\":"
          "\"2024-01-01T00:00:00Z\"},{\"number\":\"2\",\"date\":\"2024-01-01T00:00:00Z\"}]",
          ""),
     "csaf.6.1.16", "/document/tracking/version"},
    {CSAF("\"version\":\"0\",\"revision_history\":[{\"number\":\"0\",\"date\":"
          "\"2024-01-01T00:00:00Z\"}]",
          ""),
     "csaf.6.1.17", "/document/tracking/version"},
    {CSAF("\"version\":\"3\",\"revision_history\":[{\"number\":\"1\",\"date\":"
          "\"2024-01-01T00:00:00Z\"},{\"number\":\"3\",\"date\":\"2024-01-02T00:00:00Z\"}]",
          ""),
     "csaf.6.1.21", "/document/tracking/revision_history/1"},
    {CSAF(HISTORY, VULNERABILITY("\"remediations\":[{\"category\":\"vendor_fix\"}]")),
     "csaf.6.1.29", "/vulnerabilities/0/remediations/0"},
    {CSAF(HISTORY, ",\"product_tree\":{\"branches\":[{\"category\":\"product_version\",\"name\":"
                   "\"< 4.2\",\"product\":{\"name\":\"A\",\"product_id\":\"A\"}}]}"),
     "csaf.6.1.31", "/product_tree/branches/0/name"},
    {CSAF(HISTORY, VULNERABILITY("\"flags\":[{\"label\":\"component_not_present\",\"product_ids\":"
                                 "[\"A\"]},{\"label\":\"vulnerable_code_not_present\","
                                 "\"product_ids\":[\"A\"]}]")),
     "csaf.6.1.33", "/vulnerabilities/0/flags/1"},
};

#define GROUPS                                                                              \
    ",\"product_tree\":{\"full_product_names\":[{\"name\":\"A\",\"product_id\":\"A\"}],"    \
    "\"product_groups\":[{\"group_id\":\"G\",\"product_ids\":[\"A\"]},{\"group_id\":\"G\"," \
    "\"product_ids\":[\"A\"]}]}"
#define SCORE                                                                   \
    "{\"products\":[\"A\"],\"cvss_v2\":{\"version\":\"2.0\",\"baseScore\":7.5," \
    "\"vectorString\":\"AV:N/AC:L/Au:N/C:P/I:P/A:P\"}}"
#define REVISIONS(version, first, second)                                         \
    CSAF("\"version\":\"" version "\",\"revision_history\":[{\"number\":\"" first \
         "\",\"date\":\"2024-01-01T00:00:00Z\"},{\"number\":\"" second            \
         "\",\"date\":\"2024-01-02T00:00:00Z\"}]",                                \
         "")
/* A document whose head is another than that of CSAF(). */
#define HEADED(head, rest)                                                              \
    "{\"document\":{\"title\":\"t\",\"tracking\":{\"id\":\"T-1\",\"status\":\"final\"," \
    "\"initial_release_date\":\"2024-01-01T00:00:00Z\","                                \
    "\"current_release_date\":\"2024-01-01T00:00:00Z\"," HISTORY "}," head "}" rest "}"
#define PUBLISHER(category) \
    "\"publisher\":{\"category\":\"" category "\",\"name\":\"n\",\"namespace\":\"https://x\"}"
#define BASE(members) HEADED("\"category\":\"csaf_base\",\"csaf_version\":\"2.0\"," members, "")

static const struct broken csaf_broken_too[] = {
    {CSAF(HISTORY, GROUPS), "csaf.6.1.5", "/product_tree/product_groups/1"},
    {CSAF(HISTORY, VULNERABILITY("\"scores\":[" SCORE "," SCORE "]")), "csaf.6.1.7",
     "/vulnerabilities/0/scores/1"},
    {BASE(PUBLISHER("vendor") ",\"lang\":\"EZ\""), "csaf.6.1.12", "/document/lang"},
    {CSAF(HISTORY, ",\"product_tree\":{\"full_product_names\":[{\"name\":\"A\",\"product_id\":"
                   "\"A\",\"product_identification_helper\":{\"purl\":\"npm/a\"}}]}"),
     "csaf.6.1.13", "/product_tree/full_product_names/0/product_identification_helper/purl"},
    {BASE(PUBLISHER("translator")), "csaf.6.1.15", "/document"},
    {REVISIONS("1", "0", "1"), "csaf.6.1.18", "/document/tracking/revision_history/0/number"},
    {REVISIONS("1.0.0", "1.0.0-rc.1", "1.0.0"), "csaf.6.1.19",
     "/document/tracking/revision_history/0/number"},
    {REVISIONS("2.0.0-rc.1", "1.0.0", "2.0.0"), "csaf.6.1.20", "/document/tracking/version"},
    {REVISIONS("1", "1", "1"), "csaf.6.1.22", "/document/tracking/revision_history/1"},
    {CSAF(HISTORY, ",\"vulnerabilities\":[{\"cve\":\"CVE-2024-1000\"},{\"cve\":"
                   "\"CVE-2024-1000\"}]"),
     "csaf.6.1.23", "/vulnerabilities/1/cve"},
    {CSAF(HISTORY, VULNERABILITY("\"involvements\":[{\"party\":\"vendor\",\"status\":\"open\"},"
                                 "{\"party\":\"vendor\",\"status\":\"completed\"}]")),
     "csaf.6.1.24", "/vulnerabilities/0/involvements/1"},
    {HEADED("\"category\":\"Csaf_VeX\",\"csaf_version\":\"2.0\"," PUBLISHER("vendor"), ""),
     "csaf.6.1.26", "/document/category"},
    {HEADED("\"category\":\"csaf_vex\",\"csaf_version\":\"2.0\"," PUBLISHER("vendor"),
            TREE ",\"vulnerabilities\":[{\"notes\":[],\"product_status\":{\"fixed\":[\"A\"]}}]"),
     "csaf.6.1.27", "/vulnerabilities/0"},
    {HEADED("\"category\":\"csaf_informational_advisory\",\"csaf_version\":\"2.0\"," PUBLISHER(
                "vendor"),
            ""),
     "csaf.6.1.27", ""},
    {BASE(PUBLISHER("vendor") ",\"lang\":\"en\",\"source_lang\":\"EN\""), "csaf.6.1.28",
     "/document/source_lang"},
    {REVISIONS("2", "1.0.0", "2"), "csaf.6.1.30", "/document/tracking/revision_history/1/number"},
    {CSAF(HISTORY, VULNERABILITY("\"flags\":[{\"label\":\"component_not_present\"}]")),
     "csaf.6.1.32", "/vulnerabilities/0/flags/0"},
    {CSAF(HISTORY, VULNERABILITY("\"flags\":[{\"label\":\"safe\",\"product_ids\":[\"A\"]}]")),
     "csaf.flag-label", "/vulnerabilities/0/flags/0"},
    {CSAF(HISTORY, ",\"vulnerabilities\":[{\"cve\":\"CVE-24-1\"}]"), "csaf.cve",
     "/vulnerabilities/0/cve"},
    {HEADED("\"category\":\"csaf_base\",\"csaf_version\":\"2.1\"," PUBLISHER("vendor"), ""),
     "csaf.version", "/document/csaf_version"},
    {BASE(PUBLISHER("friend")), "csaf.publisher", "/document/publisher"},
    {REVISIONS("x", "1", "2"), "csaf.tracking-version", "/document/tracking/version"},
};

static void csaf_rules_are_checked(void **state)
{
    (void)state;
    assert_accepted(DOCUMENT_ADVISORY, CSAF(HISTORY, TREE));
    for (size_t i = 0; i < sizeof(csaf_broken) / sizeof(csaf_broken[0]); i++) {
        assert_warned(DOCUMENT_ADVISORY, csaf_broken[i].text, csaf_broken[i].rule,
                      csaf_broken[i].pointer);
    }
    for (size_t i = 0; i < sizeof(csaf_broken_too) / sizeof(csaf_broken_too[0]); i++) {
        assert_warned(DOCUMENT_ADVISORY, csaf_broken_too[i].text, csaf_broken_too[i].rule,
                      csaf_broken_too[i].pointer);
    }
}

static void csaf_files_are_named_after_their_id(void **state)
{
    (void)state;
    struct observed o;
    observed_init(&o, DOCUMENT_ADVISORY, "advisories-csaf/x/t-1.json", STR(CSAF(HISTORY, "")));
    assert_int_equal(o.summary.outcome, OBSERVATION_ACCEPTED);
    observed_fini(&o);
    observed_init(&o, DOCUMENT_ADVISORY, "advisories-csaf/x/T-1.json", STR(CSAF(HISTORY, "")));
    assert_true(observed_warned(&o, "csaf.filename", "/document"));
    observed_fini(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(osv_keeps_what_matching_needs),
        cmocka_unit_test(osv_without_a_needed_member_is_quarantined),
        cmocka_unit_test(osv_departures_are_warned_of),
        cmocka_unit_test(csaf_statements_follow_relationships_and_flags),
        cmocka_unit_test(csaf_without_a_needed_member_is_quarantined),
        cmocka_unit_test(csaf_rules_are_checked),
        cmocka_unit_test(csaf_files_are_named_after_their_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
