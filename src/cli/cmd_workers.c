/* workers: who works, and who shall stop. */
#include "cli/nouns.h"
#include "cli/print.h"

static const struct cli_column COLUMNS[] = {
    {"WORKER", "name", CLI_TEXT},     {"STATE", "state", CLI_STATE},
    {"LEASES", "leases", CLI_NUMBER}, {"SLOTS", "slots", CLI_NUMBER},
    {"SEEN", "seen_at", CLI_TIME},    {"CLOCK ms", "clock_offset_ms", CLI_NUMBER},
    {"VERSION", "version", CLI_TEXT}, {"TYPES", "job_types", CLI_WORDS},
    {"REASON", "reason", CLI_TEXT},
};
static const struct cli_shape SHAPE = {"name", COLUMNS, CLI_COUNT(COLUMNS)};

static int list(struct cli_call *call)
{
    return cli_list(call, STR("/workers"), &SHAPE);
}

static int get(struct cli_call *call)
{
    return cli_get_and_show(call, cli_path(call, "/workers/%s", cli_argument(call, 0)), &SHAPE);
}

static int set(struct cli_call *call)
{
    struct cli_reply reply;
    int status = cli_need_reason(call);
    if (status != CLI_OK) {
        return status;
    }
    const struct cli_request request = {
        .method = "POST",
        .path = cli_path(call, "/workers/%s/%s", cli_argument(call, 0), call->command->verb),
    };
    status = cli_send(call, &request, &reply);
    if (status == CLI_OK) {
        cli_show(call, reply.json, &SHAPE);
        if (str_eq(str_from(call->command->verb), STR("drain"))) {
            cli_note(call, "It is done when `stella orchestrator workers get %s` shows no leases.",
                     cli_argument(call, 0));
        }
        json_decref(reply.json);
    }
    return status;
}

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List the tenant's workers; without -T the installation's",
     "stella orchestrator workers list\nstella orchestrator workers list -T acme", NULL, 0, list},
    {"get", NULL, "WORKER", 1, 1, "Show one worker", "stella orchestrator workers get build-7/1",
     NULL, 0, get},
    {"drain", NULL, "WORKER", 1, 1,
     "Give a worker no more leases; it finishes and stays (needs --reason)",
     "stella orchestrator workers drain build-7/1 --reason \"new kernel\"", NULL, 0, set},
    {"quarantine", NULL, "WORKER", 1, 1, "Take a worker's leases away (needs --reason)",
     "stella orchestrator workers quarantine build-7/1 --reason \"wrong results\"", NULL, 0, set},
    {"resume", NULL, "WORKER", 1, 1, "Give a worker leases again (needs --reason)",
     "stella orchestrator workers resume build-7/1 --reason \"checked\"", NULL, 0, set},
};

const struct cli_noun cli_workers = {"workers", "worker", "Programs that do the jobs", COMMANDS,
                                     CLI_COUNT(COMMANDS)};
