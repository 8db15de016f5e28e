#include "workers/fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workers/fetch/parts.h"

void fetch_fail(struct fetch_result *out, const char *error_class, bool permanent,
                const char *format, ...)
{
    va_list args;
    out->verdict = FETCH_FAILED;
    out->error_class = error_class;
    out->permanent = permanent;
    va_start(args, format);
    (void)vsnprintf(out->message, sizeof(out->message), format, args);
    va_end(args);
}

static int open_folder(const char *path, char message[FETCH_MESSAGE])
{
    const int fd = open(path, O_DIRECTORY | O_PATH | O_CLOEXEC);
    if (fd < 0) {
        (void)snprintf(message, FETCH_MESSAGE, "%s: %s", path, strerror(errno));
    }
    return fd;
}

struct fetch *fetch_new(const struct fetch_config *config, char message[FETCH_MESSAGE])
{
    CHECK(config->roots_n <= FETCH_ROOTS_MAX && config->max_bytes > 0 && config->timeout_ms > 0);
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    CHECK(fetch != NULL);
    fetch->config = *config;
    fetch->config.roots_n = 0;
    fetch->cache_fd = -1;
    fetch->easy = curl_easy_init();
    CHECK(fetch->easy != NULL);
    for (size_t i = 0; i < config->roots_n; i++) {
        fetch->root_fds[i] = open_folder(config->roots[i], message);
        if (fetch->root_fds[i] < 0) {
            fetch_free(fetch);
            return NULL;
        }
        fetch->config.roots_n++;
    }
    if (config->cache_dir != NULL) {
        fetch->cache_fd = open_folder(config->cache_dir, message);
        if (fetch->cache_fd < 0) {
            fetch_free(fetch);
            return NULL;
        }
    }
    return fetch;
}

void fetch_free(struct fetch *fetch)
{
    if (fetch == NULL) {
        return;
    }
    for (size_t i = 0; i < fetch->config.roots_n; i++) {
        (void)close(fetch->root_fds[i]);
    }
    if (fetch->cache_fd >= 0) {
        (void)close(fetch->cache_fd);
    }
    curl_easy_cleanup(fetch->easy);
    free(fetch);
}

void fetch_keep_to_host(struct fetch *fetch, const char *host)
{
    (void)snprintf(fetch->only_host, sizeof(fetch->only_host), "%s", host);
}

bool fetch_path_is_plain(struct str path)
{
    struct str rest = path;
    struct str part;
    if (path.len == 0 || memchr(path.ptr, '\0', path.len) != NULL || str_ends(path, STR("/"))) {
        return false;
    }
    while (str_split(&rest, '/', &part)) {
        if (part.len == 0 || str_eq(part, STR(".")) || str_eq(part, STR(".."))) {
            return false;
        }
    }
    return true;
}

/* base + "/" + path, with what is not plain in a path percent-encoded. */
static bool join_url(struct str base, struct str path, char out[FETCH_URL])
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    struct buf url;
    buf_init(&url, FETCH_URL - 1);
    while (str_ends(base, STR("/"))) {
        base.len--;
    }
    buf_str(&url, base);
    buf_char(&url, '/');
    for (size_t i = 0; i < path.len; i++) {
        const char c = path.ptr[i];
        if (strchr(plain, c) != NULL) {
            buf_char(&url, c);
        } else {
            buf_format(&url, "%%%02X", (unsigned char)c);
        }
    }
    const bool fits = !url.overflow;
    (void)snprintf(out, FETCH_URL, "%.*s", STR_ARG(buf_get(&url)));
    buf_fini(&url);
    return fits;
}

void fetch_get(struct fetch *fetch, struct str base, struct str path, struct fetch_result *out)
{
    char url[FETCH_URL];
    memset(out, 0, sizeof(*out));
    if (fetch->config.trail != NULL) {
        fetch->config.trail->n = 0;
    }
    /* Room for one read past the limit, to see that there is more. */
    buf_init(&out->body, fetch->config.max_bytes + 2 * FETCH_CHUNK);
    if (!fetch_path_is_plain(path)) {
        fetch_fail(out, "bad_path", true, "not a plain path below the source");
        return;
    }
    if (str_starts(base, STR("file:"))) {
        struct str folder = str_slice(base, strlen("file:"), base.len);
        folder = str_starts(folder, STR("///")) ? str_slice(folder, 2, folder.len) : folder;
        fetch_file(fetch, folder, path, out);
    } else if (str_starts(base, STR("http://")) || str_starts(base, STR("https://"))) {
        if (!join_url(base, path, url)) {
            fetch_fail(out, "bad_path", true, "the URL is too long");
            return;
        }
        fetch_web(fetch, url, out);
    } else {
        fetch_fail(out, "bad_source", true, "the source's url is none of file:, http:, https:");
    }
    if (out->verdict != FETCH_OK) {
        buf_reset(&out->body);
    }
}
