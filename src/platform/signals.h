/*
 * platform/signals - the signals that stop a service or make it read its settings again.
 *
 * Use      signals_take() before the first thread starts; signals_wait() in the main thread.
 */
#ifndef PLATFORM_SIGNALS_H
#define PLATFORM_SIGNALS_H

#include <stdint.h>

/* SIGTERM, SIGINT and SIGHUP are kept for signals_wait(); SIGPIPE is ignored. */
void signals_take(void);
/* The next of them, or 0 after `us` microseconds. */
int signals_wait(int64_t us);

#endif
