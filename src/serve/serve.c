#include "serve/serve.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "observe/log.h"
#include "platform/signals.h"
#include "serve/node.h"

#define A_DAY_US (INT64_C(86400) * US_PER_S)

/* Takes --print-settings out of the arguments. */
static bool take_print(struct cli_call *call)
{
    bool found = false;
    size_t kept = 0;
    for (size_t i = 0; i < call->arguments.n; i++) {
        if (strcmp(call->arguments.v[i], "--print-settings") == 0) {
            found = true;
        } else {
            call->arguments.v[kept++] = call->arguments.v[i];
        }
    }
    call->arguments.n = kept;
    return found;
}

static void print_settings(const struct settings *settings)
{
    struct buf out;
    buf_init(&out, 64 * 1024);
    settings_print(settings, &out);
    (void)fwrite(out.ptr, 1, out.len, stdout);
    buf_fini(&out);
}

/* One line that programs and people can wait for. */
static void say_ready(const struct node *node)
{
    const struct settings *s = &node->settings;
    const char *scheme = node->certificate != NULL ? "https" : "http";
    if (node->admin_token[0] != 0) {
        (void)printf("admin token (kept in %.*s/admin.token, shown once): %s\n", STR_ARG(s->data),
                     node->admin_token);
    }
    (void)printf("ready: %s on port %d, ledger %s\n", scheme, http_port(node->api.server),
                 s->database.len > 0 ? "PostgreSQL" : node->target.url);
    if (node->paused) {
        (void)printf("paused: nothing new is leased; see stella orchestrator status, and go on "
                     "with stella orchestrator resume\n");
    }
    (void)fflush(stdout);
    struct log_line line;
    struct json_writer *w = log_begin(&line, LOG_SERVING);
    JSON_INT(w, "port", http_port(node->api.server));
    log_end(&line);
}

static void log_plain(enum log_event event)
{
    struct log_line line;
    (void)log_begin(&line, event);
    log_end(&line);
}

static enum err_code serve(struct cli_call *call, struct node *node, struct err *err)
{
    const bool print = take_print(call);
    signals_take();
    TRY(settings_load(&node->arena, &node->settings, (int)call->arguments.n,
                      (char *const *)(uintptr_t)call->arguments.v, environ, err));
    if (print) {
        print_settings(&node->settings);
        return ERR_OK;
    }
    TRY(serve_kept_target(&node->arena, &node->settings, &node->target, err));
    TRY(node_start(node, err));
    say_ready(node);
    int signal = 0;
    while (signal == 0 || signal == SIGHUP) {
        signal = signals_wait(A_DAY_US);
        if (signal == SIGHUP) {
            log_toggle_debug();
        }
    }
    log_plain(LOG_STOPPING);
    log_plain(node_stop(node) ? LOG_STOPPED : LOG_CUT);
    return ERR_OK;
}

int serve_run(struct cli_call *call)
{
    struct node node = {0};
    struct err err = {0};
    arena_init(&node.arena, SIZE_MAX);
    const enum err_code code = serve(call, &node, &err);
    arena_fini(&node.arena);
    if (code == ERR_OK) {
        return CLI_OK;
    }
    return serve_fail(call, &err);
}
