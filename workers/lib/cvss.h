/*
 * cvss - the base score that follows from a CVSS vector, to check the one that is written beside
 * it.
 *
 * Source   CVSS 2.0 (section 3.2.1), 3.0 and 3.1 (sections 7.1 and 8.1, with each one's rounding).
 */
#ifndef WORKERS_LIB_CVSS_H
#define WORKERS_LIB_CVSS_H

#include <stdbool.h>

#include "base/str.h"

/* Value of one metric of a vector, e.g. "N" of "AV"; empty when it is not there. */
struct str cvss_metric(struct str vector, struct str name);
/* Base score in tenths, 0 to 100; false when a base metric is missing or has no such value. */
bool cvss_base_v3(struct str vector, int *out_tenths);
bool cvss_base_v2(struct str vector, int *out_tenths);

#endif
