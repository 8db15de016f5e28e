/* Documents in folders, resolved by the kernel so that no name can lead out of the root. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workers/fetch/parts.h"

enum { CHUNK = FETCH_CHUNK, PATH_BYTES = 4096 };

/* The part of `folder` below the root; false when it is not below it. */
static bool below(struct str root, struct str folder, struct str *out_rest)
{
    while (root.len > 1 && str_ends(root, STR("/"))) {
        root.len--;
    }
    if (!str_starts(folder, root)) {
        return false;
    }
    struct str rest = str_slice(folder, root.len, folder.len);
    if (rest.len > 0 && rest.ptr[0] != '/' && !str_eq(root, STR("/"))) {
        return false;
    }
    while (str_starts(rest, STR("/"))) {
        rest = str_slice(rest, 1, rest.len);
    }
    *out_rest = rest;
    return true;
}

static int open_beneath(int root, struct str folder, struct str path)
{
    char name[PATH_BYTES];
    const bool deeper = folder.len > 0;
    if (folder.len + path.len + 2 > sizeof(name)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, folder.len > 0 ? folder.ptr : "", folder.len);
    name[folder.len] = '/';
    memcpy(name + folder.len + deeper, path.ptr, path.len);
    name[folder.len + deeper + path.len] = '\0';
    const struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, root, name, &how, sizeof(how));
}

static void read_all(struct fetch *fetch, int fd, struct fetch_result *out)
{
    struct stat about;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        fetch_fail(out, "not_a_file", true, "not a regular file");
        return;
    }
    ssize_t got = 0;
    do {
        char *room = buf_reserve(&out->body, CHUNK);
        got = room == NULL ? 0 : read(fd, room, CHUNK);
        if (got < 0 && errno != EINTR) {
            fetch_fail(out, "io", false, "cannot be read: %s", strerror(errno));
            return;
        }
        out->body.len += got > 0 ? (size_t)got : 0;
    } while (got != 0);
    if (out->body.overflow || out->body.len > fetch->config.max_bytes) {
        fetch_fail(out, "too_large", true, "larger than %zu bytes", fetch->config.max_bytes);
    }
}

void fetch_file(struct fetch *fetch, struct str folder, struct str path, struct fetch_result *out)
{
    struct str rest;
    for (size_t i = 0; i < fetch->config.roots_n; i++) {
        if (!below(str_from(fetch->config.roots[i]), folder, &rest)) {
            continue;
        }
        const int fd = open_beneath(fetch->root_fds[i], rest, path);
        if (fd < 0 && errno == EAGAIN) { /* The kernel saw a rename meanwhile. */
            fetch_fail(out, "io", false, "the folder is changing");
            return;
        }
        if (fd < 0) {
            const bool refused = errno == EXDEV || errno == ELOOP;
            fetch_fail(out,
                       refused           ? "refused_path"
                       : errno == ENOENT ? "not_found"
                                         : "io",
                       refused || errno == ENOENT, "cannot be opened: %s", strerror(errno));
            return;
        }
        read_all(fetch, fd, out);
        (void)close(fd);
        return;
    }
    fetch_fail(out, "refused_root", true, "the source is not below an allowed root");
}
