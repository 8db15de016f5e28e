/* jobs logs: what an attempt logged, page by page, or as it comes. */
#include "cli/cmd_logs.h"

#include <string.h>

#include "base/json.h"
#include "base/time.h"
#include "cli/print.h"
#include "platform/clock.h"

enum { WAIT_MS = 20000, RETRY_MS = 2000, SILENCE_MAX_MS = 60000 };

struct follow {
    int64_t attempt; /* 0: the one that runs, or the newest. */
    int64_t after;
    int64_t since_us; /* 0: from the beginning. */
    bool follows;
    json_t *all; /* -o json: one document, at the end. */
    int64_t silence_ms;
};

/* "10m", "2h", "45s", "1d", or a time. */
static bool since_parse(const char *text, int64_t *out_us)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    const struct str all = str_from(text);
    struct wall_time at;
    int64_t count = 0;
    if (time_parse(all, &at)) {
        *out_us = at.us;
        return true;
    }
    for (size_t i = 0; i < CLI_COUNT(units) && all.len > 1; i++) {
        if (all.ptr[all.len - 1] == units[i].unit &&
            str_parse_i64(str_slice(all, 0, all.len - 1), &count) && count >= 0 &&
            count < INT32_MAX) {
            *out_us = clock_wall().us - count * units[i].seconds * US_PER_S;
            return true;
        }
    }
    return false;
}

static const char *level_colour(struct str level)
{
    if (str_eq(level, STR("error"))) {
        return "\033[31m";
    }
    if (str_eq(level, STR("warning"))) {
        return "\033[33m";
    }
    return str_eq(level, STR("debug")) ? "\033[2m" : "";
}

/* Further lines of a text are indented, so that each line of the log is known by its time. */
static void print_text(struct cli_call *call, struct str at, struct str level, struct str text)
{
    const char *colour = call->colour ? level_colour(level) : "";
    struct str line;
    bool first = true;
    while (str_split(&text, '\n', &line)) {
        const struct str clean = cli_clean(&call->arena, line);
        if (first) {
            fprintf(call->out, "%.*s %s%-7.*s%s %.*s\n", STR_ARG(at), colour, STR_ARG(level),
                    colour[0] != '\0' ? "\033[0m" : "", STR_ARG(clean));
        } else {
            fprintf(call->out, "    %.*s\n", STR_ARG(clean));
        }
        first = false;
    }
}

static void print_line(struct cli_call *call, struct follow *follow, json_t *item)
{
    const struct str at = json_text(json_object_get(item, "at"));
    struct wall_time when = {0};
    if (time_parse(at, &when) && when.us < follow->since_us) {
        return;
    }
    if (follow->all != NULL) {
        (void)json_array_append(follow->all, item);
    } else if (call->output == CLI_OUTPUT_JSONL || call->output == CLI_OUTPUT_JSON) {
        (void)json_dumpf(item, call->out, JSON_COMPACT);
        fputc('\n', call->out);
    } else {
        print_text(call, at, json_text(json_object_get(item, "level")),
                   json_text(json_object_get(item, "text")));
    }
}

static struct str path_of(struct cli_call *call, const struct follow *follow)
{
    struct str path = cli_path(call, "/jobs/%s/logs", cli_argument(call, 0));
    const char *after = arena_format(&call->arena, "%lld", (long long)follow->after).ptr;
    path = cli_query(call, path, "after", after);
    path = cli_query(call, path, "level", cli_value(call, "level"));
    if (follow->attempt > 0) {
        path = cli_query(call, path, "attempt",
                         arena_format(&call->arena, "%lld", (long long)follow->attempt).ptr);
    }
    if (follow->follows) {
        path = cli_query(call, path, "wait_ms", arena_format(&call->arena, "%d", (int)WAIT_MS).ptr);
    }
    return path;
}

static int64_t member(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static bool has_ended(const json_t *page)
{
    const struct str state = json_text(json_object_get(page, "state"));
    return str_eq(state, STR("succeeded")) || str_eq(state, STR("dead")) ||
           str_eq(state, STR("canceled"));
}

/* Prints a page and says whether there is another one to ask for. */
static bool take_page(struct cli_call *call, struct follow *follow, const json_t *page)
{
    const json_t *items = json_object_get(page, "items");
    const int64_t next = member(page, "next_after");
    const bool moved = next > follow->after;
    for (size_t i = 0; i < json_array_size(items); i++) {
        print_line(call, follow, json_array_get(items, i));
    }
    (void)fflush(call->out);
    follow->after = next;
    if (follow->attempt == 0) {
        follow->attempt = member(page, "attempt");
    }
    if (moved) {
        return true; /* There may be more of it. */
    }
    if (!follow->follows || has_ended(page)) {
        return false;
    }
    if (json_is_true(json_object_get(page, "complete")) && cli_value(call, "attempt") == NULL) {
        follow->attempt = 0; /* The next attempt, when it comes. */
        follow->after = 0;
    }
    return cli_value(call, "attempt") == NULL || !json_is_true(json_object_get(page, "complete"));
}

/* A new attempt is asked for again and again; what is known of the old one is not shown twice. */
static bool is_known_attempt(const struct follow *follow, int64_t last_attempt, const json_t *page)
{
    return follow->attempt == 0 && last_attempt > 0 && member(page, "attempt") == last_attempt;
}

static int run(struct cli_call *call, struct follow *follow)
{
    int64_t last_attempt = 0;
    for (bool more = true; more;) {
        struct cli_reply reply;
        const int status = cli_get(call, path_of(call, follow), &reply);
        if (status == CLI_UNREACHABLE && follow->follows && last_attempt > 0 &&
            follow->silence_ms < SILENCE_MAX_MS) {
            follow->silence_ms += RETRY_MS;
            clock_pause(RETRY_MS * US_PER_MS);
            continue;
        }
        if (status != CLI_OK) {
            return status;
        }
        follow->silence_ms = 0;
        if (is_known_attempt(follow, last_attempt, reply.json)) {
            more = !has_ended(reply.json);
            if (more) {
                clock_pause(RETRY_MS * US_PER_MS);
            }
        } else {
            more = take_page(call, follow, reply.json);
        }
        last_attempt = follow->attempt > 0 ? follow->attempt : last_attempt;
        json_decref(reply.json);
    }
    return CLI_OK;
}

int cli_job_logs(struct cli_call *call)
{
    struct follow follow = {.follows = cli_flag(call, "follow")};
    const char *since = cli_value(call, "since");
    int status = cli_number(call, "attempt", 1, INT64_MAX, &follow.attempt);
    if (status != CLI_OK) {
        return status;
    }
    if (since != NULL && !since_parse(since, &follow.since_us)) {
        return cli_fail(call, CLI_USAGE, "usage", "say 10m, 2h, 1d, or 2026-01-31T06:00:00Z",
                        "--since does not understand %s", since);
    }
    if (call->output == CLI_OUTPUT_JSON && !follow.follows) {
        follow.all = json_array();
    }
    status = run(call, &follow);
    if (follow.all != NULL && status == CLI_OK) {
        (void)json_dumpf(follow.all, call->out, JSON_INDENT(2));
        fputc('\n', call->out);
    }
    json_decref(follow.all);
    return status;
}
