#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "ledger/sqlite/backend.h"

/* 16 MiB at a time, so that progress is told now and then. */
enum { PAGES_A_STEP = 4096 };

/* One read transaction from here on: what others commit meanwhile is neither seen nor in the way,
 * and the copy never has to begin anew. */
static enum err_code snapshot(sqlite3 *db, struct err *err)
{
    struct hash_key seed;
    TRY(database_once(db, "begin_snapshot", NULL, err));
    return database_check_schema(db, &seed, err);
}

static enum err_code copy_pages(sqlite3 *from, sqlite3 *to, void (*progress)(const char *),
                                struct err *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL) {
        return database_error(to, err);
    }
    int told = 0;
    int code = SQLITE_OK;
    while ((code = sqlite3_backup_step(backup, PAGES_A_STEP)) == SQLITE_OK) {
        const int pages = sqlite3_backup_pagecount(backup);
        const int percent = 100 - (int)(100LL * sqlite3_backup_remaining(backup) / pages);
        if (percent >= told + 10) {
            char line[64];
            (void)snprintf(line, sizeof(line), "backup: %d %% of the ledger", percent);
            progress(line);
            told = percent;
        }
    }
    (void)sqlite3_backup_finish(backup);
    return code == SQLITE_DONE ? ERR_OK : database_error(to, err);
}

/* Every page and index of the copy is read. */
static enum err_code check_copy(sqlite3 *db, struct err *err)
{
    int64_t faults = 0;
    TRY(database_once(db, "integrity_faults", &faults, err));
    if (faults > 0) {
        return err_set(err, ERR_INTERNAL,
                       "The copy does not pass the integrity check; look at the ledger itself with "
                       "stella orchestrator doctor.");
    }
    return ERR_OK;
}

enum err_code sqlite_backup(const struct ledger_target *target, const char *file,
                            void (*progress)(const char *), struct err *err)
{
    sqlite3 *from = NULL;
    sqlite3 *to = NULL;
    TRY(database_open_reading(database_path(target), &from, err));
    enum err_code code = snapshot(from, err);
    if (code == ERR_OK) {
        code = database_open(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &to, err);
    }
    if (code == ERR_OK) {
        code = database_once(to, "synchronous_full", NULL, err);
    }
    if (code == ERR_OK) {
        code = copy_pages(from, to, progress, err);
    }
    database_close(from);
    if (code == ERR_OK) {
        progress("backup: checking the copy");
        code = check_copy(to, err);
    }
    if (to != NULL) {
        database_close(to);
    }
    return code;
}

enum err_code sqlite_check(const struct ledger_target *target, struct err *err)
{
    sqlite3 *db = NULL;
    struct hash_key seed;
    TRY(database_open_reading(database_path(target), &db, err));
    enum err_code code = database_check_schema(db, &seed, err);
    if (code == ERR_OK) {
        code = check_copy(db, err);
    }
    database_close(db);
    return code;
}
