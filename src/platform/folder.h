/*
 * platform/folder - names in a folder made durable.
 */
#ifndef PLATFORM_FOLDER_H
#define PLATFORM_FOLDER_H

#include <stdbool.h>

/* After it, names that were made, moved or removed in the folder are on disk. False: see errno. */
bool folder_sync(const char *path);

#endif
