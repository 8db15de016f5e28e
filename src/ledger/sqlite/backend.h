/*
 * ledger/sqlite/backend - the writing side of a SQLite ledger.
 *
 *   idle ──begin──▶ in a group ──load…──▶ ──commit──▶ idle
 *     ▲                 └──────rollback, or any error──┘
 *
 * One connection writes and checkpoints (3.40 can corrupt a file when two do); readers are
 * read-only. A lock file beside the ledger keeps every other process out.
 */
#ifndef LEDGER_SQLITE_BACKEND_H
#define LEDGER_SQLITE_BACKEND_H

#include "ledger/compress.h"
#include "ledger/sqlite/database.h"

/* One statement that answers a want. */
struct load_statement {
    sqlite3_stmt *statement;
    enum table_id table;
    size_t field_count;
    uint8_t fields[STATEMENT_ARGS_MAX]; /* enum want_field, in the order of the parameters. */
};

/* Answers wants over one connection: the writer's, or a reader's. */
struct loader {
    sqlite3 *db;
    struct load_statement wants[WANT_COUNT][WANT_LOADS_MAX];
    struct load_statement open_heads;
};

struct load_statements {
    struct loader loader;
    sqlite3_stmt *shard;
    sqlite3_stmt *tick;
};

struct apply_statements {
    sqlite3_stmt *insert[TABLE_COUNT];
    sqlite3_stmt *update[TABLE_COUNT]; /* Null where every column is of the key. */
    sqlite3_stmt *remove[TABLE_COUNT];
    sqlite3_stmt *chunk;
    sqlite3_stmt *tick;
    sqlite3_stmt *old_ticks;
};

struct sqlite_ledger {
    struct ledger base;
    sqlite3 *db;
    int lock; /* File descriptor of the lock file. */
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    sqlite3_stmt *rollback;
    struct load_statements load;
    struct apply_statements apply;
    struct packer *packer;
    int64_t page_size;
    int64_t wal_bytes;     /* Of the log, after the last commit. */
    int64_t wal_max;       /* Size of the log that is not kept for long. */
    int64_t checkpoint_at; /* Size of the log at which to try next. */
    bool in_group;
    int16_t shards[SHARD_COUNT]; /* Of the group. */
    size_t shard_count;
};

/* What serve, migrate and tests need beyond the port. The clock of groups, for tests; null for
 * CLOCK_REALTIME. Not thread-safe: set it before ledgers are used. */
void ledger_sqlite_set_clock(int64_t (*now_us)(void));
/* Size of the log at which ledgers that are opened from now on checkpoint; 0 for 64 MiB. */
void ledger_sqlite_set_wal_max(int64_t bytes);

/* load.c */
void load_prepare(struct sqlite_ledger *ledger);
void loader_prepare(struct loader *loader, sqlite3 *db);
/* Answers facts->wants. */
enum err_code loader_answer(struct loader *loader, struct facts *facts, struct err *err);
enum err_code load_shards(struct sqlite_ledger *ledger, struct facts *facts, struct err *err);
enum err_code load_wants(struct sqlite_ledger *ledger, struct facts *facts, struct err *err);
enum err_code load_fetched_jobs(struct sqlite_ledger *ledger, struct facts *facts, struct err *err);
enum err_code load_was_committed(struct sqlite_ledger *ledger, int16_t first_shard, int64_t group,
                                 bool *out_committed, struct err *err);

/* apply.c */
void apply_prepare(struct sqlite_ledger *ledger);
enum err_code apply_plan(struct sqlite_ledger *ledger, const struct plan *plan, struct facts *facts,
                         struct err *err);

/* schema.c */
enum err_code sqlite_migrate(const struct ledger_target *target, void (*progress)(const char *),
                             struct err *err);
/* Takes the lock file; ERR_LEDGER_LOCKED when another process (or ledger) has it. */
enum err_code lock_take(const char *path, int *out_lock, struct err *err);
void lock_release(int lock);
int64_t ledger_sqlite_now(void);

/* reader.c */
enum err_code sqlite_reader_open(const struct ledger_target *target, struct reader **out,
                                 struct err *err);
void sqlite_reader_close(struct reader *base);
enum err_code sqlite_reader_query(struct reader *base, const struct query *query,
                                  struct query_result *out, struct err *err);
enum err_code sqlite_snapshot_begin(struct reader *base, struct tenant_id tenant,
                                    struct facts *facts, struct err *err);
enum err_code sqlite_snapshot_load(struct reader *base, struct facts *facts, struct err *err);
void sqlite_snapshot_end(struct reader *base);

/* backup.c */
enum err_code sqlite_backup(const struct ledger_target *target, const char *file,
                            void (*progress)(const char *), struct err *err);
enum err_code sqlite_check(const struct ledger_target *target, struct err *err);

/* blobs.c */
enum err_code sqlite_blobs_open(const struct ledger_target *target, struct blobs **out,
                                struct err *err);

#endif
