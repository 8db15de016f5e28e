#include "platform/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool folder_sync(const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return false;
    }
    const bool synced = fsync(folder) == 0;
    const int why = errno;
    (void)close(folder);
    errno = why;
    return synced;
}
