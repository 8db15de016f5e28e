#include "core/service.h"

#include "base/check.h"
#include "base/time.h"
#include "core/dispatch.h"

static struct tenant_facts *system_of(struct facts *facts)
{
    return facts_tenant(facts, SHARD_SYSTEM, (struct tenant_id){TENANT_SYSTEM});
}

/* The time of the rows that are to be changed; of a shared row that is only read, the tick's. */
static int64_t time_of(struct facts *facts, const struct service *service)
{
    const struct shard_row *shard = facts_shard(facts, service->home->shard)->row;
    return shard == NULL ? facts->now : shard->last_at;
}

static struct breaker_row *row_of(const struct tenant_facts *t, struct str name)
{
    return (struct breaker_row *)facts_find_text(t, TABLE_BREAKERS, name);
}

void service_find(struct facts *facts, struct tenant_facts *t, struct str name, struct service *out)
{
    struct tenant_facts *system = system_of(facts);
    struct breaker_row *shared = row_of(system, name);
    *out = (struct service){.name = name, .home = system, .row = shared};
    out->config = breaker_config_of(facts->arena, shared == NULL ? STR("") : shared->body);
    if (out->config->per_tenant) {
        out->home = t;
        out->row = row_of(t, name);
    }
    if (out->row != NULL) {
        breaker_read(out->row, &out->breaker);
    }
}

/* ---- Asking ---- */

bool service_want(struct facts *facts, struct tenant_facts *t, const struct job_type *type)
{
    struct tenant_facts *system = system_of(facts);
    bool known = true;
    for (size_t i = 0; i < type->service_count; i++) {
        const struct str name = type->services[i];
        if (!want_text(facts, system, WANT_BREAKER, name, STR(""))) {
            known = false;
            continue;
        }
        const struct breaker_row *row = row_of(system, name);
        if (row != NULL && breaker_config_of(facts->arena, row->body)->per_tenant) {
            known &= want_text(facts, t, WANT_BREAKER, name, STR(""));
        }
    }
    return known;
}

static bool is_shared(const struct service *service)
{
    return service->home->id.v == TENANT_SYSTEM;
}

bool service_claim_want(struct facts *facts, struct tenant_facts *t, const struct job_type *type)
{
    if (!service_want(facts, t, type)) {
        return false;
    }
    for (size_t i = 0; i < type->service_count; i++) {
        struct service service;
        service_find(facts, t, type->services[i], &service);
        if (is_shared(&service) &&
            breaker_ask(&service.breaker, service.config, facts->now).pass == BREAKER_PROBE) {
            return want_shared(facts);
        }
    }
    return true;
}

/* ---- The gate ---- */

static int64_t draw(const struct facts *facts, int64_t a, int64_t b, int64_t c, int64_t bound)
{
    const int64_t words[3] = {a, b, c};
    const struct str bytes = {(const char *)words, sizeof(words)};
    return (int64_t)(hash_keyed(&facts->seed, bytes) % (uint64_t)(bound < 1 ? 1 : bound));
}

int64_t service_ask_at(const struct facts *facts, const struct limits *limits,
                       const struct lane_row *lane, struct gate gate)
{
    const int64_t next = facts->now + limits->breaker_ask_us;
    const int64_t at = gate.open_at < next ? gate.open_at : next;
    return at + draw(facts, lane->tenant, lane->lane, at, limits->breaker_ask_us / 5);
}

static struct gate gate_of(const struct facts *facts, const struct service *service, int64_t leases)
{
    const struct breaker_answer answer =
        breaker_ask(&service->breaker, service->config, facts->now);
    if (answer.pass == BREAKER_HOLDS) {
        return (struct gate){HOLD_BREAKER_OPEN, answer.ask_at};
    }
    int64_t grows_at = 0;
    const int64_t limit = breaker_ramp(&service->breaker, service->config, facts->now, &grows_at);
    return limit > 0 && leases > limit ? (struct gate){HOLD_BREAKER_RAMP, grows_at}
                                       : (struct gate){HOLD_NONE, 0};
}

struct gate service_gate(struct facts *facts, struct tenant_facts *t, const struct job_type *type,
                         int64_t in_use, int64_t more, struct str *out_name)
{
    for (size_t i = 0; i < type->service_count; i++) {
        struct service service;
        service_find(facts, t, type->services[i], &service);
        const struct gate gate = gate_of(facts, &service, in_use + more);
        if (gate.hold != HOLD_NONE) {
            *out_name = service.name;
            return gate;
        }
    }
    return (struct gate){HOLD_NONE, 0};
}

bool service_ramps(struct facts *facts, struct tenant_facts *t, const struct job_type *type)
{
    for (size_t i = 0; i < type->service_count; i++) {
        struct service service;
        int64_t grows_at = 0;
        service_find(facts, t, type->services[i], &service);
        if (breaker_ramp(&service.breaker, service.config, facts->now, &grows_at) > 0) {
            return true;
        }
    }
    return false;
}

/* ---- Writing ---- */

static void put_row(struct json_writer *w, const struct breaker_row *row,
                    enum breaker_change change, int32_t tenant, int64_t job)
{
    JSON_STR(w, "change", str_from(breaker_change_name(change)));
    JSON_INT(w, "changed_at", row->changed_at);
    JSON_STR(w, "evidence", row->evidence);
    JSON_INT(w, "in_a_row", row->in_a_row);
    JSON_INT(w, "job", job);
    JSON_INT(w, "mode", row->mode);
    JSON_INT(w, "mode_until", row->mode_until);
    JSON_INT(w, "opens", row->opens);
    JSON_STR(w, "probes", row->probes);
    JSON_INT(w, "probes_ill", row->probes_ill);
    JSON_INT(w, "probes_well", row->probes_well);
    JSON_STR(w, "reason", row->reason);
    JSON_INT(w, "revision", row->revision);
    JSON_STR(w, "service", row->service);
    JSON_STR(w, "set_by", row->set_by);
    JSON_INT(w, "state", row->state);
    JSON_INT(w, "tenant", tenant);
    JSON_STR(w, "ticket", row->ticket);
    JSON_INT(w, "until", row->until);
    JSON_STR(w, "workers", row->workers);
}

void service_write(struct decision *d, struct service *service, enum breaker_change change,
                   int32_t tenant, int64_t job)
{
    if (service->row == NULL) {
        service->row = (struct breaker_row *)facts_add(d->facts, service->home, TABLE_BREAKERS);
        service->row->service = arena_str(d->facts->arena, service->name);
        facts_index(d->facts, service->home, &service->row->row);
    } else if (service->row->row.state != ROW_NEW) {
        facts_change(d->facts, &service->row->row);
    }
    breaker_write(&service->breaker, d->facts->arena, service->row);
    if (change == BREAKER_IS_FORCED || service->breaker.mode == BREAKER_AUTOMATIC) {
        service->row->reason = arena_str(d->facts->arena, service->reason);
        service->row->ticket = arena_str(d->facts->arena, service->ticket);
        service->row->set_by = arena_str(d->facts->arena, service->set_by);
    }
    service->row->revision++;
    d->facts->breaker_did[change]++;
    struct history_line line;
    put_row(history_begin(&line, d->facts, service->home, d->actor, "breaker.changed"),
            service->row, change, tenant, job);
    (void)history_end(&line);
}

void service_probe(struct decision *d, const struct job_type *type, struct job_id job,
                   int64_t grant)
{
    for (size_t i = 0; i < type->service_count; i++) {
        struct service service;
        service_find(d->facts, d->t, type->services[i], &service);
        if (breaker_ask(&service.breaker, service.config, d->facts->now).pass == BREAKER_PROBE) {
            const struct breaker_probe lease = {d->t->id.v, job.v, grant};
            const int64_t now = d->facts->now;
            const enum breaker_change change = breaker_probe_take(&service.breaker, &lease, now);
            service_write(d, &service, change, d->t->id.v, job.v);
        }
    }
}

/* ---- The end of a lease ---- */

static const struct job_type *type_of(const struct tenant_facts *t, const struct leased_row *lease)
{
    const struct lane_row *lane =
        (const struct lane_row *)facts_find(t, TABLE_LANES, lease->carry.lane);
    return lane == NULL || t->config == NULL ? NULL : config_job_type(t->config, lane->job_type);
}

static enum breaker_verdict verdict_of(const struct facts *facts,
                                       const struct breaker_config *config,
                                       const struct leased_row *lease,
                                       const struct service_end *end)
{
    switch (end->result) {
    case SERVICE_DONE:
        return config->slow_ms > 0 && facts->now - lease->claimed_at > config->slow_ms * US_PER_MS
                   ? BREAKER_SLOW
                   : BREAKER_WELL;
    case SERVICE_FAILED:
        return breaker_config_counts(config, end->class, end->permanent) ? BREAKER_ILL
                                                                         : BREAKER_SAYS_NOTHING;
    case SERVICE_SILENT: return BREAKER_SAYS_NOTHING;
    }
    UNREACHABLE();
}

/* Successes that wait in the lane and are of this window. */
static int64_t untold(const struct lane_row *lane, const struct breaker_config *config, int64_t now)
{
    return now - lane->calls_since < config->window_ms * US_PER_MS ? lane->calls : 0;
}

static struct breaker_call call_of(struct facts *facts, struct tenant_facts *t,
                                   const struct service *service, const struct leased_row *lease,
                                   const struct service_end *end)
{
    const struct lane_row *lane = job_lane(t, lease->carry.lane);
    return (struct breaker_call){
        .verdict = verdict_of(facts, service->config, lease, end),
        .lease = {t->id.v, lease->job, lease->carry.grant},
        .worker = lease->worker,
        .before = untold(lane, service->config, facts->now),
        .jitter = (uint64_t)draw(facts, t->id.v, lease->job, lease->carry.grant, INT64_MAX),
    };
}

/* It cannot wait in the lane. */
static bool must_tell(const struct facts *facts, const struct service *service,
                      const struct lane_row *lane, const struct breaker_call *call)
{
    const struct breaker *breaker = &service->breaker;
    if (breaker_is_probe(breaker, &call->lease)) {
        return true;
    }
    if (call->verdict == BREAKER_SAYS_NOTHING ||
        breaker_mode_now(breaker, facts->now) == BREAKER_DISABLED) {
        return false;
    }
    if (call->verdict != BREAKER_WELL) {
        return true;
    }
    if (service->row == NULL) {
        return false;
    }
    const struct breaker_bucket sum = breaker_window(breaker, service->config, facts->now);
    const int64_t bucket_us = service->config->window_ms * US_PER_MS / BREAKER_BUCKETS;
    return breaker_is_alert(breaker, facts->now) ||
           (sum.failures + sum.slow > 0 && facts->now - lane->calls_since >= bucket_us);
}

/* Only one worker has failed so far, and with this it would open: who else is there? */
static bool is_decisive(const struct service *service, const struct breaker_call *call, int64_t now)
{
    struct breaker copy = service->breaker;
    return (call->verdict == BREAKER_ILL || call->verdict == BREAKER_SLOW) &&
           breaker_told(&copy, service->config, call, now) == BREAKER_OPENS;
}

bool service_end_want(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                      const struct leased_row *lease, const struct service_end *end)
{
    const struct job_type *type = type_of(t, lease);
    if (type == NULL || type->service_count == 0) {
        return true;
    }
    bool known = service_want(facts, t, type);
    for (size_t i = 0; known && i < type->service_count; i++) {
        struct service service;
        service_find(facts, t, type->services[i], &service);
        const struct breaker_call call = call_of(facts, t, &service, lease, end);
        if (!must_tell(facts, &service, job_lane(t, lease->carry.lane), &call)) {
            continue;
        }
        if (is_shared(&service) && !want_shared(facts)) {
            return false;
        }
        if (is_decisive(&service, &call, time_of(facts, &service))) {
            known &= want_list_of(facts, t, WANT_WORKERS, 0, 0, limits->max_workers);
            known &= want_list_of(facts, system_of(facts), WANT_WORKERS, 0, 0, limits->max_workers);
        }
    }
    return known;
}

/* The name stands in a JSON array of names. */
static bool serves(const struct worker_row *worker, struct str job_type)
{
    struct str rest = worker->job_types;
    struct str part;
    while (str_split(&rest, '"', &part)) {
        if (str_eq(part, job_type)) {
            return true;
        }
    }
    return false;
}

static int64_t active_workers(const struct tenant_facts *t, const struct job_type *type,
                              int64_t since)
{
    int64_t count = 0;
    for (size_t i = 0; i < t->by_text[TABLE_WORKERS].n; i++) {
        const struct worker_row *worker = t->by_text[TABLE_WORKERS].entries[i].value;
        count += row_is_live(&worker->row) && worker->state == WORKER_ACTIVE &&
                 worker->seen_at > since && serves(worker, type->name);
    }
    return count;
}

static void tell(struct decision *d, struct service *service, const struct job_type *type,
                 struct breaker_call *call)
{
    const int64_t now = time_of(d->facts, service);
    if (is_decisive(service, call, now)) {
        const int64_t since = now - service->config->window_ms * US_PER_MS;
        call->others = active_workers(d->t, type, since);
        call->others += active_workers(system_of(d->facts), type, since);
    }
    const enum breaker_change change = breaker_told(&service->breaker, service->config, call, now);
    d->facts->breaker_told[call->verdict]++;
    d->facts->breaker_told[BREAKER_WELL] += (uint32_t)call->before;
    service_write(d, service, change, d->t->id.v, call->lease.job);
}

/* The lane keeps successes of one window at most. */
static void keep(struct decision *d, struct lane_row *lane)
{
    const int64_t window_us = breaker_config_default()->window_ms * US_PER_MS;
    if (lane->calls == 0 || d->facts->now - lane->calls_since >= window_us) {
        lane->calls = 0;
        lane->calls_since = d->facts->now;
    }
    lane->calls++;
}

void service_ended(struct decision *d, const struct leased_row *lease,
                   const struct service_end *end)
{
    const struct job_type *type = type_of(d->t, lease);
    if (type == NULL || type->service_count == 0) {
        return;
    }
    struct lane_row *lane = job_lane(d->t, lease->carry.lane);
    bool told = false;
    for (size_t i = 0; i < type->service_count; i++) {
        struct service service;
        service_find(d->facts, d->t, type->services[i], &service);
        struct breaker_call call = call_of(d->facts, d->t, &service, lease, end);
        if (must_tell(d->facts, &service, lane, &call)) {
            tell(d, &service, type, &call);
            told |= call.verdict != BREAKER_SAYS_NOTHING;
        }
    }
    if (told) {
        lane->calls = 0;
        lane->calls_since = d->facts->now;
    } else if (end->result == SERVICE_DONE) {
        keep(d, lane);
    }
    facts_change(d->facts, &lane->row);
}
