#include "core/dispatch.h"

#include "base/check.h"
#include "base/time.h"
#include "core/fairness.h"
#include "core/gate.h"
#include "core/lease.h"
#include "core/quota_use.h"
#include "core/service.h"
#include "core/submit.h"
#include "core/throttle.h"

enum { LANES_MAX = 256 };

bool types_contain(struct str types, struct str job_type)
{
    struct str type;
    while (str_split(&types, '\n', &type)) {
        if (type.len > 0 && str_eq(type, job_type)) {
            return true;
        }
    }
    return false;
}

/* ---- Asking ---- */

static int32_t heads_for(int32_t max)
{
    return max < HEADS_LEAST ? HEADS_LEAST : max;
}

static bool lane_is_open(const struct lane_row *lane, int64_t now)
{
    return lane->waiting > 0 && lane->open_at <= now;
}

int64_t type_inflight(const struct tenant_facts *t, struct str job_type)
{
    int64_t inflight = 0;
    for (size_t i = 0; i < t->by_key[TABLE_LANES].n; i++) {
        const struct lane_row *lane = t->by_key[TABLE_LANES].entries[i].value;
        inflight += str_eq(lane->job_type, job_type) ? lane->inflight : 0;
    }
    return inflight;
}

/* The claim's types without those that are at their limit; sets *out_known when usage is known. */
static struct str free_types(struct facts *facts, struct tenant_facts *t, struct str types,
                             bool *out_known)
{
    CLEANUP(buf_fini) struct buf open;
    struct str rest = types;
    struct str name;
    bool any_full = false;
    buf_init(&open, types.len);
    *out_known = true;
    while (str_split(&rest, '\n', &name)) {
        const struct job_type *type = name.len == 0 ? NULL : config_job_type(t->config, name);
        if (type == NULL) {
            continue;
        }
        if (type->max_inflight > 0) {
            *out_known &= want_text(facts, t, WANT_BUSY_LANES, name, STR(""));
            if (type_inflight(t, name) >= type->max_inflight) {
                any_full = true;
                continue;
            }
        }
        buf_str(&open, name);
        buf_char(&open, '\n');
    }
    return any_full ? arena_str(facts->arena, buf_get(&open)) : types;
}

static bool want_services(struct facts *facts, struct tenant_facts *t, const struct job_type *type)
{
    return service_claim_want(facts, t, type) &&
           (!service_ramps(facts, t, type) ||
            want_text(facts, t, WANT_BUSY_LANES, type->name, STR("")));
}

static bool want_gates(struct facts *facts, struct tenant_facts *t)
{
    bool known = true;
    for (size_t i = 0; i < t->by_key[TABLE_LANES].n; i++) {
        const struct lane_row *lane = t->by_key[TABLE_LANES].entries[i].value;
        if (lane->source.len > 0) {
            known &= throttle_want(facts, t, config_source(t->config, lane->source));
        }
        const struct job_type *type = config_job_type(t->config, lane->job_type);
        if (type != NULL && type->service_count > 0 && lane_is_open(lane, facts->now)) {
            known &= want_services(facts, t, type);
        }
    }
    for (size_t i = 0; i < t->by_key[TABLE_READY].n; i++) {
        const struct ready_row *ready = t->by_key[TABLE_READY].entries[i].value;
        known &= ready->carry.run == 0 || want(facts, t, WANT_RUN, ready->carry.run);
    }
    return known;
}

bool claim_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    (void)limits;
    const struct claim *claim = &command->claim;
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    bool known = config_want(facts, t);
    known &= want_open_lanes(facts, t, claim->types, facts->now, heads_for(claim->max));
    known &= quota_want(facts, t);
    if (!known || t->row == NULL || t->config == NULL) {
        return known;
    }
    bool usage_known = true;
    const struct str open = free_types(facts, t, claim->types, &usage_known);
    if (usage_known && open.len != claim->types.len && open.len > 0) {
        known &= want_open_lanes(facts, t, open, facts->now, heads_for(claim->max));
    }
    return usage_known && want_gates(facts, t) && known;
}

/* ---- Gates ---- */

/* One lane that this claim may take from. */
struct choice {
    struct lane_row *lane;
    struct lane_heads *heads;
    const struct job_type *type;
    const struct source *source;
    struct throttle throttle; /* Without a row: nothing paces the host. */
    struct str service;       /* Whose breaker refused; empty for none. */
    int64_t requests;         /* Tokens that a job asks for … */
    int64_t taken;            /* … and what the last one got. */
    bool bucket_used;
};

/* Looks at every gate; takes the tokens only when all others passed. */
static struct gate gate_decide(struct decision *d, struct choice *choice)
{
    struct gate gate = gate_source(choice->source);
    if (gate.hold == HOLD_NONE) {
        gate = gate_tenant(d->t->row, 1);
    }
    if (gate.hold == HOLD_NONE) {
        gate = quota_gate(d->facts, d->t, 1);
    }
    if (gate.hold == HOLD_NONE && choice->type->max_inflight > 0) {
        gate = gate_type(choice->type, type_inflight(d->t, choice->lane->job_type), 1);
    }
    if (gate.hold == HOLD_NONE && choice->type->service_count > 0) {
        gate = service_gate(d->facts, d->t, choice->type,
                            type_inflight(d->t, choice->lane->job_type), 1, &choice->service);
        gate.open_at =
            gate.hold == HOLD_NONE ? 0 : service_ask_at(d->facts, d->limits, choice->lane, gate);
    }
    if (gate.hold == HOLD_NONE) {
        gate = gate_bucket(choice->throttle.row, &choice->throttle.pace, choice->requests,
                           d->facts->now, &choice->taken);
        choice->bucket_used |= choice->taken > 0;
    }
    return gate;
}

/* Notes why the lane waits; a line only when the reason is another one. */
static void lane_hold(struct decision *d, struct lane_row *lane, struct gate gate,
                      struct str service)
{
    if (gate.open_at > 0) {
        lane->open_at = gate.open_at;
        facts_change(d->facts, &lane->row);
        shard_due(d->facts, d->t->shard, gate.open_at);
    }
    if (lane->hold == (int16_t)gate.hold) {
        return;
    }
    lane->hold = (int16_t)gate.hold;
    facts_change(d->facts, &lane->row);
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "lane.held");
    JSON_STR(w, "hold", str_from(hold_name(gate.hold)));
    JSON_INT(w, "lane", lane->lane);
    JSON_STR(w, "service", service);
    (void)history_end(&line);
}

/* ---- Granting ---- */

static struct ready_row *head_of(const struct choice *choice)
{
    while (choice->heads->next < choice->heads->rows.n) {
        struct ready_row *head = choice->heads->rows.v[choice->heads->next];
        if (row_is_live(&head->row)) {
            return head;
        }
        choice->heads->next++;
    }
    return NULL;
}

/* The lane's lower bound after its heads were taken; a hold that it had is over. */
static void lane_set_rank(struct decision *d, const struct choice *choice, int64_t last_taken)
{
    const struct ready_row *head = head_of(choice);
    choice->lane->rank = head != NULL ? head->carry.rank : last_taken;
    choice->lane->open_at = 0;
    facts_change(d->facts, &choice->lane->row);
}

static struct leased_row *add_lease(struct decision *d, const struct claim *claim,
                                    const struct choice *choice, const struct ready_row *ready,
                                    const struct carry *carry)
{
    const struct job_type *type = choice->type;
    struct leased_row *lease = (struct leased_row *)facts_add(d->facts, d->t, TABLE_LEASED);
    lease->job = ready->job;
    lease->carry = *carry;
    lease->worker = claim->worker;
    lease->claim = claim->claim;
    lease->claimed_at = d->facts->now;
    lease->ttl_ms = type->ttl_ms;
    lease->charged_ms = choice->lane->estimate_ms;
    lease->requests = choice->taken;
    lease->run_until = type->max_run_ms > 0 ? d->facts->now + type->max_run_ms * US_PER_MS : 0;
    lease->until = d->facts->now + type->ttl_ms * US_PER_MS;
    lease->progress_at = d->facts->now;
    lease->no_progress_ms = type->no_progress_ms;
    lease_set_due(lease);
    facts_index(d->facts, d->t, &lease->row);
    shard_due(d->facts, d->t->shard, lease->due_at);
    return lease;
}

static int64_t write_leased(struct decision *d, const struct choice *choice,
                            const struct claim *claim, struct job_id job, struct carry *carry)
{
    const struct job_type *type = choice->type;
    struct history_line line;
    struct json_writer *w =
        history_begin_job(&line, d->facts, d->t, d->actor, "job.leased", job, carry);
    JSON_INT(w, "charged_ms", choice->lane->estimate_ms);
    JSON_INT(w, "claim", claim->claim);
    JSON_INT(w, "grant", carry->grant);
    JSON_INT(w, "no_progress_ms", type->no_progress_ms);
    JSON_INT(w, "requests", choice->taken);
    JSON_INT(w, "run_until",
             type->max_run_ms > 0 ? d->facts->now + type->max_run_ms * US_PER_MS : 0);
    JSON_INT(w, "ttl_ms", type->ttl_ms);
    JSON_STR(w, "worker", claim->worker);
    return history_end(&line);
}

static void count_leased(struct decision *d, struct lane_row *lane, int64_t run_id)
{
    struct tenant_row *tenant = d->t->row;
    lane->inflight++;
    tenant->inflight++;
    tenant->charged = fairness_charge(tenant->charged, lane->estimate_ms, tenant->weight);
    facts_change(d->facts, &lane->row);
    facts_change(d->facts, &tenant->row);
    struct run_row *run = job_run(d->t, run_id);
    if (run != NULL) {
        run->leased++;
        facts_change(d->facts, &run->row);
    }
}

/* Above every grant that the job ever had, also in a time that a restore has undone. */
static int64_t next_grant(const struct config *config, int64_t last)
{
    return config_grant_holds(config, last) ? last + 1 : config->installation->grant_floor + 1;
}

static void grant(struct command *command, struct decision *d, struct choice *choice,
                  struct ready_row *ready)
{
    struct claim *claim = &command->claim;
    struct carry carry = ready->carry;
    const struct job_id job = {ready->job};
    carry.grant = next_grant(d->t->config, carry.grant);
    CHECK(job_may_move(JOB_PENDING, EVENT_CLAIM, JOB_LEASED));
    const int64_t seq = write_leased(d, choice, claim, job, &carry);
    const struct job_place place = {.ready = ready, .carry = &ready->carry};
    job_leave(d, &place);
    choice->heads->next++;
    struct leased_row *lease = add_lease(d, claim, choice, ready, &carry);
    lease->claimed_seq = seq;
    count_leased(d, choice->lane, carry.run);
    service_probe(d, choice->type, job, carry.grant);
    lane_set_rank(d, choice, carry.rank);
    const struct job_row *known = (const struct job_row *)facts_find(d->t, TABLE_JOBS, job.v);
    if (known == NULL) {
        VEC_PUSH(d->facts->arena, &d->facts->fetch_jobs, &lease->row);
    }
    VEC_PUSH(command->arena, &claim->grants,
             ((struct lease_grant){.lease = lease,
                                   .job = known,
                                   .lane = choice->lane,
                                   .type = choice->type,
                                   .source = choice->source}));
}

/* ---- Choosing ---- */

static bool choice_init(struct decision *d, struct lane_row *lane, struct choice *out)
{
    struct lane_heads *heads = map_find(&d->t->ready_of_lane, (uint64_t)lane->lane);
    const struct job_type *type = config_job_type(d->t->config, lane->job_type);
    if (heads == NULL || type == NULL) {
        return false;
    }
    *out = (struct choice){
        .lane = lane,
        .heads = heads,
        .type = type,
        .source = lane->source.len > 0 ? config_source(d->t->config, lane->source) : NULL,
        .requests = gate_requests(type),
    };
    (void)throttle_of(d, out->source, &out->throttle);
    return true;
}

/* The lanes of this claim's types that are open and have known heads. */
static size_t choices_of(struct decision *d, const struct claim *claim, struct choice *out)
{
    size_t count = 0;
    for (size_t i = 0; i < d->t->by_key[TABLE_LANES].n && count < LANES_MAX; i++) {
        struct lane_row *lane = d->t->by_key[TABLE_LANES].entries[i].value;
        if (lane_is_open(lane, d->facts->now) && types_contain(claim->types, lane->job_type) &&
            choice_init(d, lane, &out[count])) {
            count++;
        }
    }
    return count;
}

/* The lane whose head has the least (rank, job); null when none is left. */
static struct choice *choose(struct choice *choices, size_t count)
{
    struct choice *best = NULL;
    const struct ready_row *best_head = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct ready_row *head = choices[i].lane == NULL ? NULL : head_of(&choices[i]);
        if (head != NULL &&
            (best == NULL || head->carry.rank < best_head->carry.rank ||
             (head->carry.rank == best_head->carry.rank && head->job < best_head->job))) {
            best = &choices[i];
            best_head = head;
        }
    }
    return best;
}

static void write_buckets(struct decision *d, const struct choice *choices, size_t count)
{
    struct throttle_row *written = NULL;
    for (size_t i = 0; i < count; i++) {
        if (choices[i].bucket_used && choices[i].throttle.row != written) {
            written = choices[i].throttle.row;
            throttle_write(d, written, THROTTLE_CHARGED);
        }
    }
}

/* What a node decided on when it asked this tenant: with the tenants' histories it tells why they
 * were served in this order. */
static void write_offer(const struct command *command, struct decision *d)
{
    const struct claim *claim = &command->claim;
    struct history_line line;
    struct json_writer *w =
        history_begin_shard(&line, d->facts, d->t->shard, d->actor, "claim.offered");
    JSON_INT(w, "claim", claim->claim);
    JSON_INT(w, "floor", command->floor);
    JSON_INT(w, "granted", (int64_t)claim->grants.n);
    JSON_INT(w, "max", claim->max);
    JSON_INT(w, "tenant", d->t->id.v);
    JSON_KEY(w, "types");
    json_put_array(w);
    struct str rest = claim->types;
    struct str type;
    while (str_split(&rest, '\n', &type)) {
        if (type.len > 0) {
            json_put_str(w, type);
        }
    }
    json_put_array_end(w);
    JSON_STR(w, "worker", claim->worker);
    (void)history_end(&line);
}

void claim_decide(struct command *command, struct decision *d)
{
    struct claim *claim = &command->claim;
    claim->worker_state = config_worker_state(d->t->config, claim->worker, claim->is_shared);
    const struct gate gate_of_all = gate_pause(&d->t->config->installation->pause);
    if (claim->worker_state != WORKER_ACTIVE || gate_of_all.hold != HOLD_NONE) {
        return; /* The lanes stay open: they are asked again as soon as it goes on. */
    }
    struct choice *choices = arena_bytes(d->facts->arena, LANES_MAX * sizeof(struct choice));
    const size_t count = choices_of(d, claim, choices);
    while ((int32_t)claim->grants.n < claim->max) {
        struct choice *choice = choose(choices, count);
        if (choice == NULL) {
            break;
        }
        const struct gate gate = gate_decide(d, choice);
        if (gate.hold == HOLD_QUOTA) {
            break; /* So it is for all its lanes; and that is not the tenant's to be told. */
        }
        lane_hold(d, choice->lane, gate, choice->service);
        if (gate.hold != HOLD_NONE) {
            choice->lane = NULL; /* Not asked again by this claim. */
            continue;
        }
        grant(command, d, choice, head_of(choice));
    }
    write_buckets(d, choices, count);
    if (claim->grants.n > 0) {
        write_offer(command, d);
    }
}
