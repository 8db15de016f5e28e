/* api/explains - why jobs wait: the whole answer for one, one reason for each of a list. */
#include "api/explains.h"

#include "api/seen.h"
#include "api/views.h"
#include "platform/clock.h"

struct ask {
    struct call *call;
    struct reader *reader;
    struct seen_workers seen;
};

/* This node knows at once who asked it; who asked others stands in the ledger, and is read when it
 * matters. */
static void ask_workers(void *ctx, struct tenant_id tenant, struct str job_type,
                        struct explain_worker *out)
{
    struct ask *ask = ctx;
    struct call *call = ask->call;
    engine_workers_of(call->api->engine, tenant, job_type, out);
    if (out->serves || seen_load(call, ask->reader, &ask->seen) != ERR_OK) {
        return;
    }
    const int64_t last = seen_last(call, &ask->seen, job_type);
    out->asked_at = last > out->asked_at ? last : out->asked_at;
    out->serves = last > clock_wall().us - call->api->settings->worker_seen_ms * US_PER_MS;
}

enum err_code read_explained(struct call *call, struct reader *reader, enum explain_depth depth,
                             struct explained *items, size_t count, int64_t *out_as_of)
{
    struct ask ask = {.call = call, .reader = reader};
    const struct explained_workers workers = {ask_workers, &ask};
    TRY(explained_read(reader, call->shard, call->tenant, &workers, depth, items, count,
                       call->arena, out_as_of, &call->err));
    return call->err.code;
}

/* ---- One reason each ---- */

static bool is_waiting(const struct job_view *view)
{
    return view->state == JOB_BLOCKED || view->state == JOB_PENDING;
}

enum err_code read_holds(struct call *call, struct reader *reader, struct job_view *views,
                         size_t count)
{
    struct explained *items = arena_array(call->arena, struct explained, count + 1);
    size_t waiting = 0;
    int64_t as_of = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_waiting(&views[i])) {
            items[waiting++].job = views[i].job;
        }
    }
    if (waiting == 0) {
        return ERR_OK;
    }
    TRY(read_explained(call, reader, EXPLAIN_HOLD, items, waiting, &as_of));
    const struct explained *item = items;
    for (size_t i = 0; i < count; i++) {
        if (!is_waiting(&views[i])) {
            continue;
        }
        const struct explain_gate *first = explain_first(&(item++)->told);
        if (first != NULL) {
            views[i].hold = first->hold;
            views[i].hold_until = first->not_before;
        }
    }
    return ERR_OK;
}

/* ---- In one sentence ---- */

static long long number_of(const struct explain_gate *gate, const char *name)
{
    for (size_t i = 0; i < gate->number_count; i++) {
        if (str_eq(str_from(gate->numbers[i].name), str_from(name))) {
            return (long long)gate->numbers[i].value;
        }
    }
    return 0;
}

static struct str say_predecessors(struct arena *arena, const struct explanation *told)
{
    if (told->predecessors.n == 0) {
        return arena_format(arena, "It waits for %d jobs to end.", told->awaited);
    }
    const struct explain_predecessor *first = &told->predecessors.v[0];
    const long long job = (long long)first->job.v;
    const char *state = job_state_name(first->state);
    if (told->stuck > 0) {
        return arena_format(arena,
                            "It waits for job-%lld, which ended %s: forever, until that one is "
                            "retried.",
                            job, state);
    }
    return told->awaited == 1
               ? arena_format(arena, "It waits for job-%lld, which is %s.", job, state)
               : arena_format(arena, "It waits for %d jobs, first job-%lld, which is %s.",
                              told->awaited, job, state);
}

static struct str say_limit(struct arena *arena, const struct explain_gate *gate, const char *whose)
{
    return arena_format(arena, "%s runs %lld jobs of %lld that it may.", whose,
                        number_of(gate, "in_use"), number_of(gate, "limit"));
}

static struct str say_turn(struct arena *arena, const struct explanation *told)
{
    return told->position.ahead == 0
               ? STR("Nothing holds it: the next worker that asks for its type gets it.")
               : arena_format(arena, "%s%lld job%s before it.",
                              told->position.is_more ? "At least " : "",
                              (long long)told->position.ahead,
                              told->position.ahead == 1 ? " comes" : "s come");
}

static struct str say_host(struct arena *arena, const struct explain_gate *gate, struct str host)
{
    const char *origin = "";
    for (size_t i = 0; i < gate->number_count; i++) {
        origin = gate->numbers[i].kind == EXPLAIN_WORD ? gate->numbers[i].word : origin;
    }
    if (str_eq(str_from(origin), STR("operator"))) {
        return arena_format(arena, "An operator lets nobody ask host %.*s.", STR_ARG(host));
    }
    return arena_format(arena, "Host %.*s told everyone to wait.", STR_ARG(host));
}

/* Of the first gate that refuses. */
static struct str say_gate(struct arena *arena, const struct explanation *told)
{
    const struct explain_gate *gate = explain_first(told);
    if (gate == NULL) {
        return STR("Its job type is not known here.");
    }
    const struct str type = told->lane->job_type;
    const struct str source = told->lane->source;
    const struct str host = told->source != NULL ? told->source->host : STR("");
    switch (gate->id) {
    case EXPLAIN_PAUSE:
        return arena_format(arena, "The whole installation is paused: %.*s",
                            STR_ARG(told->pause->reason));
    case EXPLAIN_RUN:
        return arena_format(arena, "Its run is still being submitted: %lld of %lld jobs are there.",
                            number_of(gate, "present"), number_of(gate, "total"));
    case EXPLAIN_PREDECESSORS: return say_predecessors(arena, told);
    case EXPLAIN_RELEASE:
        return STR("What it waited for has ended; its turn to be released comes.");
    case EXPLAIN_TIME:
        return gate->hold == HOLD_BACKOFF ? STR("It failed and is tried again later.")
               : gate->hold == HOLD_DELAY ? STR("It was submitted for later.")
                                          : STR("The upstream asked to wait.");
    case EXPLAIN_SOURCE:
        return arena_format(arena, "Source %.*s is switched off.", STR_ARG(source));
    case EXPLAIN_TENANT: return say_limit(arena, gate, "The tenant");
    case EXPLAIN_QUOTA:
        return arena_format(arena,
                            "The tenant has %lld slots of its group and may have no more now.",
                            number_of(gate, "in_use"));
    case EXPLAIN_TYPE: return say_limit(arena, gate, "The job type");
    case EXPLAIN_SERVICE:
        return arena_format(arena,
                            gate->hold == HOLD_BREAKER_RAMP
                                ? "The service %.*s has come back; jobs are let in by and by."
                                : "The service %.*s fails; its circuit breaker holds the job.",
                            STR_ARG(gate->about));
    case EXPLAIN_HOST: return say_host(arena, gate, host);
    case EXPLAIN_TOKENS:
        return arena_format(arena, "Host %.*s has %lld tokens, the job takes %lld.", STR_ARG(host),
                            number_of(gate, "tokens"), number_of(gate, "needed"));
    case EXPLAIN_LANE:
        return STR("A gate refused jobs like this; they are tried again in a moment.");
    case EXPLAIN_WORKER:
        return arena_format(arena, "No worker asks for jobs of type %.*s.", STR_ARG(type));
    case EXPLAIN_TURN: return say_turn(arena, told);
    case EXPLAIN_GATES: break;
    }
    return STR("");
}

static struct str say_ended(struct arena *arena, const struct explanation *told)
{
    const struct outcome_row *outcome = told->place.outcome;
    if (told->state == JOB_SUCCEEDED) {
        return arena_format(arena, "Worker %.*s finished it.", STR_ARG(outcome->worker));
    }
    if (outcome->cause > 0) {
        return arena_format(arena,
                            "It was canceled because job-%lld ended badly; retrying that one "
                            "brings it back.",
                            (long long)outcome->cause);
    }
    return arena_format(arena, "It ended with %.*s. A retry makes it %s.", STR_ARG(outcome->class),
                        job_state_name(told->retry));
}

static struct str say_all(struct arena *arena, const struct explanation *told)
{
    if (told->place.leased != NULL) {
        return arena_format(arena, "Worker %.*s holds it%s.", STR_ARG(told->place.leased->worker),
                            told->place.leased->cancel_at > 0 ? " and was asked to cancel it" : "");
    }
    return told->place.outcome != NULL ? say_ended(arena, told) : say_gate(arena, told);
}

/* ---- As JSON ---- */

static void put_time_or_null(struct json_writer *w, int64_t at)
{
    if (at > 0) {
        json_put_time(w, at);
    } else {
        json_put_null(w);
    }
}

static void put_value(struct json_writer *w, const struct explain_value *value)
{
    switch (value->kind) {
    case EXPLAIN_NUMBER: json_put_int(w, value->value); break;
    case EXPLAIN_AT: json_put_time(w, value->value); break;
    case EXPLAIN_SWITCH: json_put_bool(w, value->value != 0); break;
    case EXPLAIN_WORD: json_put_str(w, str_from(value->word)); break;
    }
}

static void put_gate(struct json_writer *w, const struct explain_gate *gate)
{
    const bool refuses = gate->hold != HOLD_NONE;
    const bool is_later = !refuses && gate->free.name != NULL;
    json_put_object(w);
    JSON_STR(w, "gate", str_from(explain_gate_name(gate->id)));
    if (refuses) {
        JSON_STR(w, "hold", str_from(hold_name(gate->hold)));
        JSON_STR(w, "lifted_by", str_from(explain_lift_name(gate->lift)));
        JSON_KEY(w, "not_before");
        put_time_or_null(w, gate->not_before);
    }
    JSON_KEY(w, "numbers");
    json_put_object(w);
    for (size_t i = 0; i < gate->number_count; i++) {
        json_put_key(w, str_from(gate->numbers[i].name));
        put_value(w, &gate->numbers[i]);
    }
    json_put_object_end(w);
    if (gate->about.len > 0) {
        JSON_STR(w, "service", gate->about);
    }
    JSON_STR(w, "verdict", refuses ? STR("refuse") : is_later ? STR("later") : STR("pass"));
    json_put_object_end(w);
}

static void put_frees(struct json_writer *w, const struct explanation *told)
{
    JSON_KEY(w, "frees");
    json_put_array(w);
    for (size_t i = 0; i < told->gate_count; i++) {
        const struct explain_gate *gate = &told->gates[i];
        if (gate->free.name != NULL) {
            json_put_object(w);
            JSON_STR(w, "gate", str_from(explain_gate_name(gate->id)));
            if (gate->about.len > 0) {
                JSON_STR(w, "service", gate->about);
            }
            JSON_STR(w, "set", str_from(gate->free.name));
            JSON_KEY(w, "to");
            put_value(w, &gate->free);
            json_put_object_end(w);
        }
    }
    json_put_array_end(w);
}

static void put_job_id(struct json_writer *w, struct str key, int64_t job)
{
    char id[ID_TEXT];
    job_id_format((struct job_id){job}, id);
    json_put_key(w, key);
    json_put_str(w, str_from(id));
}

static void put_ended(struct json_writer *w, const struct explanation *told)
{
    const struct outcome_row *outcome = told->place.outcome;
    JSON_KEY(w, "ended");
    json_put_object(w);
    JSON_TIME(w, "at", outcome->ended_at);
    if (outcome->cause > 0) {
        put_job_id(w, STR("cause"), outcome->cause);
    }
    JSON_STR(w, "class", outcome->class);
    JSON_KEY(w, "retry");
    if (told->retry == JOB_NONE) {
        json_put_null(w);
    } else {
        json_put_str(w, str_from(job_state_name(told->retry)));
    }
    JSON_STR(w, "worker", outcome->worker);
    json_put_object_end(w);
}

static void put_lease(struct json_writer *w, const struct leased_row *lease)
{
    JSON_KEY(w, "lease");
    json_put_object(w);
    if (lease->cancel_at > 0) {
        JSON_TIME(w, "cancel_at", lease->cancel_at);
    }
    JSON_TIME(w, "claimed_at", lease->claimed_at);
    JSON_INT(w, "grant", lease->carry.grant);
    if (lease->run_until > 0) {
        JSON_TIME(w, "run_until", lease->run_until);
    }
    JSON_TIME(w, "until", lease->until);
    JSON_STR(w, "worker", lease->worker);
    json_put_object_end(w);
}

static void put_position(struct json_writer *w, const struct explanation *told)
{
    const struct position *position = &told->position;
    JSON_KEY(w, "position");
    json_put_object(w);
    JSON_INT(w, "ahead", position->ahead);
    JSON_INT(w, "ahead_in_lane", position->ahead_in_lane);
    JSON_BOOL(w, "is_lower_bound", position->is_more);
    JSON_INT(w, "lanes_ahead", position->lanes_ahead);
    JSON_INT(w, "open_lanes", position->open_lanes);
    JSON_INT(w, "waiting_in_lane", told->lane->waiting);
    json_put_object_end(w);
}

static void put_predecessors(struct json_writer *w, const struct explanation *told)
{
    JSON_KEY(w, "predecessors");
    json_put_object(w);
    JSON_INT(w, "awaited", told->awaited);
    JSON_KEY(w, "items");
    json_put_array(w);
    for (size_t i = 0; i < told->predecessors.n; i++) {
        const struct explain_predecessor *one = &told->predecessors.v[i];
        json_put_object(w);
        put_job_id(w, STR("id"), one->job.v);
        JSON_STR(w, "on", one->kind == EDGE_ALWAYS ? STR("always") : STR("success"));
        JSON_STR(w, "state", str_from(job_state_name(one->state)));
        JSON_BOOL(w, "stuck", one->is_stuck);
        json_put_object_end(w);
    }
    json_put_array_end(w);
    JSON_INT(w, "stuck", told->stuck);
    json_put_object_end(w);
}

static void put_hold(struct json_writer *w, const struct explain_gate *first)
{
    JSON_KEY(w, "hold");
    json_put_object(w);
    JSON_STR(w, "reason", str_from(hold_name(first->hold)));
    if (first->not_before > 0) {
        JSON_TIME(w, "until", first->not_before);
    }
    json_put_object_end(w);
}

static void put_explanation(struct call *call, struct json_writer *w, struct job_id job,
                            const struct explanation *told, int64_t as_of)
{
    const bool waits = explain_first(told) != NULL;
    json_put_object(w);
    JSON_TIME(w, "as_of", as_of);
    if (told->place.outcome != NULL) {
        put_ended(w, told);
    }
    put_frees(w, told);
    JSON_KEY(w, "gates");
    json_put_array(w);
    for (size_t i = 0; i < told->gate_count; i++) {
        put_gate(w, &told->gates[i]);
    }
    json_put_array_end(w);
    if (waits) {
        put_hold(w, explain_first(told));
    }
    put_job_id(w, STR("id"), job.v);
    if (told->place.leased != NULL) {
        put_lease(w, told->place.leased);
    }
    JSON_KEY(w, "not_before");
    put_time_or_null(w, told->not_before);
    if (told->pause != NULL) {
        put_pause(w, told->pause);
    }
    if (waits) {
        put_position(w, told);
        put_predecessors(w, told);
    }
    if (told->source != NULL) {
        JSON_STR(w, "source", told->source->name);
    }
    JSON_STR(w, "state", str_from(job_state_name(told->state)));
    JSON_STR(w, "summary", say_all(call->arena, told));
    JSON_STR(w, "type", told->lane->job_type);
    json_put_object_end(w);
}

/* ---- One job ---- */

struct asked_why {
    struct explained item;
    int64_t as_of;
};

static void read_why(struct call *call, struct reader *reader)
{
    struct asked_why *why = call->state;
    (void)read_explained(call, reader, EXPLAIN_ALL, &why->item, 1, &why->as_of);
}

static void why_is_read(struct call *call)
{
    const struct asked_why *why = call->state;
    if (why->item.told.state == JOB_NONE) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    struct json_writer w = call_json(call);
    put_explanation(call, &w, why->item.job, &why->item.told, why->as_of);
    call_answer(call, 200);
}

void api_explain_job(struct call *call)
{
    struct asked_why *why = arena_new(call->arena, struct asked_why);
    call->state = why;
    if (call_query(call, NULL, 0) && take_job_id(call, &why->item.job)) {
        call_read(call, read_why, why_is_read);
    }
}
