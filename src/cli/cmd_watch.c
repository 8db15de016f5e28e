#include "cli/cmd_watch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/print.h"
#include "platform/clock.h"

enum { LEAST_WAIT_MS = 200, MOST_WAIT_MS = 2000, GIVE_UP_MS = 60000, BAR = 30 };

static const char *const STATES[] = {"succeeded", "running", "leased",  "pending",
                                     "blocked",   "dead",    "canceled"};

struct progress {
    char line[256];     /* As last shown. */
    bool live;          /* One line, written over. */
    int64_t wait_ms;    /* Until the next look. */
    int64_t silence_ms; /* Since the server last answered. */
};

static int64_t count_of(const json_t *run, const char *state)
{
    return json_integer_value(json_object_get(json_object_get(run, "counts"), state));
}

static void bar(char out[BAR + 1], const json_t *run, int64_t total)
{
    const int64_t ended =
        count_of(run, "succeeded") + count_of(run, "dead") + count_of(run, "canceled");
    const int64_t full = total > 0 ? ended * BAR / total : 0;
    for (int i = 0; i < BAR; i++) {
        out[i] = i < full ? '#' : '.';
    }
    out[BAR] = '\0';
}

/* "run-4 active 12/80  succeeded 12  running 4 …": state words are always there, colour or not. */
static void describe(char out[256], const char *id, const json_t *run, bool with_bar)
{
    const int64_t total = json_integer_value(json_object_get(run, "total"));
    const struct str state = json_text(json_object_get(run, "state"));
    char picture[BAR + 1];
    bar(picture, run, total);
    int at = snprintf(out, 256, "%s %.*s %s%s%lld jobs", id, STR_ARG(state),
                      with_bar ? picture : "", with_bar ? " " : "", (long long)total);
    for (size_t i = 0; i < CLI_COUNT(STATES) && at > 0 && at < 256; i++) {
        const int64_t n = count_of(run, STATES[i]);
        if (n > 0) {
            at += snprintf(out + at, 256 - (size_t)at, ", %lld %s", (long long)n, STATES[i]);
        }
    }
}

static void show(const struct cli_call *call, const char *id, const json_t *run,
                 struct progress *progress)
{
    char line[256];
    describe(line, id, run, progress->live);
    if (strcmp(line, progress->line) == 0) {
        progress->wait_ms =
            progress->wait_ms * 3 / 2 < MOST_WAIT_MS ? progress->wait_ms * 3 / 2 : MOST_WAIT_MS;
        return;
    }
    progress->wait_ms = LEAST_WAIT_MS;
    memcpy(progress->line, line, sizeof(line));
    if (call->output == CLI_OUTPUT_JSON) {
        return; /* One document, at the end. */
    }
    if (call->output == CLI_OUTPUT_JSONL) {
        (void)json_dumpf(run, call->out, JSON_COMPACT);
        fputc('\n', call->out);
    } else if (progress->live) {
        fprintf(call->out, "\r\033[K%s", line);
    } else {
        fprintf(call->out, "%s\n", line);
    }
    (void)fflush(call->out);
}

static bool has_ended(const json_t *run)
{
    return !str_eq(json_text(json_object_get(run, "state")), STR("active"));
}

static int finish(struct cli_call *call, const char *id, const json_t *run, bool live)
{
    const struct str state = json_text(json_object_get(run, "state"));
    if (call->output == CLI_OUTPUT_JSON) {
        (void)json_dumpf(run, call->out, JSON_INDENT(2));
        fputc('\n', call->out);
    } else if (live) {
        fputc('\n', call->out);
    }
    if (str_eq(state, STR("succeeded"))) {
        return CLI_OK;
    }
    cli_note(call, "See what failed: `stella orchestrator jobs list --run %s --state dead`.", id);
    return cli_flag(call, "exit-status")
               ? cli_fail(call, CLI_FAILED, "conflict", "look at its jobs with `runs jobs`",
                          "%s ended %.*s", id, STR_ARG(state))
               : CLI_OK;
}

int cli_watch_run(struct cli_call *call, const char *run)
{
    const char *term = getenv("TERM");
    struct progress progress = {
        .live = isatty(fileno(call->out)) != 0 && call->is_table && term != NULL &&
                strcmp(term, "dumb") != 0,
        .wait_ms = LEAST_WAIT_MS,
    };
    const struct str path = cli_path(call, "/runs/%s", run);
    for (;;) {
        struct cli_reply reply;
        int status = cli_get(call, path, &reply);
        if (status == CLI_UNREACHABLE && progress.line[0] != '\0' &&
            progress.silence_ms < GIVE_UP_MS) {
            progress.silence_ms += MOST_WAIT_MS;
            clock_pause(MOST_WAIT_MS * US_PER_MS);
            continue;
        }
        if (status != CLI_OK) {
            return status;
        }
        progress.silence_ms = 0;
        show(call, run, reply.json, &progress);
        const bool ended = has_ended(reply.json);
        if (ended) {
            status = finish(call, run, reply.json, progress.live);
        }
        json_decref(reply.json);
        if (ended) {
            return status;
        }
        clock_pause(progress.wait_ms * US_PER_MS);
    }
}
