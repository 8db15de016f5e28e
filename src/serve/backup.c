#include <stdio.h>

#include "cli/settings.h"
#include "platform/clock.h"
#include "serve/serve.h"

/* What goes on is for people; scripts read the last line. */
static void print_step(const char *line)
{
    (void)fprintf(stderr, "%s\n", line);
}

static enum err_code backup(struct cli_call *call, const char *folder, struct err *err)
{
    struct settings settings;
    struct ledger_target target;
    TRY(cli_settings(call, &settings, err));
    TRY(serve_kept_target(&call->arena, &settings, &target, err));
    return ledger_backup(&target, folder, clock_wall().us, print_step, err);
}

int serve_backup(struct cli_call *call)
{
    struct err err = {0};
    const char *folder = cli_argument(call, 0);
    if (backup(call, folder, &err) != ERR_OK) {
        return serve_fail(call, &err);
    }
    (void)fprintf(call->out, "%s\n", folder);
    return CLI_OK;
}
