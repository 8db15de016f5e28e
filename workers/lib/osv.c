#include "workers/lib/osv.h"

#include <stdio.h>

#include "workers/lib/purl.h"
#include "workers/lib/write.h"

static const struct place root = {NULL, NULL, 0};

static const char *const event_kinds[] = {"fixed", "introduced", "last_affected", "limit", NULL};

/* A version or event value: a text, or a number of a careless YAML author taken as its text. */
static struct str version_text(struct reading *reading, const json_t *value, const struct place *at)
{
    if (json_is_string(value)) {
        return json_text(value);
    }
    if (json_is_integer(value)) {
        reading_warn(reading, RULE_OSV_VERSION_TYPE, at);
        return arena_format(reading->arena, "%lld", (long long)json_integer_value(value));
    }
    if (json_is_real(value)) {
        reading_warn(reading, RULE_OSV_VERSION_TYPE, at);
        return arena_format(reading->arena, "%.15g", json_real_value(value));
    }
    reading_refuse(reading, QUARANTINE_WRONG_TYPE, at, "a version is neither a text nor a number");
    return (struct str){NULL, 0};
}

/* What the events of one range hold together. */
struct range_facts {
    bool introduced;
    bool fixed;
    bool last_affected;
};

static void observe_event(struct reading *reading, const json_t *event, const struct place *at,
                          enum ecosystem ecosystem, struct range_facts *facts,
                          struct json_writer *out)
{
    size_t kinds = 0;
    for (size_t i = 0; event_kinds[i] != NULL; i++) {
        const json_t *value = json_object_get(event, event_kinds[i]);
        if (value == NULL || json_is_null(value)) {
            continue;
        }
        const struct place here = PLACE_KEY(at, event_kinds[i]);
        const struct str version = version_text(reading, value, &here);
        const bool zero = str_eq(version, STR("0"));
        if (ecosystem != ECOSYSTEM_NONE && !zero && i != 3 &&
            !version_valid(ecosystem_info(ecosystem)->scheme, version)) {
            reading_warn(reading, RULE_OSV_EVENT_VERSION, &here);
        }
        facts->fixed |= i == 0;
        facts->introduced |= i == 1;
        facts->last_affected |= i == 2;
        kinds++;
        json_put_object(out);
        json_put_key(out, str_from(event_kinds[i]));
        json_put_str(out, version);
        json_put_object_end(out);
    }
    if (kinds != 1 || json_object_size(event) != 1) {
        reading_warn(reading, RULE_OSV_EVENT, at);
    }
}

static void check_range(struct reading *reading, const json_t *range, const struct place *at,
                        const struct range_facts *facts, struct str type)
{
    static const char *const types[] = {"SEMVER", "ECOSYSTEM", "GIT", NULL};
    const struct place here = PLACE_KEY(at, "events");
    reading_check_word(reading, type.len > 0 ? type : STR("(absent)"), types, at,
                       RULE_OSV_RANGE_TYPE);
    if (!facts->introduced) {
        reading_warn(reading, RULE_OSV_INTRODUCED, &here);
    }
    if (facts->fixed && facts->last_affected) {
        reading_warn(reading, RULE_OSV_FIXED_AND_LAST, &here);
    }
    if (str_eq(type, STR("GIT"))) {
        (void)reading_want_text(reading, range, at, "repo", RULE_OSV_RANGE_REPO);
    }
}

/* A GIT range is checked and written nowhere. */
static void observe_range(struct reading *reading, const json_t *range, const struct place *at,
                          enum ecosystem ecosystem, struct json_writer *out)
{
    const struct str type = reading_take_text(reading, range, at, "type");
    const json_t *events = reading_take_array(reading, range, at, "events");
    const struct place events_at = PLACE_KEY(at, "events");
    const bool git = str_eq(type, STR("GIT"));
    struct buf ignored;
    struct json_writer ignored_writer;
    struct range_facts facts = {false, false, false};
    buf_init(&ignored, 0);
    json_begin(&ignored_writer, &ignored);
    struct json_writer *to = git ? &ignored_writer : out;
    json_put_object(to);
    JSON_KEY(to, "events");
    json_put_array(to);
    for (size_t i = 0; i < json_array_size(events) && !reading_refused(reading); i++) {
        const json_t *event = reading_need_element(reading, events, &events_at, i);
        const struct place here = PLACE_INDEX(&events_at, i);
        if (event != NULL) {
            observe_event(reading, event, &here, git ? ECOSYSTEM_NONE : ecosystem, &facts, to);
        }
    }
    json_put_array_end(to);
    JSON_STR(to, "type", type);
    json_put_object_end(to);
    buf_fini(&ignored);
    if (json_array_size(events) == 0) {
        reading_warn(reading, RULE_OSV_EVENTS, at);
    }
    check_range(reading, range, at, &facts, type);
}

static void observe_ranges(struct reading *reading, const json_t *affected, const struct place *at,
                           enum ecosystem ecosystem, struct json_writer *out)
{
    const json_t *ranges = reading_take_array(reading, affected, at, "ranges");
    const struct place ranges_at = PLACE_KEY(at, "ranges");
    JSON_KEY(out, "ranges");
    json_put_array(out);
    for (size_t i = 0; i < json_array_size(ranges) && !reading_refused(reading); i++) {
        const json_t *range = reading_need_element(reading, ranges, &ranges_at, i);
        const struct place here = PLACE_INDEX(&ranges_at, i);
        if (range != NULL) {
            observe_range(reading, range, &here, ecosystem, out);
        }
    }
    json_put_array_end(out);
}

static void observe_versions(struct reading *reading, const json_t *affected,
                             const struct place *at, struct json_writer *out)
{
    const json_t *versions = reading_take_array(reading, affected, at, "versions");
    const struct place versions_at = PLACE_KEY(at, "versions");
    JSON_KEY(out, "versions");
    json_put_array(out);
    for (size_t i = 0; i < json_array_size(versions) && !reading_refused(reading); i++) {
        const struct place here = PLACE_INDEX(&versions_at, i);
        json_put_str(out, version_text(reading, json_array_get(versions, i), &here));
    }
    json_put_array_end(out);
}

static void check_package_purl(struct reading *reading, const json_t *package,
                               const struct place *at)
{
    struct purl purl;
    const json_t *value = json_object_get(package, "purl");
    if (value != NULL && !json_is_null(value) &&
        !purl_parse(reading->arena, json_text(value), &purl)) {
        const struct place here = PLACE_KEY(at, "purl");
        reading_warn(reading, RULE_OSV_PACKAGE_PURL, &here);
    }
}

/* RustSec says here that an advisory is about no vulnerability: unmaintained, unsound, notice. */
static struct str informational(const json_t *affected)
{
    return json_text(
        json_object_get(json_object_get(affected, "database_specific"), "informational"));
}

static bool has_git_range(const json_t *affected)
{
    const json_t *ranges = json_object_get(affected, "ranges");
    for (size_t i = 0; i < json_array_size(ranges); i++) {
        if (str_eq(json_text(json_object_get(json_array_get(ranges, i), "type")), STR("GIT"))) {
            return true;
        }
    }
    return false;
}

/* Ranges of an entry without a package are checked, but lead nowhere. */
static void check_without_package(struct reading *reading, const json_t *affected,
                                  const struct place *at)
{
    struct buf ignored;
    struct json_writer ignored_writer;
    buf_init(&ignored, 0);
    json_begin(&ignored_writer, &ignored);
    json_put_object(&ignored_writer);
    observe_ranges(reading, affected, at, ECOSYSTEM_NONE, &ignored_writer);
    buf_fini(&ignored);
    if (!has_git_range(affected)) {
        reading_warn(reading, RULE_OSV_PACKAGE, at);
    }
}

static void observe_affected(struct reading *reading, const json_t *affected,
                             const struct place *at, struct json_writer *out)
{
    const json_t *package = reading_take_object(reading, affected, at, "package");
    const struct place package_at = PLACE_KEY(at, "package");
    if (package == NULL) {
        check_without_package(reading, affected, at);
        return;
    }
    const struct str ecosystem = reading_need_text(reading, package, &package_at, "ecosystem");
    const struct str name = reading_need_text(reading, package, &package_at, "name");
    const enum ecosystem evaluated = ecosystem_from_osv(ecosystem);
    check_package_purl(reading, package, &package_at);
    json_put_object(out);
    JSON_STR(out, "ecosystem", ecosystem);
    write_text(out, STR("informational"), informational(affected));
    JSON_STR(out, "name", name);
    observe_ranges(reading, affected, at, evaluated, out);
    observe_versions(reading, affected, at, out);
    json_put_object_end(out);
}

static void observe_aliases(struct reading *reading, const json_t *document,
                            struct json_writer *out)
{
    const json_t *aliases = reading_take_array(reading, document, &root, "aliases");
    const struct place at = PLACE_KEY(&root, "aliases");
    for (size_t i = 0; i < json_array_size(aliases); i++) {
        const json_t *alias = json_array_get(aliases, i);
        const struct place here = PLACE_INDEX(&at, i);
        if (!json_is_string(alias)) {
            reading_refuse(reading, QUARANTINE_WRONG_TYPE, &here, "an alias is no text");
        } else if (json_string_length(alias) == 0) {
            reading_warn(reading, RULE_OSV_ALIASES, &here);
        }
    }
    write_texts(out, STR("aliases"), aliases);
}

/* A withdrawn advisory affects nothing, so that any text here withdraws. */
static void observe_withdrawn(struct reading *reading, const json_t *document,
                              struct json_writer *out)
{
    const struct str withdrawn = reading_take_text(reading, document, &root, "withdrawn");
    reading_check_time(reading, document, &root, "withdrawn", RULE_OSV_WITHDRAWN);
    write_text(out, STR("withdrawn"), withdrawn);
}

void osv_observe(struct reading *reading, const json_t *document, struct json_writer *out)
{
    const struct str id = reading_need_text(reading, document, &root, "id");
    const json_t *list = reading_take_array(reading, document, &root, "affected");
    const struct place list_at = PLACE_KEY(&root, "affected");
    json_put_object(out);
    JSON_KEY(out, "affected");
    json_put_array(out);
    for (size_t i = 0; i < json_array_size(list) && !reading_refused(reading); i++) {
        const json_t *affected = reading_need_element(reading, list, &list_at, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        if (affected != NULL) {
            observe_affected(reading, affected, &here, out);
        }
    }
    json_put_array_end(out);
    observe_aliases(reading, document, out);
    JSON_STR(out, "id", id);
    write_time(out, STR("modified"), json_text(json_object_get(document, "modified")));
    write_time(out, STR("published"), json_text(json_object_get(document, "published")));
    observe_withdrawn(reading, document, out);
    json_put_object_end(out);
    osv_check(reading, document);
}
