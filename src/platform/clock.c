#include "platform/clock.h"

#include <time.h>

#include "base/check.h"

static int64_t read_clock(clockid_t clock)
{
    struct timespec at;
    CHECK(clock_gettime(clock, &at) == 0);
    return (int64_t)at.tv_sec * US_PER_S + at.tv_nsec / 1000;
}

struct wall_time clock_wall(void)
{
    return (struct wall_time){read_clock(CLOCK_REALTIME)};
}

struct mono_time clock_mono(void)
{
    return (struct mono_time){read_clock(CLOCK_BOOTTIME)};
}
