#include "ledger/postgres/session.h"

#include <endian.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { RETRY_SOON_MS = 20, RETRY_LATER_MS = 1000 };

void session_init(struct session *session, const struct ledger_target *target,
                  enum session_role role)
{
    *session = (struct session){.role = role, .row_security = target->row_security};
    session->url = strdup(target->url);
    CHECK(session->url != NULL);
    if (role != SESSION_LOGIN) {
        session_add_file(session, &postgres_session);
    }
}

void session_add_file(struct session *session, const struct statement_file *file)
{
    CHECK(session->file_count < SESSION_FILES_MAX);
    session->files[session->file_count++] = file;
}

void session_fini(struct session *session)
{
    session_drop(session);
    free(session->url);
    session->url = NULL;
}

void session_drop(struct session *session)
{
    PQfinish(session->conn);
    session->conn = NULL;
}

void session_clear(PGresult **result)
{
    PQclear(*result);
}

const char *session_sql(const struct statement_file *file, const char *name)
{
    const struct statement *statement = statement_find(file, str_from(name));
    CHECK(statement != NULL);
    return statement->sql;
}

/* ---- Failures ---- */

static struct str first_line(const char *message)
{
    struct str rest = str_from(message);
    struct str line = {NULL, 0};
    (void)str_split(&rest, '\n', &line);
    return str_trim(line);
}

enum err_code session_lost(struct session *session, struct err *err)
{
    const struct str why = first_line(session->conn ? PQerrorMessage(session->conn) : "");
    (void)err_set(err, ERR_LEDGER_UNAVAILABLE, "The connection to PostgreSQL was lost: %.*s",
                  STR_ARG(why));
    err->retry_after_ms = RETRY_LATER_MS;
    session_drop(session);
    return err->code;
}

static bool in_class(const char *state, const char *class)
{
    return strncmp(state, class, strlen(class)) == 0;
}

/* SQLSTATEs after which the connection cannot be used: it is being ended, or leads to a server that
 * is no longer the primary. */
static bool is_spoiled(const char *state)
{
    return in_class(state, "08") || in_class(state, "57P") || strcmp(state, "25006") == 0 ||
           strcmp(state, "25P03") == 0;
}

/* Busy, full or ending: a later try can succeed. */
static bool is_passing(const char *state)
{
    return is_spoiled(state) || in_class(state, "40") || in_class(state, "53") ||
           in_class(state, "58") || strcmp(state, "55P03") == 0 || strcmp(state, "57014") == 0;
}

static enum err_code failure_of(const char *state, const char *message, struct err *err)
{
    const struct str why = first_line(message);
    if (!is_passing(state)) {
        return err_set(err, ERR_INTERNAL, "PostgreSQL refused a statement (%s): %.*s", state,
                       STR_ARG(why));
    }
    (void)err_set(err, ERR_LEDGER_UNAVAILABLE, "PostgreSQL cannot do it now (%s): %.*s", state,
                  STR_ARG(why));
    const bool soon = in_class(state, "40") || strcmp(state, "55P03") == 0;
    err->retry_after_ms = soon ? RETRY_SOON_MS : RETRY_LATER_MS;
    return err->code;
}

static const char *state_of(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return state != NULL ? state : "08006"; /* libpq's own: the connection. */
}

static const char *message_of(const PGresult *result)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    return message != NULL ? message : PQresultErrorMessage(result);
}

static void on_notice(void *ctx, const PGresult *result)
{
    struct session *session = ctx;
    if (in_class(state_of(result), "01")) {
        session->warned = true;
    }
}

/* ---- Connecting ---- */

enum err_code session_run(struct session *session, const char *sql, PGresult **out, struct err *err)
{
    *out = PQexec(session->conn, sql);
    const ExecStatusType status = PQresultStatus(*out);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        return ERR_OK;
    }
    if (PQstatus(session->conn) == CONNECTION_BAD) {
        return session_lost(session, err);
    }
    return failure_of(state_of(*out), message_of(*out), err);
}

static enum err_code run_named(struct session *session, const char *name, struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    return session_run(session, session_sql(&postgres_session, name), &result, err);
}

static enum err_code dial(struct session *session, struct err *err)
{
    /* What stands before the URL may be overruled by it, what stands behind may not. */
    const char *const names[] = {"application_name",
                                 "connect_timeout",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 "tcp_user_timeout",
                                 "dbname",
                                 "client_encoding",
                                 "target_session_attrs",
                                 NULL};
    const char *const values[] = {"stella", "5",          "10",   "5",          "3",
                                  "20000",  session->url, "UTF8", "read-write", NULL};
    session->conn = PQconnectdbParams(names, values, 1);
    if (PQstatus(session->conn) != CONNECTION_OK) {
        const struct str why = first_line(PQerrorMessage(session->conn));
        (void)err_set(err, ERR_LEDGER_UNAVAILABLE, "PostgreSQL cannot be reached: %.*s",
                      STR_ARG(why));
        err->retry_after_ms = RETRY_LATER_MS;
        session_drop(session);
        return err->code;
    }
    (void)PQsetNoticeReceiver(session->conn, on_notice, session);
    return ERR_OK;
}

static enum err_code take_role(struct session *session, struct err *err)
{
    const char *role = session->role == SESSION_READER ? "role_reader" : "role_engine";
    const enum err_code code = run_named(session, session->row_security ? role : "role_none", err);
    if (code == ERR_INTERNAL) {
        return err_set(err, ERR_LEDGER_OUTDATED,
                       "The login may not act as stella_engine and stella_reader; run migrate with "
                       "a login that may create roles.");
    }
    TRY(code);
    TRY(run_named(session, "settings", err));
    return session->role == SESSION_ENGINE ? run_named(session, "settings_of_engine", err) : ERR_OK;
}

/* The schema is ours and row security holds for this role. */
static enum err_code check_schema(struct session *session, struct err *err)
{
    CLEANUP(session_clear) PGresult *meta = NULL;
    CLEANUP(session_clear) PGresult *security = NULL;
    const enum err_code code =
        session_run(session, session_sql(&postgres_session, "meta"), &meta, err);
    if (code == ERR_INTERNAL || (code == ERR_OK && PQntuples(meta) != 1)) {
        return err_set(err, ERR_LEDGER_OUTDATED, "The database holds no ledger; run migrate.");
    }
    TRY(code);
    int64_t version = 0;
    if (!str_parse_i64(str_from(PQgetvalue(meta, 0, 0)), &version) || version != SCHEMA_VERSION) {
        return err_set(err, ERR_LEDGER_OUTDATED,
                       "The ledger's schema is version %s, this program needs %d.",
                       PQgetvalue(meta, 0, 0), SCHEMA_VERSION);
    }
    size_t len = 0;
    unsigned char *seed = PQunescapeBytea((const unsigned char *)PQgetvalue(meta, 0, 1), &len);
    CHECK(seed != NULL && len == sizeof(session->seed));
    memcpy(&session->seed, seed, sizeof(session->seed));
    PQfreemem(seed);
    TRY(session_run(session, session_sql(&postgres_session, "row_security"), &security, err));
    if (session->row_security && strcmp(PQgetvalue(security, 0, 0), "t") != 0) {
        return err_set(err, ERR_LEDGER_OUTDATED,
                       "Row security does not hold for this login on table jobs; run migrate.");
    }
    return ERR_OK;
}

static bool needs_preparing(const struct session *session, const struct statement *statement)
{
    /* Of the session's own file only what takes part in pipelines: not the settings and roles,
     * which are several statements in one text. */
    return strncmp(statement->name, "settings", 8) != 0 &&
           strncmp(statement->name, "role_", 5) != 0 &&
           !(session->role == SESSION_READER && strncmp(statement->name, "insert_", 7) == 0);
}

static enum err_code prepare_file(struct session *session, const struct statement_file *file,
                                  size_t *sent, struct err *err)
{
    for (size_t i = 0; i < file->count; i++) {
        const struct statement *statement = &file->statements[i];
        if (!needs_preparing(session, statement)) {
            continue;
        }
        if (PQsendPrepare(session->conn, statement->name, statement->sql, 0, NULL) != 1) {
            return session_lost(session, err);
        }
        (*sent)++;
    }
    return ERR_OK;
}

static enum err_code prepare_all(struct session *session, struct err *err)
{
    size_t sent = 0;
    CHECK(PQsetnonblocking(session->conn, 1) == 0 && PQenterPipelineMode(session->conn) == 1);
    for (size_t i = 0; i < session->file_count; i++) {
        TRY(prepare_file(session, session->files[i], &sent, err));
    }
    TRY(session_sync(session, err));
    for (size_t i = 0; i < sent; i++) {
        CLEANUP(session_clear) PGresult *result = NULL;
        TRY(session_next(session, SESSION_WAIT_MS, &result, err));
    }
    return session_end(session, SESSION_WAIT_MS, err);
}

bool session_is_alive(struct session *session)
{
    /* The first call may find the server's last words, the second then finds the end. */
    return session->conn != NULL && PQconsumeInput(session->conn) == 1 &&
           PQconsumeInput(session->conn) == 1 && PQstatus(session->conn) == CONNECTION_OK;
}

enum err_code session_connect(struct session *session, struct err *err)
{
    if (session_is_alive(session)) {
        return ERR_OK;
    }
    session_drop(session);
    TRY(dial(session, err));
    if (session->role == SESSION_LOGIN) {
        return ERR_OK;
    }
    enum err_code code = take_role(session, err);
    code = code == ERR_OK ? check_schema(session, err) : code;
    code = code == ERR_OK ? prepare_all(session, err) : code;
    if (code != ERR_OK) {
        session_drop(session);
    }
    return code;
}

/* ---- Pipelines ---- */

enum err_code session_send(struct session *session, const char *statement, struct params *params,
                           struct err *err)
{
    if (session->conn == NULL) {
        return session_lost(session, err);
    }
    size_t count = 0;
    if (params != NULL) {
        params_ready(params);
        count = params->count;
    }
    if (PQsendQueryPrepared(session->conn, statement, (int)count, count ? params->values : NULL,
                            count ? params->lengths : NULL, count ? params->formats : NULL,
                            1) != 1) {
        return session_lost(session, err);
    }
    return ERR_OK;
}

/* Waits until the socket can be read (or written); reads what is there. */
static enum err_code wait_for(struct session *session, short events, int wait_ms, struct err *err)
{
    struct pollfd socket = {.fd = PQsocket(session->conn), .events = events};
    const int ready = poll(&socket, 1, wait_ms);
    if (ready == 0) {
        session_drop(session);
        (void)err_set(err, ERR_LEDGER_UNAVAILABLE, "PostgreSQL did not answer within %d ms.",
                      wait_ms);
        err->retry_after_ms = RETRY_LATER_MS;
        return err->code;
    }
    if (ready > 0 && (socket.revents & ~POLLOUT) != 0 && PQconsumeInput(session->conn) != 1) {
        /* Read what arrived before the end: it may hold the reason, or even the answer. */
        return PQisBusy(session->conn) ? session_lost(session, err) : ERR_OK;
    }
    return ERR_OK;
}

enum err_code session_sync(struct session *session, struct err *err)
{
    session->warned = false;
    session->failed = false;
    session->spoiled = false;
    if (session->conn == NULL || PQpipelineSync(session->conn) != 1) {
        return session_lost(session, err);
    }
    int left = PQflush(session->conn);
    while (left == 1) {
        TRY(wait_for(session, POLLIN | POLLOUT, SESSION_WAIT_MS, err));
        left = PQflush(session->conn);
    }
    /* A failed write is not the end yet: the answers may be there to read. */
    return ERR_OK;
}

static enum err_code next_result(struct session *session, int wait_ms, PGresult **out,
                                 struct err *err)
{
    if (session->conn == NULL) {
        return session_lost(session, err);
    }
    while (PQisBusy(session->conn)) {
        TRY(wait_for(session, POLLIN, wait_ms, err));
    }
    *out = PQgetResult(session->conn);
    return ERR_OK;
}

static void note_failure(struct session *session, const PGresult *result)
{
    if (session->failed) {
        return;
    }
    if (in_class(state_of(result), "23")) {
        check_failed(__FILE__, __LINE__, message_of(result)); /* Serial ticks cannot collide. */
    }
    session->failed = true;
    session->spoiled = is_spoiled(state_of(result));
    session->failure = (struct err){0};
    (void)failure_of(state_of(result), message_of(result), &session->failure);
}

enum err_code session_next(struct session *session, int wait_ms, PGresult **out, struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    CLEANUP(session_clear) PGresult *end = NULL;
    *out = NULL;
    TRY(next_result(session, wait_ms, &result, err));
    const ExecStatusType status = PQresultStatus(result);
    if (PQstatus(session->conn) == CONNECTION_BAD) {
        return session_lost(session, err);
    }
    TRY(next_result(session, wait_ms, &end, err));
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        *out = result;
        result = NULL;
    } else if (status != PGRES_PIPELINE_ABORTED) {
        note_failure(session, result);
    }
    return ERR_OK;
}

enum err_code session_end(struct session *session, int wait_ms, struct err *err)
{
    CLEANUP(session_clear) PGresult *sync = NULL;
    TRY(next_result(session, wait_ms, &sync, err));
    const bool synced = PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
    if (!synced || session->spoiled) {
        session_drop(session);
    }
    if (session->failed) {
        *err = session->failure;
        return err->code;
    }
    return synced ? ERR_OK : session_lost(session, err);
}

void session_rollback(struct session *session)
{
    struct err ignored = {0};
    if (session->conn == NULL || PQtransactionStatus(session->conn) == PQTRANS_IDLE) {
        return;
    }
    CLEANUP(session_clear) PGresult *result = NULL;
    if (session_send(session, "rollback", NULL, &ignored) != ERR_OK ||
        session_sync(session, &ignored) != ERR_OK ||
        session_next(session, SESSION_WAIT_MS, &result, &ignored) != ERR_OK ||
        session_end(session, SESSION_WAIT_MS, &ignored) != ERR_OK) {
        session_drop(session);
    }
}

/* ---- Results ---- */

int64_t result_int(const PGresult *result, int row, int column)
{
    const char *at = PQgetvalue(result, row, column);
    const int size = PQgetlength(result, row, column);
    CHECK(size >= 1 && size <= (int)sizeof(int64_t));
    uint64_t ordered = 0;
    memcpy((char *)&ordered + (sizeof(ordered) - (size_t)size), at, (size_t)size);
    const int spare = 64 - size * 8;
    return (int64_t)(be64toh(ordered) << spare) >> spare; /* The sign of the narrow number. */
}

struct str result_bytes(const PGresult *result, int row, int column)
{
    return (struct str){PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column)};
}
