#include "ledger/sqlite/backend.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* The writer takes care of the log itself: above this, before the next group. */
#define WAL_MAX (INT64_C(64) << 20)

static int64_t wal_max = WAL_MAX;

enum { SUBMIT_CAP = 200, CACHE_MIB = 64, WAL_FRAME_HEADER = 24, CHECKPOINT_BUSY_MS = 50 };

static struct sqlite_ledger *of(struct ledger *ledger)
{
    return (struct sqlite_ledger *)ledger;
}

void ledger_sqlite_set_wal_max(int64_t bytes)
{
    wal_max = bytes > 0 ? bytes : WAL_MAX;
}

static int on_commit(void *ctx, sqlite3 *db, const char *schema, int frames)
{
    (void)db;
    (void)schema;
    struct sqlite_ledger *ledger = ctx;
    ledger->wal_bytes = frames * (ledger->page_size + WAL_FRAME_HEADER);
    return SQLITE_OK;
}

/* Set and asserted: a library built with other defaults must not weaken what is promised. */
static enum err_code set_durable(struct sqlite_ledger *ledger, struct err *err)
{
    sqlite3 *db = ledger->db;
    TRY(database_once(db, "journal_mode_wal", NULL, err));
    sqlite3_stmt *mode = database_prepare_named(db, &sqlite_session, "journal_mode");
    const bool is_wal = sqlite3_step(mode) == SQLITE_ROW &&
                        strcmp((const char *)sqlite3_column_text(mode, 0), "wal") == 0;
    sqlite3_finalize(mode);
    if (!is_wal) {
        return err_set(err, ERR_LEDGER_UNAVAILABLE, "This file system cannot keep a WAL.");
    }
    int64_t level = 0;
    TRY(database_once(db, "synchronous_full", NULL, err));
    TRY(database_once(db, "synchronous", &level, err));
    CHECK(level == 2);
    TRY(database_once(db, "no_autocheckpoint", NULL, err));
    TRY(database_once(db, "journal_size_limit", NULL, err));
    TRY(database_once(db, "page_size", &ledger->page_size, err));
    ledger->wal_max = wal_max;
    ledger->checkpoint_at = wal_max;
    sqlite3_wal_hook(db, on_commit, ledger);
    return ERR_OK;
}

static enum err_code set_cache(sqlite3 *db, int32_t mib, struct err *err)
{
    /* A setting's value cannot be a parameter: the statement is a format of one number. */
    const struct statement *format = statement_find(&sqlite_session, STR("cache_size"));
    char *sql = sqlite3_mprintf(format->sql, mib * 1024);
    CHECK(sql != NULL);
    const int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    TRY(code == SQLITE_OK ? ERR_OK : database_error(db, err));
    return database_once(db, "temp_in_memory", NULL, err);
}

static void close_ledger(struct ledger *base)
{
    struct sqlite_ledger *ledger = of(base);
    if (ledger->db != NULL) {
        database_close(ledger->db);
    }
    packer_free(ledger->packer);
    if (ledger->lock >= 0) {
        lock_release(ledger->lock);
    }
    free(ledger);
}

static enum err_code open_file(struct sqlite_ledger *ledger, const struct ledger_target *target,
                               struct err *err)
{
    const char *path = database_path(target);
    TRY(lock_take(path, &ledger->lock, err));
    TRY(database_open(path, SQLITE_OPEN_READWRITE, &ledger->db, err));
    TRY(database_check_schema(ledger->db, &ledger->base.seed, err));
    TRY(set_durable(ledger, err));
    TRY(set_cache(ledger->db, target->cache_mib > 0 ? target->cache_mib : CACHE_MIB, err));
    ledger->begin = database_prepare_named(ledger->db, &sqlite_session, "begin");
    ledger->commit = database_prepare_named(ledger->db, &sqlite_session, "commit");
    ledger->rollback = database_prepare_named(ledger->db, &sqlite_session, "rollback");
    load_prepare(ledger);
    apply_prepare(ledger);
    return ERR_OK;
}

static enum err_code open_ledger(const struct ledger_target *target, struct ledger **out,
                                 struct err *err)
{
    struct sqlite_ledger *ledger = calloc(1, sizeof(*ledger));
    CHECK(ledger != NULL);
    ledger->base.backend = &ledger_sqlite;
    ledger->lock = -1;
    ledger->packer = packer_new();
    const enum err_code result = open_file(ledger, target, err);
    if (result != ERR_OK) {
        close_ledger(&ledger->base);
        return result;
    }
    *out = &ledger->base;
    return ERR_OK;
}

/* Moves the log into the file. What cannot be moved now (a reader holds it, the disk is full)
 * stays in the log, where it is just as safe. */
static void checkpoint(struct sqlite_ledger *ledger)
{
    /* When all is moved, new readers read the file alone: only those that are at work now can be
     * in the way, and not for long. */
    sqlite3_busy_timeout(ledger->db, CHECKPOINT_BUSY_MS);
    const int code =
        sqlite3_wal_checkpoint_v2(ledger->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    if (code == SQLITE_OK) {
        ledger->wal_bytes = 0;
        ledger->checkpoint_at = ledger->wal_max;
    } else {
        struct err ignored = {0};
        (void)database_error(ledger->db, &ignored);
        ledger->checkpoint_at = ledger->wal_bytes + ledger->wal_max / 4;
    }
    sqlite3_busy_timeout(ledger->db, BUSY_MS);
}

static void give_up(struct sqlite_ledger *ledger)
{
    ledger->in_group = false;
    if (sqlite3_get_autocommit(ledger->db) == 0) {
        /* Can only fail by what fails the group anyway; SQLite has rolled back then. */
        struct err ignored = {0};
        (void)database_run(ledger->db, ledger->rollback, &ignored);
    }
    CHECK(sqlite3_get_autocommit(ledger->db) != 0);
}

static enum err_code begin_group(struct sqlite_ledger *ledger, struct facts *facts, struct err *err)
{
    facts->clock = ledger_sqlite_now();
    TRY(load_shards(ledger, facts, err));
    return load_wants(ledger, facts, err);
}

static enum err_code begin(struct ledger *base, const int16_t *shards, size_t count,
                           struct facts *facts, struct err *err)
{
    struct sqlite_ledger *ledger = of(base);
    CHECK(!ledger->in_group);
    if (ledger->wal_bytes >= ledger->checkpoint_at) {
        checkpoint(ledger);
    }
    TRY(database_run(ledger->db, ledger->begin, err));
    ledger->in_group = true;
    memcpy(ledger->shards, shards, count * sizeof(*shards));
    ledger->shard_count = count;
    const enum err_code result = begin_group(ledger, facts, err);
    if (result != ERR_OK) {
        give_up(ledger);
    }
    return result;
}

static enum err_code load(struct ledger *base, struct facts *facts, struct err *err)
{
    struct sqlite_ledger *ledger = of(base);
    CHECK(ledger->in_group);
    const enum err_code result = load_wants(ledger, facts, err);
    if (result != ERR_OK) {
        give_up(ledger);
    }
    return result;
}

static enum err_code write_group(struct sqlite_ledger *ledger, const struct plan *plan,
                                 struct facts *facts, struct err *err)
{
    TRY(load_fetched_jobs(ledger, facts, err));
    TRY(apply_plan(ledger, plan, facts, err));
    return database_run(ledger->db, ledger->commit, err);
}

static enum err_code commit(struct ledger *base, const struct plan *plan, struct facts *facts,
                            struct err *err)
{
    struct sqlite_ledger *ledger = of(base);
    CHECK(ledger->in_group);
    const enum err_code result = write_group(ledger, plan, facts, err);
    if (result != ERR_OK) {
        give_up(ledger);
    }
    ledger->in_group = false;
    return result;
}

static void rollback(struct ledger *base)
{
    struct sqlite_ledger *ledger = of(base);
    CHECK(ledger->in_group);
    give_up(ledger);
}

static enum err_code was_committed(struct ledger *base, const int16_t *shards, size_t count,
                                   int64_t group, bool *out_committed, struct err *err)
{
    struct sqlite_ledger *ledger = of(base);
    CHECK(!ledger->in_group);
    (void)count;
    return load_was_committed(ledger, shards[0], group, out_committed, err);
}

const struct ledger_backend ledger_sqlite = {
    .name = "sqlite",
    .single_writer = true,
    .submit_cap = SUBMIT_CAP,
    .migrate = sqlite_migrate,
    .open = open_ledger,
    .close = close_ledger,
    .begin = begin,
    .load = load,
    .commit = commit,
    .rollback = rollback,
    .was_committed = was_committed,
    .reader_open = sqlite_reader_open,
    .reader_close = sqlite_reader_close,
    .reader_query = sqlite_reader_query,
    .snapshot_begin = sqlite_snapshot_begin,
    .snapshot_load = sqlite_snapshot_load,
    .snapshot_end = sqlite_snapshot_end,
    .blobs_open = sqlite_blobs_open,
    .backup = sqlite_backup,
    .check = sqlite_check,
};
