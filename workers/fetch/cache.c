/* One file per URL: the ETag, a newline, the SHA-256 of the body, a newline, the body. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/hash.h"
#include "workers/fetch/parts.h"

enum { CACHE_NAME = SHA256_HEX + 1, CACHE_HEAD = FETCH_ETAG + SHA256_HEX + 2, CHUNK = 1 << 16 };

static void name_of(const char *url, char out[CACHE_NAME])
{
    const struct sha256 digest = sha256_of(str_from(url));
    sha256_format(&digest, out);
}

/* Reads the whole entry; false when there is none or it does not fit. */
static bool read_entry(int folder, const char *url, struct buf *out)
{
    char name[CACHE_NAME];
    name_of(url, name);
    const int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return false;
    }
    ssize_t got = 0;
    do {
        char *room = buf_reserve(out, CHUNK);
        got = room == NULL ? -1 : read(fd, room, CHUNK);
        out->len += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    (void)close(fd);
    return got == 0;
}

/* Splits an entry; false when it is damaged. */
static bool split_entry(struct str entry, struct str *out_etag, struct str *out_body)
{
    struct sha256 wanted;
    struct str digest;
    *out_body = entry;
    if (!str_split(out_body, '\n', out_etag) || !str_split(out_body, '\n', &digest) ||
        !sha256_parse(digest, &wanted)) {
        return false;
    }
    const struct sha256 got = sha256_of(*out_body);
    return out_etag->len > 0 && out_etag->len < FETCH_ETAG && sha256_eq(&got, &wanted);
}

bool cache_etag(int folder, const char *url, char out_etag[FETCH_ETAG])
{
    CLEANUP(buf_fini) struct buf entry;
    struct str etag, body;
    buf_init(&entry, SIZE_MAX / 2);
    if (!read_entry(folder, url, &entry) || !split_entry(buf_get(&entry), &etag, &body)) {
        return false;
    }
    (void)snprintf(out_etag, FETCH_ETAG, "%.*s", STR_ARG(etag));
    return true;
}

bool cache_body(int folder, const char *url, struct buf *out_body)
{
    CLEANUP(buf_fini) struct buf entry;
    struct str etag, body;
    buf_init(&entry, SIZE_MAX / 2);
    if (!read_entry(folder, url, &entry) || !split_entry(buf_get(&entry), &etag, &body)) {
        return false;
    }
    buf_reset(out_body);
    buf_str(out_body, body);
    return !out_body->overflow;
}

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        const ssize_t written = write(fd, bytes.ptr, bytes.len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes = str_slice(bytes, (size_t)written, bytes.len);
    }
    return true;
}

void cache_put(int folder, const char *url, const char *etag, struct str body)
{
    char name[CACHE_NAME];
    char temporary[CACHE_NAME + 32];
    char head[CACHE_HEAD + 1];
    char hex[SHA256_HEX + 1];
    uint64_t unique = 0;
    if (getrandom(&unique, sizeof(unique), 0) != (ssize_t)sizeof(unique)) {
        return;
    }
    name_of(url, name);
    (void)snprintf(temporary, sizeof(temporary), "%s.%llx", name, (unsigned long long)unique);
    const struct sha256 digest = sha256_of(body);
    sha256_format(&digest, hex);
    (void)snprintf(head, sizeof(head), "%s\n%s\n", etag, hex);
    const int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return;
    }
    const bool written = write_all(fd, str_from(head)) && write_all(fd, body);
    (void)close(fd);
    /* A torn file is found by its digest; what counts is that readers see the old or the new one.
     */
    if (!written || renameat(folder, temporary, folder, name) != 0) {
        (void)unlinkat(folder, temporary, 0);
    }
}
