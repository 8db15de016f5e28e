/* Rules of document.tracking: versions, dates and the revision history. */
#include "workers/lib/csaf.h"

#include <stdlib.h>

#include "base/time.h"
#include "workers/lib/version.h"

static const struct place root = {NULL, NULL, 0};

/* One revision, in the order of the document. */
struct revision {
    struct str number;
    struct wall_time date;
    size_t position;
};

static bool is_integer(struct str version)
{
    for (size_t i = 0; i < version.len; i++) {
        if (version.ptr[i] < '0' || version.ptr[i] > '9') {
            return false;
        }
    }
    return version.len > 0 && (version.len == 1 || version.ptr[0] != '0');
}

/* CSAF's version: an integer, or a semantic version. */
static bool is_version(struct str version)
{
    return is_integer(version) || version_valid(VERSION_SEMVER, version);
}

static struct str without_build(struct str version)
{
    return str_slice(version, 0, str_find(version, '+'));
}

static bool has_pre_release(struct str version)
{
    const struct str bare = without_build(version);
    return str_find(bare, '-') < bare.len;
}

static struct str without_pre_release(struct str version)
{
    const struct str bare = without_build(version);
    return str_slice(bare, 0, str_find(bare, '-'));
}

/* 0 or 0.y.z */
static bool is_zero(struct str version)
{
    return str_eq(version, STR("0")) || str_starts(version, STR("0."));
}

static int compare_numbers(struct str a, struct str b)
{
    int order = 0;
    if (is_integer(a) && is_integer(b)) {
        return a.len != b.len ? (a.len < b.len ? -1 : 1) : str_cmp(a, b);
    }
    return version_compare(VERSION_SEMVER, a, b, &order) ? order : 0;
}

static int by_date(const void *a, const void *b)
{
    const struct revision *left = a;
    const struct revision *right = b;
    if (left->date.us != right->date.us) {
        return left->date.us < right->date.us ? -1 : 1;
    }
    const int order = compare_numbers(left->number, right->number);
    return order != 0 ? order
                      : (left->position > right->position) - (left->position < right->position);
}

static bool is_released(struct str status)
{
    return str_eq(status, STR("final")) || str_eq(status, STR("interim"));
}

/* Each number on its own; the list is in the order of the document. */
static void check_numbers(struct reading *reading, const struct revision *list, size_t n,
                          struct str status, const struct place *at)
{
    for (size_t i = 0; i < n; i++) {
        const struct place here = PLACE_INDEX(at, i);
        const struct place number_at = PLACE_KEY(&here, "number");
        if (!is_version(list[i].number)) {
            reading_warn(reading, RULE_CSAF_TRACKING_VERSION, &number_at);
        }
        if (is_released(status) && is_zero(list[i].number)) {
            reading_warn(reading, RULE_CSAF_RELEASED_ZERO, &number_at);
        }
        if (has_pre_release(list[i].number)) {
            reading_warn(reading, RULE_CSAF_HISTORY_PRE, &number_at);
        }
        if (is_integer(list[i].number) != is_integer(list[0].number)) {
            reading_warn(reading, RULE_CSAF_MIXED_VERSIONING, &number_at);
        }
    }
}

static int64_t major_of(struct str version)
{
    int64_t major = 0;
    (void)str_parse_i64(str_slice(version, 0, str_find(version, '.')), &major);
    return major;
}

/* Neighbours by date: ascending and distinct; false when they do not ascend. */
static bool check_order(struct reading *reading, const struct revision *sorted, size_t n,
                        const struct place *at)
{
    bool ascending = true;
    for (size_t i = 1; i < n; i++) {
        const struct place here = PLACE_INDEX(at, sorted[i].position);
        if (compare_numbers(sorted[i - 1].number, sorted[i].number) > 0) {
            reading_warn(reading, RULE_CSAF_HISTORY_ORDER, &here);
            ascending = false;
        }
        if (str_eq(sorted[i - 1].number, sorted[i].number)) {
            reading_warn(reading, RULE_CSAF_HISTORY_DUPLICATE, &here);
        }
    }
    return ascending;
}

/* The first number is 0 or 1, and no whole number is left out. */
static void check_gaps(struct reading *reading, const struct revision *sorted, size_t n,
                       const struct place *at)
{
    int64_t highest = 0;
    for (size_t i = 0; i < n; i++) {
        const struct place here = PLACE_INDEX(at, sorted[i].position);
        const int64_t major = major_of(sorted[i].number);
        if (major > highest + 1) {
            reading_warn(reading, RULE_CSAF_HISTORY_GAP, &here);
        }
        highest = major > highest ? major : highest;
    }
}

static void check_latest(struct reading *reading, struct str newest, struct str version,
                         struct str status, const struct place *at)
{
    const bool draft = str_eq(status, STR("draft"));
    const struct str left = draft ? without_pre_release(newest) : without_build(newest);
    const struct str right = draft ? without_pre_release(version) : without_build(version);
    /* A version with a pre-release part in a released document is 6.1.20's. */
    if (!str_eq(left, right) && !(has_pre_release(version) && is_released(status))) {
        reading_warn(reading, RULE_CSAF_LATEST_VERSION, at);
    }
}

static void check_history(struct reading *reading, const json_t *tracking, struct str version,
                          struct str status, const struct place *at)
{
    const json_t *list =
        reading_want_array(reading, tracking, at, "revision_history", RULE_CSAF_SHAPE);
    const struct place list_at = PLACE_KEY(at, "revision_history");
    const struct place version_at = PLACE_KEY(at, "version");
    const size_t n = json_array_size(list);
    struct revision *revisions = arena_array(reading->arena, struct revision, n + 1);
    bool dated = true;
    for (size_t i = 0; i < n; i++) {
        const json_t *revision = json_array_get(list, i);
        const struct place here = PLACE_INDEX(&list_at, i);
        revisions[i].number = json_text(json_object_get(revision, "number"));
        revisions[i].position = i;
        dated &= time_parse(json_text(json_object_get(revision, "date")), &revisions[i].date);
        reading_check_time(reading, revision, &here, "date", RULE_TIME_FORMAT);
    }
    if (n == 0) {
        reading_warn(reading, RULE_CSAF_SHAPE, &list_at);
        return;
    }
    check_numbers(reading, revisions, n, status, &list_at);
    if (dated) {
        qsort(revisions, n, sizeof(*revisions), by_date);
        if (check_order(reading, revisions, n, &list_at)) {
            check_gaps(reading, revisions, n, &list_at);
        }
        check_latest(reading, revisions[n - 1].number, version, status, &version_at);
    }
}

void csaf_check_tracking(struct reading *reading, const json_t *document)
{
    static const char *const statuses[] = {"draft", "final", "interim", NULL};
    const struct place head_at = PLACE_KEY(&root, "document");
    const struct place at = PLACE_KEY(&head_at, "tracking");
    const struct place status_at = PLACE_KEY(&at, "status");
    const struct place version_at = PLACE_KEY(&at, "version");
    const json_t *tracking = json_object_get(json_object_get(document, "document"), "tracking");
    const struct str status = reading_want_text(reading, tracking, &at, "status", RULE_CSAF_STATUS);
    const struct str version = json_text(json_object_get(tracking, "version"));
    reading_check_word(reading, status, statuses, &status_at, RULE_CSAF_STATUS);
    (void)reading_want_text(reading, tracking, &at, "initial_release_date", RULE_CSAF_DATES);
    (void)reading_want_text(reading, tracking, &at, "current_release_date", RULE_CSAF_DATES);
    reading_check_time(reading, tracking, &at, "initial_release_date", RULE_CSAF_DATES);
    reading_check_time(reading, tracking, &at, "current_release_date", RULE_CSAF_DATES);
    if (!is_version(version)) {
        reading_warn(reading, RULE_CSAF_TRACKING_VERSION, &version_at);
    } else if (is_released(status) && has_pre_release(version)) {
        reading_warn(reading, RULE_CSAF_NON_DRAFT_PRE, &version_at);
    } else if (is_released(status) && is_zero(version)) {
        reading_warn(reading, RULE_CSAF_DRAFT, &version_at);
    }
    check_history(reading, tracking, version, status, &at);
}
