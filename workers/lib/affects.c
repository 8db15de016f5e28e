#include "workers/lib/affects.h"

#include <stdlib.h>

static bool is_zero(struct str version)
{
    return str_eq(version, STR("0"));
}

/* Order of two event versions; undecidable ones do not come here. */
static int compare_events(enum version_scheme scheme, const struct affects_event *a,
                          const struct affects_event *b)
{
    int order = 0;
    if (is_zero(a->version) || is_zero(b->version)) {
        return is_zero(b->version) - is_zero(a->version);
    }
    (void)version_compare(scheme, a->version, b->version, &order);
    return order;
}

static int by_version(const void *a, const void *b, void *scheme)
{
    const struct affects_event *left = a;
    const struct affects_event *right = b;
    const int order = compare_events(*(const enum version_scheme *)scheme, left, right);
    return order != 0 ? order
                      : (left->position > right->position) - (left->position < right->position);
}

void affects_sort(enum version_scheme scheme, struct affects_range *range)
{
    for (size_t i = 0; i < range->n; i++) {
        const struct affects_event *event = &range->events[i];
        const bool star = event->kind == AFFECTS_LIMIT && str_eq(event->version, STR("*"));
        if (!is_zero(event->version) && !star && !version_valid(scheme, event->version)) {
            range->undecidable = true;
            return;
        }
    }
    if (range->n > 1) {
        qsort_r(range->events, range->n, sizeof(*range->events), by_version, &scheme);
    }
}

/* True when the version is at or above the event's. */
static bool reached(enum version_scheme scheme, const struct affects_event *event,
                    struct str version, bool *out_beyond)
{
    int order = 1;
    if (!is_zero(event->version)) {
        (void)version_compare(scheme, version, event->version, &order);
    }
    *out_beyond = order > 0;
    return order >= 0;
}

/* Above every limit, if the range has limits: then the range says nothing of the version. */
static bool past_limits(enum version_scheme scheme, const struct affects_range *range,
                        struct str version)
{
    bool has_limit = false;
    bool beyond = false;
    for (size_t i = 0; i < range->n; i++) {
        const struct affects_event *event = &range->events[i];
        if (event->kind != AFFECTS_LIMIT) {
            continue;
        }
        if (str_eq(event->version, STR("*")) || !reached(scheme, event, version, &beyond)) {
            return false;
        }
        has_limit = true;
    }
    return has_limit;
}

static bool range_holds(enum version_scheme scheme, const struct affects_range *range,
                        struct str version, struct str *out_fixed)
{
    bool vulnerable = false;
    bool beyond = false;
    *out_fixed = (struct str){NULL, 0};
    for (size_t i = 0; i < range->n; i++) {
        const struct affects_event *event = &range->events[i];
        const bool at_or_above = reached(scheme, event, version, &beyond);
        if (event->kind == AFFECTS_INTRODUCED && at_or_above) {
            vulnerable = true;
        } else if (event->kind == AFFECTS_FIXED && at_or_above) {
            vulnerable = false;
        } else if (event->kind == AFFECTS_LAST_AFFECTED && at_or_above && beyond) {
            vulnerable = false;
        } else if (event->kind == AFFECTS_FIXED && out_fixed->len == 0) {
            *out_fixed = event->version;
        }
    }
    return vulnerable && !past_limits(scheme, range, version);
}

static bool listed(enum version_scheme scheme, const struct affects_entry *entry,
                   struct str version)
{
    for (size_t i = 0; i < entry->versions_count; i++) {
        int order = 1;
        if (str_eq(entry->versions[i], version) ||
            (version_compare(scheme, entry->versions[i], version, &order) && order == 0)) {
            return true;
        }
    }
    return false;
}

struct affects_answer affects_decide(enum version_scheme scheme, const struct affects_entry *entry,
                                     struct str version)
{
    struct affects_answer answer = {.affected = AFFECTED_NO};
    if (version.len == 0) {
        answer.affected = AFFECTED_UNKNOWN;
        return answer;
    }
    if (listed(scheme, entry, version)) {
        answer.affected = AFFECTED_YES;
    }
    if (!version_valid(scheme, version)) {
        answer.affected = answer.affected == AFFECTED_YES ? AFFECTED_YES : AFFECTED_UNKNOWN;
        return answer;
    }
    for (size_t i = 0; i < entry->ranges_count; i++) {
        struct str fixed = {NULL, 0};
        if (entry->ranges[i].undecidable) {
            answer.affected = answer.affected == AFFECTED_NO ? AFFECTED_UNKNOWN : answer.affected;
        } else if (range_holds(scheme, &entry->ranges[i], version, &fixed)) {
            answer.affected = AFFECTED_YES;
            answer.fixed = answer.fixed.len == 0 ? fixed : answer.fixed;
        }
    }
    return answer;
}
