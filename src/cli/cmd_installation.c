/* status, pause, resume: the whole installation. */
#include "cli/nouns.h"
#include "cli/print.h"

static const struct cli_column COLUMNS[] = {
    {"PAUSED", "paused", CLI_JSON},       {"SINCE", "pause.since", CLI_TIME},
    {"BY", "pause.by", CLI_TEXT},         {"TICKET", "pause.ticket", CLI_TEXT},
    {"REASON", "pause.reason", CLI_TEXT}, {"RESTORED", "restored.at", CLI_TIME},
    {"FROM", "restored.from", CLI_TEXT},
};
static const struct cli_shape SHAPE = {"version", COLUMNS, CLI_COUNT(COLUMNS)};

static int ask(struct cli_call *call, const struct cli_request *request)
{
    struct cli_reply reply;
    const int status = cli_send(call, request, &reply);
    if (status != CLI_OK) {
        return status;
    }
    cli_show(call, reply.json, &SHAPE);
    if (json_is_true(json_object_get(reply.json, "paused"))) {
        cli_note(call, "Nothing new is leased. Go on with: stella orchestrator resume --reason "
                       "\"...\"");
    }
    json_decref(reply.json);
    return CLI_OK;
}

static int status(struct cli_call *call)
{
    return ask(call, &(struct cli_request){
                         .method = "GET", .path = STR("/installation"), .installation = true});
}

static int set(struct cli_call *call)
{
    const int needed = cli_need_reason(call);
    if (needed != CLI_OK) {
        return needed;
    }
    return ask(call,
               &(struct cli_request){.method = "POST",
                                     .path = cli_path(call, "/installation/%s", call->noun->name),
                                     .if_match = cli_value(call, "if-match"),
                                     .installation = true});
}

static const struct cli_option OPTIONS[] = {
    {"if-match", 0, "ETAG", "Only at this version"},
};

static const struct cli_command STATUS[] = {
    {"", NULL, "", 0, 0, "Show whether the installation is paused, and whether it was restored",
     "stella orchestrator status\nstella orchestrator status -o json", NULL, 0, status},
};
static const struct cli_command PAUSE[] = {
    {"", NULL, "", 0, 0,
     "Lease nothing new in the whole installation; what is leased goes on (needs --reason)",
     "stella orchestrator pause --reason \"storage is moved\" --ticket OPS-7", OPTIONS,
     CLI_COUNT(OPTIONS), set},
};
static const struct cli_command RESUME[] = {
    {"", NULL, "", 0, 0, "Lease jobs again (needs --reason)",
     "stella orchestrator resume --reason \"storage is moved\"", OPTIONS, CLI_COUNT(OPTIONS), set},
};

const struct cli_noun cli_status = {"status", NULL, "Whether the installation is paused", STATUS,
                                    CLI_COUNT(STATUS)};
const struct cli_noun cli_pause = {"pause", NULL, "Lease nothing new", PAUSE, CLI_COUNT(PAUSE)};
const struct cli_noun cli_resume = {"resume", NULL, "Lease jobs again", RESUME, CLI_COUNT(RESUME)};
