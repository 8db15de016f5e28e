/*
 * platform/random - bytes that nobody can guess, from the system.
 *
 * Threads  any.
 */
#ifndef PLATFORM_RANDOM_H
#define PLATFORM_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t len);
/* From 0 to bound - 1; bound > 0. For jitter: the lowest numbers are likelier by 2^-32 or so. */
int64_t random_below(int64_t bound);

#endif
