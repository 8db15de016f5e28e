/* The ledger itself, through its reading side: with and without a server. */
#include <string.h>
#include <sys/stat.h>

#include "doctor/doctor.h"
#include "platform/clock.h"

enum {
    POSTGRES_LEAST = 150000,
    CLOCK_AHEAD_S = 5,
    DUE_LATE_S = 60,
    WAL_WARN_MIB = 512,
    CONNECTIONS_BESIDE = 10,
};

#define MIB (INT64_C(1) << 20)

struct examined {
    struct doctor *doctor;
    struct query_result values; /* name, value */
};

static struct str value_of(const struct examined *examined, const char *name)
{
    for (size_t i = 0; i < examined->values.rows; i++) {
        if (str_eq(query_text(&examined->values, i, "name"), str_from(name))) {
            return query_text(&examined->values, i, "value");
        }
    }
    return STR("");
}

static int64_t number_of(const struct examined *examined, const char *name)
{
    int64_t number = 0;
    return str_parse_i64(value_of(examined, name), &number) ? number : 0;
}

static bool is_postgres(const struct doctor *doctor)
{
    return doctor->settings.database.len > 0;
}

/* A setting that must be on, or what is acknowledged can be lost. */
static void check_durable(const struct examined *examined, const char *name)
{
    struct doctor *doctor = examined->doctor;
    const struct str value = value_of(examined, name);
    if (str_eq(value, STR("off"))) {
        doctor_fail(
            doctor, name,
            arena_format(&doctor->call->arena, "ALTER SYSTEM SET %s = on, then reload", name).ptr,
            "off: a crash of the database loses what was acknowledged");
    } else {
        doctor_ok(doctor, name, "%.*s", STR_ARG(value));
    }
}

static void check_postgres(const struct examined *examined)
{
    struct doctor *doctor = examined->doctor;
    const int64_t version = number_of(examined, "server_version_num");
    const int64_t wanted = doctor->settings.committers + doctor->settings.read_threads +
                           doctor->settings.blob_threads + CONNECTIONS_BESIDE;
    const int64_t most = number_of(examined, "max_connections");
    if (version < POSTGRES_LEAST) {
        doctor_fail(doctor, "postgres version", "use PostgreSQL 15 or newer", "it is version %lld",
                    (long long)(version / 10000));
    } else {
        doctor_ok(doctor, "postgres version", "%lld", (long long)(version / 10000));
    }
    check_durable(examined, "fsync");
    check_durable(examined, "full_page_writes");
    check_durable(examined, "synchronous_commit");
    if (str_eq(value_of(examined, "autovacuum"), STR("off"))) {
        doctor_warn(doctor, "autovacuum", "ALTER SYSTEM SET autovacuum = on, then reload",
                    "off: tables grow with every job, and reads slow down");
    } else {
        doctor_ok(doctor, "autovacuum", "on");
    }
    if (most < wanted) {
        doctor_warn(doctor, "connections",
                    "raise max_connections, or lower committers and "
                    "read_threads",
                    "the database allows %lld, this node may use %lld", (long long)most,
                    (long long)wanted);
    } else {
        doctor_ok(doctor, "connections", "the database allows %lld", (long long)most);
    }
}

static void check_wal(struct doctor *doctor)
{
    const char *path = arena_format(&doctor->call->arena, "%s/ledger.db-wal", doctor->data).ptr;
    struct stat info = {0};
    if (stat(path, &info) == 0 && info.st_size > WAL_WARN_MIB * MIB) {
        doctor_warn(doctor, "wal",
                    "end what reads the file for long (sqlite3, backups of the bare file)",
                    "the write-ahead log has %lld MiB: a reader keeps it from being taken over",
                    (long long)(info.st_size / MIB));
    } else {
        doctor_ok(doctor, "wal", "%lld MiB", (long long)(info.st_size / MIB));
    }
}

/* The ledger never goes back in time; a machine that does stands still until it has caught up. */
static void check_time(const struct examined *examined)
{
    struct doctor *doctor = examined->doctor;
    const int64_t now = clock_wall().us;
    const int64_t last = number_of(examined, "last_at");
    const int64_t theirs = is_postgres(doctor) ? number_of(examined, "now") : now;
    const int64_t offset_s = (theirs - now) / US_PER_S;
    if (last > theirs + CLOCK_AHEAD_S * US_PER_S) {
        doctor_fail(doctor, "ledger clock",
                    "docs/operate/clock.md: set the clock right (chrony, ntp)",
                    "the ledger's last change lies %lld s in the future",
                    (long long)((last - theirs) / US_PER_S));
    } else if (offset_s > CLOCK_AHEAD_S || offset_s < -CLOCK_AHEAD_S) {
        doctor_warn(doctor, "ledger clock", "set both clocks from one time source (chrony, ntp)",
                    "the database's clock is %lld s from this machine's", (long long)offset_s);
    } else {
        doctor_ok(doctor, "ledger clock", "not behind the ledger's last change");
    }
}

static void check_due(struct doctor *doctor, struct reader *reader)
{
    struct query_result found;
    struct err err = {0};
    struct query q = {.name = "shards_due", .arena = &doctor->call->arena};
    query_arg_int(&q, clock_wall().us - DUE_LATE_S * US_PER_S);
    if (reader_query(reader, &q, &found, &err) != ERR_OK) {
        doctor_fail(doctor, "due shards", "docs/operate/ledger-unavailable.md", "%s", err.message);
    } else if (found.rows > 0 && doctor->answers) {
        doctor_fail(doctor, "due shards", "docs/operate/stuck-shards.md: start the server again",
                    "%zu of 64 wait for more than %d s, though a server answers", found.rows,
                    DUE_LATE_S);
    } else if (found.rows > 0) {
        doctor_warn(doctor, "due shards", "start the server: retries and timeouts wait for it",
                    "%zu of 64 have had work for more than %d s", found.rows, DUE_LATE_S);
    } else {
        doctor_ok(doctor, "due shards", "none is late");
    }
}

static void examine(struct doctor *doctor, struct reader *reader)
{
    struct examined examined = {.doctor = doctor};
    struct err err = {0};
    const struct query q = {.name = "examine", .arena = &doctor->call->arena};
    if (reader_query(reader, &q, &examined.values, &err) != ERR_OK) {
        doctor_fail(doctor, "ledger", "docs/operate/ledger-unavailable.md", "%s", err.message);
        return;
    }
    if (is_postgres(doctor)) {
        check_postgres(&examined);
    } else {
        check_wal(doctor);
    }
    check_time(&examined);
}

void doctor_ledger(struct doctor *doctor)
{
    struct reader *reader = NULL;
    struct err err = {0};
    const enum err_code code = reader_open(&doctor->target, &reader, &err);
    if (code == ERR_LEDGER_OUTDATED) {
        doctor_fail(doctor, "schema", "run: stella orchestrator migrate (docs/operate/migrate.md)",
                    "%s", err.message);
        return;
    }
    if (code != ERR_OK) {
        doctor_fail(doctor, "schema", "docs/operate/ledger-unavailable.md", "%s", err.message);
        return;
    }
    doctor_ok(doctor, "schema",
              is_postgres(doctor) ? "this program's; row security is active" : "this program's");
    examine(doctor, reader);
    check_due(doctor, reader);
    reader_close(reader);
}
