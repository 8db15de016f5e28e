#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/serve.h"

enum err_code serve_target(struct arena *arena, const struct settings *settings,
                           struct ledger_target *out, struct err *err)
{
    *out = (struct ledger_target){.row_security = true};
    if (mkdir(arena_cstr(arena, settings->data), 0700) != 0 && errno != EEXIST) {
        return err_set(err, ERR_IO, "cannot make the folder %.*s: %s", STR_ARG(settings->data),
                       strerror(errno));
    }
    if (settings->database.len > 0) {
        out->url = arena_cstr(arena, settings->database);
        return ERR_OK;
    }
    out->url = arena_format(arena, "sqlite:%.*s/ledger.db", STR_ARG(settings->data)).ptr;
    return ERR_OK;
}

enum err_code serve_kept_target(struct arena *arena, const struct settings *settings,
                                struct ledger_target *out, struct err *err)
{
    const char *path = arena_format(arena, "%.*s/ledger.db", STR_ARG(settings->data)).ptr;
    const bool is_file = settings->database.len == 0;
    if (is_file && access(path, F_OK) != 0) {
        return errno == ENOENT || errno == ENOTDIR
                   ? err_set(err, ERR_LEDGER_OUTDATED, "There is no ledger at %s.", path)
                   : err_set(err, ERR_IO, "cannot look for %s: %s", path, strerror(errno));
    }
    return serve_target(arena, settings, out, err);
}

static void print_step(const char *line)
{
    (void)printf("%s\n", line);
    (void)fflush(stdout);
}

static enum err_code migrate(struct cli_call *call, struct err *err)
{
    struct settings settings;
    struct ledger_target target;
    TRY(settings_load(&call->arena, &settings, (int)call->arguments.n,
                      (char *const *)(uintptr_t)call->arguments.v, environ, err));
    TRY(serve_target(&call->arena, &settings, &target, err));
    return ledger_migrate(&target, print_step, err);
}

int serve_fail(struct cli_call *call, const struct err *err)
{
    const int status = err->code == ERR_USAGE                ? CLI_USAGE
                       : err->code == ERR_LEDGER_UNAVAILABLE ? CLI_UNREACHABLE
                                                             : CLI_FAILED;
    const char *hint = err->code == ERR_LEDGER_OUTDATED
                           ? "give the --data (or --settings) of the server; to make a ledger or "
                             "bring one up to date run: stella orchestrator migrate"
                           : NULL;
    return cli_fail(call, status, err_info(err->code)->name, hint, "%s", err->message);
}

int serve_migrate(struct cli_call *call)
{
    struct err err = {0};
    return migrate(call, &err) == ERR_OK ? CLI_OK : serve_fail(call, &err);
}
