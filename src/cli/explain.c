#include "cli/explain.h"

#include <string.h>

#include "base/json.h"
#include "cli/print.h"

enum { SECONDS_LEN = 19 }; /* "2026-01-31T06:00:00" */

/* ---- Words ---- */

static struct str text_of(struct cli_call *call, const json_t *object, const char *member)
{
    return cli_clean(&call->arena, json_text(json_object_get(object, member)));
}

static long long number_of(const json_t *object, const char *member)
{
    return (long long)json_integer_value(json_object_get(object, member));
}

/* "06:00:00" of the day that the explanation is of, else with its date. */
static struct str time_of(struct cli_call *call, const json_t *told, const json_t *value)
{
    const struct str at = cli_clean(&call->arena, json_text(value));
    const struct str now = json_text(json_object_get(told, "as_of"));
    if (at.len < SECONDS_LEN || now.len < SECONDS_LEN) {
        return at;
    }
    const bool is_today = str_eq(str_slice(at, 0, 10), str_slice(now, 0, 10));
    return arena_format(&call->arena, "%.*sZ", STR_ARG(str_slice(at, is_today ? 11 : 0, 19)));
}

static const char *plural(long long number)
{
    return number == 1 ? "" : "s";
}

static void colour(const struct cli_call *call, const char *sequence)
{
    if (call->colour) {
        (void)fputs(sequence, call->out);
    }
}

/* ---- What each gate says ---- */

static struct str say_limit(struct cli_call *call, const json_t *n)
{
    const long long limit = number_of(n, "limit");
    return limit == 0
               ? arena_format(&call->arena, "%lld running, no limit", number_of(n, "in_use"))
               : arena_format(&call->arena, "%lld of %lld running", number_of(n, "in_use"), limit);
}

static struct str say_tokens(struct cli_call *call, const json_t *told, const json_t *n)
{
    const json_t *refilled = json_object_get(n, "refilled_at");
    const long long rate = number_of(n, "rate_milli");
    const long long configured = number_of(n, "configured_milli");
    struct str text = arena_format(
        &call->arena, "%lld of %lld tokens, the job takes %lld, %lld.%03lld come a second",
        number_of(n, "tokens"), number_of(n, "burst"), number_of(n, "needed"), rate / 1000,
        rate % 1000);
    if (rate != configured) {
        text = arena_format(&call->arena, "%.*s (configured %lld.%03lld)", STR_ARG(text),
                            configured / 1000, configured % 1000);
    }
    if (refilled != NULL) {
        text = arena_format(&call->arena, "%.*s; enough at %.*s", STR_ARG(text),
                            STR_ARG(time_of(call, told, refilled)));
    }
    return text;
}

static struct str say_service(struct cli_call *call, const json_t *told, const json_t *gate)
{
    const json_t *n = json_object_get(gate, "numbers");
    const json_t *probe = json_object_get(n, "next_probe_at");
    struct str text =
        arena_format(&call->arena, "%.*s: %lld of %lld calls failed, %lld in a row",
                     STR_ARG(text_of(call, gate, "service")), number_of(n, "failures"),
                     number_of(n, "calls"), number_of(n, "in_a_row"));
    if (json_object_get(n, "limit") != NULL) {
        text = arena_format(&call->arena, "%.*s; coming back, %lld at once", STR_ARG(text),
                            number_of(n, "limit"));
    }
    return probe == NULL ? text
                         : arena_format(&call->arena, "%.*s; next probe at %.*s", STR_ARG(text),
                                        STR_ARG(time_of(call, told, probe)));
}

static struct str say_turn(struct cli_call *call, const json_t *n)
{
    const long long ahead = number_of(n, "ahead");
    if (ahead == 0) {
        return STR("first in line");
    }
    return arena_format(&call->arena, "%lld job%s before it, %lld of its own lane", ahead,
                        plural(ahead), number_of(n, "ahead_in_lane"));
}

static struct str say_awaited(struct cli_call *call, const json_t *n)
{
    const long long awaited = number_of(n, "awaited");
    const long long stuck = number_of(n, "stuck");
    return awaited == 0 ? STR("all ended as needed")
           : stuck > 0
               ? arena_format(&call->arena, "%lld awaited, %lld ended badly", awaited, stuck)
               : arena_format(&call->arena, "%lld awaited", awaited);
}

static struct str say_until(struct cli_call *call, const json_t *told, const json_t *gate,
                            const char *passed)
{
    const json_t *at = json_object_get(gate, "not_before");
    return json_is_string(at)
               ? arena_format(&call->arena, "not before %.*s", STR_ARG(time_of(call, told, at)))
               : str_from(passed);
}

static struct str say_pause(struct cli_call *call, const json_t *told)
{
    const json_t *pause = json_object_get(told, "pause");
    const struct str ticket = text_of(call, pause, "ticket");
    return arena_format(&call->arena, "paused since %.*s by %.*s%s%.*s: %.*s",
                        STR_ARG(time_of(call, told, json_object_get(pause, "since"))),
                        STR_ARG(text_of(call, pause, "by")), ticket.len > 0 ? ", " : "",
                        STR_ARG(ticket), STR_ARG(text_of(call, pause, "reason")));
}

/* Who sized the block of a host. */
static struct str say_host(struct cli_call *call, const json_t *told, const json_t *gate,
                           const json_t *n)
{
    static const char *const words[][2] = {
        {"header", "its Retry-After"},
        {"doubling", "it did not say for how long; the blocks double"},
        {"fields", "its RateLimit fields"},
        {"operator", "set by an operator"},
    };
    const struct str until = say_until(call, told, gate, "passed");
    const struct str origin = json_text(json_object_get(n, "origin"));
    for (size_t i = 0; i < CLI_COUNT(words); i++) {
        if (str_eq(origin, str_from(words[i][0]))) {
            return arena_format(&call->arena, "%.*s: %s", STR_ARG(until), words[i][1]);
        }
    }
    return until;
}

static struct str say_gate(struct cli_call *call, const json_t *told, const json_t *gate)
{
    const struct str name = json_text(json_object_get(gate, "gate"));
    const json_t *n = json_object_get(gate, "numbers");
    const bool refuses = str_eq(json_text(json_object_get(gate, "verdict")), STR("refuse"));
    if (str_eq(name, STR("pause"))) {
        return refuses ? say_pause(call, told) : STR("the installation goes on");
    }
    if (str_eq(name, STR("run"))) {
        return arena_format(&call->arena, "%lld of %lld jobs submitted", number_of(n, "present"),
                            number_of(n, "total"));
    }
    if (str_eq(name, STR("predecessors"))) {
        return say_awaited(call, n);
    }
    if (str_eq(name, STR("source"))) {
        return refuses ? STR("switched off") : STR("switched on");
    }
    if (str_eq(name, STR("tenant")) || str_eq(name, STR("type"))) {
        return say_limit(call, n);
    }
    if (str_eq(name, STR("service"))) {
        return say_service(call, told, gate);
    }
    if (str_eq(name, STR("host"))) {
        return say_host(call, told, gate, n);
    }
    if (str_eq(name, STR("tokens"))) {
        return say_tokens(call, told, n);
    }
    if (str_eq(name, STR("worker"))) {
        const bool is_known = json_object_get(n, "asked_at") != NULL || number_of(n, "running") > 0;
        return refuses    ? STR("nobody asks for its type")
               : is_known ? STR("somebody serves its type")
                          : STR("nobody asked for its type yet");
    }
    if (str_eq(name, STR("turn"))) {
        return say_turn(call, n);
    }
    return say_until(call, told, gate, refuses ? "in a moment" : "passed");
}

static void print_gate(struct cli_call *call, const json_t *told, const json_t *gate)
{
    const struct str verdict = text_of(call, gate, "verdict");
    const bool passes = str_eq(verdict, STR("pass"));
    const bool refuses = str_eq(verdict, STR("refuse"));
    colour(call, passes ? "\033[32m" : refuses ? "\033[31m" : "\033[33m");
    (void)fprintf(call->out, "  %-7.*s", STR_ARG(verdict));
    colour(call, "\033[0m");
    (void)fprintf(call->out, " %-13.*s %.*s\n", STR_ARG(text_of(call, gate, "gate")),
                  STR_ARG(say_gate(call, told, gate)));
}

/* ---- What to do ---- */

static const json_t *first_predecessor(const json_t *told, bool stuck)
{
    const json_t *items = json_object_get(json_object_get(told, "predecessors"), "items");
    const json_t *first = json_array_get(items, 0);
    return json_is_true(json_object_get(first, "stuck")) == stuck ? first : NULL;
}

static struct str free_predecessors(struct cli_call *call, const json_t *told)
{
    const json_t *stuck = first_predecessor(told, true);
    const json_t *lives = first_predecessor(told, false);
    if (stuck != NULL) {
        return arena_format(&call->arena,
                            "stella orchestrator jobs retry %.*s --reason \"what was mended\"",
                            STR_ARG(text_of(call, stuck, "id")));
    }
    return lives != NULL ? arena_format(&call->arena, "stella orchestrator jobs explain %.*s",
                                        STR_ARG(text_of(call, lives, "id")))
                         : STR("wait for the jobs before it");
}

static struct str wait_until(struct cli_call *call, const json_t *told, const char *name)
{
    const json_t *gates = json_object_get(told, "gates");
    const json_t *gate = NULL;
    size_t i = 0;
    json_array_foreach(gates, i, gate)
    {
        const json_t *at = json_object_get(gate, "not_before");
        if (str_eq(json_text(json_object_get(gate, "gate")), str_from(name)) &&
            json_is_string(at)) {
            return arena_format(&call->arena, "wait until %.*s", STR_ARG(time_of(call, told, at)));
        }
    }
    return STR("wait a moment");
}

static struct str free_tokens(struct cli_call *call, const json_t *told, long long tokens)
{
    const struct str wait = wait_until(call, told, "tokens");
    return arena_format(
        &call->arena, "%.*s; or raise burst and rate of source %.*s",
        STR_ARG(str_eq(wait, STR("wait a moment"))
                    ? arena_format(&call->arena, "wait for %lld token%s", tokens, plural(tokens))
                    : wait),
        STR_ARG(text_of(call, told, "source")));
}

static struct str free_slots(struct cli_call *call, long long slots)
{
    return slots == 1 ? STR("wait for the next worker that asks for its type")
                      : arena_format(&call->arena, "wait until workers asked for %lld jobs", slots);
}

/* The command, or what else helps. */
static struct str free_of(struct cli_call *call, const json_t *told, const json_t *one)
{
    const struct str gate = json_text(json_object_get(one, "gate"));
    const long long to = number_of(one, "to");
    if (str_eq(gate, STR("pause"))) {
        return STR("stella orchestrator resume --reason \"it may go on\"");
    }
    if (str_eq(gate, STR("run"))) {
        return arena_format(&call->arena, "submit the rest of its run, %lld jobs in all", to);
    }
    if (str_eq(gate, STR("predecessors"))) {
        return free_predecessors(call, told);
    }
    if (str_eq(gate, STR("source"))) {
        return arena_format(&call->arena,
                            "stella orchestrator sources enable %.*s --reason \"it may run\"",
                            STR_ARG(text_of(call, told, "source")));
    }
    if (str_eq(gate, STR("tenant"))) {
        const char *tenant = cli_tenant(call);
        return arena_format(&call->arena,
                            "stella orchestrator tenants set %s --max-inflight %lld --reason "
                            "\"more room\"",
                            tenant == NULL ? "TENANT" : tenant, to);
    }
    if (str_eq(gate, STR("type"))) {
        return arena_format(&call->arena, "raise max_inflight of job type %.*s to %lld",
                            STR_ARG(text_of(call, told, "type")), to);
    }
    if (str_eq(gate, STR("service"))) {
        return arena_format(&call->arena,
                            "%.*s; or stella orchestrator breakers force %.*s disabled --reason "
                            "\"it is well\"",
                            STR_ARG(wait_until(call, told, "service")),
                            STR_ARG(text_of(call, one, "service")));
    }
    if (str_eq(gate, STR("tokens"))) {
        return free_tokens(call, told, to);
    }
    if (str_eq(gate, STR("worker"))) {
        return arena_format(&call->arena, "start a worker for job type %.*s",
                            STR_ARG(text_of(call, told, "type")));
    }
    if (str_eq(gate, STR("turn"))) {
        return free_slots(call, to);
    }
    return wait_until(call, told, arena_cstr(&call->arena, gate));
}

static void print_frees(struct cli_call *call, const json_t *told)
{
    const json_t *frees = json_object_get(told, "frees");
    const json_t *one = NULL;
    size_t i = 0;
    if (json_array_size(frees) == 0) {
        return;
    }
    (void)fprintf(call->out, "\nWhat lets it start%s:\n",
                  json_array_size(frees) > 1 ? ", all together" : "");
    json_array_foreach(frees, i, one)
    {
        (void)fprintf(call->out, "  %-13.*s %.*s\n", STR_ARG(text_of(call, one, "gate")),
                      STR_ARG(free_of(call, told, one)));
    }
}

/* ---- Whoever has it, or what became of it ---- */

static void print_lease(struct cli_call *call, const json_t *told)
{
    const json_t *lease = json_object_get(told, "lease");
    if (lease == NULL) {
        return;
    }
    (void)fprintf(call->out, "  attempt %lld since %.*s; lapses at %.*s unless it is heard of\n",
                  number_of(lease, "grant"),
                  STR_ARG(time_of(call, told, json_object_get(lease, "claimed_at"))),
                  STR_ARG(time_of(call, told, json_object_get(lease, "until"))));
}

static void print_ended(struct cli_call *call, const json_t *told)
{
    const json_t *ended = json_object_get(told, "ended");
    if (ended == NULL) {
        return;
    }
    const bool can_retry = json_is_string(json_object_get(ended, "retry"));
    const json_t *cause = json_object_get(ended, "cause");
    const struct str job =
        text_of(call, cause != NULL ? ended : told, cause != NULL ? "cause" : "id");
    (void)fprintf(call->out, "  ended at %.*s\n",
                  STR_ARG(time_of(call, told, json_object_get(ended, "at"))));
    (void)fprintf(call->out,
                  "\nWhat makes it run again:\n  stella orchestrator jobs %s %.*s "
                  "--reason \"%s\"\n",
                  can_retry ? "retry" : "replay", STR_ARG(job),
                  can_retry ? "what was mended" : "why once more");
}

static void print_predecessors(struct cli_call *call, const json_t *told)
{
    const json_t *all = json_object_get(told, "predecessors");
    const json_t *one = NULL;
    size_t i = 0;
    if (number_of(all, "awaited") == 0) {
        return;
    }
    (void)fprintf(call->out, "\nIt waits for:\n");
    json_array_foreach(json_object_get(all, "items"), i, one)
    {
        (void)fprintf(call->out, "  %-13.*s %.*s%s\n", STR_ARG(text_of(call, one, "id")),
                      STR_ARG(text_of(call, one, "state")),
                      json_is_true(json_object_get(one, "stuck")) ? ", until it is retried" : "");
    }
    const long long more =
        number_of(all, "awaited") - (long long)json_array_size(json_object_get(all, "items"));
    if (more > 0) {
        (void)fprintf(call->out, "  and %lld more\n", more);
    }
}

static void print_head(struct cli_call *call, const json_t *told)
{
    const json_t *at = json_object_get(told, "not_before");
    const struct str state = text_of(call, told, "state");
    const char *sequence = cli_state_colour(state);
    (void)fprintf(call->out, "%.*s ", STR_ARG(text_of(call, told, "id")));
    colour(call, sequence == NULL ? "\033[1m" : sequence);
    (void)fprintf(call->out, "%.*s", STR_ARG(state));
    colour(call, "\033[0m");
    (void)fprintf(call->out, ": %.*s\n", STR_ARG(text_of(call, told, "summary")));
    if (json_is_string(at)) {
        (void)fprintf(call->out, "It does not start before %.*s.\n",
                      STR_ARG(time_of(call, told, at)));
    }
}

void cli_print_explanation(struct cli_call *call, const json_t *told)
{
    const json_t *gates = json_object_get(told, "gates");
    const json_t *gate = NULL;
    size_t i = 0;
    print_head(call, told);
    print_lease(call, told);
    print_ended(call, told);
    print_predecessors(call, told);
    if (json_array_size(gates) > 0) {
        (void)fputc('\n', call->out);
    }
    json_array_foreach(gates, i, gate)
    {
        print_gate(call, told, gate);
    }
    print_frees(call, told);
}

/* ---- Runs ---- */

static void print_group(struct cli_call *call, struct str name, const json_t *group)
{
    const json_t *job = NULL;
    size_t i = 0;
    const long long count = number_of(group, "count");
    if (count == 0) {
        return;
    }
    (void)fprintf(call->out, "  %-18.*s %6lld ", STR_ARG(name), count);
    json_array_foreach(json_object_get(group, "jobs"), i, job)
    {
        (void)fprintf(call->out, " %.*s", STR_ARG(cli_clean(&call->arena, json_text(job))));
    }
    (void)fputs(count > (long long)i ? " and more\n" : "\n", call->out);
}

void cli_print_run_explanation(struct cli_call *call, const json_t *told)
{
    const json_t *reasons = json_object_get(told, "reasons");
    const json_t *reason = NULL;
    const json_t *dead = json_object_get(told, "dead");
    size_t i = 0;
    print_head(call, told);
    (void)fputc('\n', call->out);
    print_group(call, STR("at work"), json_object_get(told, "working"));
    json_array_foreach(reasons, i, reason)
    {
        print_group(call, text_of(call, reason, "reason"), reason);
    }
    print_group(call, STR("dead"), dead);
    const json_t *first = json_array_get(json_object_get(json_array_get(reasons, 0), "jobs"), 0);
    if (first != NULL || number_of(dead, "count") > 0) {
        (void)fputs("\nWhat next:\n", call->out);
    }
    if (first != NULL) {
        (void)fprintf(call->out, "  stella orchestrator jobs explain %.*s\n",
                      STR_ARG(cli_clean(&call->arena, json_text(first))));
    }
    if (number_of(dead, "count") > 0) {
        (void)fprintf(call->out,
                      "  stella orchestrator runs retry %.*s --reason \"what was mended\"\n",
                      STR_ARG(text_of(call, told, "id")));
    }
}
