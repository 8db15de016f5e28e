#include "doctor/doctor.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/print.h"
#include "cli/settings.h"

enum { FOUND_MAX = 1024 };

static const struct cli_column COLUMNS[] = {
    {"CHECK", "check", CLI_TEXT},
    {"STATE", "state", CLI_STATE},
    {"FOUND", "found", CLI_TEXT},
    {"MEND", "mend", CLI_TEXT},
};
static const struct cli_shape SHAPE = {"check", COLUMNS, CLI_COUNT(COLUMNS)};

__attribute__((format(printf, 5, 0))) static void note(struct doctor *doctor, const char *check,
                                                       const char *state, const char *mend,
                                                       const char *format, va_list args)
{
    char found[FOUND_MAX];
    (void)vsnprintf(found, sizeof(found), format, args);
    json_t *finding = json_pack("{s:s,s:s,s:s,s:s}", "check", check, "found", found, "mend", mend,
                                "state", state);
    CHECK(finding != NULL);
    (void)json_array_append_new(doctor->findings, finding);
}

void doctor_ok(struct doctor *doctor, const char *check, const char *found, ...)
{
    va_list args;
    va_start(args, found);
    note(doctor, check, "ok", "", found, args);
    va_end(args);
}

void doctor_warn(struct doctor *doctor, const char *check, const char *mend, const char *found, ...)
{
    va_list args;
    va_start(args, found);
    note(doctor, check, "warn", mend, found, args);
    va_end(args);
    doctor->warned = true;
}

void doctor_fail(struct doctor *doctor, const char *check, const char *mend, const char *found, ...)
{
    va_list args;
    va_start(args, found);
    note(doctor, check, "failed", mend, found, args);
    va_end(args);
    doctor->failed = true;
}

static bool read_settings(struct doctor *doctor)
{
    struct err err = {0};
    if (cli_settings(doctor->call, &doctor->settings, &err) != ERR_OK) {
        doctor_fail(doctor, "settings",
                    "correct it; docs/reference/settings.md lists names and bounds", "%s",
                    err.message);
        return false;
    }
    return true;
}

/* A ledger is kept here when somebody says so, or when a data folder lies where ./run or serve
 * leave one. */
static bool is_here(struct doctor *doctor)
{
    struct cli_call *call = doctor->call;
    const bool is_named = cli_value(call, "data") != NULL || getenv("STELLA_DATA") != NULL ||
                          cli_value(call, "settings") != NULL;
    const char *given = arena_cstr(&call->arena, doctor->settings.data);
    doctor->data = given;
    if (!is_named && access(given, F_OK) != 0) {
        doctor->data = ".stella/data";
    }
    const bool is_kept =
        is_named || access(doctor->data, F_OK) == 0 || doctor->settings.database.len > 0;
    doctor->target = (struct ledger_target){.row_security = true};
    doctor->target.url = doctor->settings.database.len > 0
                             ? arena_cstr(&call->arena, doctor->settings.database)
                             : arena_format(&call->arena, "sqlite:%s/ledger.db", doctor->data).ptr;
    return is_kept;
}

static void look_here(struct doctor *doctor)
{
    if (!read_settings(doctor)) {
        return;
    }
    if (!is_here(doctor)) {
        doctor_ok(doctor, "data folder", "none here, so %s was looked at (--data names one)",
                  cli_flag(doctor->call, "offline") ? "nothing" : "only the server");
        return;
    }
    doctor_ok(doctor, "settings", "all known and within bounds");
    doctor_machine(doctor);
    doctor_files(doctor);
    doctor_ledger(doctor);
}

static int run(struct cli_call *call)
{
    struct doctor doctor = {.call = call, .findings = json_array()};
    if (!cli_flag(call, "offline")) {
        doctor_server(&doctor);
    }
    look_here(&doctor);
    json_decref(call->failure.errors); /* Of a request that failed: it is among the findings. */
    call->failure = (struct cli_failure){0};
    cli_print_items(call, doctor.findings, &SHAPE);
    json_decref(doctor.findings);
    if (doctor.failed) {
        return cli_fail(call, CLI_FAILED, "conflict",
                        "mend what the table says, then run it again; docs/operate/doctor.md says "
                        "more about each check",
                        "something stands in the way");
    }
    return doctor.warned && cli_flag(call, "strict")
               ? cli_fail(call, CLI_WARNED, "conflict", "leave --strict away to pass with warnings",
                          "there are warnings")
               : CLI_OK;
}

static const struct cli_option OPTIONS[] = {
    {"data", 0, "DIR", "Folder of the embedded ledger (default: that of ./run or of serve)"},
    {"database", 0, "URL", "postgres:// URL of the ledger"},
    {"settings", 0, "FILE", "Settings file that serve is given"},
    {"offline", 0, NULL, "Do not ask the server: before it is started"},
    {"strict", 0, NULL, "Exit 12 when there are warnings"},
    {"disk-mib", 0, "MIB", "Warn below so much free disk (default 1024)"},
    {"memory-mib", 0, "MIB", "Warn below so much available memory (default 512)"},
    {"fsync-ms", 0, "MS", "Warn when making a write durable takes longer (default 50)"},
    {"waiting-s", 0, "S", "Warn when a job waits so long and nobody works (default 900)"},
};

const struct cli_command doctor_commands[1] = {
    {"", NULL, "", 0, 0,
     "Look at server, machine, files and ledger; say what is wrong and how to mend it",
     "stella orchestrator doctor\n"
     "stella orchestrator doctor --data ./stella-data --offline --strict\n"
     "stella orchestrator doctor --server http://10.0.0.7:8700 -o json",
     OPTIONS, CLI_COUNT(OPTIONS), run}};
