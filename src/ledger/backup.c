#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/json.h"
#include "base/time.h"
#include "ledger/backend.h"
#include "platform/folder.h"

enum { PATH_TEXT = 4096, FOLDER_MODE = 0700, FILE_MODE = 0600, PIECE = 1 << 16 };

struct backup {
    const struct ledger_target *from;
    char folder[PATH_TEXT]; /* While it is made. */
    struct arena arena;
    struct blobs *source;
    struct blobs *copy;
    struct tenant_id tenant; /* Whose blobs are copied. */
    int64_t blobs;
    int64_t bytes; /* Of blobs. */
    struct err *err;
    enum err_code code;
    void (*progress)(const char *line);
};

static enum err_code failed(struct err *err, const char *what, const char *path)
{
    return err_set(err, ERR_IO, "Cannot %s %s: %s.", what, path, strerror(errno));
}

static void path_in(const struct backup *backup, const char *name, char out[PATH_TEXT])
{
    CHECK(snprintf(out, PATH_TEXT, "%.4000s/%s", backup->folder, name) < PATH_TEXT);
}

/* ---- Blobs ---- */

struct piece {
    struct backup *backup;
    struct blob_writer *writer;
};

static bool add_piece(void *ctx, struct str bytes)
{
    const struct piece *piece = ctx;
    struct backup *backup = piece->backup;
    backup->bytes += (int64_t)bytes.len;
    backup->code = backup->copy->put_add(piece->writer, bytes, backup->err);
    return backup->code == ERR_OK;
}

/* The writer checks the digest: a blob that is damaged is not copied unseen. */
static bool copy_blob(void *ctx, const struct sha256 *digest)
{
    struct backup *backup = ctx;
    struct piece piece = {.backup = backup};
    backup->code =
        backup->copy->put_begin(backup->copy, backup->tenant, digest, &piece.writer, backup->err);
    if (backup->code != ERR_OK) {
        return false;
    }
    const enum err_code read = backup->source->get(backup->source, backup->tenant, digest, 0,
                                                   add_piece, &piece, backup->err);
    if (read == ERR_NOT_FOUND) {
        backup->copy->put_abandon(piece.writer);
        return true; /* Nothing names it: it was swept meanwhile. */
    }
    backup->code = read != ERR_OK ? read : backup->code;
    if (backup->code != ERR_OK) {
        backup->copy->put_abandon(piece.writer);
        return false;
    }
    backup->code = backup->copy->put_finish(piece.writer, backup->err);
    backup->blobs++;
    return backup->code == ERR_OK;
}

static enum err_code copy_blobs_of(struct backup *backup, const struct query_result *tenants)
{
    for (size_t i = 0; i < tenants->rows; i++) {
        backup->tenant.v = (int32_t)query_int(tenants, i, "tenant");
        TRY(backup->source->each_old(backup->source, backup->tenant, INT64_MAX, copy_blob, backup,
                                     backup->err));
        TRY(backup->code);
    }
    return ERR_OK;
}

/* Those of the tenants that the copied ledger has. What it names is there: only blobs that nothing
 * names are ever removed. */
static enum err_code copy_blobs(struct backup *backup, const struct ledger_target *copy)
{
    struct reader *reader = NULL;
    struct query query = {.name = "dump_tenants", .arena = &backup->arena};
    struct query_result tenants;
    TRY(reader_open(copy, &reader, backup->err));
    enum err_code code = reader_query(reader, &query, &tenants, backup->err);
    reader_close(reader);
    TRY(code);
    TRY(blobs_open(backup->from, &backup->source, backup->err));
    code = blobs_open(copy, &backup->copy, backup->err);
    if (code == ERR_OK) {
        code = copy_blobs_of(backup, &tenants);
        backup->copy->close(backup->copy);
    }
    backup->source->close(backup->source);
    return code;
}

/* ---- Manifest ---- */

static enum err_code digest_of(const char *path, char out[SHA256_HEX + 1], struct err *err)
{
    char piece[PIECE];
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return failed(err, "read", path);
    }
    struct sha256_stream *stream = sha256_stream_new();
    size_t n = 0;
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0) {
        sha256_stream_add(stream, (struct str){piece, n});
    }
    const bool is_whole = ferror(file) == 0;
    const struct sha256 digest = sha256_stream_finish(stream);
    sha256_stream_free(stream);
    (void)fclose(file);
    sha256_format(&digest, out);
    return is_whole ? ERR_OK : failed(err, "read", path);
}

static enum err_code write_file(const char *path, struct str text, struct err *err)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (file < 0) {
        return failed(err, "write", path);
    }
    const bool done = write(file, text.ptr, text.len) == (ssize_t)text.len && fsync(file) == 0;
    return close(file) == 0 && done ? ERR_OK : failed(err, "write", path);
}

static enum err_code write_manifest(struct backup *backup, int64_t now_us)
{
    char path[PATH_TEXT];
    char digest[SHA256_HEX + 1];
    char at[TIME_TEXT];
    struct json_writer w;
    path_in(backup, "ledger.db", path);
    TRY(digest_of(path, digest, backup->err));
    time_format((struct wall_time){now_us}, at);
    CLEANUP(buf_fini) struct buf text;
    buf_init(&text, PATH_TEXT);
    json_begin(&w, &text);
    json_put_object(&w);
    JSON_INT(&w, "blob_bytes", backup->bytes);
    JSON_INT(&w, "blobs", backup->blobs);
    JSON_STR(&w, "created_at", str_from(at));
    JSON_STR(&w, "ledger_sha256", str_from(digest));
    JSON_INT(&w, "v", 1);
    json_put_object_end(&w);
    buf_char(&text, '\n');
    path_in(backup, "manifest.json", path);
    return write_file(path, buf_get(&text), backup->err);
}

/* ---- The whole ---- */

/* What reading the copy leaves beside it: an empty log and its index. */
static void remove_traces(const struct backup *backup)
{
    static const char *const names[] = {"ledger.db-wal", "ledger.db-shm"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[PATH_TEXT];
        path_in(backup, names[i], path);
        (void)unlink(path);
    }
}

static enum err_code fill(struct backup *backup, const struct ledger_backend *backend,
                          int64_t now_us)
{
    char file[PATH_TEXT];
    path_in(backup, "ledger.db", file);
    TRY(backend->backup(backup->from, file, backup->progress, backup->err));
    const struct ledger_target copy = {.url = arena_format(&backup->arena, "sqlite:%s", file).ptr};
    backup->progress("backup: copying artifacts");
    TRY(copy_blobs(backup, &copy));
    remove_traces(backup);
    TRY(write_manifest(backup, now_us));
    return folder_sync(backup->folder) ? ERR_OK : failed(backup->err, "sync", backup->folder);
}

static bool sync_parent(const char *folder)
{
    char path[PATH_TEXT];
    const int len = snprintf(path, PATH_TEXT, "%.4000s/..", folder);
    return len < PATH_TEXT && folder_sync(path);
}

enum err_code ledger_backup(const struct ledger_target *target, const char *folder, int64_t now_us,
                            void (*progress)(const char *), struct err *err)
{
    const struct ledger_backend *backend = NULL;
    struct backup backup = {.from = target, .progress = progress, .err = err};
    struct stat about;
    TRY(ledger_backend_for(target->url, &backend, err));
    if (backend->backup == NULL) {
        return err_set(err, ERR_USAGE,
                       "PostgreSQL makes its own backups: use pg_dump or pg_basebackup "
                       "(docs/operate/backup.md).");
    }
    if (stat(folder, &about) == 0) {
        return err_set(err, ERR_USAGE, "%s is there already; name a folder that is not.", folder);
    }
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/') {
        len--;
    }
    if (len > PATH_TEXT / 2) {
        return err_set(err, ERR_USAGE, "The path of the folder is too long.");
    }
    if (snprintf(backup.folder, PATH_TEXT, "%.*s.partial", (int)len, folder) >= PATH_TEXT ||
        mkdir(backup.folder, FOLDER_MODE) != 0) {
        return failed(err, "make the folder", backup.folder);
    }
    arena_init(&backup.arena, (size_t)64 << 20);
    enum err_code code = fill(&backup, backend, now_us);
    if (code == ERR_OK && (rename(backup.folder, folder) != 0 || !sync_parent(folder))) {
        code = failed(err, "name the folder", folder);
    }
    if (code != ERR_OK) {
        (void)rmdir(backup.folder); /* Unless something is in it, which may be looked at. */
    }
    arena_fini(&backup.arena);
    return code;
}
