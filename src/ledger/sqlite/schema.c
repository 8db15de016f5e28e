#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/check.h"
#include "ledger/sqlite/backend.h"
#include "platform/clock.h"

enum { PATH_TEXT = 4096, FILE_MODE = 0600 };

static int64_t real_clock(void)
{
    return clock_wall().us;
}

static int64_t (*clock_now)(void) = real_clock;

void ledger_sqlite_set_clock(int64_t (*now_us)(void))
{
    clock_now = now_us != NULL ? now_us : real_clock;
}

int64_t ledger_sqlite_now(void)
{
    return clock_now();
}

enum err_code lock_take(const char *path, int *out_lock, struct err *err)
{
    char name[PATH_TEXT];
    const int len = snprintf(name, sizeof(name), "%s.lock", path);
    if (len < 0 || len >= PATH_TEXT) {
        return err_set(err, ERR_USAGE, "The ledger's path is too long.");
    }
    const int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (lock < 0) {
        return err_set(err, ERR_LEDGER_UNAVAILABLE, "The lock file %s does not open: %s.", name,
                       strerror(errno));
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        const int why = errno;
        close(lock);
        return why == EWOULDBLOCK
                   ? err_set(err, ERR_LEDGER_LOCKED, "The ledger %s is in use.", path)
                   : err_set(err, ERR_LEDGER_UNAVAILABLE, "The lock file %s cannot be locked: %s.",
                             name, strerror(why));
    }
    *out_lock = lock;
    return ERR_OK;
}

void lock_release(int lock)
{
    close(lock);
}

/* Made empty and private first, so that the log and its index inherit the mode. Nobody has it open
 * yet: closing a descriptor of a file that SQLite has open would drop its locks. */
static void create_private(const char *path)
{
    const int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (file >= 0) {
        close(file);
    }
}

static enum err_code insert_meta(sqlite3 *db, struct err *err)
{
    struct hash_key seed;
    CHECK(getrandom(&seed, sizeof(seed), 0) == (ssize_t)sizeof(seed));
    sqlite3_stmt *meta = database_prepare_named(db, &sqlite_session, "insert_meta");
    CHECK(sqlite3_bind_int64(meta, 1, SCHEMA_VERSION) == SQLITE_OK);
    bind_bytes(meta, 2, (struct str){(const char *)&seed, sizeof(seed)});
    CHECK(sqlite3_bind_int64(meta, 3, ledger_sqlite_now()) == SQLITE_OK);
    const enum err_code result = database_run(db, meta, err);
    sqlite3_finalize(meta);
    return result;
}

static enum err_code insert_shards(sqlite3 *db, struct err *err)
{
    sqlite3_stmt *insert = database_prepare_named(db, &sqlite_session, "insert_shard");
    enum err_code result = ERR_OK;
    for (int shard = 0; shard < SHARD_COUNT && result == ERR_OK; shard++) {
        CHECK(sqlite3_bind_int64(insert, 1, shard) == SQLITE_OK);
        result = database_run(db, insert, err);
    }
    sqlite3_finalize(insert);
    return result;
}

static enum err_code write_schema(sqlite3 *db, struct err *err)
{
    if (sqlite3_exec(db, sqlite_schema_001.statements[0].sql, NULL, NULL, NULL) != SQLITE_OK) {
        return database_error(db, err);
    }
    TRY(insert_meta(db, err));
    TRY(insert_shards(db, err));
    return database_once(db, "commit", NULL, err);
}

static enum err_code migrate_file(sqlite3 *db, void (*progress)(const char *), struct err *err)
{
    TRY(database_once(db, "journal_mode_wal", NULL, err));
    TRY(database_once(db, "synchronous_full", NULL, err));
    TRY(database_once(db, "begin", NULL, err));
    int64_t has_schema = 0;
    enum err_code result = database_once(db, "has_schema", &has_schema, err);
    if (result == ERR_OK && has_schema == 0) {
        result = write_schema(db, err);
        if (result == ERR_OK) {
            progress("ledger: schema 1 written");
            return ERR_OK;
        }
    }
    if (sqlite3_get_autocommit(db) == 0) {
        struct err ignored = {0};
        (void)database_once(db, "rollback", NULL, &ignored);
    }
    TRY(result);
    struct hash_key seed;
    TRY(database_check_schema(db, &seed, err));
    progress("ledger: schema 1 is up to date");
    return ERR_OK;
}

enum err_code sqlite_migrate(const struct ledger_target *target, void (*progress)(const char *),
                             struct err *err)
{
    const char *path = database_path(target);
    int lock = -1;
    TRY(lock_take(path, &lock, err));
    create_private(path);
    sqlite3 *db = NULL;
    enum err_code result =
        database_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db, err);
    if (result == ERR_OK) {
        result = migrate_file(db, progress, err);
        database_close(db);
    }
    lock_release(lock);
    return result;
}
