#include "platform/thread.h"
#include "serve/serve.h"

/* A command that is waited for. */
struct wait {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
};

static void on_done(struct engine_request *request)
{
    struct wait *wait = request->ctx;
    mutex_take(&wait->lock);
    wait->done = true;
    wake_all(&wait->wake);
    mutex_give(&wait->lock);
}

enum err_code serve_command(struct engine *engine, struct command *command, struct err *err)
{
    struct wait wait = {.done = false};
    struct engine_request request = {
        .queue = QUEUE_CONTROL, .commands = command, .count = 1, .done = on_done, .ctx = &wait};
    mutex_init(&wait.lock);
    wake_init(&wait.wake);
    enum err_code code = engine_submit(engine, &request, err);
    mutex_take(&wait.lock);
    while (code == ERR_OK && !wait.done) {
        wake_wait(&wait.wake, &wait.lock);
    }
    mutex_give(&wait.lock);
    wake_fini(&wait.wake);
    mutex_fini(&wait.lock);
    if (code == ERR_OK && command->err.code != ERR_OK) {
        *err = command->err;
        code = err->code;
    }
    return code;
}
