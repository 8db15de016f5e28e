/* history: what happened, in order, and what happens now. */
#include <stdlib.h>

#include "base/json.h"
#include "cli/nouns.h"
#include "cli/print.h"
#include "cli/shapes.h"

static const struct cli_column COLUMNS[] = {
    {"SEQ", "seq", CLI_NUMBER}, {"AT", "at", CLI_TIME},       {"TYPE", "type", CLI_TEXT},
    {"JOB", "job", CLI_TEXT},   {"ACTOR", "actor", CLI_TEXT}, {"FACTS", "facts", CLI_JSON},
};
const struct cli_shape cli_history_shape = {"seq", COLUMNS, CLI_COUNT(COLUMNS)};

enum { PAGE = 1000, DEFAULT_LINES = 100 };

static const char *number_text(struct cli_call *call, int64_t value)
{
    return arena_format(&call->arena, "%lld", (long long)value).ptr;
}

/* One page after *after; moves it and counts. With wait_ms the server waits for a line. */
static int take_lines(struct cli_call *call, struct str path, int64_t *after, int64_t left,
                      int64_t wait_ms, size_t *out_count)
{
    path = cli_query(call, path, "after", number_text(call, *after));
    path = cli_query(call, path, "limit", number_text(call, left < PAGE ? left : PAGE));
    path = cli_query(call, path, "wait_ms", wait_ms > 0 ? number_text(call, wait_ms) : NULL);
    struct cli_reply reply;
    const int status = cli_get(call, path, &reply);
    if (status != CLI_OK) {
        return status;
    }
    const json_t *items = json_object_get(reply.json, "items");
    const json_t *next = json_object_get(reply.json, "next_after");
    *out_count = json_array_size(items);
    *after = json_is_integer(next) ? json_integer_value(next) : *after;
    if (*out_count > 0) {
        cli_print_items(call, items, &cli_history_shape);
        (void)fflush(call->out);
    }
    json_decref(reply.json);
    return CLI_OK;
}

static int list_lines(struct cli_call *call, struct str path)
{
    int64_t after = 0;
    int64_t limit = DEFAULT_LINES;
    int status = cli_number(call, "after", 0, INT64_MAX, &after);
    if (status == CLI_OK) {
        status = cli_number(call, "limit", 1, INT64_MAX, &limit);
    }
    limit = cli_flag(call, "all") ? INT64_MAX : limit;
    size_t count = 1;
    while (status == CLI_OK && count > 0 && limit > 0) {
        status = take_lines(call, path, &after, limit, 0, &count);
        limit -= (int64_t)count;
    }
    return status;
}

static int list(struct cli_call *call)
{
    return list_lines(call, STR("/history"));
}

static int shard(struct cli_call *call)
{
    return list_lines(call, cli_path(call, "/shards/%s/history", cli_argument(call, 0)));
}

static int watch(struct cli_call *call)
{
    enum { WAIT_MS = 20000 };

    int64_t after = 0;
    size_t count = 0;
    int status = cli_number(call, "after", 0, INT64_MAX, &after);
    while (status == CLI_OK) {
        status = take_lines(call, STR("/history"), &after, PAGE, WAIT_MS, &count);
    }
    return status;
}

static const struct cli_option OPTIONS[] = {
    {"after", 0, "SEQ", "Lines after this number (default 0: from the beginning)"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List the tenant's history lines, oldest first",
     "stella orchestrator history list -T acme --limit 20\n"
     "stella orchestrator history list --after 1200 --all -o jsonl > history.jsonl",
     OPTIONS, CLI_COUNT(OPTIONS), list},
    {"watch", NULL, "", 0, 0, "Print history lines as they happen, until interrupted",
     "stella orchestrator history watch -T acme -o jsonl", OPTIONS, CLI_COUNT(OPTIONS), watch},
    {"shard", NULL, "SHARD", 1, 1, "List a shard's log: what depends on several tenants",
     "stella orchestrator history shard 12 --limit 20\n"
     "stella orchestrator history shard 12 --all -o jsonl > shard-12.jsonl",
     OPTIONS, CLI_COUNT(OPTIONS), shard},
};

const struct cli_noun cli_history = {"history", NULL, "What happened, line by line", COMMANDS,
                                     CLI_COUNT(COMMANDS)};
