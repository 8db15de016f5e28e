/*
 * platform/clock - the only place that reads clocks.
 *
 * Threads  any.
 */
#ifndef PLATFORM_CLOCK_H
#define PLATFORM_CLOCK_H

#include <time.h>

#include "base/time.h"

/* CLOCK_REALTIME. */
struct wall_time clock_wall(void);
/* CLOCK_BOOTTIME: goes on while the machine sleeps. */
struct mono_time clock_mono(void);
/* CLOCK_MONOTONIC `us` from now, for a condition variable that waits on that clock. */
struct timespec clock_deadline(int64_t us);
/* Waits that long, or until a signal; for programs that poll a server, never for a server. */
void clock_pause(int64_t us);

#endif
