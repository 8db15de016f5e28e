/*
 * platform/process - what the kernel says of this process.
 */
#ifndef PLATFORM_PROCESS_H
#define PLATFORM_PROCESS_H

#include <stdint.h>

/* Files, sockets included, that are open now; -1: not known (no /proc). */
int64_t process_open_files(void);
/* How many may be. */
int64_t process_max_files(void);

#endif
