/* doctor: what stands between this command line and a working server, and how to mend it. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "cli/nouns.h"
#include "cli/print.h"
#include "platform/clock.h"

enum { CLOCK_OFFSET_MAX_S = 5, SLOW_US = 1000000 };

static const struct cli_column COLUMNS[] = {
    {"CHECK", "check", CLI_TEXT},
    {"STATE", "state", CLI_STATE},
    {"FOUND", "found", CLI_TEXT},
    {"MEND", "mend", CLI_TEXT},
};
static const struct cli_shape SHAPE = {"check", COLUMNS, CLI_COUNT(COLUMNS)};

struct doctor {
    struct cli_call *call;
    json_t *findings;
    bool failed;
};

static void note(struct doctor *doctor, const char *check, const char *state, struct str found,
                 const char *mend)
{
    json_t *finding = json_object();
    CHECK(finding != NULL);
    (void)json_object_set_new(finding, "check", json_string(check));
    (void)json_object_set_new(finding, "found", json_stringn(found.ptr, found.len));
    (void)json_object_set_new(finding, "mend", json_string(mend));
    (void)json_object_set_new(finding, "state", json_string(state));
    (void)json_array_append_new(doctor->findings, finding);
    doctor->failed = doctor->failed || strcmp(state, "failed") == 0;
}

/* What the failed request left, as a finding. */
static void note_failure(struct doctor *doctor, const char *check, const char *mend)
{
    const struct cli_failure *failure = &doctor->call->failure;
    note(doctor, check, "failed", failure->message,
         mend != NULL ? mend : arena_cstr(&doctor->call->arena, failure->hint));
}

static int ask(struct doctor *doctor, const char *path, bool root, struct cli_reply *reply)
{
    return cli_send(doctor->call,
                    &(struct cli_request){.method = "GET",
                                          .path = str_from(path),
                                          .root = root,
                                          .anonymous = root,
                                          .installation = true},
                    reply);
}

static void check_clock(struct doctor *doctor, const struct cli_reply *reply)
{
    const time_t theirs = curl_getdate(reply->date, NULL);
    const int64_t ours = clock_wall().us / US_PER_S;
    if (theirs < 0) {
        note(doctor, "clock", "warn", STR("the server sends no Date"),
             "a proxy may have removed it; compare the clocks by hand");
        return;
    }
    const long long offset = (long long)ours - (long long)theirs;
    const struct str found = arena_format(&doctor->call->arena, "%lld s from the server's", offset);
    if (llabs(offset) <= CLOCK_OFFSET_MAX_S) {
        note(doctor, "clock", "ok", found, "");
    } else {
        note(doctor, "clock", "warn", found, "set both clocks from one time source (chrony, ntp)");
    }
}

static bool check_server(struct doctor *doctor)
{
    struct cli_reply reply;
    if (ask(doctor, "/livez", true, &reply) != CLI_OK) {
        note_failure(doctor, "server", NULL);
        return false;
    }
    json_decref(reply.json);
    const struct str found =
        arena_format(&doctor->call->arena, "%.*s answers in %lld ms",
                     STR_ARG(cli_server(doctor->call)), (long long)(reply.elapsed_us / 1000));
    note(doctor, "server", reply.elapsed_us < SLOW_US ? "ok" : "warn", found,
         reply.elapsed_us < SLOW_US ? "" : "it is slow; look at its load and its disk");
    check_clock(doctor, &reply);
    return true;
}

static void check_ready(struct doctor *doctor)
{
    struct cli_reply reply;
    if (ask(doctor, "/readyz", true, &reply) != CLI_OK) {
        note_failure(doctor, "ledger",
                     "see the server's log; on PostgreSQL check that the database is up, on SQLite "
                     "that the disk is not full");
        return;
    }
    json_decref(reply.json);
    /* serve does not start on a ledger of another schema. */
    note(doctor, "ledger", "ok", STR("answers and commits; its schema is the server's"), "");
}

static void check_contract(struct doctor *doctor)
{
    struct cli_reply reply;
    if (ask(doctor, "/openapi.json", true, &reply) != CLI_OK) {
        note_failure(doctor, "contract", "is this the right --server?");
        return;
    }
    const struct str theirs =
        json_text(json_object_get(json_object_get(reply.json, "info"), "version"));
    const bool is_known = str_starts(theirs, STR("1."));
    note(doctor, "contract", is_known ? "ok" : "warn",
         arena_format(&doctor->call->arena, "the server speaks version %.*s, this program 1",
                      STR_ARG(theirs)),
         is_known ? "" : "use a stella of the server's version");
    json_decref(reply.json);
}

static void check_token(struct doctor *doctor)
{
    struct cli_reply reply;
    const char *path = cli_token_file(doctor->call);
    struct stat file = {0};
    if (ask(doctor, "/whoami", false, &reply) != CLI_OK) {
        note_failure(doctor, "token", NULL);
        return;
    }
    const struct str name = json_text(json_object_get(reply.json, "name"));
    const struct str tenant = json_text(json_object_get(reply.json, "tenant"));
    const struct str found =
        arena_format(&doctor->call->arena, "%.*s, for %s%.*s", STR_ARG(name),
                     tenant.len > 0 ? "" : "the installation", STR_ARG(tenant));
    const bool is_open =
        path != NULL && stat(path, &file) == 0 && (file.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    note(doctor, "token", is_open ? "warn" : "ok", found,
         is_open ? arena_format(&doctor->call->arena, "others can read it: chmod 600 %s", path).ptr
                 : "");
    json_decref(reply.json);
}

static int doctor_run(struct cli_call *call)
{
    struct doctor doctor = {.call = call, .findings = json_array()};
    if (check_server(&doctor)) {
        check_ready(&doctor);
        check_contract(&doctor);
        check_token(&doctor);
    }
    cli_print_items(call, doctor.findings, &SHAPE);
    json_decref(doctor.findings);
    if (!doctor.failed) {
        return CLI_OK;
    }
    return cli_fail(call, CLI_FAILED, "conflict", "mend what the table says, then run it again",
                    "something stands in the way");
}

static const struct cli_command COMMANDS[] = {
    {"", NULL, "", 0, 0, "Check server, ledger, contract, clock and token; say how to mend each",
     "stella orchestrator doctor\nstella orchestrator doctor --server http://10.0.0.7:8700 -o json",
     NULL, 0, doctor_run}};

const struct cli_noun cli_doctor = {"doctor", NULL, "Find what is wrong, and how to mend it",
                                    COMMANDS, 1};
