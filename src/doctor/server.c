/* What a client sees of the server. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "cli/client.h"
#include "doctor/doctor.h"
#include "platform/clock.h"

enum { CLOCK_OFFSET_MAX_S = 5, SLOW_US = 1000000 };

int doctor_ask(struct doctor *doctor, const char *path, bool root, struct cli_reply *reply)
{
    return cli_send(doctor->call,
                    &(struct cli_request){.method = "GET",
                                          .path = str_from(path),
                                          .root = root,
                                          .anonymous = root,
                                          .installation = true},
                    reply);
}

void doctor_refused(struct doctor *doctor, const char *check, const char *mend)
{
    const struct cli_failure *failure = &doctor->call->failure;
    doctor_fail(doctor, check,
                mend != NULL ? mend : arena_cstr(&doctor->call->arena, failure->hint), "%.*s",
                STR_ARG(failure->message));
}

/* "Sun, 22 Nov 2026 08:00:00 GMT" in seconds; false when it is something else. */
static bool parse_date(const char *text, int64_t *out)
{
    enum { DATE_LEN = 29, DAY_AT = 5, MONTH_AT = 8, YEAR_AT = 12, TIME_AT = 17 };

    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4] = "";
    char iso[32];
    struct wall_time time = {0};
    if (strlen(text) != DATE_LEN) {
        return false;
    }
    memcpy(month, text + MONTH_AT, sizeof(month) - 1);
    const char *found = strstr(months, month);
    if (found == NULL) {
        return false;
    }
    (void)snprintf(iso, sizeof(iso), "%.4s-%02d-%.2sT%.8sZ", text + YEAR_AT,
                   (int)(found - months) / 3 + 1, text + DAY_AT, text + TIME_AT);
    if (!time_parse(str_from(iso), &time)) {
        return false;
    }
    *out = time.us / US_PER_S;
    return true;
}

static void check_clock(struct doctor *doctor, const struct cli_reply *reply)
{
    int64_t theirs = 0;
    if (!parse_date(reply->date, &theirs)) {
        doctor_warn(doctor, "clock", "a proxy may have removed it; compare the clocks by hand",
                    "the server sends no Date");
        return;
    }
    const int64_t offset = clock_wall().us / US_PER_S - theirs;
    if (llabs(offset) <= CLOCK_OFFSET_MAX_S) {
        doctor_ok(doctor, "clock", "%lld s from the server's", (long long)offset);
    } else {
        doctor_warn(doctor, "clock", "set both clocks from one time source (chrony, ntp)",
                    "%lld s from the server's", (long long)offset);
    }
}

static bool check_answer(struct doctor *doctor)
{
    struct cli_reply reply;
    if (doctor_ask(doctor, "/livez", true, &reply) != CLI_OK) {
        doctor_refused(doctor, "server", NULL);
        return false;
    }
    json_decref(reply.json);
    const struct str server = cli_server(doctor->call);
    if (reply.elapsed_us < SLOW_US) {
        doctor_ok(doctor, "server", "%.*s answers in %lld ms", STR_ARG(server),
                  (long long)(reply.elapsed_us / 1000));
    } else {
        doctor_warn(doctor, "server", "look at its load and its disk",
                    "%.*s answers only after %lld ms", STR_ARG(server),
                    (long long)(reply.elapsed_us / 1000));
    }
    check_clock(doctor, &reply);
    return true;
}

static void check_ready(struct doctor *doctor)
{
    struct cli_reply reply;
    if (doctor_ask(doctor, "/readyz", true, &reply) != CLI_OK) {
        doctor_refused(doctor, "ready",
                       "docs/operate/ledger-unavailable.md: is the database up, is the disk full?");
        return;
    }
    json_decref(reply.json);
    doctor_ok(doctor, "ready", "the server's ledger answers and commits");
}

/* Whoever may not read it is told by the check of the token. */
static void check_paused(struct doctor *doctor)
{
    struct cli_reply reply;
    if (doctor_ask(doctor, "/installation", false, &reply) != CLI_OK) {
        return;
    }
    const json_t *pause = json_object_get(reply.json, "pause");
    if (pause == NULL) {
        doctor_ok(doctor, "paused", "no: jobs are leased");
    } else {
        doctor_warn(
            doctor, "paused", "stella orchestrator resume --reason \"...\", when it may go on",
            "since %.*s, by %.*s: %.*s", STR_ARG(json_text(json_object_get(pause, "since"))),
            STR_ARG(json_text(json_object_get(pause, "by"))),
            STR_ARG(json_text(json_object_get(pause, "reason"))));
    }
    json_decref(reply.json);
}

static void check_contract(struct doctor *doctor)
{
    struct cli_reply reply;
    if (doctor_ask(doctor, "/openapi.json", true, &reply) != CLI_OK) {
        doctor_refused(doctor, "contract", "is this the right --server?");
        return;
    }
    const struct str theirs =
        json_text(json_object_get(json_object_get(reply.json, "info"), "version"));
    if (str_starts(theirs, STR("1."))) {
        doctor_ok(doctor, "contract", "the server speaks version %.*s, this program 1",
                  STR_ARG(theirs));
    } else {
        doctor_warn(doctor, "contract", "use a stella of the server's version",
                    "the server speaks version %.*s, this program 1", STR_ARG(theirs));
    }
    json_decref(reply.json);
}

static void check_token(struct doctor *doctor)
{
    struct cli_reply reply;
    const char *path = cli_token_file(doctor->call);
    struct stat file = {0};
    if (doctor_ask(doctor, "/whoami", false, &reply) != CLI_OK) {
        doctor_refused(doctor, "token", NULL);
        return;
    }
    const struct str name = json_text(json_object_get(reply.json, "name"));
    const struct str tenant = json_text(json_object_get(reply.json, "tenant"));
    if (path != NULL && stat(path, &file) == 0 && (file.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        doctor_warn(doctor, "token", arena_format(&doctor->call->arena, "chmod 600 %s", path).ptr,
                    "others can read %s", path);
    } else {
        doctor_ok(doctor, "token", "%.*s, for %s%.*s", STR_ARG(name),
                  tenant.len > 0 ? "" : "the installation", STR_ARG(tenant));
    }
    json_decref(reply.json);
}

void doctor_server(struct doctor *doctor)
{
    doctor->answers = check_answer(doctor);
    if (doctor->answers) {
        check_ready(doctor);
        check_paused(doctor);
        check_contract(doctor);
        check_token(doctor);
        doctor_figures(doctor);
        doctor_workers(doctor);
        doctor_breakers(doctor);
    }
}
