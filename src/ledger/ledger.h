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

/* Where a ledger lives. */
struct ledger_target {
    const char *url;    /* "postgres://…", or "sqlite:FILE". */
    const char *folder; /* Blobs of a SQLite ledger; null for "<file>.blobs". */
    bool row_security;  /* PostgreSQL: use row security; false only for measuring. */
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
    struct query_value args[QUERY_ARGS_MAX];
    size_t arg_count;
    struct arena *arena; /* Where results go. */
};

struct query_result {
    size_t rows;
    size_t columns;
    struct query_value *values; /* rows x columns */
};

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
    enum err_code (*blobs_open)(const struct ledger_target *target, struct blobs **out,
                                struct err *err);
};

/* The backend that serves this URL, or ERR_USAGE. */
enum err_code ledger_backend_for(const char *url, const struct ledger_backend **out,
                                 struct err *err);

/* Makes or updates the schema; prints one line a step through `progress`. Never done by serve. */
enum err_code ledger_migrate(const struct ledger_target *target, void (*progress)(const char *),
                             struct err *err);
/* Opens and checks: schema version, row security (PostgreSQL), synchronous=FULL and the exclusive
 * lock file (SQLite). ERR_LEDGER_OUTDATED, ERR_LEDGER_LOCKED, ERR_LEDGER_UNAVAILABLE. */
enum err_code ledger_open(const struct ledger_target *target, struct ledger **out, struct err *err);
void ledger_close(struct ledger *ledger);
const struct ledger_backend *ledger_backend(const struct ledger *ledger);

/* Begins a group: locks `shards` (ascending, distinct), sets facts->clock from the ledger's clock
 * read after the locks, learns the shard rows, answers facts->wants. */
enum err_code ledger_begin(struct ledger *ledger, const int16_t *shards, size_t count,
                           struct facts *facts, struct err *err);
/* Answers facts->wants and calls facts_answered(). */
enum err_code ledger_load(struct ledger *ledger, struct facts *facts, struct err *err);
/* Writes the plan, the chunks (compressed) and one ticks row per locked shard with facts->group,
 * answers facts->fetch_jobs (WANT_JOB of each), and commits. */
enum err_code ledger_commit(struct ledger *ledger, const struct plan *plan, struct facts *facts,
                            struct err *err);
/* Gives up the group; nothing was changed. */
void ledger_rollback(struct ledger *ledger);
/* After ERR_COMMIT_UNKNOWN: takes the same locks in a writing transaction (the barrier) and looks
 * whether the group is there. */
enum err_code ledger_was_committed(struct ledger *ledger, const int16_t *shards, size_t count,
                                   int64_t group, bool *out_committed, struct err *err);

/* The reading side. */
enum err_code reader_open(const struct ledger_target *target, struct reader **out, struct err *err);
void reader_close(struct reader *reader);
enum err_code reader_query(struct reader *reader, const struct query *query,
                           struct query_result *out, struct err *err);

/* ---- Blobs: bytes by (tenant, SHA-256). Thread-safe. ---- */

struct blob_writer;

/* What a blob store does; put: begin, add…, then finish (durable, or ERR_DIGEST_MISMATCH and
 * nothing kept) or abandon. get: calls `chunk` with the bytes in order until done or it returns
 * false. */
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
    void (*close)(struct blobs *blobs);
};

enum err_code blobs_open(const struct ledger_target *target, struct blobs **out, struct err *err);

#endif
