#include "platform/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/check.h"

void random_bytes(void *out, size_t len)
{
    unsigned char *at = out;
    while (len > 0) {
        const ssize_t got = getrandom(at, len, 0);
        CHECK(got > 0 || errno == EINTR);
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

int64_t random_below(int64_t bound)
{
    CHECK(bound > 0);
    uint64_t value = 0;
    random_bytes(&value, sizeof(value));
    return (int64_t)(value % (uint64_t)bound);
}
