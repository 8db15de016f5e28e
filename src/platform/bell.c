#include "platform/bell.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"

int bell_new(void)
{
    const int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(bell >= 0);
    return bell;
}

void bell_free(int bell)
{
    (void)close(bell);
}

void bell_ring(int bell)
{
    const uint64_t once = 1;
    /* Fails only when 2^64 rings wait to be heard. */
    const ssize_t written = write(bell, &once, sizeof(once));
    (void)written;
}

void bell_silence(int bell)
{
    uint64_t rings = 0;
    /* Fails when nobody rang. */
    const ssize_t got = read(bell, &rings, sizeof(rings));
    (void)got;
}

void bell_wait(int bell, int wait_ms)
{
    struct pollfd heard = {.fd = bell, .events = POLLIN};
    (void)poll(&heard, 1, wait_ms);
}
