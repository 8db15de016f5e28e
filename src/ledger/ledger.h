/*
 * ledger - the port behind which state is kept: load facts, apply a plan.
 *
 * Use      A committer owns one struct ledger (one connection) and runs groups on it:
 *            ledger_begin()  locks the shards, reads the clock, answers the first wants;
 *            ledger_load()   answers further wants, as often as needed;
 *            ledger_commit() writes the plan and commits; or ledger_rollback().
 *          Selection is here (SQL); policy is not.
 * Owns     rows and texts go into the working set's arena.
 * Threads  one thread per struct ledger. SQLite has one writing ledger per file.
 * Errors   ERR_LEDGER_UNAVAILABLE: nothing was changed, try later (the ledger reconnects by itself
 *          at the next begin). ERR_COMMIT_UNKNOWN: only from ledger_commit(); ask
 *          ledger_was_committed() until it answers. A broken invariant of the store aborts.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "core/facts.h"
#include "core/plan.h"

struct ledger;
struct reader;
struct blobs;
struct hints;

/* Where a ledger lives. */
struct ledger_target {
    const char *url;    /* "postgres://…", or "sqlite:FILE". */
    const char *folder; /* Blobs of a SQLite ledger; null for "<file>.blobs". */
    bool row_security;  /* PostgreSQL: use row security; false only for measuring. */
    int32_t cache_mib;  /* SQLite: page cache of the writer; 0 for 64. */
};

/* ---- Reading side: named statements of queries.sql, never inside a group. ---- */

enum query_kind { QUERY_INT, QUERY_TEXT, QUERY_BYTES, QUERY_NULL };

struct query_value {
    enum query_kind kind;
    int64_t number;
    struct str text; /* TEXT and BYTES. */
};

enum { QUERY_ARGS_MAX = 12 };

/* Statement names and their arguments are listed in the backends' queries.sql, same in both. The
 * reader sets stella.tenant (row security) from `tenant`; 0 reads across tenants. */
struct query {
    const char *name;
    struct tenant_id tenant;
    struct query_value args[QUERY_ARGS_MAX]; /* In the order of the statement's "-- args:". */
    size_t arg_count;
    struct arena *arena; /* Where results go. */
};

struct query_result {
    size_t rows;
    size_t columns;
    const char *const *names;   /* Of the columns. */
    struct query_value *values; /* rows x columns */
};

/* Arguments and answers by hand. A null reads as 0 or the empty text. */
void query_arg_int(struct query *query, int64_t value);
void query_arg_text(struct query *query, struct str text);
void query_arg_bytes(struct query *query, struct str bytes);
/* The place of a column; asking for one that the statement does not give is a programmer error. */
size_t query_column(const struct query_result *result, const char *name);
const struct query_value *query_at(const struct query_result *result, size_t row, size_t column);
int64_t query_int(const struct query_result *result, size_t row, const char *column);
struct str query_text(const struct query_result *result, size_t row, const char *column);
bool query_is_null(const struct query_result *result, size_t row, const char *column);
/* A result row of a statement that gives whole rows of `table`, as the row, in the arena. */
struct row *query_row(const struct query_result *result, size_t row, enum table_id table,
                      struct arena *arena);

/* What a backend implements; see the functions below for the meaning. */
struct ledger_backend {
    const char *name;   /* "sqlite", "postgres" */
    bool single_writer; /* One struct ledger at a time. */
    int32_t submit_cap; /* Most jobs of submits in one group. */
    enum err_code (*migrate)(const struct ledger_target *target, void (*progress)(const char *),
                             struct err *err);
    enum err_code (*open)(const struct ledger_target *target, struct ledger **out, struct err *err);
    void (*close)(struct ledger *ledger);
    enum err_code (*begin)(struct ledger *ledger, const int16_t *shards, size_t count,
                           struct facts *facts, struct err *err);
    enum err_code (*load)(struct ledger *ledger, struct facts *facts, struct err *err);
    enum err_code (*commit)(struct ledger *ledger, const struct plan *plan, struct facts *facts,
                            struct err *err);
    void (*rollback)(struct ledger *ledger);
    enum err_code (*was_committed)(struct ledger *ledger, const int16_t *shards, size_t count,
                                   int64_t group, bool *out_committed, struct err *err);
    enum err_code (*reader_open)(const struct ledger_target *target, struct reader **out,
                                 struct err *err);
    void (*reader_close)(struct reader *reader);
    enum err_code (*reader_query)(struct reader *reader, const struct query *query,
                                  struct query_result *out, struct err *err);
    enum err_code (*snapshot_begin)(struct reader *reader, struct tenant_id tenant,
                                    struct facts *facts, struct err *err);
    enum err_code (*snapshot_load)(struct reader *reader, struct facts *facts, struct err *err);
    void (*snapshot_end)(struct reader *reader);
    enum err_code (*blobs_open)(const struct ledger_target *target, struct blobs **out,
                                struct err *err);
    /* Null where a ledger has one node. */
    struct hints *(*hints_new)(const struct ledger_target *target);
    /* Null where the database has ways of its own. */
    enum err_code (*backup)(const struct ledger_target *target, const char *file,
                            void (*progress)(const char *), struct err *err);
    /* Reads every page; goes with backup. */
    enum err_code (*check)(const struct ledger_target *target, struct err *err);
};

/* The backend that serves this URL, or ERR_USAGE. */
enum err_code ledger_backend_for(const char *url, const struct ledger_backend **out,
                                 struct err *err);

/* Makes or updates the schema; prints one line a step through `progress`. Never done by serve. */
enum err_code ledger_migrate(const struct ledger_target *target, void (*progress)(const char *),
                             struct err *err);
/* Copies an embedded ledger and its blobs into the new `folder` (ledger.db, ledger.db.blobs,
 * manifest.json), also while it is served: one snapshot, checked after. What is in the folder when
 * this returns is durable; until then its name ends in ".partial". ERR_USAGE for PostgreSQL and for
 * a folder that exists, ERR_IO. */
enum err_code ledger_backup(const struct ledger_target *target, const char *folder, int64_t now_us,
                            void (*progress)(const char *), struct err *err);

/* A backup on its way back: under names of its own until it is finished, so that what is at the
 * ledger's name is always whole. */
struct ledger_restore {
    struct arena arena;
    const char *folder;          /* Of the ledger. */
    const char *ledger;          /* Its file. */
    const char *staged;          /* Folder of the copy. */
    struct ledger_target target; /* The copy: to be changed before it is finished. */
    int lock;
};

/* Whether the backup's ledger has the digest of its manifest, and there is room at `target`.
 * Changes nothing. */
enum err_code ledger_restore_check(const struct ledger_target *target, const char *backup,
                                   struct err *err);
/* Copies the backup beside `target`, which must not be there (ERR_ALREADY_EXISTS): digest of the
 * ledger, every page of the copy, digest of every artifact (ERR_DIGEST_MISMATCH). The backup is only
 * read. One that was cut short leaves a folder that the next one takes over. */
enum err_code ledger_restore_begin(struct ledger_restore *restore,
                                   const struct ledger_target *target, const char *backup,
                                   void (*progress)(const char *), struct err *err);
/* Nobody has the copy open any more: it becomes the ledger, durably. */
enum err_code ledger_restore_finish(struct ledger_restore *restore, struct err *err);
/* Also after any of them failed. */
void ledger_restore_end(struct ledger_restore *restore);
/* Opens and checks: schema version, row security (PostgreSQL), synchronous=FULL and the exclusive
 * lock file (SQLite). ERR_LEDGER_OUTDATED, ERR_LEDGER_LOCKED, ERR_LEDGER_UNAVAILABLE. */
enum err_code ledger_open(const struct ledger_target *target, struct ledger **out, struct err *err);
void ledger_close(struct ledger *ledger);
/* Random bytes made by migrate, the same for the ledger's whole life: keys, jitter. */
struct hash_key ledger_seed(const struct ledger *ledger);
const struct ledger_backend *ledger_backend(const struct ledger *ledger);

/* Begins a group: locks `shards` (ascending, distinct), sets facts->clock from the ledger's clock
 * read after the locks, learns the shard rows, answers facts->wants. */
enum err_code ledger_begin(struct ledger *ledger, const int16_t *shards, size_t count,
                           struct facts *facts, struct err *err);
/* Answers facts->wants and calls facts_answered(). */
enum err_code ledger_load(struct ledger *ledger, struct facts *facts, struct err *err);
/* Writes the plan, the chunks (compressed) and one ticks row with facts->group in the first of the
 * locked shards, answers facts->fetch_jobs (WANT_JOB of each that is
 * not known), and commits. */
enum err_code ledger_commit(struct ledger *ledger, const struct plan *plan, struct facts *facts,
                            struct err *err);
/* Gives up the group; nothing was changed. */
void ledger_rollback(struct ledger *ledger);
/* After ERR_COMMIT_UNKNOWN, with the shards of the group: takes the same locks in a writing
 * transaction (the barrier) and looks whether the group is there. */
enum err_code ledger_was_committed(struct ledger *ledger, const int16_t *shards, size_t count,
                                   int64_t group, bool *out_committed, struct err *err);

/* The reading side. */
enum err_code reader_open(const struct ledger_target *target, struct reader **out, struct err *err);
void reader_close(struct reader *reader);
enum err_code reader_query(struct reader *reader, const struct query *query,
                           struct query_result *out, struct err *err);

/* Facts as a tick would load them, read without its locks. All loads between begin and end see one
 * state of the tenant and of the installation's defaults; no reader_query() meanwhile. begin sets
 * facts->clock; load answers facts->wants; end after either failed, too. */
enum err_code reader_snapshot_begin(struct reader *reader, struct tenant_id tenant,
                                    struct facts *facts, struct err *err);
enum err_code reader_snapshot_load(struct reader *reader, struct facts *facts, struct err *err);
void reader_snapshot_end(struct reader *reader);

/* A counter that is not what a recount of its rows gives. */
struct counter_fault {
    const char *counter; /* "lanes.waiting" */
    int16_t shard;
    int32_t tenant;
    int64_t id; /* Lane or run; 0 for a tenant. */
    int64_t stored;
    int64_t counted;
};

typedef VEC(struct counter_fault) counter_fault_list;

/* Recounts every counter (counters.sql) and appends those that differ to *out, in the arena. Each
 * counter is read in one transaction of its own. */
enum err_code ledger_scrub(struct reader *reader, struct arena *arena, counter_fault_list *out,
                           struct err *err);

/* ---- Blobs: bytes by (tenant, SHA-256). Thread-safe. ---- */

struct blob_writer;

/* What a blob store does; put: begin, add…, then finish (durable, or ERR_DIGEST_MISMATCH and
 * nothing kept) or abandon. get: calls `chunk` with the bytes in order until done or it returns
 * false. Whoever was told that a blob is there may go on for a while: has and put make it young,
 * and only what is old is removed. */
struct blobs {
    enum err_code (*has)(struct blobs *blobs, struct tenant_id tenant, const struct sha256 *digest,
                         bool *out_has, int64_t *out_size, struct err *err);
    enum err_code (*put_begin)(struct blobs *blobs, struct tenant_id tenant,
                               const struct sha256 *digest, struct blob_writer **out,
                               struct err *err);
    enum err_code (*put_add)(struct blob_writer *writer, struct str bytes, struct err *err);
    enum err_code (*put_finish)(struct blob_writer *writer, struct err *err);
    void (*put_abandon)(struct blob_writer *writer);
    enum err_code (*get)(struct blobs *blobs, struct tenant_id tenant, const struct sha256 *digest,
                         int64_t offset, bool (*chunk)(void *ctx, struct str bytes), void *ctx,
                         struct err *err);
    /* Calls `found` with the tenant's blobs that are older than `before` (microseconds since 1970,
     * this machine's clock), in any order, until it returns false. */
    enum err_code (*each_old)(struct blobs *blobs, struct tenant_id tenant, int64_t before,
                              bool (*found)(void *ctx, const struct sha256 *digest), void *ctx,
                              struct err *err);
    /* Removes the blob if it is (still) that old: one step for whoever puts it or asks for it. */
    enum err_code (*remove_old)(struct blobs *blobs, struct tenant_id tenant,
                                const struct sha256 *digest, int64_t before, bool *out_removed,
                                struct err *err);
    void (*close)(struct blobs *blobs);
};

enum err_code blobs_open(const struct ledger_target *target, struct blobs **out, struct err *err);

/* ---- Hints: nodes of one ledger tell each other that they committed something. ---- */

enum { HINT_MAX = 256 };

/* What was heard; text is empty when nothing was. */
struct hint {
    struct str text; /* Until the next call. */
    bool missed;     /* It listens from now on: what was told before is not known. */
};

/* Nothing may depend on a hint: it can be lost, late or repeated. One thread. A connection that
 * fails (ERR_LEDGER_UNAVAILABLE) is made anew by the next wait. */
struct hints {
    /* Tells all other nodes that listen; at most HINT_MAX bytes. Not durable. */
    enum err_code (*send)(struct hints *hints, struct str text, struct err *err);
    /* Waits until another node told something, the descriptor `bell` can be read (below 0: none) or
     * the time is over. */
    enum err_code (*wait)(struct hints *hints, int bell, int wait_ms, struct hint *out,
                          struct err *err);
    void (*close)(struct hints *hints);
};

/* Connects only at the first wait. Null where a ledger has one node. */
struct hints *hints_new(const struct ledger_target *target);

#endif
