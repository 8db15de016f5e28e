/* What every document has in common: parsing, recognition, outcomes, the line. */
#include "producers/observed.h"

#include <stdlib.h>

#define OSV_HEAD "{\"id\":\"X-1\",\"modified\":\"2024-01-01T00:00:00Z\""

static void bytes_that_are_neither_json_nor_yaml_do_not_parse(void **state)
{
    (void)state;
    const enum quarantine parse = QUARANTINE_DOES_NOT_PARSE;
    assert_quarantined(DOCUMENT_ADVISORY, STR(""), parse, "");
    assert_quarantined(DOCUMENT_ADVISORY, STR("{\"id\": \"X-1\""), parse, "");
    assert_quarantined(DOCUMENT_ADVISORY, STR("Not an advisory at all!\n"), parse, "");
    assert_quarantined(DOCUMENT_ADVISORY, STR("\xff\xfe\x00"), parse, "");
    assert_quarantined(DOCUMENT_ADVISORY, STR("{\"id\":\"\xc3\x28\"}"), parse, "");
    assert_quarantined(DOCUMENT_ADVISORY, STR("{\"id\":\"a\\u0000\"}"), parse, "");
    assert_quarantined(DOCUMENT_ADVISORY, STR(OSV_HEAD "} trailing"), parse, "");
    assert_quarantined(DOCUMENT_ADVISORY, STR("a: *nobody\n"), parse, "");
    assert_quarantined(DOCUMENT_ADVISORY, STR("a: 1\n---\nb: 2\n"), parse, "");
    assert_quarantined(DOCUMENT_ADVISORY, STR("? [a]\n: b\n"), parse, "");
}

static void what_passes_the_bounds_is_too_complex_or_too_large(void **state)
{
    (void)state;

    enum { DEPTH = 5000 };

    char *deep = calloc(1, 2 * DEPTH + 1);
    memset(deep, '[', DEPTH);
    memset(deep + DEPTH, ']', DEPTH);
    assert_quarantined(DOCUMENT_ADVISORY, str_from(deep), QUARANTINE_TOO_COMPLEX, "");
    memcpy(deep, "a: ", 3);
    deep[2 * DEPTH - 1] = '\0';
    assert_quarantined(DOCUMENT_ADVISORY, str_from(deep), QUARANTINE_TOO_COMPLEX, "");
    free(deep);
    const size_t many = (size_t)DOCUMENT_VALUES_MAX * 2 + 2;
    char *wide = malloc(many);
    memset(wide, ',', many);
    wide[0] = '[';
    assert_quarantined(DOCUMENT_SBOM, (struct str){wide, many}, QUARANTINE_TOO_COMPLEX, "");
    free(wide);
    char *large = malloc((size_t)DOCUMENT_MAX + 1);
    memset(large, ' ', (size_t)DOCUMENT_MAX + 1);
    assert_quarantined(DOCUMENT_SBOM, (struct str){large, (size_t)DOCUMENT_MAX + 1},
                       QUARANTINE_TOO_LARGE, "");
    assert_quarantined(DOCUMENT_SBOM, (struct str){large, (size_t)DOCUMENT_YAML_MAX + 1},
                       QUARANTINE_TOO_LARGE, "");
    free(large);
}

static void yaml_aliases_cannot_multiply_beyond_the_bound(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 12);
    buf_str(&text, STR("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"));
    for (int i = 1; i < 9; i++) {
        buf_format(&text, "a%d: &a%d [", i, i);
        for (int n = 0; n < 10; n++) {
            buf_format(&text, "%s*a%d", n > 0 ? "," : "", i - 1);
        }
        buf_str(&text, STR("]\n"));
    }
    assert_quarantined(DOCUMENT_ADVISORY, buf_get(&text), QUARANTINE_TOO_COMPLEX, "");
    buf_fini(&text);
    assert_quarantined(DOCUMENT_ADVISORY, STR("a: &a [*a]\n"), QUARANTINE_DOES_NOT_PARSE, "");
}

static void yaml_scalars_stay_what_they_were_written_as(void **state)
{
    (void)state;
    assert_body(DOCUMENT_ADVISORY,
                "id: X-1\nmodified: '2024-01-01T00:00:00Z'\naffected:\n"
                "- package: {ecosystem: PyPI, name: a}\n"
                "  versions: ['1.10', 1.10, 2, 010, 1e3, &v 3.0, *v]\n",
                "{\"affected\":[{\"ecosystem\":\"PyPI\",\"informational\":null,\"name\":\"a\","
                "\"ranges\":[],\"versions\":[\"1.10\",\"1.10\",\"2\",\"010\",\"1e3\",\"3.0\","
                "\"3.0\"]}],\"aliases\":[],\"id\":\"X-1\","
                "\"modified\":\"2024-01-01T00:00:00.000000Z\",\"published\":null,"
                "\"withdrawn\":null}");
}

static void formats_are_recognised_by_their_content(void **state)
{
    (void)state;
    const enum quarantine unsupported = QUARANTINE_UNSUPPORTED_FORMAT;
    assert_quarantined(DOCUMENT_ADVISORY, STR("{}"), QUARANTINE_UNKNOWN_FORMAT, "");
    assert_quarantined(DOCUMENT_ADVISORY, STR("[]"), QUARANTINE_UNKNOWN_FORMAT, "");
    assert_quarantined(DOCUMENT_ADVISORY,
                       STR("{\"id\":162,\"created_at\":\"2016-11-30\",\"cves\":[]}"),
                       QUARANTINE_UNKNOWN_FORMAT, "");
    assert_quarantined(DOCUMENT_SBOM,
                       STR("{\"@context\":\"https://spdx.org/rdf/3.0.1/spdx-context.jsonld\"}"),
                       unsupported, "");
    assert_quarantined(DOCUMENT_ADVISORY, STR("{\"feed\":{\"link\":[]}}"), unsupported, "");
    assert_quarantined(DOCUMENT_VEX, STR("{\"ID\":\"pkg:npm/a\",\"Sources\":[]}"), unsupported, "");
    assert_quarantined(DOCUMENT_SBOM, STR("{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"2.0\"}"),
                       unsupported, "/specVersion");
    assert_quarantined(DOCUMENT_SBOM, STR(OSV_HEAD "}"), QUARANTINE_WRONG_FOLDER, "");
    assert_quarantined(DOCUMENT_ADVISORY,
                       STR("{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.4\"}"),
                       QUARANTINE_WRONG_FOLDER, "");
}

static void feed_folders_say_what_a_document_is_wanted_as(void **state)
{
    (void)state;
    enum document_kind kind = DOCUMENT_ANY;
    assert_true(document_kind_of_path(STR("advisories-osv/go/x.json"), &kind));
    assert_int_equal(kind, DOCUMENT_ADVISORY);
    assert_true(document_kind_of_path(STR("sbom/x"), &kind));
    assert_int_equal(kind, DOCUMENT_SBOM);
    assert_false(document_kind_of_path(STR("sbom"), &kind));
    assert_false(document_kind_of_path(STR("sbom/"), &kind));
    assert_false(document_kind_of_path(STR("sboms/x"), &kind));
    assert_false(document_kind_of_path(STR("subjects.json"), &kind));
}

static void small_departures_are_warned_of_and_the_document_is_used(void **state)
{
    (void)state;
    assert_warned(DOCUMENT_ADVISORY, "\xEF\xBB\xBF" OSV_HEAD "}", "document.byte-order-mark", "");
    assert_warned(DOCUMENT_ADVISORY, OSV_HEAD ",\"id\":\"X-2\"}", "document.duplicate-key", "");
    assert_warned(DOCUMENT_SBOM, "bomFormat: CycloneDX\nspecVersion: '1.4'\n", "document.yaml", "");
}

static void pointers_are_escaped_and_warnings_beyond_the_bound_are_counted(void **state)
{
    (void)state;
    struct observed o;
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_str(&text, STR(OSV_HEAD ",\"a/b~c\":1"));
    for (int i = 0; i < 150; i++) {
        buf_format(&text, ",\"x%d\":1", i);
    }
    buf_str(&text, STR("}"));
    observed_init(&o, DOCUMENT_ADVISORY, "", buf_get(&text));
    assert_true(observed_warned(&o, "osv.unknown-member", "/a~1b~0c"));
    assert_int_equal(json_array_size(json_object_get(o.value, "warnings")), READING_WARNINGS_MAX);
    assert_int_equal(json_integer_value(json_object_get(o.value, "warnings_total")), 151);
    assert_int_equal(o.summary.warnings, 151);
    observed_fini(&o);
    buf_fini(&text);
}

static void a_line_names_its_document(void **state)
{
    (void)state;
    struct observed o;
    observed_init(&o, DOCUMENT_ADVISORY, "advisories-osv/x.json",
                  STR("{\"schema_version\":\"1.6.0\",\"id\":\"X-1\","
                      "\"modified\":\"2024-01-01T02:00:00+02:00\"}"));
    static const char expected[] =
        "{\"body\":{\"affected\":[],\"aliases\":[],\"id\":\"X-1\","
        "\"modified\":\"2024-01-01T00:00:00.000000Z\",\"published\":null,\"withdrawn\":null},"
        "\"format\":\"osv\",\"format_version\":\"1.6.0\",\"kind\":\"advisory\","
        "\"outcome\":\"accepted\",\"path\":\"advisories-osv/x.json\",\"schema\":1,"
        "\"sha256\":\"5a\",\"warnings\":[],\"warnings_total\":0}\n";
    assert_true(str_eq(buf_get(&o.line), str_from(expected)));
    observed_fini(&o);
}

static void a_full_artifact_quarantines_instead_of_losing(void **state)
{
    (void)state;
    struct arena arena;
    struct buf lines;
    struct observation_summary summary;
    const struct observation_source source = {.kind = DOCUMENT_ADVISORY,
                                              .path = STR("x"),
                                              .bytes = STR(OSV_HEAD "}"),
                                              .sha256 = STR("5a")};
    arena_init(&arena, OBSERVATION_ARENA_MAX);
    buf_init(&lines, OBSERVATION_QUARANTINE_ROOM);
    observe_document(&arena, &source, &lines, &summary);
    assert_int_equal(summary.quarantine, QUARANTINE_TOO_LARGE);
    assert_false(lines.overflow);
    assert_true(lines.len > 0 && lines.len == summary.line_bytes);
    buf_fini(&lines);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_are_neither_json_nor_yaml_do_not_parse),
        cmocka_unit_test(what_passes_the_bounds_is_too_complex_or_too_large),
        cmocka_unit_test(yaml_aliases_cannot_multiply_beyond_the_bound),
        cmocka_unit_test(yaml_scalars_stay_what_they_were_written_as),
        cmocka_unit_test(formats_are_recognised_by_their_content),
        cmocka_unit_test(feed_folders_say_what_a_document_is_wanted_as),
        cmocka_unit_test(small_departures_are_warned_of_and_the_document_is_used),
        cmocka_unit_test(pointers_are_escaped_and_warnings_beyond_the_bound_are_counted),
        cmocka_unit_test(a_line_names_its_document),
        cmocka_unit_test(a_full_artifact_quarantines_instead_of_losing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
