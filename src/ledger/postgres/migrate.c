/*
 * ledger/postgres/migrate - roles and schema, without advisory locks.
 *
 *   1. roles stella_owner, stella_engine, stella_reader, and this login a member of them
 *   2. schema stella, owned by stella_owner
 *   3. as stella_owner, each schema file that is not there yet, in a transaction of its own that
 *      holds the schema's entry: two that migrate at the same time come one after the other
 */
#include <string.h>

#include "base/check.h"
#include "ledger/postgres/postgres.h"
#include "ledger/postgres/session.h"

struct migration {
    int version;
    const struct statement_file *file;
    const char *name; /* Of the file's only statement. */
    const char *done; /* What is told. */
};

static const struct migration migrations[] = {
    {1, &postgres_schema_001, "schema_001", "schema 001: made"},
};

static enum err_code run(struct session *session, const char *name, struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    return session_run(session, session_sql(&postgres_migration, name), &result, err);
}

static enum err_code ask(struct session *session, const char *name, int64_t *out, struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    TRY(session_run(session, session_sql(&postgres_migration, name), &result, err));
    CHECK(PQntuples(result) == 1 && str_parse_i64(str_from(PQgetvalue(result, 0, 0)), out));
    return ERR_OK;
}

/* Runs `step` when `question` counts something other than `fine`. */
static enum err_code ensure(struct session *session, const char *question, int64_t fine,
                            const char *step, const char *done, void (*progress)(const char *),
                            struct err *err)
{
    int64_t count = 0;
    TRY(ask(session, question, &count, err));
    if (count == fine) {
        return ERR_OK;
    }
    TRY(run(session, step, err));
    progress(done);
    return ERR_OK;
}

static enum err_code version_of(struct session *session, int64_t *out_version, struct err *err)
{
    int64_t has_ledger = 0;
    *out_version = 0;
    TRY(ask(session, "has_ledger", &has_ledger, err));
    return has_ledger == 0 ? ERR_OK : ask(session, "version", out_version, err);
}

/* In a transaction: the file, unless somebody was faster. */
static enum err_code apply_file(struct session *session, const struct migration *migration,
                                void (*progress)(const char *), struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    int64_t version = 0;
    TRY(run(session, "lock_schema", err));
    TRY(version_of(session, &version, err));
    if (version >= migration->version) {
        return ERR_OK;
    }
    TRY(session_run(session, session_sql(migration->file, migration->name), &result, err));
    progress(migration->done);
    return ERR_OK;
}

static enum err_code apply_in_transaction(struct session *session,
                                          const struct migration *migration,
                                          void (*progress)(const char *), struct err *err)
{
    TRY(run(session, "begin", err));
    const enum err_code code = apply_file(session, migration, progress, err);
    if (code != ERR_OK) {
        return code; /* The connection is closed, which undoes all of it. */
    }
    return run(session, "commit", err);
}

static enum err_code migrate_session(struct session *session, void (*progress)(const char *),
                                     struct err *err)
{
    TRY(session_connect(session, err));
    TRY(run(session, "settings", err));
    TRY(ensure(session, "missing_roles", 0, "make_roles", "roles: made", progress, err));
    TRY(ensure(session, "missing_grants", 0, "grant_roles", "roles: granted to this login",
               progress, err));
    TRY(ensure(session, "schema_exists", 1, "make_schema", "schema stella: made", progress, err));
    TRY(run(session, "role_owner", err));
    for (size_t i = 0; i < sizeof(migrations) / sizeof(migrations[0]); i++) {
        TRY(apply_in_transaction(session, &migrations[i], progress, err));
    }
    int64_t version = 0;
    TRY(version_of(session, &version, err));
    if (version != SCHEMA_VERSION) {
        return err_set(err, ERR_LEDGER_OUTDATED,
                       "The ledger's schema is version %lld, this program knows %d.",
                       (long long)version, SCHEMA_VERSION);
    }
    progress("schema is up to date");
    return ERR_OK;
}

enum err_code postgres_migrate(const struct ledger_target *target, void (*progress)(const char *),
                               struct err *err)
{
    struct session session;
    session_init(&session, target, SESSION_LOGIN);
    const enum err_code code = migrate_session(&session, progress, err);
    session_fini(&session);
    return code;
}
