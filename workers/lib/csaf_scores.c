/* Rules of CSAF scores: one per product and CVSS version, complete, and true to their vector. */
#include "workers/lib/csaf.h"

#include "base/map.h"
#include "workers/lib/cvss.h"

/* A metric's letter in the vector, its property and the words for its values. */
struct metric {
    const char *metric;
    const char *property;
    const char *values; /* "N=NETWORK A=ADJACENT_NETWORK ..." */
};

static const struct metric metrics_v3[] = {
    {"AV", "attackVector", "N=NETWORK A=ADJACENT_NETWORK L=LOCAL P=PHYSICAL"},
    {"AC", "attackComplexity", "L=LOW H=HIGH"},
    {"PR", "privilegesRequired", "N=NONE L=LOW H=HIGH"},
    {"UI", "userInteraction", "N=NONE R=REQUIRED"},
    {"S", "scope", "U=UNCHANGED C=CHANGED"},
    {"C", "confidentialityImpact", "N=NONE L=LOW H=HIGH"},
    {"I", "integrityImpact", "N=NONE L=LOW H=HIGH"},
    {"A", "availabilityImpact", "N=NONE L=LOW H=HIGH"},
    {NULL, NULL, NULL},
};

static const struct metric metrics_v2[] = {
    {"AV", "accessVector", "L=LOCAL A=ADJACENT_NETWORK N=NETWORK"},
    {"AC", "accessComplexity", "H=HIGH M=MEDIUM L=LOW"},
    {"Au", "authentication", "M=MULTIPLE S=SINGLE N=NONE"},
    {"C", "confidentialityImpact", "N=NONE P=PARTIAL C=COMPLETE"},
    {"I", "integrityImpact", "N=NONE P=PARTIAL C=COMPLETE"},
    {"A", "availabilityImpact", "N=NONE P=PARTIAL C=COMPLETE"},
    {NULL, NULL, NULL},
};

/* The word for a letter in "N=NETWORK A=..."; empty when it is not there. */
static struct str word_of(struct str list, struct str letter)
{
    struct str pair = {NULL, 0};
    while (list.len > 0 && str_split(&list, ' ', &pair)) {
        const size_t at = str_find(pair, '=');
        if (str_eq(str_slice(pair, 0, at), letter)) {
            return str_slice(pair, at + 1, pair.len);
        }
    }
    return (struct str){NULL, 0};
}

static void check_vector(struct reading *reading, const json_t *cvss, const struct metric *metrics,
                         const struct place *at)
{
    const struct str vector = json_text(json_object_get(cvss, "vectorString"));
    for (size_t i = 0; metrics[i].metric != NULL; i++) {
        const struct place here = PLACE_KEY(at, metrics[i].property);
        const struct str property = json_text(json_object_get(cvss, metrics[i].property));
        const struct str letter = cvss_metric(vector, str_from(metrics[i].metric));
        const struct str word = word_of(str_from(metrics[i].values), letter);
        if (property.len > 0 && !str_eq(property, word)) {
            reading_warn(reading, RULE_CSAF_CVSS_VECTOR, &here);
        }
    }
}

/* CVSS 3.1, section 5. */
static struct str severity_of(double score)
{
    if (score <= 0.0) {
        return STR("NONE");
    }
    if (score < 4.0) {
        return STR("LOW");
    }
    if (score < 7.0) {
        return STR("MEDIUM");
    }
    return score < 9.0 ? STR("HIGH") : STR("CRITICAL");
}

static int in_tenths(const json_t *score)
{
    const double value = json_number_value(score);
    return value > -1.0 && value < 11.0 ? (int)(value * 10.0 + 0.5) : -1;
}

static void check_v3(struct reading *reading, const json_t *cvss, const struct place *at)
{
    const struct str version = json_text(json_object_get(cvss, "version"));
    const struct str vector = json_text(json_object_get(cvss, "vectorString"));
    const struct str severity = json_text(json_object_get(cvss, "baseSeverity"));
    const json_t *score = json_object_get(cvss, "baseScore");
    const struct str prefix = str_slice(vector, 0, 9);
    const bool known = str_eq(version, STR("3.0")) || str_eq(version, STR("3.1"));
    const bool agrees = str_starts(prefix, STR("CVSS:")) &&
                        str_eq(str_slice(prefix, 5, 8), version) && str_ends(prefix, STR("/"));
    if (!known || !agrees || severity.len == 0 || !json_is_number(score)) {
        reading_warn(reading, RULE_CSAF_CVSS, at);
        return;
    }
    int tenths = 0;
    if (!str_eq(severity, severity_of(json_number_value(score))) ||
        (cvss_base_v3(vector, &tenths) && tenths != in_tenths(score))) {
        reading_warn(reading, RULE_CSAF_CVSS_RANGE, at);
    }
    check_vector(reading, cvss, metrics_v3, at);
}

static void check_v2(struct reading *reading, const json_t *cvss, const struct place *at)
{
    if (!str_eq(json_text(json_object_get(cvss, "version")), STR("2.0")) ||
        json_text(json_object_get(cvss, "vectorString")).len == 0 ||
        !json_is_number(json_object_get(cvss, "baseScore"))) {
        reading_warn(reading, RULE_CSAF_CVSS, at);
        return;
    }
    int tenths = 0;
    if (cvss_base_v2(json_text(json_object_get(cvss, "vectorString")), &tenths) &&
        tenths != in_tenths(json_object_get(cvss, "baseScore"))) {
        reading_warn(reading, RULE_CSAF_CVSS_RANGE, at);
    }
    check_vector(reading, cvss, metrics_v2, at);
}

static void check_once(struct reading *reading, struct map *seen, const json_t *products,
                       const struct place *at)
{
    for (size_t i = 0; i < json_array_size(products); i++) {
        const struct str id = json_text(json_array_get(products, i));
        if (map_find_str(seen, id) != NULL) {
            reading_warn(reading, RULE_CSAF_MULTIPLE_SCORES, at);
        }
        map_put_str(reading->arena, seen, id, seen);
    }
}

void csaf_check_scores(struct reading *reading, const json_t *vulnerability, const struct place *at)
{
    const json_t *list = json_object_get(vulnerability, "scores");
    const struct place list_at = PLACE_KEY(at, "scores");
    struct map scored_v2 = {0};
    struct map scored_v3 = {0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *score = json_array_get(list, i);
        const json_t *v2 = json_object_get(score, "cvss_v2");
        const json_t *v3 = json_object_get(score, "cvss_v3");
        const struct place here = PLACE_INDEX(&list_at, i);
        const struct place v2_at = PLACE_KEY(&here, "cvss_v2");
        const struct place v3_at = PLACE_KEY(&here, "cvss_v3");
        if (v2 != NULL) {
            check_v2(reading, v2, &v2_at);
            check_once(reading, &scored_v2, json_object_get(score, "products"), &here);
        }
        if (v3 != NULL) {
            check_v3(reading, v3, &v3_at);
            check_once(reading, &scored_v3, json_object_get(score, "products"), &here);
        }
    }
}
