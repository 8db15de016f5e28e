#include "platform/signals.h"

#include <signal.h>
#include <time.h>

#include "base/check.h"
#include "base/time.h"

static void taken(sigset_t *out)
{
    sigemptyset(out);
    sigaddset(out, SIGTERM);
    sigaddset(out, SIGINT);
    sigaddset(out, SIGHUP);
}

void signals_take(void)
{
    sigset_t set;
    taken(&set);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

int signals_wait(int64_t us)
{
    sigset_t set;
    taken(&set);
    const struct timespec most = {.tv_sec = us / US_PER_S, .tv_nsec = us % US_PER_S * 1000};
    const int got = sigtimedwait(&set, NULL, &most);
    return got < 0 ? 0 : got;
}
