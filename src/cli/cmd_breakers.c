/* breakers: which downstream services are well, and what holds or lets through. */
#include <stdlib.h>

#include "cli/input.h"
#include "cli/nouns.h"
#include "cli/print.h"
#include "cli/shapes.h"

static const struct cli_column COLUMNS[] = {
    {"SERVICE", "service", CLI_TEXT},
    {"STATE", "state", CLI_STATE},
    {"MODE", "mode", CLI_TEXT},
    {"CALLS", "evidence.calls", CLI_NUMBER},
    {"FAILED", "evidence.failures", CLI_NUMBER},
    {"IN A ROW", "evidence.in_a_row", CLI_NUMBER},
    {"SINCE", "changed_at", CLI_TIME},
    {"NEXT PROBE", "next_probe_at", CLI_TIME},
    {"PROBES", "probes.under_way", CLI_NUMBER},
    {"REASON", "reason", CLI_TEXT},
};
static const struct cli_shape SHAPE = {"service", COLUMNS, CLI_COUNT(COLUMNS)};

/* Options of `edit` that are numbers; the server knows their bounds. */
static const struct {
    const char *option;
    const char *member;
} NUMBERS[] = {
    {"window-ms", "window_ms"},
    {"min-calls", "min_calls"},
    {"failure-percent", "failure_percent"},
    {"consecutive-failures", "consecutive_failures"},
    {"slow-ms", "slow_ms"},
    {"slow-percent", "slow_percent"},
    {"open-ms", "open_ms"},
    {"open-max-ms", "open_max_ms"},
    {"decay-ms", "decay_ms"},
    {"probes", "probes"},
    {"probe-successes", "probe_successes"},
    {"probe-failures", "probe_failures"},
    {"ramp-ms", "ramp_ms"},
};

static int list(struct cli_call *call)
{
    return cli_list(call, STR("/breakers"), &SHAPE);
}

static int get(struct cli_call *call)
{
    return cli_get_and_show(call, cli_path(call, "/breakers/%s", cli_argument(call, 0)), &SHAPE);
}

/* The installation's, whatever tenant is named for other calls. */
static bool is_shared(const struct cli_call *call)
{
    return !cli_flag(call, "own");
}

static int history(struct cli_call *call)
{
    int64_t after = 0;
    int64_t limit = INT64_MAX;
    bool more = true;
    int status = cli_number(call, "limit", 1, INT64_MAX, &limit);
    while (status == CLI_OK && more && limit > 0) {
        char number[32];
        struct cli_reply reply;
        (void)snprintf(number, sizeof(number), "%lld", (long long)after);
        const struct cli_request request = {
            .method = "GET",
            .path = cli_query(call, cli_path(call, "/breakers/%s/history", cli_argument(call, 0)),
                              "after", number),
            .installation = is_shared(call),
        };
        status = cli_send(call, &request, &reply);
        if (status != CLI_OK) {
            break;
        }
        json_t *items = json_object_get(reply.json, "items");
        const int64_t next = json_integer_value(json_object_get(reply.json, "next_after"));
        while ((int64_t)json_array_size(items) > limit) {
            (void)json_array_remove(items, json_array_size(items) - 1);
        }
        limit -= (int64_t)json_array_size(items);
        if (json_array_size(items) > 0) {
            cli_print_items(call, items, &cli_history_shape);
        }
        more = next > after;
        after = next;
        json_decref(reply.json);
    }
    return status;
}

/* ---- Changes ---- */

/* Sends it, or with --dry-run lets the server say what it would change; shows the changes. */
static int change(struct cli_call *call, struct cli_request request)
{
    struct cli_reply reply;
    const bool is_dry = cli_flag(call, "dry-run");
    request.path = cli_query(call, request.path, "dry_run", is_dry ? "true" : NULL);
    request.changes_nothing = is_dry;
    request.installation = is_shared(call);
    const int status = cli_send(call, &request, &reply);
    if (status != CLI_OK) {
        return status;
    }
    if (call->output == CLI_OUTPUT_JSON || call->output == CLI_OUTPUT_YAML) {
        cli_show(call, reply.json, &SHAPE);
    } else {
        cli_print_items(call, json_object_get(reply.json, "changes"), &cli_change_shape);
    }
    if (is_dry) {
        cli_note(call, "Nothing was changed.");
    }
    json_decref(reply.json);
    return CLI_OK;
}

static struct str body_of(struct cli_call *call, json_t *body)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    buf_init(&text, CLI_BODY_MAX);
    json_begin(&w, &text);
    json_put_value(&w, body);
    json_decref(body);
    return arena_str(&call->arena, buf_get(&text));
}

static int force(struct cli_call *call)
{
    int64_t for_s = 0;
    int status = cli_need_reason(call);
    if (status == CLI_OK) {
        status = cli_number(call, "for-s", 0, 2592000, &for_s);
    }
    if (status != CLI_OK) {
        return status;
    }
    json_t *body =
        json_pack("{s:I,s:s}", "for_ms", (json_int_t)(for_s * 1000), "mode", cli_argument(call, 1));
    CHECK(body != NULL);
    return change(call, (struct cli_request){
                            .method = "POST",
                            .path = cli_path(call, "/breakers/%s/force", cli_argument(call, 0)),
                            .body = body_of(call, body),
                            .if_match = cli_value(call, "if-match"),
                        });
}

static int reset(struct cli_call *call)
{
    const int status = cli_need_reason(call);
    return status != CLI_OK
               ? status
               : change(call,
                        (struct cli_request){
                            .method = "POST",
                            .path = cli_path(call, "/breakers/%s/reset", cli_argument(call, 0)),
                            .if_match = cli_value(call, "if-match"),
                        });
}

static json_t *words(const char *text)
{
    json_t *list = json_array();
    struct str rest = str_from(text);
    struct str word;
    while (str_split(&rest, ',', &word)) {
        if (word.len > 0) {
            (void)json_array_append_new(list, json_stringn(word.ptr, word.len));
        }
    }
    return list;
}

/* The parameters that stand now, with what the options say. */
static int edited(struct cli_call *call, json_t *parameters)
{
    for (size_t i = 0; i < CLI_COUNT(NUMBERS); i++) {
        int64_t value = -1;
        const int status = cli_number(call, NUMBERS[i].option, 0, INT64_MAX, &value);
        if (status != CLI_OK) {
            return status;
        }
        if (value >= 0) {
            (void)json_object_set_new(parameters, NUMBERS[i].member, json_integer(value));
        }
    }
    static const char *const lists[] = {"counts", "ignored"};
    for (size_t i = 0; i < CLI_COUNT(lists); i++) {
        const char *given = cli_value(call, lists[i]);
        if (given != NULL) {
            (void)json_object_set_new(parameters, lists[i], words(given));
        }
    }
    const char *scope = cli_value(call, "scope");
    if (scope == NULL) {
        return CLI_OK;
    }
    const bool is_tenant = str_eq(str_from(scope), STR("tenant"));
    if (!is_tenant && !str_eq(str_from(scope), STR("installation"))) {
        return cli_fail(call, CLI_USAGE, "usage", "--scope tenant, or --scope installation",
                        "--scope takes tenant or installation");
    }
    (void)json_object_set_new(parameters, "per_tenant", json_boolean(is_tenant));
    return CLI_OK;
}

static int edit(struct cli_call *call)
{
    const struct str path = cli_path(call, "/breakers/%s", cli_argument(call, 0));
    const char *file = cli_value(call, "file");
    const char *version = cli_value(call, "if-match");
    struct cli_reply present = {0};
    struct str body = {0};
    int status = cli_need_reason(call);
    if (status == CLI_OK) {
        status =
            cli_send(call,
                     &(struct cli_request){
                         .method = "GET", .path = path, .installation = true, .absent_is_ok = true},
                     &present);
    }
    if (status != CLI_OK) {
        return status;
    }
    json_t *parameters = json_object_get(present.json, "parameters");
    parameters =
        parameters == NULL || present.status != 200 ? json_object() : json_incref(parameters);
    if (version == NULL && present.status == 200 && present.etag[0] != '\0') {
        version = present.etag;
    }
    status = file != NULL ? cli_input_file(call, file, &body) : edited(call, parameters);
    if (status == CLI_OK && file == NULL) {
        body = body_of(call, json_incref(parameters));
    }
    json_decref(parameters);
    json_decref(present.json);
    return status != CLI_OK
               ? status
               : change(call,
                        (struct cli_request){
                            .method = "PUT", .path = path, .body = body, .if_match = version});
}

#define OWN                                                                   \
    {                                                                         \
        "own", 0, NULL, "The tenant's own breaker, where each tenant has one" \
    }

static const struct cli_option OWN_OPTIONS[] = {OWN};

static const struct cli_option SET_OPTIONS[] = {
    {"for-s", 0, "SECONDS", "force: the mode ends by itself after that (default: it stays)"},
    {"if-match", 0, "ETAG", "Only when its parameters are of this version"},
    OWN,
};

static const struct cli_option EDIT_OPTIONS[] = {
    {"window-ms", 0, "MS", "How far evidence reaches back (default 60000)"},
    {"min-calls", 0, "N", "Percentages are looked at from so many calls on (default 10)"},
    {"failure-percent", 0, "N", "Opens when so many calls failed (default 50)"},
    {"consecutive-failures", 0, "N", "Opens after that many in a row; 0 = never (default 5)"},
    {"slow-ms", 0, "MS", "A longer attempt is slow; 0 = none is (default)"},
    {"slow-percent", 0, "N", "Opens when so many calls were slow (default 80)"},
    {"open-ms", 0, "MS", "First open time; it doubles (default 30000)"},
    {"open-max-ms", 0, "MS", "Longest open time (default 600000)"},
    {"decay-ms", 0, "MS", "After each such time closed it doubles once less (default 60000)"},
    {"probes", 0, "N", "Leases at once while half-open (default 3)"},
    {"probe-successes", 0, "N", "Close it (default 2)"},
    {"probe-failures", 0, "N", "Open it anew (default 2)"},
    {"ramp-ms", 0, "MS", "How long it takes until all jobs are let in again (default 30000)"},
    {"counts", 0, "CLASSES", "Permanent failures of these classes count too"},
    {"ignored", 0, "CLASSES", "Failures of these classes do not count"},
    {"scope", 0, "WHOSE", "installation (default), or tenant: each has its own"},
    {"file", 'f', "FILE", "The whole body instead of options; - for stdin"},
    {"if-match", 0, "ETAG", "Replace only this version (default: the one that is read first)"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List the circuit breakers of downstream services",
     "stella orchestrator breakers list", NULL, 0, list},
    {"get", NULL, "SERVICE", 1, 1, "Show one: its state, evidence and parameters",
     "stella orchestrator breakers get scanner\n"
     "stella orchestrator breakers get scanner -o json",
     NULL, 0, get},
    {"history", NULL, "SERVICE", 1, 1, "List what a breaker learned and did, oldest first",
     "stella orchestrator breakers history scanner --limit 20", OWN_OPTIONS, CLI_COUNT(OWN_OPTIONS),
     history},
    {"force", NULL, "SERVICE MODE", 2, 2,
     "Set its mode: forced_open, disabled, shadow or automatic (needs --reason)",
     "stella orchestrator breakers force scanner forced_open --for-s 600 --reason \"upgrade\"\n"
     "stella orchestrator breakers force scanner automatic --reason \"upgraded\" --dry-run",
     SET_OPTIONS, CLI_COUNT(SET_OPTIONS), force},
    {"reset", NULL, "SERVICE", 1, 1, "Close it and forget its evidence (needs --reason)",
     "stella orchestrator breakers reset scanner --reason \"mended\" --dry-run\n"
     "stella orchestrator breakers reset scanner --reason \"mended\"",
     &SET_OPTIONS[1], CLI_COUNT(SET_OPTIONS) - 1, reset},
    {"edit", "put", "SERVICE", 1, 1, "Change its parameters (needs --reason)",
     "stella orchestrator breakers edit scanner --open-ms 10000 --reason \"it is quick to mend\"\n"
     "stella orchestrator breakers edit scanner --slow-ms 5000 --reason \"objective\" --dry-run",
     EDIT_OPTIONS, CLI_COUNT(EDIT_OPTIONS), edit},
};

const struct cli_noun cli_breakers = {"breakers", "breaker",
                                      "Circuit breakers of downstream services", COMMANDS,
                                      CLI_COUNT(COMMANDS)};
