#include "workers/frame/frame.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
    DOCUMENT_BYTES_MAX = 256 * 1024 * 1024,
    FETCH_TIMEOUT_MS = 120000,
    SLOTS_DEFAULT = 2,
    EXIT_USAGE = 2
};

struct setup {
    struct stella_worker_options worker;
    struct frame frame;
    bool done; /* --help or --version was answered. */
};

static void help(const struct frame_program *program)
{
    (void)printf(
        "%s - %s\n\n"
        "usage: %s [options]\n"
        "  --url URL            the orchestrator (STELLA_SERVER; http://127.0.0.1:8700)\n"
        "  --token-file FILE    file with the worker's token (STELLA_WORKER_TOKEN_FILE)\n"
        "  --tenant NAME        with an installation token: work for this tenant alone\n"
        "  --name NAME          as operators see this worker; else host name and process id\n"
        "  --slots N            jobs at once, 1 to %d; else %d\n"
        "  --grace-ms N         how long a drain lets jobs finish; else 25000\n"
        "  --allow-root DIR     file: sources may read below this absolute folder; repeatable\n"
        "  --allow-private      http(s): sources may name addresses that are not public\n"
        "  --cache DIR          keep documents that have an ETag here\n"
        "  --max-bytes N        largest document; else %d\n"
        "\nSIGTERM and SIGINT drain; a second one ends the grace time.\n",
        program->name, program->about, program->name, STELLA_SLOTS_MAX, SLOTS_DEFAULT,
        DOCUMENT_BYTES_MAX);
}

static bool number(const char *text, int64_t least, int64_t most, int64_t *out)
{
    return str_parse_i64(str_from(text), out) && *out >= least && *out <= most;
}

static bool add_root(struct fetch_config *fetch, const char *root)
{
    if (fetch->roots_n == FETCH_ROOTS_MAX || root[0] != '/') {
        return false;
    }
    fetch->roots[fetch->roots_n++] = root;
    return true;
}

enum option_code {
    URL = 256,
    TOKEN_FILE,
    TENANT,
    NAME,
    SLOTS,
    GRACE,
    ROOT,
    PRIVATE,
    CACHE,
    MAX,
    HELP,
    VERSION
};

static const struct option longs[] = {{"url", required_argument, NULL, URL},
                                      {"token-file", required_argument, NULL, TOKEN_FILE},
                                      {"tenant", required_argument, NULL, TENANT},
                                      {"name", required_argument, NULL, NAME},
                                      {"slots", required_argument, NULL, SLOTS},
                                      {"grace-ms", required_argument, NULL, GRACE},
                                      {"allow-root", required_argument, NULL, ROOT},
                                      {"allow-private", no_argument, NULL, PRIVATE},
                                      {"cache", required_argument, NULL, CACHE},
                                      {"max-bytes", required_argument, NULL, MAX},
                                      {"help", no_argument, NULL, HELP},
                                      {"version", no_argument, NULL, VERSION},
                                      {NULL, 0, NULL, 0}};

static bool take(struct setup *setup, int option, const char *value)
{
    int64_t n = 0;
    switch (option) {
    case URL: setup->worker.url = value; return true;
    case TOKEN_FILE: setup->worker.token_file = value; return true;
    case TENANT: setup->worker.tenant = value; return true;
    case NAME: setup->worker.name = value; return true;
    case ROOT: return add_root(&setup->frame.fetch, value);
    case PRIVATE: setup->frame.fetch.allow_private = true; return true;
    case CACHE: setup->frame.fetch.cache_dir = value; return true;
    default: break;
    }
    if (option == SLOTS && number(value, 1, STELLA_SLOTS_MAX, &n)) {
        setup->worker.slots = (uint32_t)n;
        return true;
    }
    if (option == GRACE && number(value, 0, 3600000, &n)) {
        setup->worker.grace_ms = (uint32_t)n;
        return true;
    }
    if (option == MAX && number(value, 1, DOCUMENT_BYTES_MAX, &n)) {
        setup->frame.fetch.max_bytes = (size_t)n;
        return true;
    }
    return false;
}

static bool read_options(struct setup *setup, int argc, char **argv,
                         const struct frame_program *program)
{
    int option = 0;
    int at = 0;
    while ((option = getopt_long(argc, argv, "", longs, &at)) != -1) {
        setup->done = option == HELP || option == VERSION;
        if (option == HELP) {
            help(program);
            return true;
        }
        if (option == VERSION) {
            (void)printf("%s %s\n", program->name, stella_version());
            return true;
        }
        if (option == '?' || !take(setup, option, optarg)) {
            (void)fprintf(stderr, "%s: --%s is not understood; see --help\n", program->name,
                          option == '?' ? "this option" : longs[at].name);
            return false;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "%s: %s is not understood; see --help\n", program->name,
                      argv[optind]);
        return false;
    }
    return true;
}

void frame_say(struct stella_job *job, int32_t level, const char *format, ...)
{
    char line[FRAME_LINE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    stella_log(job, level, line);
}

static void log_line(void *context, int32_t level, const char *job, const char *text, size_t len)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    const struct frame_program *program = context;
    const bool known = level >= STELLA_DEBUG && level <= STELLA_ERROR;
    if (level == STELLA_DEBUG) {
        return;
    }
    (void)fprintf(stderr, "%s: %s: %s%s%.*s\n", program->name, known ? names[level] : "log",
                  job != NULL ? job : "", job != NULL ? ": " : "", (int)len, text);
}

static void defaults(struct setup *setup, const struct frame_program *program)
{
    setup->worker = (struct stella_worker_options)STELLA_WORKER_OPTIONS_INIT;
    const char *url = getenv("STELLA_SERVER");
    setup->worker.url = url != NULL ? url : "http://127.0.0.1:8700";
    setup->worker.token_file = getenv("STELLA_WORKER_TOKEN_FILE");
    setup->worker.slots = SLOTS_DEFAULT;
    setup->worker.on_log = log_line;
    setup->worker.log_context = (void *)(uintptr_t)program;
    setup->frame.data = program->data;
    setup->frame.fetch.max_bytes = DOCUMENT_BYTES_MAX;
    setup->frame.fetch.timeout_ms = FETCH_TIMEOUT_MS;
}

/* Whether the folders can be opened: better said now than by every job. */
static bool check_fetch(const struct setup *setup, const struct frame_program *program)
{
    char message[FETCH_MESSAGE];
    struct fetch *fetch = fetch_new(&setup->frame.fetch, message);
    if (fetch == NULL) {
        (void)fprintf(stderr, "%s: %s\n", program->name, message);
        return false;
    }
    fetch_free(fetch);
    return true;
}

static int serve(struct setup *setup, const struct frame_program *program)
{
    struct stella_worker *worker = NULL;
    struct stella_error error = {0};
    int32_t code = stella_worker_new(&setup->worker, &worker, &error);
    for (size_t i = 0; i < program->types_n && code == STELLA_OK; i++) {
        code = stella_worker_handle(worker, program->types[i].type, program->types[i].handler,
                                    &setup->frame, &error);
    }
    if (code == STELLA_OK) {
        code = stella_worker_drain_on_signals(worker, &error);
    }
    const bool made = code == STELLA_OK;
    if (made) {
        code = stella_worker_run(worker, &error);
    }
    stella_worker_free(worker);
    if (code != STELLA_OK) {
        (void)fprintf(stderr, "%s: %s\n", program->name, error.message);
    }
    return code == STELLA_OK ? EXIT_SUCCESS : made ? EXIT_FAILURE : EXIT_USAGE;
}

int frame_main(int argc, char **argv, const struct frame_program *program)
{
    struct setup setup = {0};
    defaults(&setup, program);
    if (!read_options(&setup, argc, argv, program)) {
        return EXIT_USAGE;
    }
    if (setup.done) {
        return EXIT_SUCCESS;
    }
    if (setup.worker.token_file == NULL) {
        (void)fprintf(stderr, "%s: --token-file must be given; see --help\n", program->name);
        return EXIT_USAGE;
    }
    if (!check_fetch(&setup, program)) {
        return EXIT_USAGE;
    }
    return serve(&setup, program);
}
