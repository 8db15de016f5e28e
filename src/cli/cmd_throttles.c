/* throttles: how fast each host is asked, and what an operator sets for a time. */
#include "cli/input.h"
#include "cli/nouns.h"
#include "cli/print.h"

static const struct cli_column COLUMNS[] = {
    {"HOST", "host", CLI_TEXT},
    {"RATE/S", "rate_per_s", CLI_NUMBER},
    {"SET/S", "configured.rate_per_s", CLI_NUMBER},
    {"TOKENS", "tokens", CLI_NUMBER},
    {"BURST", "burst", CLI_NUMBER},
    {"BLOCKED UNTIL", "block.until", CLI_TIME},
    {"BY", "block.origin", CLI_STATE},
    {"OVERRIDE UNTIL", "override.expires_at", CLI_TIME},
    {"REASON", "override.reason", CLI_TEXT},
};
static const struct cli_shape SHAPE = {"host", COLUMNS, CLI_COUNT(COLUMNS)};

static const struct cli_column CHANGE_COLUMNS[] = {
    {"MEMBER", "member", CLI_TEXT},
    {"BEFORE", "before", CLI_JSON},
    {"AFTER", "after", CLI_JSON},
};
static const struct cli_shape CHANGES = {"member", CHANGE_COLUMNS, CLI_COUNT(CHANGE_COLUMNS)};

static int list(struct cli_call *call)
{
    return cli_list(call, STR("/throttles"), &SHAPE);
}

static int get(struct cli_call *call)
{
    return cli_get_and_show(call, cli_path(call, "/throttles/%s", cli_argument(call, 0)), &SHAPE);
}

/* The members that differ. */
static void show_difference(const struct cli_call *call, const json_t *told)
{
    json_t *after = json_object_get(told, "after");
    const json_t *before = json_object_get(told, "before");
    json_t *items = json_array();
    const char *member = NULL;
    json_t *value = NULL;
    CHECK(items != NULL);
    json_object_foreach(after, member, value)
    {
        json_t *old = json_object_get(before, member);
        if (!json_equal(old, value)) {
            (void)json_array_append_new(items,
                                        json_pack("{s:s,s:O,s:O}", "member", member, "before",
                                                  old == NULL ? json_null() : old, "after", value));
        }
    }
    cli_print_items(call, items, &CHANGES);
    cli_note(call, "Nothing was changed.");
    json_decref(items);
}

/* The version that stands, unless --if-match names one. */
static int version_of(struct cli_call *call, struct str path, const char **out)
{
    struct cli_reply *present = arena_new(&call->arena, struct cli_reply);
    *out = cli_value(call, "if-match");
    if (*out != NULL) {
        return CLI_OK;
    }
    const int status = cli_send(
        call, &(struct cli_request){.method = "GET", .path = path, .absent_is_ok = true}, present);
    if (status == CLI_OK) {
        json_decref(present->json);
        *out = present->status == 200 && present->etag[0] != '\0' ? present->etag : NULL;
    }
    return status;
}

static int change(struct cli_call *call, const char *method, const char *verb, struct str body)
{
    struct cli_reply reply;
    struct cli_request request = {.method = method, .body = body};
    const struct str path = cli_path(call, "/throttles/%s", cli_argument(call, 0));
    int status = version_of(call, path, &request.if_match);
    if (status != CLI_OK) {
        return status;
    }
    request.changes_nothing = cli_flag(call, "dry-run");
    request.path = arena_format(&call->arena, "%.*s%s%s", STR_ARG(path), verb,
                                request.changes_nothing ? "?dry_run=true" : "");
    status = cli_send(call, &request, &reply);
    if (status != CLI_OK) {
        return status;
    }
    if (request.changes_nothing) {
        show_difference(call, reply.json);
    } else {
        cli_show(call, reply.json, &SHAPE);
    }
    json_decref(reply.json);
    return CLI_OK;
}

/* "90s", "10m", "2h", "1d"; a bare number is seconds. */
static int span(struct cli_call *call, const char *option, int64_t *out_ms)
{
    static const char units[] = "smhd";
    static const int64_t lengths_ms[] = {1000, 60000, 3600000, 86400000};
    const char *given = cli_value(call, option);
    if (given == NULL) {
        return CLI_OK;
    }
    struct str number = str_from(given);
    int64_t unit_ms = lengths_ms[0];
    for (size_t i = 0; number.len > 0 && i < CLI_COUNT(lengths_ms); i++) {
        if (number.ptr[number.len - 1] == units[i]) {
            number = str_slice(number, 0, number.len - 1);
            unit_ms = lengths_ms[i];
            break;
        }
    }
    int64_t value = 0;
    if (!str_parse_i64(number, &value) || value < 1 || value > 30 * lengths_ms[3] / unit_ms) {
        return cli_fail(call, CLI_USAGE, "usage", "30s, 10m, 2h or 7d",
                        "--%s %s is not a time up to 30d", option, given);
    }
    *out_ms = value * unit_ms;
    return CLI_OK;
}

/* A decimal number as it was given; the server knows its bounds. */
static int put_rate(struct cli_call *call, struct json_writer *w)
{
    const char *given = cli_value(call, "rate");
    struct str value;
    if (given == NULL) {
        return CLI_OK;
    }
    const int status = cli_input_value(call, given, &value);
    if (status == CLI_OK) {
        JSON_RAW(w, "rate_per_s", value);
    }
    return status;
}

static int set(struct cli_call *call)
{
    struct buf text;
    struct json_writer w;
    int64_t block_ms = 0;
    int64_t lasts_ms = 3600000;
    int status = cli_need_reason(call);
    status = status == CLI_OK ? span(call, "block", &block_ms) : status;
    lasts_ms = block_ms > lasts_ms ? block_ms : lasts_ms;
    status = status == CLI_OK ? span(call, "for", &lasts_ms) : status;
    if (status != CLI_OK) {
        return status;
    }
    buf_init(&text, 1024);
    json_begin(&w, &text);
    json_put_object(&w);
    if (block_ms > 0) {
        JSON_INT(&w, "block_ms", block_ms);
    }
    status = cli_put_number_option(call, &w, "burst", "burst", 1, 1000000);
    JSON_INT(&w, "expires_in_ms", lasts_ms);
    status = status == CLI_OK ? put_rate(call, &w) : status;
    json_put_object_end(&w);
    const struct str body = arena_str(&call->arena, buf_get(&text));
    buf_fini(&text);
    return status == CLI_OK ? change(call, "PUT", "", body) : status;
}

static int clear(struct cli_call *call)
{
    const int status = cli_need_reason(call);
    const char *what = cli_flag(call, "block")      ? "{\"what\":\"block\"}"
                       : cli_flag(call, "override") ? "{\"what\":\"override\"}"
                                                    : "{\"what\":\"all\"}";
    return status == CLI_OK ? change(call, "POST", "/clear", str_from(what)) : status;
}

static const struct cli_option SET_OPTIONS[] = {
    {"rate", 0, "N", "Requests a second, at least 0.001"},
    {"burst", 0, "N", "Requests that may be made at once"},
    {"block", 0, "TIME", "Ask nothing for so long: 30s, 10m, 2h, 1d"},
    {"for", 0, "TIME", "All of it falls away then (default 1h, or as long as --block)"},
    {"if-match", 0, "ETAG", "Only at this version (default: the one that is read first)"},
};

static const struct cli_option CLEAR_OPTIONS[] = {
    {"override", 0, NULL, "Only what was set"},
    {"block", 0, NULL, "Only what the upstream caused: block, doubling and the cut of the rate"},
    {"if-match", 0, "ETAG", "Only at this version (default: the one that is read first)"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List hosts with their rates and blocks",
     "stella orchestrator throttles list", NULL, 0, list},
    {"get", NULL, "HOST", 1, 1, "Show one host",
     "stella orchestrator throttles get osv.example.org -o json", NULL, 0, get},
    {"set", NULL, "HOST", 1, 1, "Set rate, burst or a block for a time (needs --reason)",
     "stella orchestrator throttles set osv.example.org --rate 0.5 --burst 1 --for 2h --reason "
     "\"they asked us to\" --dry-run\n"
     "stella orchestrator throttles set osv.example.org --block 10m --reason \"their incident\"",
     SET_OPTIONS, CLI_COUNT(SET_OPTIONS), set},
    {"clear", NULL, "HOST", 1, 1, "Take back what was set and lift the block (needs --reason)",
     "stella orchestrator throttles clear osv.example.org --reason \"they are back\"",
     CLEAR_OPTIONS, CLI_COUNT(CLEAR_OPTIONS), clear},
};

const struct cli_noun cli_throttles = {"throttles", "throttle", "How fast hosts are asked",
                                       COMMANDS, CLI_COUNT(COMMANDS)};
