/*
 * ledger/postgres/session - one connection to PostgreSQL: made, asked in pipelines, given up.
 *
 * Use      session_init(); session_connect() before each transaction (it does nothing while the
 *          connection lives); then one or more pipelines: session_send() of each statement,
 *          session_sync(), session_next() for each in the same order, session_end().
 *          Statements are those of the files given, prepared when the connection is made.
 * Owns     results are the caller's to PQclear() (CLEANUP(session_clear)).
 * Threads  one at a time.
 * Time     no wait for the server is longer than its deadline: then the connection is given up,
 *          never the statement cancelled, so that a COMMIT is not made to look failed.
 * Errors   ERR_LEDGER_UNAVAILABLE: the connection failed, or the server could not do it now
 *          (err->retry_after_ms). ERR_LEDGER_OUTDATED: the schema is not ours. ERR_INTERNAL: a
 *          statement that the server does not understand. A broken constraint aborts.
 */
#ifndef LEDGER_POSTGRES_SESSION_H
#define LEDGER_POSTGRES_SESSION_H

#include <libpq-fe.h>

#include "ledger/backend.h"
#include "ledger/postgres/params.h"

enum session_role {
    SESSION_ENGINE, /* Ticks and blobs. */
    SESSION_READER, /* Queries. */
    SESSION_LOGIN,  /* The login itself, nothing checked or prepared: migrate. */
};

enum {
    SESSION_FILES_MAX = 4,
    SESSION_WAIT_MS = 45 * 1000,         /* Longer than statement_timeout. */
    SESSION_COMMIT_WAIT_MS = 120 * 1000, /* A standby may have to be waited for. */
};

/* sql/ as tables. */
extern const struct statement_file postgres_session;
extern const struct statement_file postgres_load;
extern const struct statement_file postgres_apply;
extern const struct statement_file postgres_queries;
extern const struct statement_file postgres_hints;
extern const struct statement_file postgres_migration;
extern const struct statement_file postgres_schema_001;

struct session {
    PGconn *conn; /* Null while there is none. */
    char *url;    /* Owned. */
    enum session_role role;
    bool row_security;
    const struct statement_file *files[SESSION_FILES_MAX];
    size_t file_count;
    struct hash_key seed; /* Of the ledger; known once connected. */
    bool warned;          /* The server sent a warning since session_sync(). */
    bool failed;          /* A statement of this pipeline failed: nothing after it was done. */
    bool spoiled;         /* And the connection is of no use any more. */
    struct err failure;   /* What it said. */
};

void session_init(struct session *session, const struct ledger_target *target,
                  enum session_role role);
/* Statements of this file are to be prepared too; before session_connect(). */
void session_add_file(struct session *session, const struct statement_file *file);
void session_fini(struct session *session);
enum err_code session_connect(struct session *session, struct err *err);
/* Gives the connection up; what it had not committed is undone by the server. */
void session_drop(struct session *session);
/* The same, with the reason as an error. */
enum err_code session_lost(struct session *session, struct err *err);

/* Nothing says yet that the connection has ended. Worth asking when it was idle, and before a
 * COMMIT is queued, because from then on its outcome is unknown. */
bool session_is_alive(struct session *session);

/* Queues a prepared statement; params may be null for none. */
enum err_code session_send(struct session *session, const char *statement, struct params *params,
                           struct err *err);
/* Ends the pipeline and sends what is queued. */
enum err_code session_sync(struct session *session, struct err *err);
/* The result of the next statement; null when it or one before it failed: all the others still have
 * to be asked for, then session_end() tells. Fails itself only when the connection is lost. */
enum err_code session_next(struct session *session, int wait_ms, PGresult **out, struct err *err);
/* The end of the pipeline; a failure of one of its statements is reported here. */
enum err_code session_end(struct session *session, int wait_ms, struct err *err);
/* Undoes the open transaction; drops the connection when even that fails. */
void session_rollback(struct session *session);

/* One round trip without a pipeline, for text that is not prepared (migrate, settings). */
enum err_code session_run(struct session *session, const char *sql, PGresult **out,
                          struct err *err);
const char *session_sql(const struct statement_file *file, const char *name);
void session_clear(PGresult **result);

/* Binary results. */
int64_t result_int(const PGresult *result, int row, int column);
struct str result_bytes(const PGresult *result, int row, int column);

#endif
