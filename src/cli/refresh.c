#include "cli/refresh.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/failure.h"

#define SCREEN_OPEN  "\033[?1049h\033[?25l"
#define SCREEN_CLOSE "\033[?25h\033[?1049l"

enum {
    EVERY_DEFAULT_S = 2,
    EVERY_MAX_S = 3600,
    ROWS_DEFAULT = 24,
    SIGNAL_EXIT = 128,
    MS_PER_S = 1000
};

/* What was printed last. */
struct frame {
    char *text;
    size_t len;
};

/* Only what a signal handler may call. */
static void leave(int number)
{
    if (isatty(STDOUT_FILENO) != 0) {
        static const char close_screen[] = SCREEN_CLOSE;
        const ssize_t ignored = write(STDOUT_FILENO, close_screen, sizeof(close_screen) - 1);
        (void)ignored;
    }
    _exit(SIGNAL_EXIT + number);
}

static void take_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = leave};
    for (size_t i = 0; i < CLI_COUNT(numbers); i++) {
        CHECK(sigaction(numbers[i], &action, NULL) == 0);
    }
}

static size_t screen_rows(void)
{
    struct winsize size = {0};
    const bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1;
    return is_known ? size.ws_row : ROWS_DEFAULT;
}

/* As many lines as the screen has; more would scroll the heading away. */
static struct str first_rows(struct str text, size_t rows)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n' && --rows == 0) {
            return str_slice(text, 0, i);
        }
    }
    return text;
}

static void show(FILE *out, bool is_screen, const struct cli_call *call, const struct frame *frame,
                 const struct frame *last)
{
    const struct str text = {frame->text, frame->len};
    if (is_screen) {
        fprintf(out, "\033[H\033[J%.*s", STR_ARG(first_rows(text, screen_rows())));
    } else if (last->text == NULL || !str_eq(text, (struct str){last->text, last->len})) {
        const bool separate = last->text != NULL && call->output != CLI_OUTPUT_JSONL;
        fprintf(out, "%s%.*s", separate ? "\n" : "", STR_ARG(text));
    }
    (void)fflush(out);
}

/* Runs the command once, what it prints into *out. */
static int take_frame(struct cli_call *call, int (*run)(struct cli_call *call), struct frame *out)
{
    FILE *kept_out = call->out;
    FILE *kept_log = call->log;
    arena_reset(&call->arena);
    call->out = open_memstream(&out->text, &out->len);
    CHECK(call->out != NULL);
    call->log = call->out; /* Remarks belong to the screen too. */
    const int status = run(call);
    CHECK(fclose(call->out) == 0);
    call->out = kept_out;
    call->log = kept_log;
    return status;
}

/* False when whoever read the output has gone: what does not change is not printed again, so that
 * writing would not tell. */
static bool pause_for(int64_t seconds)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, (int)(seconds * MS_PER_S)) == 0;
}

static int refresh(struct cli_call *call, int (*run)(struct cli_call *call), int64_t every_s)
{
    const bool is_screen = call->is_table && isatty(STDOUT_FILENO) != 0;
    struct frame last = {0};
    int status = CLI_OK;
    for (;;) {
        struct frame frame = {0};
        status = take_frame(call, run, &frame);
        if (status != CLI_OK && (last.text == NULL || status != CLI_UNREACHABLE)) {
            free(frame.text);
            break;
        }
        if (status == CLI_OK) {
            if (is_screen && last.text == NULL) {
                fputs(SCREEN_OPEN, call->out);
            }
            show(call->out, is_screen, call, &frame, &last);
            free(last.text);
            last = frame;
        } else {
            cli_failure_print(call);
            free(frame.text);
        }
        if (!pause_for(every_s)) {
            break;
        }
    }
    if (is_screen && last.text != NULL) {
        fputs(SCREEN_CLOSE, call->out);
    }
    free(last.text);
    return status;
}

int cli_refresh(struct cli_call *call, int (*run)(struct cli_call *call))
{
    int64_t every_s = EVERY_DEFAULT_S;
    int status = cli_number(call, "every", 1, EVERY_MAX_S, &every_s);
    if (status == CLI_OK && strcmp(call->command->verb, "watch") == 0) {
        status = cli_fail(call, CLI_USAGE, "usage", "leave --watch away",
                          "%s watch goes on by itself", call->noun->name);
    }
    if (status != CLI_OK) {
        return status;
    }
    /* Each frame has an arena of its own; the words of the call stay in theirs. */
    struct arena words = call->arena;
    arena_init(&call->arena, SIZE_MAX);
    call->reads_only = true;
    take_signals();
    status = refresh(call, run, every_s);
    cli_failure_print(call);
    json_decref(call->failure.errors);
    call->failure = (struct cli_failure){0};
    arena_fini(&call->arena);
    call->arena = words;
    return status;
}
