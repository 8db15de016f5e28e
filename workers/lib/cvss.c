#include "workers/lib/cvss.h"

/* What one value of a metric weighs. */
struct weight {
    const char *metric;
    const char *value;
    double weight;
    double changed_scope; /* Of PR when the scope changes; else the same. */
};

static const struct weight weights_v3[] = {
    {"AV", "N", 0.85, 0.85}, {"AV", "A", 0.62, 0.62}, {"AV", "L", 0.55, 0.55},
    {"AV", "P", 0.2, 0.2},   {"AC", "L", 0.77, 0.77}, {"AC", "H", 0.44, 0.44},
    {"PR", "N", 0.85, 0.85}, {"PR", "L", 0.62, 0.68}, {"PR", "H", 0.27, 0.5},
    {"UI", "N", 0.85, 0.85}, {"UI", "R", 0.62, 0.62}, {"C", "H", 0.56, 0.56},
    {"C", "L", 0.22, 0.22},  {"C", "N", 0.0, 0.0},    {"I", "H", 0.56, 0.56},
    {"I", "L", 0.22, 0.22},  {"I", "N", 0.0, 0.0},    {"A", "H", 0.56, 0.56},
    {"A", "L", 0.22, 0.22},  {"A", "N", 0.0, 0.0},    {NULL, NULL, 0.0, 0.0}};

static const struct weight weights_v2[] = {
    {"AV", "L", 0.395, 0}, {"AV", "A", 0.646, 0}, {"AV", "N", 1.0, 0},  {"AC", "H", 0.35, 0},
    {"AC", "M", 0.61, 0},  {"AC", "L", 0.71, 0},  {"Au", "M", 0.45, 0}, {"Au", "S", 0.56, 0},
    {"Au", "N", 0.704, 0}, {"C", "N", 0.0, 0},    {"C", "P", 0.275, 0}, {"C", "C", 0.66, 0},
    {"I", "N", 0.0, 0},    {"I", "P", 0.275, 0},  {"I", "C", 0.66, 0},  {"A", "N", 0.0, 0},
    {"A", "P", 0.275, 0},  {"A", "C", 0.66, 0},   {NULL, NULL, 0, 0}};

struct str cvss_metric(struct str vector, struct str name)
{
    struct str pair = {NULL, 0};
    while (vector.len > 0 && str_split(&vector, '/', &pair)) {
        const size_t colon = str_find(pair, ':');
        if (str_eq(str_slice(pair, 0, colon), name)) {
            return str_slice(pair, colon + 1, pair.len);
        }
    }
    return (struct str){NULL, 0};
}

/* The row of a metric's value, or null. */
static const struct weight *find(const struct weight *table, struct str vector, const char *metric)
{
    const struct str value = cvss_metric(vector, str_from(metric));
    for (const struct weight *row = table; row->metric != NULL; row++) {
        if (str_eq(str_from(metric), str_from(row->metric)) &&
            str_eq(value, str_from(row->value))) {
            return row;
        }
    }
    return NULL;
}

/* The weights of `n` metrics, in the order of their names; false when one is missing. */
static bool collect(const struct weight *table, struct str vector, const char *const *metrics,
                    size_t n, bool changed, double *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct weight *row = find(table, vector, metrics[i]);
        if (row == NULL) {
            return false;
        }
        out[i] = changed ? row->changed_scope : row->weight;
    }
    return true;
}

/* 3.1 rounds up after five decimals, so that binary fractions do not show; 3.0 rounds up at once.
 */
static int round_up(double score, bool is_3_1)
{
    const double tenths = score * 10.0;
    if (is_3_1) {
        const long fine = (long)(score * 100000.0 + 0.5);
        return (int)(fine % 10000 == 0 ? fine / 10000 : fine / 10000 + 1);
    }
    const int whole = (int)tenths;
    return tenths > (double)whole ? whole + 1 : whole;
}

static double power(double base, int exponent)
{
    double product = 1.0;
    for (int i = 0; i < exponent; i++) {
        product *= base;
    }
    return product;
}

bool cvss_base_v3(struct str vector, int *out_tenths)
{
    static const char *const metrics[] = {"AV", "AC", "PR", "UI", "C", "I", "A"};
    const struct str scope = cvss_metric(vector, STR("S"));
    const bool changed = str_eq(scope, STR("C"));
    double w[7];
    if ((!changed && !str_eq(scope, STR("U"))) ||
        !collect(weights_v3, vector, metrics, 7, changed, w)) {
        return false;
    }
    const double sub = 1.0 - (1.0 - w[4]) * (1.0 - w[5]) * (1.0 - w[6]);
    const double impact =
        changed ? 7.52 * (sub - 0.029) - 3.25 * power(sub - 0.02, 15) : 6.42 * sub;
    const double exploitability = 8.22 * w[0] * w[1] * w[2] * w[3];
    const double sum = (impact + exploitability) * (changed ? 1.08 : 1.0);
    const bool is_3_1 = str_starts(vector, STR("CVSS:3.1/"));
    *out_tenths = impact <= 0.0 ? 0 : round_up(sum > 10.0 ? 10.0 : sum, is_3_1);
    return true;
}

bool cvss_base_v2(struct str vector, int *out_tenths)
{
    static const char *const metrics[] = {"AV", "AC", "Au", "C", "I", "A"};
    double w[6];
    if (!collect(weights_v2, vector, metrics, 6, false, w)) {
        return false;
    }
    const double impact = 10.41 * (1.0 - (1.0 - w[3]) * (1.0 - w[4]) * (1.0 - w[5]));
    const double exploitability = 20.0 * w[0] * w[1] * w[2];
    const double factor = impact > 0.0 ? 1.176 : 0.0;
    const double score = (0.6 * impact + 0.4 * exploitability - 1.5) * factor;
    *out_tenths = score > 0.0 ? (int)(score * 10.0 + 0.5) : 0;
    return true;
}
