/*
 * platform/file - a whole small file.
 */
#ifndef PLATFORM_FILE_H
#define PLATFORM_FILE_H

#include "base/arena.h"

/* Reads it into the arena, with a NUL behind it. False: see errno; EFBIG when it is larger than
 * `max` bytes. */
bool file_read(struct arena *arena, const char *path, size_t max, struct str *out);

#endif
