/*
 * platform/clock - the only place that reads clocks.
 *
 * Threads  any.
 */
#ifndef PLATFORM_CLOCK_H
#define PLATFORM_CLOCK_H

#include "base/time.h"

/* CLOCK_REALTIME. */
struct wall_time clock_wall(void);
/* CLOCK_BOOTTIME: goes on while the machine sleeps. */
struct mono_time clock_mono(void);

#endif
