#include <stdio.h>
#include <unistd.h>

#include "platform/clock.h"
#include "serve/serve.h"

enum { WORDS_MAX = 6 };

/* What goes on is for people; scripts read the last line. */
static void print_step(const char *line)
{
    (void)fprintf(stderr, "%s\n", line);
}

static enum err_code backup(struct cli_call *call, const char *folder, struct err *err)
{
    static const char *const names[] = {"data", "database", "settings"};
    const char *words[WORDS_MAX];
    int count = 0;
    struct settings settings;
    struct ledger_target target;
    for (size_t i = 0; i < CLI_COUNT(names); i++) {
        if (cli_value(call, names[i]) != NULL) {
            words[count++] = arena_format(&call->arena, "--%s", names[i]).ptr;
            words[count++] = cli_value(call, names[i]);
        }
    }
    TRY(settings_load(&call->arena, &settings, count, (char *const *)(uintptr_t)words, environ,
                      err));
    TRY(serve_target(&call->arena, &settings, &target, err));
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
