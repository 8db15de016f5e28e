#include "base/time.h"

#include <stdio.h>

/* Days since 1970-01-01 of a civil date; Hinnant, "chrono-compatible low-level date algorithms". */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t of_era = year - era * 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_from_days(int64_t days, int64_t *out_year, int *out_month, int *out_day)
{
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t day_of_era = days - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t shifted = (5 * day_of_year + 2) / 153;
    *out_day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *out_month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *out_year = year_of_era + era * 400 + (*out_month <= 2);
}

void time_format(struct wall_time at, char out[TIME_TEXT])
{
    int64_t seconds = at.us / US_PER_S;
    int64_t micros = at.us % US_PER_S;
    if (micros < 0) {
        micros += US_PER_S;
        seconds--;
    }
    int64_t days = seconds / 86400;
    int64_t of_day = seconds % 86400;
    if (of_day < 0) {
        of_day += 86400;
        days--;
    }
    int64_t year = 0;
    int month = 0;
    int day = 0;
    civil_from_days(days, &year, &month, &day);
    (void)snprintf(out, TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", (unsigned)(year % 10000),
                   (unsigned)month % 100U, (unsigned)day % 100U, (unsigned)(of_day / 3600) % 100U,
                   (unsigned)(of_day / 60 % 60), (unsigned)(of_day % 60),
                   (unsigned)micros % 1000000U);
}

/* Reads exactly `digits` digits at *at. */
static bool number(struct str text, size_t *at, size_t digits, int64_t *out_value)
{
    const struct str part = str_slice(text, *at, *at + digits);
    if (part.len != digits || part.ptr[0] == '-' || !str_parse_i64(part, out_value)) {
        return false;
    }
    *at += digits;
    return true;
}

static bool expect(struct str text, size_t *at, const char *any)
{
    if (*at >= text.len) {
        return false;
    }
    for (const char *c = any; *c != '\0'; c++) {
        if (text.ptr[*at] == *c) {
            (*at)++;
            return true;
        }
    }
    return false;
}

static bool fraction(struct str text, size_t *at, int64_t *out_us)
{
    int64_t scale = US_PER_S;
    size_t digits = 0;
    *out_us = 0;
    for (; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9'; (*at)++, digits++) {
        scale /= 10;
        *out_us += scale * (text.ptr[*at] - '0');
    }
    return digits >= 1 && digits <= 9;
}

static bool offset(struct str text, size_t *at, int64_t *out_seconds)
{
    if (expect(text, at, "Zz")) {
        *out_seconds = 0;
        return true;
    }
    const bool west = *at < text.len && text.ptr[*at] == '-';
    int64_t hours = 0;
    int64_t minutes = 0;
    if (!expect(text, at, "+-") || !number(text, at, 2, &hours) || !expect(text, at, ":") ||
        !number(text, at, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *out_seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool time_parse(struct str text, struct wall_time *out_at)
{
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    int64_t micros = 0;
    int64_t shift = 0;
    size_t at = 0;
    if (!number(text, &at, 4, &year) || !expect(text, &at, "-") || !number(text, &at, 2, &month) ||
        !expect(text, &at, "-") || !number(text, &at, 2, &day) || !expect(text, &at, "Tt ") ||
        !number(text, &at, 2, &hour) || !expect(text, &at, ":") || !number(text, &at, 2, &minute) ||
        !expect(text, &at, ":") || !number(text, &at, 2, &second)) {
        return false;
    }
    if (expect(text, &at, ".") && !fraction(text, &at, &micros)) {
        return false;
    }
    if (!offset(text, &at, &shift) || at != text.len || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    const int64_t seconds =
        days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - shift;
    out_at->us = seconds * US_PER_S + micros;
    return true;
}
