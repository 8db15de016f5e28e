/*
 * Blobs in a folder:  <folder>/<tenant>/<first two digits>/<other digits of the SHA-256>
 *                     <folder>/tmp/<random>   while it is written
 *
 * A blob appears under its name whole, after its bytes are on disk; its name is on disk before
 * anyone is told that it is there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "ledger/sqlite/backend.h"
#include "platform/clock.h"
#include "platform/folder.h"

enum { PATH_TEXT = 4096, PIECE = 256 * 1024, LOCKS = 64, FOLDER_MODE = 0700 };

#define ORPHAN_AGE_US (24 * 3600 * US_PER_S)

/* A blob that was put or told of that lately is not made younger by telling of it again. */
#define YOUNG_US (60 * US_PER_S)

struct folder_blobs {
    struct blobs base;
    char *folder;
    pthread_mutex_t locks[LOCKS]; /* By digest: a name that is not yet on disk is not told. */
};

struct blob_writer {
    struct folder_blobs *blobs;
    struct tenant_id tenant;
    struct sha256 digest;
    struct sha256_stream *stream;
    int file;
    char temporary[PATH_TEXT];
};

static enum err_code failed(struct err *err, const char *what)
{
    return err_set(err, ERR_LEDGER_UNAVAILABLE, "The blob store cannot %s: %s.", what,
                   strerror(errno));
}

static pthread_mutex_t *lock_of(struct folder_blobs *blobs, const struct sha256 *digest)
{
    return &blobs->locks[digest->bytes[0] % LOCKS];
}

/* The folder of a digest; then its file in it. */
static void folder_of(const struct folder_blobs *blobs, struct tenant_id tenant,
                      const struct sha256 *digest, char out[PATH_TEXT])
{
    char hex[SHA256_HEX + 1];
    sha256_format(digest, hex);
    const int len = snprintf(out, PATH_TEXT, "%s/%d/%.2s", blobs->folder, (int)tenant.v, hex);
    CHECK(len > 0 && len < PATH_TEXT);
}

static void file_of(const struct folder_blobs *blobs, struct tenant_id tenant,
                    const struct sha256 *digest, char out[PATH_TEXT])
{
    char hex[SHA256_HEX + 1];
    sha256_format(digest, hex);
    const int len =
        snprintf(out, PATH_TEXT, "%s/%d/%.2s/%s", blobs->folder, (int)tenant.v, hex, hex + 2);
    CHECK(len > 0 && len < PATH_TEXT);
}

static enum err_code sync_folder(const char *path, struct err *err)
{
    return folder_sync(path) ? ERR_OK : failed(err, "sync its folder");
}

/* Makes the last folder of the path; its name is on disk before the call returns. */
static enum err_code make_folder(const char *path, const char *parent, struct err *err)
{
    if (mkdir(path, FOLDER_MODE) == 0) {
        return sync_folder(parent, err);
    }
    return errno == EEXIST ? ERR_OK : failed(err, "make a folder");
}

static enum err_code make_folders(const struct folder_blobs *blobs, struct tenant_id tenant,
                                  const char *folder, struct err *err)
{
    char of_tenant[PATH_TEXT];
    const int len = snprintf(of_tenant, PATH_TEXT, "%s/%d", blobs->folder, (int)tenant.v);
    CHECK(len > 0 && len < PATH_TEXT);
    TRY(make_folder(of_tenant, blobs->folder, err));
    return make_folder(folder, of_tenant, err);
}

static int64_t modified_at(const struct stat *about)
{
    return about->st_mtim.tv_sec * US_PER_S + about->st_mtim.tv_nsec / 1000;
}

static struct timespec time_now(void)
{
    const int64_t us = clock_wall().us;
    return (struct timespec){.tv_sec = us / US_PER_S, .tv_nsec = us % US_PER_S * 1000};
}

static enum err_code has(struct blobs *base, struct tenant_id tenant, const struct sha256 *digest,
                         bool *out_has, int64_t *out_size, struct err *err)
{
    struct folder_blobs *blobs = (struct folder_blobs *)base;
    char path[PATH_TEXT];
    file_of(blobs, tenant, digest, path);
    struct stat about;
    CHECK(pthread_mutex_lock(lock_of(blobs, digest)) == 0);
    bool found = stat(path, &about) == 0;
    if (found && modified_at(&about) < clock_wall().us - YOUNG_US) {
        const struct timespec now = time_now();
        found = utimensat(AT_FDCWD, path, (const struct timespec[2]){now, now}, 0) == 0;
    }
    const int why = errno;
    CHECK(pthread_mutex_unlock(lock_of(blobs, digest)) == 0);
    if (!found && why != ENOENT) {
        errno = why;
        return failed(err, "look");
    }
    *out_has = found;
    *out_size = found ? (int64_t)about.st_size : 0;
    return ERR_OK;
}

static enum err_code put_begin(struct blobs *base, struct tenant_id tenant,
                               const struct sha256 *digest, struct blob_writer **out,
                               struct err *err)
{
    struct blob_writer *writer = calloc(1, sizeof(*writer));
    CHECK(writer != NULL);
    writer->blobs = (struct folder_blobs *)base;
    writer->tenant = tenant;
    writer->digest = *digest;
    const int len = snprintf(writer->temporary, PATH_TEXT, "%s/tmp/XXXXXX", writer->blobs->folder);
    CHECK(len > 0 && len < PATH_TEXT);
    writer->file = mkostemp(writer->temporary, O_CLOEXEC);
    if (writer->file < 0) {
        free(writer);
        return failed(err, "make a file");
    }
    writer->stream = sha256_stream_new();
    *out = writer;
    return ERR_OK;
}

static enum err_code put_add(struct blob_writer *writer, struct str bytes, struct err *err)
{
    sha256_stream_add(writer->stream, bytes);
    while (bytes.len > 0) {
        const ssize_t written = write(writer->file, bytes.ptr, bytes.len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return failed(err, "write");
        }
        bytes.ptr += written;
        bytes.len -= (size_t)written;
    }
    return ERR_OK;
}

static void put_abandon(struct blob_writer *writer)
{
    if (writer->file >= 0) {
        close(writer->file);
    }
    (void)unlink(writer->temporary); /* Gone already when it was renamed. */
    sha256_stream_free(writer->stream);
    free(writer);
}

static enum err_code name_it(struct blob_writer *writer, struct err *err)
{
    char folder[PATH_TEXT];
    char path[PATH_TEXT];
    folder_of(writer->blobs, writer->tenant, &writer->digest, folder);
    file_of(writer->blobs, writer->tenant, &writer->digest, path);
    TRY(make_folders(writer->blobs, writer->tenant, folder, err));
    if (rename(writer->temporary, path) != 0) {
        return failed(err, "name a file");
    }
    const enum err_code result = sync_folder(folder, err);
    if (result != ERR_OK) {
        (void)unlink(path); /* Nobody may be told of it. */
    }
    return result;
}

static enum err_code finish(struct blob_writer *writer, struct err *err)
{
    const struct sha256 found = sha256_stream_finish(writer->stream);
    if (!sha256_eq(&found, &writer->digest)) {
        return err_set(err, ERR_DIGEST_MISMATCH, "The bytes do not have the announced digest.");
    }
    const struct timespec now = time_now();
    if (futimens(writer->file, (const struct timespec[2]){now, now}) != 0 ||
        fsync(writer->file) != 0) {
        return failed(err, "sync a file");
    }
    pthread_mutex_t *lock = lock_of(writer->blobs, &writer->digest);
    CHECK(pthread_mutex_lock(lock) == 0);
    const enum err_code result = name_it(writer, err);
    CHECK(pthread_mutex_unlock(lock) == 0);
    return result;
}

static enum err_code put_finish(struct blob_writer *writer, struct err *err)
{
    const enum err_code result = finish(writer, err);
    put_abandon(writer);
    return result;
}

static enum err_code get_pieces(int file, int64_t offset,
                                bool (*chunk)(void *ctx, struct str bytes), void *ctx,
                                struct err *err)
{
    char *piece = malloc(PIECE);
    CHECK(piece != NULL);
    enum err_code result = ERR_OK;
    for (;;) {
        const ssize_t len = pread(file, piece, PIECE, offset);
        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len < 0) {
            result = failed(err, "read");
            break;
        }
        if (len == 0 || !chunk(ctx, (struct str){piece, (size_t)len})) {
            break;
        }
        offset += len;
    }
    free(piece);
    return result;
}

static enum err_code get(struct blobs *base, struct tenant_id tenant, const struct sha256 *digest,
                         int64_t offset, bool (*chunk)(void *ctx, struct str bytes), void *ctx,
                         struct err *err)
{
    char path[PATH_TEXT];
    file_of((struct folder_blobs *)base, tenant, digest, path);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "There is no such blob.")
                               : failed(err, "open a file");
    }
    const enum err_code result = get_pieces(file, offset, chunk, ctx, err);
    close(file);
    return result;
}

static void close_blobs(struct blobs *base)
{
    struct folder_blobs *blobs = (struct folder_blobs *)base;
    for (int i = 0; i < LOCKS; i++) {
        CHECK(pthread_mutex_destroy(&blobs->locks[i]) == 0);
    }
    free(blobs->folder);
    free(blobs);
}

/* Files that a crash left half written. */
static void sweep_orphans(const char *folder, int64_t before)
{
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        return;
    }
    for (const struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        struct stat about;
        if (fstatat(dirfd(entries), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(about.st_mode) && modified_at(&about) < before) {
            (void)unlinkat(dirfd(entries), entry->d_name, 0);
        }
    }
    closedir(entries);
}

/* The digest that a file name stands for. */
static bool digest_of(unsigned first, const char *name, struct sha256 *out)
{
    char hex[SHA256_HEX + 1];
    const int len = snprintf(hex, sizeof(hex), "%02x%s", first, name);
    return len == SHA256_HEX && sha256_parse(str_from(hex), out);
}

struct sweep {
    int64_t before;
    bool (*found)(void *ctx, const struct sha256 *digest);
    void *ctx;
};

/* One folder of a tenant: the digests that begin with `first`. False when `found` said so. */
static bool each_of_folder(const char *path, unsigned first, const struct sweep *sweep)
{
    DIR *entries = opendir(path);
    bool more = true;
    if (entries == NULL) {
        return true; /* There never was one. */
    }
    for (const struct dirent *entry = readdir(entries); entry != NULL && more;
         entry = readdir(entries)) {
        struct stat about;
        struct sha256 digest;
        if (digest_of(first, entry->d_name, &digest) &&
            fstatat(dirfd(entries), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
            modified_at(&about) < sweep->before) {
            more = sweep->found(sweep->ctx, &digest);
        }
    }
    closedir(entries);
    return more;
}

static enum err_code each_old(struct blobs *base, struct tenant_id tenant, int64_t before,
                              bool (*found)(void *ctx, const struct sha256 *digest), void *ctx,
                              struct err *err)
{
    (void)err;
    const struct folder_blobs *blobs = (const struct folder_blobs *)base;
    const struct sweep sweep = {before, found, ctx};
    char path[PATH_TEXT];
    CHECK(snprintf(path, PATH_TEXT, "%s/tmp", blobs->folder) < PATH_TEXT);
    sweep_orphans(path, before);
    for (unsigned first = 0; first < 256; first++) {
        const int len =
            snprintf(path, PATH_TEXT, "%s/%d/%02x", blobs->folder, (int)tenant.v, first);
        CHECK(len > 0 && len < PATH_TEXT);
        if (!each_of_folder(path, first, &sweep)) {
            break;
        }
    }
    return ERR_OK;
}

static enum err_code remove_old(struct blobs *base, struct tenant_id tenant,
                                const struct sha256 *digest, int64_t before, bool *out_removed,
                                struct err *err)
{
    struct folder_blobs *blobs = (struct folder_blobs *)base;
    char path[PATH_TEXT];
    struct stat about;
    file_of(blobs, tenant, digest, path);
    CHECK(pthread_mutex_lock(lock_of(blobs, digest)) == 0);
    const bool old = stat(path, &about) == 0 && modified_at(&about) < before;
    *out_removed = old && unlink(path) == 0;
    const int why = errno;
    CHECK(pthread_mutex_unlock(lock_of(blobs, digest)) == 0);
    errno = why;
    return old && !*out_removed && why != ENOENT ? failed(err, "remove a file") : ERR_OK;
}

static enum err_code make_store(const char *folder, struct err *err)
{
    if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST) {
        return failed(err, "make its folder");
    }
    char temporary[PATH_TEXT];
    const int len = snprintf(temporary, PATH_TEXT, "%s/tmp", folder);
    /* Leaves room for the longest name below the folder. */
    if (len < 0 || len >= PATH_TEXT - 128) {
        return err_set(err, ERR_USAGE, "The path of the blob folder is too long.");
    }
    TRY(make_folder(temporary, folder, err));
    sweep_orphans(temporary, clock_wall().us - ORPHAN_AGE_US);
    return ERR_OK;
}

static char *folder_name(const struct ledger_target *target)
{
    char *name = NULL;
    const int len = target->folder != NULL ? asprintf(&name, "%s", target->folder)
                                           : asprintf(&name, "%s.blobs", database_path(target));
    CHECK(len >= 0);
    return name;
}

enum err_code sqlite_blobs_open(const struct ledger_target *target, struct blobs **out,
                                struct err *err)
{
    char *folder = folder_name(target);
    const enum err_code result = make_store(folder, err);
    if (result != ERR_OK) {
        free(folder);
        return result;
    }
    struct folder_blobs *blobs = calloc(1, sizeof(*blobs));
    CHECK(blobs != NULL);
    blobs->base = (struct blobs){.has = has,
                                 .put_begin = put_begin,
                                 .put_add = put_add,
                                 .put_finish = put_finish,
                                 .put_abandon = put_abandon,
                                 .get = get,
                                 .each_old = each_old,
                                 .remove_old = remove_old,
                                 .close = close_blobs};
    blobs->folder = folder;
    for (int i = 0; i < LOCKS; i++) {
        CHECK(pthread_mutex_init(&blobs->locks[i], NULL) == 0);
    }
    *out = &blobs->base;
    return ERR_OK;
}
