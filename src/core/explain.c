#include "core/explain.h"

#include "base/check.h"
#include "base/time.h"
#include "core/dispatch.h"
#include "core/explain_host.h"
#include "core/quota_use.h"
#include "core/service.h"
#include "core/settle.h"
#include "core/submit.h"
#include "core/throttle.h"

static const struct lane_row *lane_of(const struct tenant_facts *t, const struct carry *carry)
{
    return (const struct lane_row *)facts_find(t, TABLE_LANES, carry->lane);
}

static const struct source *source_of(const struct tenant_facts *t, const struct lane_row *lane)
{
    return lane->source.len == 0 ? NULL : config_source(t->config, lane->source);
}

/* ---- Asking ---- */

/* A job that waits for the first time has one line, and waits for jobs that live: what they are is
 * needed only when somebody retried it, or when something is being settled. */
static bool needs_predecessors(struct facts *facts, const struct tenant_facts *t,
                               const struct blocked_row *blocked, enum explain_depth depth)
{
    return depth == EXPLAIN_ALL || blocked->carry.job_seq > 1 ||
           facts_shard(facts, t->shard)->settling.n > 0;
}

static bool want_predecessors(struct facts *facts, struct tenant_facts *t,
                              const struct blocked_row *blocked, enum explain_depth depth)
{
    const struct job_id job = {blocked->job};
    if (!want_of_shard(facts, t->shard, WANT_ALL_SETTLING, 4)) {
        return false;
    }
    if (!needs_predecessors(facts, t, blocked, depth)) {
        return true;
    }
    bool known = want(facts, t, WANT_SETTLING, job.v);
    if (!settle_preds_want(facts, t, job)) {
        return false;
    }
    const row_list *edges = facts_list(t, WANT_EDGES_TO, job.v);
    int32_t named = 0;
    for (size_t i = 0; i < edges->n; i++) {
        const int64_t pred = ((const struct edge_row *)edges->v[i])->pred;
        if (facts_find(t, TABLE_OUTCOMES, pred) != NULL || pred < 0) {
            known &= want(facts, t, WANT_SETTLING, pred);
        } else if (depth == EXPLAIN_ALL && named++ < EXPLAIN_PREDECESSORS_MAX) {
            known &= want(facts, t, WANT_LEASED, pred);
            known &= want(facts, t, WANT_WAITING, pred);
        }
    }
    return known;
}

/* The tenant's job types, each ended by '\n'. */
static struct str all_types(struct facts *facts, const struct tenant_facts *t)
{
    struct buf types;
    buf_init(&types, SIZE_MAX / 4);
    for (size_t i = 0; i < t->config->job_types.n; i++) {
        const struct job_type *type = t->config->job_types.entries[i].value;
        buf_str(&types, type->name);
        buf_char(&types, '\n');
    }
    const struct str text = arena_str(facts->arena, buf_get(&types));
    buf_fini(&types);
    return text;
}

static bool want_position(struct facts *facts, struct tenant_facts *t, const struct lane_row *lane)
{
    const struct str own = arena_format(facts->arena, "%.*s\n", STR_ARG(lane->job_type));
    bool known = want_list_of(facts, t, WANT_LANE_HEADS, lane->lane, 0, POSITION_AHEAD_MAX + 1);
    known &= want_open_lanes(facts, t, own, facts->now, POSITION_HEADS_MAX);
    known &= want_open_lanes(facts, t, all_types(facts, t), facts->now, 1);
    const bool lanes_known = known;
    for (size_t i = 0; lanes_known && i < t->by_key[TABLE_LANES].n; i++) {
        const struct lane_row *other = t->by_key[TABLE_LANES].entries[i].value;
        if (str_eq(other->job_type, lane->job_type)) {
            known &= throttle_want(facts, t, source_of(t, other));
        }
    }
    return known;
}

static bool want_gates(struct facts *facts, struct tenant_facts *t, const struct carry *carry,
                       enum explain_depth depth)
{
    if (!want(facts, t, WANT_LANE, carry->lane)) {
        return false;
    }
    const struct lane_row *lane = lane_of(t, carry);
    if (lane == NULL) {
        return true; /* Asked for another job in this round; that one is not done yet. */
    }
    bool known = want_text(facts, t, WANT_BUSY_LANES, lane->job_type, STR(""));
    known &= throttle_want(facts, t, source_of(t, lane));
    const struct job_type *type = config_job_type(t->config, lane->job_type);
    known &= type == NULL || service_want(facts, t, type);
    return (depth == EXPLAIN_HOLD || want_position(facts, t, lane)) && known;
}

bool explain_want(struct facts *facts, struct tenant_facts *t, struct job_id job,
                  enum explain_depth depth)
{
    bool known = config_want(facts, t);
    known &= quota_look_want(facts, t);
    known &= want(facts, t, WANT_WAITING, job.v);
    if (depth == EXPLAIN_ALL) {
        known &= want(facts, t, WANT_LEASED, job.v);
        known &= want(facts, t, WANT_OUTCOME, job.v);
    }
    facts_build_config(facts, t);
    const struct job_place place = job_place(t, job);
    if (!known || t->config == NULL || place.carry == NULL) {
        return known;
    }
    known &= place.carry->run == 0 || want(facts, t, WANT_RUN, place.carry->run);
    if (place.outcome != NULL) {
        known &= settle_preds_want(facts, t, job);
    }
    if (place.blocked != NULL) {
        known &= want_predecessors(facts, t, place.blocked, depth);
    }
    if (place.ready != NULL || depth == EXPLAIN_ALL) {
        known &= want_gates(facts, t, place.carry, depth);
    }
    return known;
}

/* ---- Saying ---- */

/* One job that is being explained. */
struct explaining {
    struct facts *facts;
    struct tenant_facts *t;
    struct job_id job;
    enum explain_depth depth;
    struct explanation *out;
    const struct job_type *type;
    struct throttle_row bucket; /* As a claim would find it. */
    struct throttle throttle;   /* Its row is that. */
    bool has_bucket;
};

static struct explain_gate *add_gate(struct explaining *e, enum explain_gate_id id,
                                     enum explain_lift lift)
{
    struct explain_gate *gate = &e->out->gates[e->out->gate_count++];
    *gate = (struct explain_gate){.id = id, .lift = lift};
    return gate;
}

void explain_number(struct explain_gate *gate, const char *name, enum explain_kind kind,
                    int64_t value)
{
    CHECK(gate->number_count < EXPLAIN_NUMBERS_MAX);
    gate->numbers[gate->number_count++] = (struct explain_value){name, kind, value, NULL};
}

void explain_free(struct explain_gate *gate, const char *name, enum explain_kind kind,
                  int64_t value)
{
    gate->free = (struct explain_value){name, kind, value, NULL};
}

static void say_pause(struct explaining *e)
{
    const struct pause *pause = &e->t->config->installation->pause;
    struct explain_gate *gate = add_gate(e, EXPLAIN_PAUSE, LIFT_OPERATOR);
    gate->hold = gate_pause(pause).hold;
    if (gate->hold != HOLD_NONE) {
        e->out->pause = pause;
        explain_number(gate, "since", EXPLAIN_AT, pause->since);
        explain_free(gate, "paused", EXPLAIN_SWITCH, false);
    }
}

/* ---- Gates of a job that is blocked ---- */

static void say_run(struct explaining *e)
{
    const struct run_row *run = e->out->run;
    if (run == NULL) {
        return;
    }
    struct explain_gate *gate = add_gate(e, EXPLAIN_RUN, LIFT_SUBMITTER);
    explain_number(gate, "present", EXPLAIN_NUMBER, run->present);
    explain_number(gate, "total", EXPLAIN_NUMBER, run->total);
    if (run->present < run->total) {
        gate->hold = HOLD_RUN_INCOMPLETE;
        explain_free(gate, "present", EXPLAIN_NUMBER, run->total);
    }
}

/* It ended, but its successors are settled in a following tick. */
static bool is_settling(const struct tenant_facts *t, const struct edge_row *edge)
{
    const struct settling_row *row =
        (const struct settling_row *)facts_find(t, TABLE_SETTLING, edge->pred);
    return row != NULL && row->after_succ < edge->succ;
}

static void add_predecessor(struct explaining *e, const struct edge_row *edge)
{
    const struct job_place place = job_place(e->t, (struct job_id){edge->pred});
    const bool is_stuck = place.outcome != NULL;
    e->out->awaited++;
    e->out->stuck += is_stuck;
    if (e->out->predecessors.n < EXPLAIN_PREDECESSORS_MAX) {
        VEC_PUSH(e->facts->arena, &e->out->predecessors,
                 ((struct explain_predecessor){
                     .job = {edge->pred},
                     .kind = (enum edge_kind)edge->kind,
                     .state = place.state,
                     .is_stuck = is_stuck,
                 }));
    }
}

/* Those that ended badly come first: nothing but a retry helps there. */
static void list_predecessors(struct explaining *e, bool stuck)
{
    const row_list *edges = facts_list_find(e->t, WANT_EDGES_TO, e->job.v);
    for (size_t i = 0; edges != NULL && i < edges->n; i++) {
        const struct edge_row *edge = (const struct edge_row *)edges->v[i];
        const bool ended = facts_find(e->t, TABLE_OUTCOMES, edge->pred) != NULL;
        if (edge->pred > 0 && ended == stuck && !settle_is_satisfied(e->t, edge) &&
            !(ended && is_settling(e->t, edge))) {
            add_predecessor(e, edge);
        }
    }
}

static void say_predecessors(struct explaining *e)
{
    struct explanation *out = e->out;
    const struct blocked_row *blocked = out->place.blocked;
    if ((out->place.carry->flags & JOB_HAS_PREDECESSORS) == 0 && blocked == NULL) {
        return;
    }
    const bool is_whole = out->run == NULL || out->run->present == out->run->total;
    if (blocked != NULL && needs_predecessors(e->facts, e->t, blocked, e->depth)) {
        list_predecessors(e, true);
        list_predecessors(e, false);
    } else if (blocked != NULL && is_whole) {
        out->awaited = blocked->remaining;
    }
    struct explain_gate *gate =
        add_gate(e, EXPLAIN_PREDECESSORS, out->stuck > 0 ? LIFT_OPERATOR : LIFT_JOBS);
    explain_number(gate, "awaited", EXPLAIN_NUMBER, out->awaited);
    explain_number(gate, "stuck", EXPLAIN_NUMBER, out->stuck);
    if (out->awaited > 0) {
        gate->hold = out->stuck > 0 ? HOLD_PREDECESSOR_FAILED : HOLD_PREDECESSORS;
        explain_free(gate, "awaited", EXPLAIN_NUMBER, 0);
    }
    gate = add_gate(e, EXPLAIN_RELEASE, LIFT_TIME);
    if (blocked != NULL && out->awaited == 0 && is_whole) {
        gate->hold = HOLD_RELEASING;
        explain_free(gate, "settled", EXPLAIN_SWITCH, true);
    }
}

/* ---- Gates of a job that is pending ---- */

static void say_time(struct explaining *e)
{
    const struct delayed_row *delayed = e->out->place.delayed;
    struct explain_gate *gate = add_gate(e, EXPLAIN_TIME, LIFT_TIME);
    if (delayed != NULL) {
        gate->hold = (enum hold_reason)delayed->reason;
        gate->not_before = delayed->due_at;
        explain_number(gate, "due_at", EXPLAIN_AT, delayed->due_at);
        explain_free(gate, "due_at", EXPLAIN_AT, e->facts->now);
    }
    const struct blocked_row *blocked = e->out->place.blocked;
    if (blocked != NULL && blocked->delay_us > 0) {
        gate->hold = HOLD_DELAY; /* Counted from its release, which is not before now. */
        gate->not_before = e->facts->now + blocked->delay_us;
        explain_number(gate, "delay_ms", EXPLAIN_NUMBER, blocked->delay_us / US_PER_MS);
        explain_free(gate, "delay_ms", EXPLAIN_NUMBER, 0);
    }
}

static void say_source(struct explaining *e)
{
    if (e->out->source == NULL) {
        return;
    }
    struct explain_gate *gate = add_gate(e, EXPLAIN_SOURCE, LIFT_OPERATOR);
    gate->hold = gate_source(e->out->source).hold;
    explain_number(gate, "enabled", EXPLAIN_SWITCH, e->out->source->enabled);
    if (gate->hold != HOLD_NONE) {
        explain_free(gate, "enabled", EXPLAIN_SWITCH, true);
    }
}

/* Passes for this job, but not for those before it and then for this one. */
static void say_limit(struct explain_gate *gate, struct gate alone, struct gate with_all,
                      int64_t in_use, int64_t limit, int64_t ahead)
{
    gate->hold = alone.hold;
    explain_number(gate, "ahead", EXPLAIN_NUMBER, ahead);
    explain_number(gate, "in_use", EXPLAIN_NUMBER, in_use);
    explain_number(gate, "limit", EXPLAIN_NUMBER, limit);
    if (with_all.hold != HOLD_NONE) {
        explain_free(gate, "max_inflight", EXPLAIN_NUMBER, in_use + ahead + 1);
    }
}

/* The numbers are the tenant's own; what others hold is theirs, and shows in the verdict only. */
static void say_quota(struct explaining *e)
{
    const struct quota_place place = quota_place_of(e->facts, e->t);
    const int64_t ahead = e->out->position.ahead;
    if (place.member == NULL) {
        return;
    }
    const struct quota_terms terms =
        quota_terms_of((enum quota_policy)place.group->policy, place.member);
    struct explain_gate *gate = add_gate(e, EXPLAIN_QUOTA, LIFT_JOBS);
    gate->hold = quota_gate(e->facts, e->t, 1).hold;
    explain_number(gate, "ahead", EXPLAIN_NUMBER, ahead);
    if (place.member->burst_s > 0) {
        explain_number(
            gate, "burst_left_s", EXPLAIN_NUMBER,
            quota_burst_left((enum quota_policy)place.group->policy, place.member, e->facts->now));
    }
    explain_number(gate, "in_use", EXPLAIN_NUMBER, place.member->in_use);
    if (terms.most < INT32_MAX) {
        explain_number(gate, "most", EXPLAIN_NUMBER, terms.most);
    }
    explain_number(gate, "nominal", EXPLAIN_NUMBER, terms.nominal);
    if (quota_gate(e->facts, e->t, ahead + 1).hold != HOLD_NONE) {
        explain_free(gate, "slots", EXPLAIN_NUMBER, ahead + 1);
    }
}

static void say_limits(struct explaining *e)
{
    const struct tenant_row *tenant = e->t->row;
    const int64_t ahead = e->out->position.ahead;
    say_limit(add_gate(e, EXPLAIN_TENANT, LIFT_JOBS), gate_tenant(tenant, 1),
              gate_tenant(tenant, ahead + 1), tenant->inflight, tenant->max_inflight, ahead);
    say_quota(e);
    const int64_t in_use = type_inflight(e->t, e->type->name);
    say_limit(add_gate(e, EXPLAIN_TYPE, LIFT_JOBS), gate_type(e->type, in_use, 1),
              gate_type(e->type, in_use, ahead + 1), in_use, e->type->max_inflight, ahead);
}

/* Some job of those before it and itself is not let in now. */
static bool service_refuses(struct explaining *e, const struct service *service, int64_t in_use)
{
    const int64_t jobs = e->out->position.ahead + 1;
    int64_t grows_at = 0;
    const int64_t limit =
        breaker_ramp(&service->breaker, service->config, e->facts->now, &grows_at);
    switch (breaker_ask(&service->breaker, service->config, e->facts->now).pass) {
    case BREAKER_PASSES: return limit > 0 && in_use + jobs > limit;
    case BREAKER_PROBE: return jobs > breaker_probes_left(&service->breaker, service->config);
    case BREAKER_HOLDS: return true;
    }
    return true;
}

static void add_evidence(struct explaining *e, struct explain_gate *gate,
                         const struct service *service)
{
    const int64_t now = e->facts->now;
    const struct breaker *breaker = &service->breaker;
    const struct breaker_bucket sum = breaker_window(breaker, service->config, now);
    int64_t grows_at = 0;
    const int64_t limit = breaker_ramp(breaker, service->config, now, &grows_at);
    explain_number(gate, "calls", EXPLAIN_NUMBER, sum.calls);
    explain_number(gate, "failures", EXPLAIN_NUMBER, sum.failures);
    explain_number(gate, "in_a_row", EXPLAIN_NUMBER, breaker->in_a_row);
    if (limit > 0) {
        explain_number(gate, "limit", EXPLAIN_NUMBER, limit);
    }
    if (breaker->state == BREAKER_OPEN) {
        explain_number(gate, "next_probe_at", EXPLAIN_AT, breaker->until);
    }
    explain_number(gate, "probes", EXPLAIN_NUMBER, (int64_t)breaker->probe_count);
}

/* The service that refuses, else the first. */
static void say_services(struct explaining *e)
{
    const int64_t in_use = type_inflight(e->t, e->type->name);
    struct str name = e->type->service_count == 0 ? STR("") : e->type->services[0];
    bool refuses = false;
    if (e->type->service_count == 0) {
        return;
    }
    const struct gate said = service_gate(e->facts, e->t, e->type, in_use, 1, &name);
    struct service service;
    for (size_t i = 0; i < e->type->service_count; i++) {
        service_find(e->facts, e->t, e->type->services[i], &service);
        refuses |= service_refuses(e, &service, in_use);
    }
    service_find(e->facts, e->t, name, &service);
    const struct breaker_answer answer =
        breaker_ask(&service.breaker, service.config, e->facts->now);
    const bool depends = answer.pass == BREAKER_HOLDS && answer.ask_at == INT64_MAX;
    struct explain_gate *gate = add_gate(e, EXPLAIN_SERVICE, depends ? LIFT_OPERATOR : LIFT_TIME);
    gate->about = name;
    gate->hold = said.hold;
    gate->not_before = said.hold == HOLD_BREAKER_OPEN && !depends ? answer.ask_at : 0;
    add_evidence(e, gate, &service);
    if (refuses) {
        explain_free(gate, "disabled", EXPLAIN_SWITCH, true);
    }
}

static void say_bucket(struct explaining *e)
{
    const struct explain_ask ask = {
        .now = e->facts->now,
        .requests = gate_requests(e->type),
        .jobs = e->out->position.ahead_in_bucket + 1,
        .lane_open_at = e->out->lane->open_at,
    };
    explain_host(&e->throttle, &ask, add_gate(e, EXPLAIN_HOST, LIFT_TIME));
    if (explain_is_paced(&e->throttle, &ask)) {
        explain_tokens(&e->throttle, &ask, add_gate(e, EXPLAIN_TOKENS, LIFT_TIME));
    }
}

/* A lane that was refused is not asked again before a time, even when its gates would pass now. */
static void say_lane(struct explaining *e)
{
    const struct lane_row *lane = e->out->lane;
    struct explain_gate *gate = add_gate(e, EXPLAIN_LANE, LIFT_TIME);
    if (lane->open_at <= e->facts->now) {
        return;
    }
    gate->hold = (enum hold_reason)lane->hold;
    if (lane->open_at < INT64_MAX) {
        gate->not_before = lane->open_at;
        explain_number(gate, "open_at", EXPLAIN_AT, lane->open_at);
    } else {
        gate->lift = LIFT_OPERATOR;
    }
    explain_free(gate, "open_at", EXPLAIN_AT, e->facts->now);
}

static void say_worker(struct explaining *e, const struct explain_worker *worker)
{
    struct explain_gate *gate = add_gate(e, EXPLAIN_WORKER, LIFT_OPERATOR);
    const int64_t running = type_inflight(e->t, e->type->name);
    if (worker->asked_at > 0) {
        explain_number(gate, "asked_at", EXPLAIN_AT, worker->asked_at);
    }
    explain_number(gate, "running", EXPLAIN_NUMBER, running);
    if (!worker->serves && running == 0) {
        gate->hold = HOLD_NO_WORKER;
        explain_free(gate, "workers", EXPLAIN_NUMBER, 1);
    }
}

static void say_turn(struct explaining *e)
{
    const struct explanation *out = e->out;
    struct explain_gate *gate = add_gate(e, EXPLAIN_TURN, LIFT_WORKER);
    gate->hold = HOLD_QUEUE;
    explain_number(gate, "ahead", EXPLAIN_NUMBER, out->position.ahead);
    explain_number(gate, "ahead_in_lane", EXPLAIN_NUMBER, out->position.ahead_in_lane);
    explain_number(gate, "lanes_ahead", EXPLAIN_NUMBER, out->position.lanes_ahead);
    explain_number(gate, "open_lanes", EXPLAIN_NUMBER, out->position.open_lanes);
    explain_number(gate, "waiting_in_lane", EXPLAIN_NUMBER, out->lane->waiting);
    explain_free(gate, "slots", EXPLAIN_NUMBER, out->position.ahead + 1);
}

/* ---- All together ---- */

static void say_gates(struct explaining *e, const struct explain_worker *worker)
{
    if (e->depth == EXPLAIN_ALL) {
        const struct waiting_job waiting = {
            .job = e->job,
            .rank = e->out->place.carry->rank,
            .lane = e->out->lane,
            .type = e->type,
            .host = e->has_bucket ? e->bucket.host : STR(""),
        };
        position_find(e->facts, e->t, &waiting, &e->out->position);
    }
    say_source(e);
    say_limits(e);
    say_services(e);
    if (e->has_bucket) {
        say_bucket(e);
    }
    say_lane(e);
    say_worker(e, worker);
    say_turn(e);
}

static void sum_up(struct explanation *out)
{
    for (size_t i = 0; i < out->gate_count; i++) {
        const struct explain_gate *gate = &out->gates[i];
        if (gate->hold == HOLD_NONE) {
            continue;
        }
        out->depends |= gate->not_before == 0;
        out->not_before = gate->not_before > out->not_before ? gate->not_before : out->not_before;
    }
}

void explain_job(struct facts *facts, struct tenant_facts *t, struct job_id job,
                 enum explain_depth depth, const struct explain_worker *worker,
                 struct explanation *out)
{
    struct explaining e = {.facts = facts, .t = t, .job = job, .depth = depth, .out = out};
    *out = (struct explanation){.place = job_place(t, job)};
    out->state = out->place.state;
    if (out->place.carry == NULL || t->config == NULL) {
        out->state = JOB_NONE;
        return;
    }
    out->run = job_run(t, out->place.carry->run);
    out->lane = lane_of(t, out->place.carry);
    if (out->lane != NULL) {
        out->source = source_of(t, out->lane);
        e.type = config_job_type(t->config, out->lane->job_type);
        e.throttle.row = &e.bucket;
        e.has_bucket = throttle_foreseen(t, out->source, facts->now, &e.throttle);
    }
    if (out->place.outcome != NULL && out->state != JOB_SUCCEEDED) {
        const struct decision d = {.facts = facts, .t = t};
        out->retry = settle_awaited(&d, job) > 0 ? JOB_BLOCKED : JOB_PENDING;
    }
    if (out->state != JOB_BLOCKED && out->state != JOB_PENDING) {
        return;
    }
    say_pause(&e);
    say_run(&e);
    say_predecessors(&e);
    say_time(&e);
    if (e.type != NULL && (depth == EXPLAIN_ALL || out->place.ready != NULL)) {
        say_gates(&e, worker);
    }
    sum_up(out);
}
