#include "platform/clock.h"

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

struct timespec clock_deadline(int64_t us)
{
    struct timespec at;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
    const int64_t nanoseconds = at.tv_nsec + us % US_PER_S * 1000;
    at.tv_sec += us / US_PER_S + nanoseconds / 1000000000;
    at.tv_nsec = nanoseconds % 1000000000;
    return at;
}

void clock_pause(int64_t us)
{
    const struct timespec pause = {.tv_sec = us / US_PER_S, .tv_nsec = us % US_PER_S * 1000};
    (void)nanosleep(&pause, NULL);
}
