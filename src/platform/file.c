#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* One byte more than `max` tells a file that is too large. */
static ssize_t read_whole(int fd, char *room, size_t max)
{
    size_t len = 0;
    ssize_t got = 0;
    do {
        got = read(fd, room + len, max + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && len <= max) || (got < 0 && errno == EINTR));
    if (got >= 0 && len > max) {
        errno = EFBIG;
        return -1;
    }
    return got < 0 ? -1 : (ssize_t)len;
}

bool file_read(struct arena *arena, const char *path, size_t max, struct str *out)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    char *room = arena_bytes(arena, max + 2);
    const ssize_t len = read_whole(fd, room, max);
    const int why = errno;
    (void)close(fd);
    errno = why;
    if (len < 0) {
        return false;
    }
    room[len] = '\0';
    *out = (struct str){room, (size_t)len};
    return true;
}
