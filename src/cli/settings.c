#include "cli/settings.h"

#include <unistd.h>

enum { WORDS_MAX = 6 };

enum err_code cli_settings(struct cli_call *call, struct settings *out, struct err *err)
{
    static const char *const names[] = {"data", "database", "settings"};
    const char *words[WORDS_MAX];
    int count = 0;
    for (size_t i = 0; i < CLI_COUNT(names); i++) {
        if (cli_value(call, names[i]) != NULL) {
            words[count++] = arena_format(&call->arena, "--%s", names[i]).ptr;
            words[count++] = cli_value(call, names[i]);
        }
    }
    return settings_load(&call->arena, out, count, (char *const *)(uintptr_t)words, environ, err);
}
