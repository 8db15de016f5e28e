#include "ledger/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ledger/backend.h"

enum { PIECE = 1 << 16 };

enum err_code copy_failed(struct err *err, const char *what, const char *path)
{
    return err_set(err, ERR_IO, "Cannot %s %s: %s.", what, path, strerror(errno));
}

/* ---- Blobs ---- */

struct copying {
    struct blobs *source;
    struct blobs *copy;
    struct tenant_id tenant; /* Whose blobs are copied. */
    struct copied done;
    struct err *err;
    enum err_code code;
};

struct piece {
    struct copying *copying;
    struct blob_writer *writer;
};

static bool add_piece(void *ctx, struct str bytes)
{
    const struct piece *piece = ctx;
    struct copying *copying = piece->copying;
    copying->done.bytes += (int64_t)bytes.len;
    copying->code = copying->copy->put_add(piece->writer, bytes, copying->err);
    return copying->code == ERR_OK;
}

/* The writer checks the digest: a blob that is damaged is not copied unseen. */
static bool copy_blob(void *ctx, const struct sha256 *digest)
{
    struct copying *copying = ctx;
    struct piece piece = {.copying = copying};
    copying->code = copying->copy->put_begin(copying->copy, copying->tenant, digest, &piece.writer,
                                             copying->err);
    if (copying->code != ERR_OK) {
        return false;
    }
    const enum err_code read = copying->source->get(copying->source, copying->tenant, digest, 0,
                                                    add_piece, &piece, copying->err);
    if (read == ERR_NOT_FOUND) {
        copying->copy->put_abandon(piece.writer);
        return true; /* Nothing names it: it was swept meanwhile. */
    }
    copying->code = read != ERR_OK ? read : copying->code;
    if (copying->code != ERR_OK) {
        copying->copy->put_abandon(piece.writer);
        return false;
    }
    copying->code = copying->copy->put_finish(piece.writer, copying->err);
    copying->done.blobs++;
    return copying->code == ERR_OK;
}

static enum err_code copy_blobs_of(struct copying *copying, const struct query_result *tenants)
{
    for (size_t i = 0; i < tenants->rows; i++) {
        copying->tenant.v = (int32_t)query_int(tenants, i, "tenant");
        TRY(copying->source->each_old(copying->source, copying->tenant, INT64_MAX, copy_blob,
                                      copying, copying->err));
        TRY(copying->code);
    }
    return ERR_OK;
}

static enum err_code read_tenants(const struct ledger_target *target, struct arena *arena,
                                  struct query_result *out, struct err *err)
{
    struct reader *reader = NULL;
    const struct query query = {.name = "dump_tenants", .arena = arena};
    TRY(reader_open(target, &reader, err));
    const enum err_code code = reader_query(reader, &query, out, err);
    reader_close(reader);
    return code;
}

static enum err_code open_and_copy(struct copying *copying, const struct ledger_target *from,
                                   const struct ledger_target *to,
                                   const struct query_result *tenants)
{
    TRY(blobs_open(from, &copying->source, copying->err));
    enum err_code code = blobs_open(to, &copying->copy, copying->err);
    if (code == ERR_OK) {
        code = copy_blobs_of(copying, tenants);
        copying->copy->close(copying->copy);
    }
    copying->source->close(copying->source);
    return code;
}

/* What the copied ledger names is there: only blobs that nothing names are ever removed. */
enum err_code copy_blobs(const struct ledger_target *from, const struct ledger_target *to,
                         struct copied *out, struct err *err)
{
    struct copying copying = {.err = err};
    struct query_result tenants;
    struct arena arena;
    arena_init(&arena, (size_t)64 << 20);
    enum err_code code = read_tenants(to, &arena, &tenants, err);
    if (code == ERR_OK) {
        code = open_and_copy(&copying, from, to, &tenants);
    }
    arena_fini(&arena);
    *out = copying.done;
    return code;
}

/* ---- Files ---- */

static bool write_all(int file, const char *bytes, size_t n)
{
    size_t done = 0;
    while (done < n) {
        const ssize_t written = write(file, bytes + done, n - done);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        done += written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* `copy` is -1 when only the digest is asked for. */
static enum err_code read_file(int file, int copy, const char *path, const char *to,
                               struct sha256_stream *stream, struct err *err)
{
    char piece[PIECE];
    ssize_t n = 0;
    while ((n = read(file, piece, sizeof(piece))) > 0) {
        sha256_stream_add(stream, (struct str){piece, (size_t)n});
        if (copy >= 0 && !write_all(copy, piece, (size_t)n)) {
            return copy_failed(err, "write", to);
        }
    }
    if (n < 0) {
        return copy_failed(err, "read", path);
    }
    return copy < 0 || fsync(copy) == 0 ? ERR_OK : copy_failed(err, "sync", to);
}

enum err_code copy_file(const char *path, const char *to, char out_digest[SHA256_HEX + 1],
                        struct err *err)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return copy_failed(err, "read", path);
    }
    const int copy =
        to == NULL ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, COPY_FILE_MODE);
    struct sha256_stream *stream = sha256_stream_new();
    const enum err_code code = to != NULL && copy < 0
                                   ? copy_failed(err, "write", to)
                                   : read_file(file, copy, path, to, stream, err);
    const struct sha256 digest = sha256_stream_finish(stream);
    sha256_format(&digest, out_digest);
    sha256_stream_free(stream);
    if (copy >= 0) {
        (void)close(copy);
    }
    (void)close(file);
    return code;
}
