#include "api/waits.h"

#include <stdatomic.h>

#include "base/time.h"
#include "platform/clock.h"

/* Seconds of the preference `wait`, or -1. */
static int64_t asked_seconds(struct str header)
{
    struct str preference;
    while (str_split(&header, ',', &preference)) {
        const struct str trimmed = str_trim(preference);
        const size_t at = str_find(trimmed, '=');
        int64_t seconds = 0;
        if (at < trimmed.len && str_eq_nocase(str_trim(str_slice(trimmed, 0, at)), STR("wait")) &&
            str_parse_i64(str_trim(str_slice(trimmed, at + 1, trimmed.len)), &seconds) &&
            seconds >= 0) {
            return seconds;
        }
    }
    return -1;
}

struct wait wait_begin(struct call *call)
{
    int64_t seconds = asked_seconds(http_request_header(call->exchange, "Prefer"));
    if (seconds < 0) {
        return (struct wait){0};
    }
    if (seconds > call->api->settings->prefer_wait_s) {
        seconds = call->api->settings->prefer_wait_s;
    }
    http_header(call->exchange, "Preference-Applied",
                arena_format(call->arena, "wait=%lld", (long long)seconds));
    return (struct wait){clock_mono().us + seconds * US_PER_S};
}

bool wait_is_over(const struct call *call, const struct wait *wait)
{
    return clock_mono().us >= wait->until_us || atomic_load(&call->api->stopping) ||
           !http_is_connected(call->exchange);
}
