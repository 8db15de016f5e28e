/*
 * base/time - moments and durations as values; nobody here reads a clock.
 *
 * Time     wall_time: microseconds since 1970-01-01 UTC, stored and shown.
 *          mono_time: microseconds of CLOCK_BOOTTIME, for timers inside one process.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct wall_time {
    int64_t us;
};

struct mono_time {
    int64_t us;
};

#define US_PER_MS INT64_C(1000)
#define US_PER_S  INT64_C(1000000)

enum { TIME_TEXT = 28 };

/* RFC 3339 in UTC with microseconds, "2026-01-02T03:04:05.000006Z", and a NUL. */
void time_format(struct wall_time at, char out[TIME_TEXT]);
/* RFC 3339 with any offset and up to 9 fraction digits (cut to microseconds). */
bool time_parse(struct str text, struct wall_time *out_at);

#endif
