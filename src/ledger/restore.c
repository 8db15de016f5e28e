#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/json.h"
#include "ledger/backend.h"
#include "ledger/copy.h"
#include "platform/file.h"
#include "platform/folder.h"

enum { MANIFEST_MAX = 64 * 1024 };

/* What a backup says of itself. */
struct manifest {
    char digest[SHA256_HEX + 1];
    struct copied copied;
};

static const char scheme[] = "sqlite:";

static bool is_there(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

static enum err_code read_manifest(struct arena *arena, const char *folder, struct manifest *out,
                                   struct err *err)
{
    const char *path = arena_format(arena, "%s/manifest.json", folder).ptr;
    struct str text;
    json_t *value = NULL;
    if (!file_read(arena, path, MANIFEST_MAX, &text)) {
        return copy_failed(err, "read", path);
    }
    struct err why = {0};
    struct sha256 digest;
    const bool is_json = json_read(str_trim(text), &value, &why) == ERR_OK;
    const struct str hex = is_json ? json_text(json_object_get(value, "ledger_sha256")) : STR("");
    const bool is_known = is_json && json_integer_value(json_object_get(value, "v")) == 1 &&
                          sha256_parse(hex, &digest);
    if (is_known) {
        sha256_format(&digest, out->digest);
        out->copied.blobs = json_integer_value(json_object_get(value, "blobs"));
        out->copied.bytes = json_integer_value(json_object_get(value, "blob_bytes"));
    }
    json_decref(value);
    return is_known ? ERR_OK
                    : err_set(err, ERR_UNPROCESSABLE, "%s is not the manifest of a backup.", path);
}

static enum err_code check_digest(const struct manifest *manifest, const char *path,
                                  const char *digest, struct err *err)
{
    return strcmp(manifest->digest, digest) == 0
               ? ERR_OK
               : err_set(err, ERR_DIGEST_MISMATCH,
                         "%s is not what its manifest says: the backup is damaged; take another.",
                         path);
}

/* ---- Where it goes ---- */

static enum err_code open_paths(struct ledger_restore *restore, const struct ledger_target *target,
                                struct err *err)
{
    if (strncmp(target->url, scheme, strlen(scheme)) != 0) {
        return err_set(err, ERR_USAGE, "A backup folder is of an embedded ledger.");
    }
    const char *path = target->url + strlen(scheme);
    if (strlen(path) > COPY_PATH / 2) {
        return err_set(err, ERR_USAGE, "The path of the ledger is too long.");
    }
    const char *end = strrchr(path, '/');
    restore->ledger = arena_format(&restore->arena, "%s", path).ptr;
    restore->folder =
        end == NULL ? "." : arena_format(&restore->arena, "%.*s", (int)(end - path), path).ptr;
    restore->staged = arena_format(&restore->arena, "%s/restoring.partial", restore->folder).ptr;
    restore->target = *target;
    restore->target.url =
        arena_format(&restore->arena, "%s%s/ledger.db", scheme, restore->staged).ptr;
    return ERR_OK;
}

static const char *staged_path(struct ledger_restore *restore, const char *suffix)
{
    return arena_format(&restore->arena, "%s/ledger.db%s", restore->staged, suffix).ptr;
}

static const char *final_path(struct ledger_restore *restore, const char *suffix)
{
    return arena_format(&restore->arena, "%s%s", restore->ledger, suffix).ptr;
}

static enum err_code refuse_ledger(struct ledger_restore *restore, struct err *err)
{
    static const char *const parts[] = {"", "-wal", ".blobs"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const char *path = final_path(restore, parts[i]);
        /* Artifacts without a ledger may be what an interrupted restore had moved already. */
        const bool is_ours = i == 2 && is_there(restore->staged);
        if (is_there(path) && !is_ours) {
            return err_set(err, ERR_ALREADY_EXISTS,
                           "%s is there already: move the data folder away, or name another with "
                           "--data.",
                           path);
        }
    }
    return ERR_OK;
}

/* The same folder is restored into once at a time. */
static enum err_code lock_folder(struct ledger_restore *restore, struct err *err)
{
    restore->lock = open(restore->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (restore->lock < 0) {
        return copy_failed(err, "open", restore->folder);
    }
    return flock(restore->lock, LOCK_EX | LOCK_NB) == 0
               ? ERR_OK
               : err_set(err, ERR_LEDGER_LOCKED, "Another restore works in %s.", restore->folder);
}

/* What an interrupted restore left goes; its artifacts are used again. */
static enum err_code clear_staged(struct ledger_restore *restore, struct err *err)
{
    static const char *const parts[] = {"", "-wal", "-shm", ".lock"};
    if (mkdir(restore->staged, COPY_FOLDER_MODE) != 0 && errno != EEXIST) {
        return copy_failed(err, "make the folder", restore->staged);
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        (void)unlink(staged_path(restore, parts[i]));
    }
    const char *moved = final_path(restore, ".blobs");
    if (is_there(moved) && rename(moved, staged_path(restore, ".blobs")) != 0) {
        return copy_failed(err, "move", moved);
    }
    return ERR_OK;
}

/* ---- Copying ---- */

static enum err_code copy(struct ledger_restore *restore, const char *backup,
                          const struct manifest *manifest, void (*progress)(const char *),
                          struct err *err)
{
    char digest[SHA256_HEX + 1];
    const char *path = arena_format(&restore->arena, "%s/ledger.db", backup).ptr;
    const struct ledger_backend *backend = NULL;
    struct copied copied;
    progress("restore: copying the ledger");
    TRY(copy_file(path, staged_path(restore, ""), digest, err));
    TRY(check_digest(manifest, path, digest, err));
    progress("restore: checking the copy");
    TRY(ledger_backend_for(restore->target.url, &backend, err));
    TRY(backend->check(&restore->target, err));
    progress("restore: copying artifacts");
    const struct ledger_target from = {.url =
                                           arena_format(&restore->arena, "%s%s", scheme, path).ptr};
    TRY(copy_blobs(&from, &restore->target, &copied, err));
    if (copied.blobs != manifest->copied.blobs || copied.bytes != manifest->copied.bytes) {
        return err_set(err, ERR_DIGEST_MISMATCH,
                       "%s has %lld artifacts of %lld bytes, its manifest says %lld of %lld: the "
                       "backup is not whole.",
                       backup, (long long)copied.blobs, (long long)copied.bytes,
                       (long long)manifest->copied.blobs, (long long)manifest->copied.bytes);
    }
    return ERR_OK;
}

enum err_code ledger_restore_check(const struct ledger_target *target, const char *backup,
                                   struct err *err)
{
    struct ledger_restore restore = {.lock = -1};
    struct manifest manifest;
    char digest[SHA256_HEX + 1];
    arena_init(&restore.arena, (size_t)1 << 20);
    enum err_code code = open_paths(&restore, target, err);
    if (code == ERR_OK) {
        code = refuse_ledger(&restore, err);
    }
    if (code == ERR_OK) {
        code = read_manifest(&restore.arena, backup, &manifest, err);
    }
    if (code == ERR_OK) {
        const char *path = arena_format(&restore.arena, "%s/ledger.db", backup).ptr;
        code = copy_file(path, NULL, digest, err);
        code = code == ERR_OK ? check_digest(&manifest, path, digest, err) : code;
    }
    arena_fini(&restore.arena);
    return code;
}

static enum err_code begin(struct ledger_restore *restore, const struct ledger_target *target,
                           const char *backup, void (*progress)(const char *), struct err *err)
{
    struct manifest manifest;
    TRY(open_paths(restore, target, err));
    TRY(lock_folder(restore, err));
    TRY(refuse_ledger(restore, err));
    TRY(read_manifest(&restore->arena, backup, &manifest, err));
    TRY(clear_staged(restore, err));
    return copy(restore, backup, &manifest, progress, err);
}

enum err_code ledger_restore_begin(struct ledger_restore *restore,
                                   const struct ledger_target *target, const char *backup,
                                   void (*progress)(const char *), struct err *err)
{
    *restore = (struct ledger_restore){.lock = -1};
    arena_init(&restore->arena, (size_t)1 << 20);
    return begin(restore, target, backup, progress, err);
}

enum err_code ledger_restore_finish(struct ledger_restore *restore, struct err *err)
{
    const char *blobs = staged_path(restore, ".blobs");
    struct ledger *last = NULL;
    /* The last connection, and one that writes: it folds the log in as it closes. */
    TRY(ledger_open(&restore->target, &last, err));
    ledger_close(last);
    CHECK(!is_there(staged_path(restore, "-wal")));
    if (!folder_sync(restore->staged)) {
        return copy_failed(err, "sync", restore->staged);
    }
    if (is_there(blobs) && rename(blobs, final_path(restore, ".blobs")) != 0) {
        return copy_failed(err, "move", blobs);
    }
    /* The ledger comes last, and replaces nothing that came meanwhile. */
    const char *ledger = staged_path(restore, "");
    if (renameat2(AT_FDCWD, ledger, AT_FDCWD, restore->ledger, RENAME_NOREPLACE) != 0) {
        return copy_failed(err, "move", ledger);
    }
    (void)unlink(staged_path(restore, ".lock"));
    (void)rmdir(restore->staged);
    return folder_sync(restore->folder) ? ERR_OK : copy_failed(err, "sync", restore->folder);
}

void ledger_restore_end(struct ledger_restore *restore)
{
    if (restore->lock >= 0) {
        (void)close(restore->lock);
    }
    arena_fini(&restore->arena);
}
