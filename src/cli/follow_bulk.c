#include "cli/follow_bulk.h"

#include <signal.h>

#include "base/json.h"
#include "cli/progress.h"
#include "platform/clock.h"

enum { LEAST_WAIT_MS = 50, MOST_WAIT_MS = 1000, GIVE_UP_MS = 60000, SIGNAL_EXIT = 128 };

static const struct cli_column COLUMNS[] = {
    {"BULK ACTION", "id", CLI_TEXT},     {"ACTION", "action", CLI_TEXT},
    {"STATE", "state", CLI_STATE},       {"JOBS", "matched", CLI_NUMBER},
    {"DONE", "done", CLI_NUMBER},        {"CHANGED", "changed", CLI_NUMBER},
    {"ALREADY", "already", CLI_NUMBER},  {"REFUSED", "refused", CLI_NUMBER},
    {"STARTED", "started_at", CLI_TIME}, {"REASON", "reason", CLI_TEXT},
};
const struct cli_shape cli_bulk_shape = {"id", COLUMNS, CLI_COUNT(COLUMNS)};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static bool has_ended(const json_t *record)
{
    const struct str state = json_text(json_object_get(record, "state"));
    return !str_eq(state, STR("running")) && !str_eq(state, STR("storing"));
}

static int64_t number(const json_t *record, const char *member)
{
    return json_integer_value(json_object_get(record, member));
}

/* Asks again until it has ended; *record is the last answer. */
static int follow(struct cli_call *call, const char *id, json_t **record)
{
    int64_t wait_ms = LEAST_WAIT_MS;
    int64_t silence_ms = 0;
    while (!has_ended(*record) && !interrupted) {
        struct cli_reply reply;
        cli_progress(call, "jobs", number(*record, "done"), number(*record, "matched"));
        clock_pause(wait_ms * US_PER_MS);
        wait_ms = wait_ms * 3 / 2 < MOST_WAIT_MS ? wait_ms * 3 / 2 : MOST_WAIT_MS;
        const int status = cli_get(call, cli_path(call, "/bulk-actions/%s", id), &reply);
        if (status == CLI_UNREACHABLE && silence_ms < GIVE_UP_MS) {
            silence_ms += wait_ms;
            continue;
        }
        if (status != CLI_OK) {
            return status;
        }
        silence_ms = 0;
        json_decref(*record);
        *record = reply.json;
    }
    return CLI_OK;
}

static int conclude(struct cli_call *call, const char *id, const json_t *record)
{
    const int64_t refused = number(record, "refused");
    if (!has_ended(record)) {
        cli_note(call, "It goes on. Follow it with `stella orchestrator bulk get %s --wait`.", id);
        return interrupted ? SIGNAL_EXIT + SIGINT : CLI_OK;
    }
    if (!str_eq(json_text(json_object_get(record, "state")), STR("done"))) {
        return cli_fail(call, CLI_CONFLICT, "conflict", "preview again for what is left",
                        "%s did not come to its end", id);
    }
    if (refused > 0) {
        const struct str hint = arena_format(
            &call->arena, "see which with `stella orchestrator bulk results %s --outcome refused`",
            id);
        return cli_fail(call, CLI_CONFLICT, "conflict", arena_cstr(&call->arena, hint),
                        "%lld of %lld jobs were refused", (long long)refused,
                        (long long)number(record, "done"));
    }
    return CLI_OK;
}

int cli_follow_bulk(struct cli_call *call, json_t *record)
{
    const char *id = arena_cstr(&call->arena, json_text(json_object_get(record, "id")));
    int status = CLI_OK;
    interrupted = 0;
    if (!cli_flag(call, "no-wait")) {
        const struct sigaction action = {.sa_handler = interrupt};
        struct sigaction before;
        CHECK(sigaction(SIGINT, &action, &before) == 0);
        status = follow(call, id, &record);
        CHECK(sigaction(SIGINT, &before, NULL) == 0);
        cli_progress_end(call);
    }
    if (status == CLI_OK) {
        cli_show(call, record, &cli_bulk_shape);
        status = conclude(call, id, record);
    } else {
        cli_note(call, "It goes on. Follow it with `stella orchestrator bulk get %s --wait`.", id);
    }
    json_decref(record);
    return status;
}
