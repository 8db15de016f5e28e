/* Matching: advisories and VEX statements against one SBOM, and the findings that come of it. */
#include "producers/observed.h"

#include "base/vec.h"
#include "workers/lib/match.h"

/* Documents of one small feed, observed, and the findings they lead to. */
struct feed {
    struct arena arena;
    struct buf lines;    /* Advisories and VEX. */
    struct buf sbom;     /* One line. */
    struct buf findings; /* As handed to the sink. */
    struct subjects subjects;
    struct policy policy;
    struct match_counts counts;
};

static void feed_init(struct feed *feed)
{
    struct err err = {0};
    memset(feed, 0, sizeof(*feed));
    arena_init(&feed->arena, 1 << 24);
    buf_init(&feed->lines, OBSERVATION_MAX);
    buf_init(&feed->sbom, OBSERVATION_MAX);
    buf_init(&feed->findings, 1 << 20);
    assert_int_equal(policy_read(&feed->arena, policy_default_text(), &feed->policy, &err), ERR_OK);
}

static void feed_fini(struct feed *feed)
{
    buf_fini(&feed->findings);
    buf_fini(&feed->sbom);
    buf_fini(&feed->lines);
    arena_fini(&feed->arena);
}

static void feed_add(struct feed *feed, enum document_kind kind, const char *path, const char *text)
{
    struct arena arena;
    struct observation_summary summary;
    char sha256[32];
    (void)snprintf(sha256, sizeof(sha256), "%zu", strlen(text));
    const struct observation_source source = {
        .kind = kind, .path = str_from(path), .bytes = str_from(text), .sha256 = str_from(sha256)};
    arena_init(&arena, OBSERVATION_ARENA_MAX);
    observe_document(&arena, &source, kind == DOCUMENT_SBOM ? &feed->sbom : &feed->lines, &summary);
    if (summary.outcome == OBSERVATION_QUARANTINED) {
        print_error("%s: %.*s\n", path, STR_ARG(summary.detail));
    }
    assert_int_not_equal(summary.outcome, OBSERVATION_QUARANTINED);
    arena_fini(&arena);
}

static void feed_tell_subject(struct feed *feed, const char *purl)
{
    struct err err = {0};
    const struct str text = arena_format(&feed->arena, "{\"sbom/s\":[\"%s\"]}", purl);
    assert_int_equal(subjects_read(&feed->arena, text, &feed->subjects, &err), ERR_OK);
}

static enum err_code append(void *ctx, struct str line, struct err *err)
{
    (void)err;
    buf_str(ctx, line);
    return ERR_OK;
}

/* Matches and compares all findings. */
static void assert_findings(struct feed *feed, const char *expected)
{
    struct err err = {0};
    struct match_index *index = match_index_new((size_t)64 << 20);
    const struct finding_sink sink = {&feed->findings, append};
    buf_reset(&feed->findings);
    assert_int_equal(match_add_lines(index, buf_get(&feed->lines), &err), ERR_OK);
    assert_int_equal(match_sbom(index, buf_get(&feed->sbom), &feed->policy, &feed->subjects, sink,
                                &feed->counts, &err),
                     ERR_OK);
    if (!str_eq(buf_get(&feed->findings), str_from(expected))) {
        print_error("%.*sinstead of\n%s", STR_ARG(buf_get(&feed->findings)), expected);
    }
    assert_true(str_eq(buf_get(&feed->findings), str_from(expected)));
    match_index_free(index);
}

#define ADVISORY(id, more)                                                                       \
    "{\"id\":\"" id "\",\"modified\":\"2024-01-01T00:00:00Z\",\"aliases\":[\"CVE-2024-1\"]" more \
    ",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"a\"},\"ranges\":[{\"type\":"  \
    "\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"2.0.0\"}]}]}]}"
#define SERIAL "3e671687-395b-41f5-a30f-a58921a69b79"
#define SBOM(components)                                                                       \
    "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"serialNumber\":\"urn:uuid:" SERIAL \
    "\",\"metadata\":{\"component\":{\"name\":\"p\",\"bom-ref\":\"p\",\"version\":\"7\","      \
    "\"purl\":\"pkg:npm/p@7.0.0\"}},\"components\":[" components "]}"
#define COMPONENT(purl) "{\"name\":\"c\",\"bom-ref\":\"" purl "\",\"purl\":\"" purl "\"}"
#define AFFECTED_A      SBOM(COMPONENT("pkg:npm/a@1.0.0"))
#define OPENVEX(moment, products, status)                                                      \
    "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"statements\":[{\"timestamp\":\"" moment \
    "\",\"vulnerability\":{\"name\":\"CVE-2024-1\"},\"products\":[" products                   \
    "],\"status\":\"" status "\"}]}"
#define PART(product, part) "{\"@id\":\"" product "\",\"subcomponents\":[{\"@id\":\"" part "\"}]}"
#define FINDING(affected, fixed, verdict, vex)                                               \
    "{\"advisory\":\"X-1\",\"affected\":\"" affected "\",\"component\":\"pkg:npm/a@1.0.0\"," \
    "\"cve\":\"CVE-2024-1\",\"fixed\":" fixed ",\"sbom\":\"sbom/s\",\"verdict\":\"" verdict  \
    "\",\"vex\":" vex "}\n"
#define STATEMENT(status, document)                                                              \
    "{\"document\":\"" document "\",\"justification\":null,\"statement\":0,\"status\":\"" status \
    "\"}"
#define FAILS                FINDING("yes", "\"2.0.0\"", "fail", "null")
#define SUPPRESSED(document) FINDING("yes", "\"2.0.0\"", "suppressed", STATEMENT("fixed", document))

static void a_component_below_the_fix_is_affected(void **state)
{
    (void)state;
    struct feed feed;
    feed_init(&feed);
    feed_add(&feed, DOCUMENT_ADVISORY, "advisories-osv/x", ADVISORY("X-1", ""));
    feed_add(&feed, DOCUMENT_SBOM, "sbom/s",
             SBOM(COMPONENT("pkg:npm/a@1.0.0") "," COMPONENT("pkg:npm/b@1.0.0") "," COMPONENT(
                 "pkg:deb/debian/a@1.0.0")));
    assert_findings(&feed, FAILS);
    assert_int_equal(feed.counts.components, 4);
    assert_int_equal(feed.counts.evaluated, 3);
    assert_int_equal(feed.counts.verdicts[VERDICT_FAIL], 1);
    feed_fini(&feed);
}

static void a_withdrawn_advisory_affects_nothing(void **state)
{
    (void)state;
    struct feed feed;
    feed_init(&feed);
    feed_add(&feed, DOCUMENT_ADVISORY, "advisories-osv/x",
             ADVISORY("X-1", ",\"withdrawn\":\"2024-02-01T00:00:00Z\""));
    feed_add(&feed, DOCUMENT_SBOM, "sbom/s", AFFECTED_A);
    assert_findings(&feed, FINDING("no", "null", "pass", "null"));
    feed_fini(&feed);
}

static void the_same_advisory_twice_is_one_finding(void **state)
{
    (void)state;
    struct feed feed;
    feed_init(&feed);
    feed_add(&feed, DOCUMENT_ADVISORY, "advisories-osv/x", ADVISORY("X-1", ""));
    feed_add(&feed, DOCUMENT_ADVISORY, "advisories-osv/copy", ADVISORY("X-1", ""));
    feed_add(&feed, DOCUMENT_ADVISORY, "advisories-osv/other",
             ADVISORY("X-1", ",\"summary\":\"\""));
    feed_add(&feed, DOCUMENT_SBOM, "sbom/s", AFFECTED_A);
    assert_findings(&feed, FAILS);
    feed_fini(&feed);
}

/* One advisory, the SBOM of p with a, and VEX documents of the paths vex/0, vex/1, ... */
static void assert_with_vex(const char *subject, const char *const *documents, size_t n,
                            const char *expected)
{
    for (int reversed = 0; reversed < 2; reversed++) {
        struct feed feed;
        feed_init(&feed);
        feed_add(&feed, DOCUMENT_ADVISORY, "advisories-osv/x", ADVISORY("X-1", ""));
        for (size_t i = 0; i < n; i++) {
            const size_t at = reversed ? n - 1 - i : i;
            const char *path = arena_format(&feed.arena, "vex/%zu", at).ptr;
            feed_add(&feed, DOCUMENT_VEX, path, documents[at]);
        }
        feed_add(&feed, DOCUMENT_SBOM, "sbom/s", AFFECTED_A);
        if (subject != NULL) {
            feed_tell_subject(&feed, subject);
        }
        assert_findings(&feed, expected);
        feed_fini(&feed);
    }
}

#define NEW "2024-06-01T00:00:00Z"
#define OLD "2024-05-01T00:00:00Z"

static void a_statement_about_a_part_of_the_subject_decides(void **state)
{
    (void)state;
    const char *documents[] = {OPENVEX(NEW, PART("pkg:npm/p@v7.0.0", "pkg:npm/a"), "fixed")};
    assert_with_vex(NULL, documents, 1, SUPPRESSED("vex/0"));
}

static void a_statement_about_another_part_or_version_does_not(void **state)
{
    (void)state;
    const char *documents[] = {OPENVEX(NEW, PART("pkg:npm/p", "pkg:npm/a@1.0.1"), "fixed"),
                               OPENVEX(NEW, PART("pkg:npm/p@6.0.0", "pkg:npm/a"), "fixed"),
                               OPENVEX(NEW, PART("pkg:npm/q", "pkg:npm/a"), "fixed")};
    assert_with_vex(NULL, documents, 3, FAILS);
}

static void a_statement_about_a_mere_component_or_the_whole_subject_only_hints(void **state)
{
    (void)state;
    const char *documents[] = {OPENVEX(NEW, "{\"@id\":\"pkg:npm/a\"}", "fixed")};
    const char *whole[] = {OPENVEX(NEW, "{\"@id\":\"pkg:npm/p\"}", "fixed")};
    const char *expected =
        "{\"advisory\":\"X-1\",\"affected\":\"yes\",\"component\":\"pkg:npm/a@1.0.0\","
        "\"cve\":\"CVE-2024-1\",\"fixed\":\"2.0.0\",\"sbom\":\"sbom/s\",\"verdict\":"
        "\"fail\",\"vex\":null,\"vex_hint\":" STATEMENT("fixed", "vex/0") "}\n";
    assert_with_vex(NULL, documents, 1, expected);
    assert_with_vex(NULL, whole, 1, expected);
}

static void a_subject_that_the_operator_names_decides(void **state)
{
    (void)state;
    const char *documents[] = {OPENVEX(NEW, "{\"@id\":\"pkg:npm/a@1.0.0\"}", "fixed")};
    assert_with_vex("pkg:npm/a", documents, 1, SUPPRESSED("vex/0"));
}

static void the_newest_statement_wins_then_the_least_reassuring(void **state)
{
    (void)state;
    const char *newer[] = {OPENVEX(OLD, PART("pkg:npm/p", "pkg:npm/a"), "affected"),
                           OPENVEX(NEW, PART("pkg:npm/p", "pkg:npm/a"), "fixed")};
    assert_with_vex(NULL, newer, 2, SUPPRESSED("vex/1"));
    const char *equal[] = {OPENVEX(NEW, PART("pkg:npm/p", "pkg:npm/a"), "affected"),
                           OPENVEX(NEW, PART("pkg:npm/p", "pkg:npm/a"), "fixed"),
                           OPENVEX(NEW, PART("pkg:npm/p", "pkg:npm/a@1.0.0"), "affected")};
    assert_with_vex(NULL, equal, 3,
                    FINDING("yes", "\"2.0.0\"", "fail", STATEMENT("affected", "vex/0")));
}

#define CYCLONEDX(ref)                                                                          \
    "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"vulnerabilities\":[{\"id\":"        \
    "\"CVE-2024-1\",\"analysis\":{\"state\":\"resolved\"},\"affects\":[{\"ref\":\"urn:cdx:" ref \
    "}]}]}"

static void a_bom_link_into_this_sbom_decides(void **state)
{
    (void)state;
    const char *element[] = {CYCLONEDX(SERIAL "/1#pkg:npm/a@1.0.0\"")};
    const char *subject[] = {CYCLONEDX(SERIAL "/1#p\"")};
    const char *whole[] = {CYCLONEDX(SERIAL "/1\"")};
    const char *version[] = {CYCLONEDX(SERIAL "/1#p\",\"versions\":[{\"version\":\"7\"}]")};
    assert_with_vex(NULL, element, 1, SUPPRESSED("vex/0"));
    assert_with_vex(NULL, subject, 1, SUPPRESSED("vex/0"));
    assert_with_vex(NULL, whole, 1, SUPPRESSED("vex/0"));
    assert_with_vex(NULL, version, 1, SUPPRESSED("vex/0"));
}

static void a_bom_link_elsewhere_does_not(void **state)
{
    (void)state;
    const char *documents[] = {CYCLONEDX(SERIAL "/2#pkg:npm/a@1.0.0\""),
                               CYCLONEDX("00000000-395b-41f5-a30f-a58921a69b79/1#p\""),
                               CYCLONEDX(SERIAL "/1#pkg:npm/b@1.0.0\""),
                               CYCLONEDX(SERIAL "/1#p\",\"versions\":[{\"version\":\"8\"}]")};
    assert_with_vex(NULL, documents, 4, FAILS);
}

/* The link leads to a BOM among the VEX documents whose subject is that of the SBOM. */
static void a_bom_link_is_followed_to_another_document(void **state)
{
    (void)state;
    const char *documents[] = {
        CYCLONEDX("11111111-395b-41f5-a30f-a58921a69b79/1#part\""),
        "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"serialNumber\":"
        "\"urn:uuid:11111111-395B-41f5-a30f-a58921a69b79\",\"metadata\":{\"component\":{"
        "\"bom-ref\":\"x\",\"purl\":\"pkg:npm/p\"}},\"components\":[{\"bom-ref\":\"part\","
        "\"purl\":\"pkg:npm/a@1.0.0\"}]}"};
    assert_with_vex(NULL, documents, 2, SUPPRESSED("vex/0"));
}

static void lines_that_are_no_observations_are_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct match_counts counts = {0};
    struct policy policy = {0};
    struct match_index *index = match_index_new((size_t)64 << 20);
    const struct finding_sink sink = {NULL, append};
    assert_int_equal(match_add_line(index, STR("{"), &err), ERR_MALFORMED_JSON);
    assert_int_equal(match_add_line(index, STR("{}"), &err), ERR_UNPROCESSABLE);
    assert_int_equal(match_add_lines(index, STR("\n\n"), &err), ERR_OK);
    assert_int_equal(
        match_sbom(index, STR("{\"kind\":\"vex\"}"), &policy, NULL, sink, &counts, &err),
        ERR_UNPROCESSABLE);
    match_index_free(index);
}

static void a_full_index_says_so_before_it_grows(void **state)
{
    (void)state;
    struct feed feed;
    struct err err = {0};
    const size_t max_bytes = (size_t)128 << 10;
    struct match_index *index = match_index_new(max_bytes);
    enum err_code code = ERR_OK;
    feed_init(&feed);
    for (int i = 0; i < 200; i++) {
        const char *text = arena_format(&feed.arena, "%s%*s", ADVISORY("X-1", ""), i + 1, "").ptr;
        feed_add(&feed, DOCUMENT_ADVISORY, "advisories-osv/x", text);
    }
    code = match_add_lines(index, buf_get(&feed.lines), &err);
    assert_int_equal(code, ERR_OUT_OF_BOUNDS);
    assert_true(match_index_bytes(index) > 0 && match_index_bytes(index) <= max_bytes);
    match_index_free(index);
    feed_fini(&feed);
}

static void merging_keeps_order_and_drops_repetitions(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf out;
    const struct str parts[] = {STR("a\nc\ne\n"), STR(""), STR("b\nc\n"), STR("c\nf\n")};
    const struct str unsorted[] = {STR("b\na\n")};
    const struct str unended[] = {STR("a\nb")};
    buf_init(&out, 1 << 10);
    assert_int_equal(finding_merge(parts, 4, (struct finding_sink){&out, append}, &err), ERR_OK);
    assert_true(str_eq(buf_get(&out), STR("a\nb\nc\ne\nf\n")));
    assert_int_equal(finding_merge(unsorted, 1, (struct finding_sink){&out, append}, &err),
                     ERR_UNPROCESSABLE);
    assert_int_equal(finding_merge(unended, 1, (struct finding_sink){&out, append}, &err),
                     ERR_UNPROCESSABLE);
    assert_int_equal(finding_merge(NULL, 0, (struct finding_sink){&out, append}, &err), ERR_OK);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_component_below_the_fix_is_affected),
        cmocka_unit_test(a_withdrawn_advisory_affects_nothing),
        cmocka_unit_test(the_same_advisory_twice_is_one_finding),
        cmocka_unit_test(a_statement_about_a_part_of_the_subject_decides),
        cmocka_unit_test(a_statement_about_another_part_or_version_does_not),
        cmocka_unit_test(a_statement_about_a_mere_component_or_the_whole_subject_only_hints),
        cmocka_unit_test(a_subject_that_the_operator_names_decides),
        cmocka_unit_test(the_newest_statement_wins_then_the_least_reassuring),
        cmocka_unit_test(a_bom_link_into_this_sbom_decides),
        cmocka_unit_test(a_bom_link_elsewhere_does_not),
        cmocka_unit_test(a_bom_link_is_followed_to_another_document),
        cmocka_unit_test(lines_that_are_no_observations_are_refused),
        cmocka_unit_test(a_full_index_says_so_before_it_grows),
        cmocka_unit_test(merging_keeps_order_and_drops_repetitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
