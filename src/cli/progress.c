#include "cli/progress.h"

#include <string.h>
#include <unistd.h>

#include "platform/clock.h"

enum { BAR = 30, STEP_US = 100 * 1000, PERCENT = 100 };

void cli_progress(struct cli_call *call, const char *what, int64_t done, int64_t total)
{
    char bar[BAR + 1];
    const int64_t now = clock_mono().us;
    if (call->progress.next_us == 0) {
        const bool is_wanted = isatty(fileno(call->log)) != 0 && call->terminal;
        call->progress.next_us = is_wanted ? now + STEP_US : INT64_MAX;
    }
    if (now < call->progress.next_us) {
        return;
    }
    call->progress.next_us = now + STEP_US;
    call->progress.is_shown = true;
    if (total <= 0) {
        fprintf(call->log, "\r\033[K%lld %s", (long long)done, what);
    } else {
        const int64_t full = done * BAR / total;
        memset(bar, '.', BAR);
        memset(bar, '#', (size_t)(full < BAR ? full : BAR));
        bar[BAR] = '\0';
        fprintf(call->log, "\r\033[K%s %lld %% of %lld %s", bar,
                (long long)(done * PERCENT / total), (long long)total, what);
    }
    (void)fflush(call->log);
}

void cli_progress_end(struct cli_call *call)
{
    if (call->progress.is_shown) {
        fputs("\r\033[K", call->log);
        (void)fflush(call->log);
    }
    call->progress = (struct cli_progress){0};
}
