#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/id.h"
#include "worker/parts.h"

/* The lengths are the server's. */
enum { TYPE_NAME_MAX = 128, WORKER_NAME_MAX = 128, VERSION_MAX = 64, WORKER_ARENA_CAP = 1 << 20 };

struct mono_time worker_now(void)
{
    struct timespec now;
    /* tidy: clock: the installed library has only its own files.
     * Counts while the machine sleeps: a lease does too. */
    CHECK(clock_gettime(CLOCK_BOOTTIME, &now) == 0);
    return (struct mono_time){(int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000};
}

int64_t worker_wall_ms(void)
{
    struct timespec now;
    /* tidy: clock: as above. */
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

size_t worker_log_len(const char *text)
{
    size_t len = strnlen(text, STELLA_MESSAGE_MAX);
    while (len > 0 && text[len] != '\0' && ((unsigned char)text[len] & 0xC0) == 0x80) {
        len--; /* Not through the middle of a character. */
    }
    return len;
}

void worker_log(struct stella_worker *worker, int32_t level, const char *job, const char *text)
{
    if (worker->on_log == NULL) {
        return;
    }
    const size_t len = worker_log_len(text);
    pthread_mutex_lock(&worker->log_lock);
    worker->on_log(worker->log_context, level, job, text, len);
    pthread_mutex_unlock(&worker->log_lock);
}

/* ---- token ---- */

static int32_t read_token(const char *path, char out[WORKER_TOKEN_MAX], struct stella_error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return fault(error, STELLA_IO, "cannot open the token file: %s", strerror(errno));
    }
    const size_t len = fread(out, 1, WORKER_TOKEN_MAX - 1, file);
    (void)fclose(file); /* Only read. */
    out[len] = '\0';
    out[strcspn(out, " \t\r\n")] = '\0';
    if (out[0] == '\0' || len == WORKER_TOKEN_MAX - 1) {
        return fault(error, STELLA_USAGE, "the token file holds no token");
    }
    return STELLA_OK;
}

bool worker_reload_token(struct stella_worker *worker, uint32_t serial)
{
    char token[WORKER_TOKEN_MAX];
    if (worker->token_file == NULL || read_token(worker->token_file, token, NULL) != STELLA_OK) {
        return false;
    }
    pthread_mutex_lock(&worker->lock);
    if (strcmp(worker->token, token) != 0) {
        memcpy(worker->token, token, sizeof(token));
        worker->token_serial++;
    }
    const bool changed = worker->token_serial != serial;
    pthread_mutex_unlock(&worker->lock);
    return changed;
}

/* ---- transfers ---- */

struct curl_slist *worker_headers(struct stella_worker *worker, uint32_t *out_serial)
{
    char line[WORKER_TOKEN_MAX + 64];
    pthread_mutex_lock(&worker->lock);
    (void)snprintf(line, sizeof(line), "Authorization: Bearer %s", worker->token);
    *out_serial = worker->token_serial;
    pthread_mutex_unlock(&worker->lock);
    struct curl_slist *headers = curl_slist_append(NULL, line);
    CHECK(headers != NULL);
    return headers;
}

void worker_prepare(const struct stella_worker *worker, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "stella-worker/" STELLA_WORKER_VERSION);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    if (worker->loopback) {
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
}

/* ---- making one ---- */

static int32_t check_options(const struct stella_worker_options *options,
                             struct stella_error *error)
{
    if (options == NULL || options->size < sizeof(*options)) {
        return fault(error, STELLA_USAGE, "options are missing or of an unknown size");
    }
    if (options->slots < 1 || options->slots > STELLA_SLOTS_MAX) {
        return fault(error, STELLA_USAGE, "slots must be 1 to %d", STELLA_SLOTS_MAX);
    }
    const struct str url = str_from(options->url);
    if (!str_starts(url, STR("http://")) && !str_starts(url, STR("https://"))) {
        return fault(error, STELLA_USAGE, "url must begin with http:// or https://");
    }
    if ((options->token == NULL) == (options->token_file == NULL)) {
        return fault(error, STELLA_USAGE, "give either a token or a token file");
    }
    if (options->token != NULL && strlen(options->token) >= WORKER_TOKEN_MAX) {
        return fault(error, STELLA_USAGE, "the token is too long");
    }
    if (options->name != NULL && !name_is_valid(str_from(options->name), WORKER_NAME_MAX)) {
        return fault(error, STELLA_USAGE, "name must be 1 to %d of a-z A-Z 0-9 . _ : / @ + -",
                     WORKER_NAME_MAX);
    }
    const struct str version = str_from(options->version);
    if (version.len > VERSION_MAX || !str_is_utf8(version)) {
        return fault(error, STELLA_USAGE, "version has at most %d bytes of UTF-8", VERSION_MAX);
    }
    return STELLA_OK;
}

static bool is_loopback(struct str url)
{
    return str_starts(url, STR("http://127.")) || str_starts(url, STR("http://localhost")) ||
           str_starts(url, STR("http://[::1]"));
}

static const char *copy_cstr(struct arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_cstr(arena, str_from(text));
}

static struct str default_name(struct arena *arena)
{
    char host[WORKER_NAME_MAX - 16] = "";
    (void)gethostname(host, sizeof(host) - 1); /* Without one it is "worker". */
    const bool sound = name_is_valid(str_from(host), sizeof(host));
    return arena_format(arena, "%s/%d", sound ? host : "worker", (int)getpid());
}

static void take_options(struct stella_worker *worker, const struct stella_worker_options *options)
{
    struct arena *arena = &worker->arena;
    struct str url = str_from(options->url);
    while (str_ends(url, STR("/"))) {
        url.len--;
    }
    worker->base = arena_format(arena, "%.*s/api/v1", STR_ARG(url));
    worker->loopback = is_loopback(url);
    worker->token_file = copy_cstr(arena, options->token_file);
    worker->tenant = copy_cstr(arena, options->tenant);
    worker->grace_ms = options->grace_ms;
    worker->on_log = options->on_log;
    worker->log_context = options->log_context;
    worker->is.name =
        options->name != NULL ? str_from(copy_cstr(arena, options->name)) : default_name(arena);
    worker->is.version = str_from(options->version != NULL ? copy_cstr(arena, options->version)
                                                           : STELLA_WORKER_VERSION);
    worker->is.slots = options->slots;
    worker->is.types = worker->types;
    if (options->token != NULL) {
        (void)snprintf(worker->token, sizeof(worker->token), "%s", options->token);
    }
}

int32_t stella_worker_new(const struct stella_worker_options *options, struct stella_worker **out,
                          struct stella_error *error)
{
    if (out == NULL) {
        return fault(error, STELLA_USAGE, "out is missing");
    }
    const int32_t checked = check_options(options, error);
    if (checked != STELLA_OK) {
        return checked;
    }
    struct stella_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        return fault(error, STELLA_MEMORY, "no memory for a worker");
    }
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    arena_init(&worker->arena, WORKER_ARENA_CAP);
    CHECK(pthread_mutex_init(&worker->lock, NULL) == 0);
    CHECK(pthread_mutex_init(&worker->log_lock, NULL) == 0);
    CHECK(pthread_cond_init(&worker->work, NULL) == 0);
    worker->signal_fd = -1;
    worker->drain_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    worker->multi = curl_multi_init();
    take_options(worker, options);
    int32_t code = STELLA_OK;
    if (worker->drain_fd < 0 || worker->multi == NULL) {
        code = fault(error, STELLA_IO, "cannot make a worker: %s", strerror(errno));
    } else if (worker->token_file != NULL) {
        code = read_token(worker->token_file, worker->token, error);
    }
    if (code != STELLA_OK) {
        stella_worker_free(worker);
        return code;
    }
    *out = worker;
    return STELLA_OK;
}

void stella_worker_free(struct stella_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    CHECK(worker->slots_n == 0);
    if (worker->multi != NULL) {
        (void)curl_multi_cleanup(worker->multi);
    }
    if (worker->drain_fd >= 0) {
        (void)close(worker->drain_fd);
    }
    if (worker->signal_fd >= 0) {
        (void)close(worker->signal_fd);
    }
    session_free(worker->session);
    (void)pthread_cond_destroy(&worker->work);
    (void)pthread_mutex_destroy(&worker->lock);
    (void)pthread_mutex_destroy(&worker->log_lock);
    arena_fini(&worker->arena);
    free(worker);
    curl_global_cleanup();
}

int32_t stella_worker_handle(struct stella_worker *worker, const char *type,
                             stella_handler *handler, void *context, struct stella_error *error)
{
    if (worker == NULL || type == NULL || handler == NULL || worker->slots_n > 0) {
        return fault(error, STELLA_USAGE, "worker, type and handler must be given, before the run");
    }
    if (!name_is_valid(str_from(type), TYPE_NAME_MAX) || worker->handlers_n == WORKER_TYPES_MAX) {
        return fault(error, STELLA_USAGE, "not a name of a job type, or too many of them");
    }
    for (size_t i = 0; i < worker->handlers_n; i++) {
        if (str_eq(worker->types[i], str_from(type))) {
            return fault(error, STELLA_USAGE, "%s has a handler already", type);
        }
    }
    const struct str copy = arena_str(&worker->arena, str_from(type));
    worker->types[worker->handlers_n] = copy;
    worker->handlers[worker->handlers_n++] = (struct type_handler){copy, handler, context};
    worker->is.types_n = worker->handlers_n;
    return STELLA_OK;
}

/* ---- draining ---- */

void stella_worker_drain(struct stella_worker *worker)
{
    const uint64_t once = 1;
    const int saved = errno;
    /* Fails only when 2^64 calls wait to be read. */
    const ssize_t written = write(worker->drain_fd, &once, sizeof(once));
    (void)written;
    errno = saved;
}

int32_t stella_worker_drain_on_signals(struct stella_worker *worker, struct stella_error *error)
{
    sigset_t set;
    if (worker == NULL || worker->signal_fd >= 0) {
        return fault(error, STELLA_USAGE, "worker is missing or has the signals already");
    }
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) {
        return fault(error, STELLA_IO, "cannot block the signals");
    }
    worker->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (worker->signal_fd < 0) {
        return fault(error, STELLA_IO, "cannot receive the signals: %s", strerror(errno));
    }
    return STELLA_OK;
}
