#include "platform/process.h"

#include <dirent.h>
#include <stddef.h>
#include <sys/resource.h>

int64_t process_open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return -1;
    }
    int64_t n = 0;
    while (readdir(folder) != NULL) {
        n++;
    }
    (void)closedir(folder);
    return n - 3; /* ".", ".." and the folder's own. */
}

int64_t process_max_files(void)
{
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > (rlim_t)INT64_MAX) {
        return INT64_MAX;
    }
    return (int64_t)limit.rlim_cur;
}
