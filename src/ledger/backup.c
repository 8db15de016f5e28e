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
#include "ledger/copy.h"
#include "platform/folder.h"

enum { PATH_TEXT = COPY_PATH };

struct backup {
    const struct ledger_target *from;
    char folder[PATH_TEXT]; /* While it is made. */
    struct arena arena;
    struct copied copied;
    struct err *err;
    void (*progress)(const char *line);
};

static void path_in(const struct backup *backup, const char *name, char out[PATH_TEXT])
{
    CHECK(snprintf(out, PATH_TEXT, "%.4000s/%s", backup->folder, name) < PATH_TEXT);
}

/* ---- Manifest ---- */

static enum err_code write_file(const char *path, struct str text, struct err *err)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, COPY_FILE_MODE);
    if (file < 0) {
        return copy_failed(err, "write", path);
    }
    const bool done = write(file, text.ptr, text.len) == (ssize_t)text.len && fsync(file) == 0;
    return close(file) == 0 && done ? ERR_OK : copy_failed(err, "write", path);
}

static enum err_code write_manifest(struct backup *backup, int64_t now_us)
{
    char path[PATH_TEXT];
    char digest[SHA256_HEX + 1];
    char at[TIME_TEXT];
    struct json_writer w;
    path_in(backup, "ledger.db", path);
    TRY(copy_file(path, NULL, digest, backup->err));
    time_format((struct wall_time){now_us}, at);
    CLEANUP(buf_fini) struct buf text;
    buf_init(&text, PATH_TEXT);
    json_begin(&w, &text);
    json_put_object(&w);
    JSON_INT(&w, "blob_bytes", backup->copied.bytes);
    JSON_INT(&w, "blobs", backup->copied.blobs);
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
    TRY(copy_blobs(backup->from, &copy, &backup->copied, backup->err));
    remove_traces(backup);
    TRY(write_manifest(backup, now_us));
    return folder_sync(backup->folder) ? ERR_OK : copy_failed(backup->err, "sync", backup->folder);
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
        mkdir(backup.folder, COPY_FOLDER_MODE) != 0) {
        return copy_failed(err, "make the folder", backup.folder);
    }
    arena_init(&backup.arena, (size_t)64 << 20);
    enum err_code code = fill(&backup, backend, now_us);
    if (code == ERR_OK && (rename(backup.folder, folder) != 0 || !sync_parent(folder))) {
        code = copy_failed(err, "name the folder", folder);
    }
    if (code != ERR_OK) {
        (void)rmdir(backup.folder); /* Unless something is in it, which may be looked at. */
    }
    arena_fini(&backup.arena);
    return code;
}
