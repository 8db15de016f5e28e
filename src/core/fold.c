#include "core/fold.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "core/config.h"
#include "core/fairness.h"
#include "core/fold_bulk.h"
#include "core/fold_installation.h"
#include "core/fold_quota.h"
#include "core/fold_retain.h"
#include "core/fold_rows.h"
#include "core/fold_throttle.h"
#include "core/state.h"

/* ---- Configuration ---- */

static bool tenant_opened(struct fold *fold, const struct fold_event *e)
{
    struct tenant_row row = {.row = {.table = TABLE_TENANTS}, .shard = fold->shard};
    row.tenant = fold->tenant;
    row.name = fold_text(e, "name");
    row.created_at = e->at;
    row.weight = (int32_t)fold_int(e, "weight");
    row.max_inflight = (int32_t)fold_int(e, "max_inflight");
    row.max_live = (int32_t)fold_int(e, "max_live");
    row.version = (int32_t)fold_int(e, "version");
    row.config_version = 1;
    row.next_job = fold->tenant == TENANT_SYSTEM ? TENANT_SYSTEM + 1 : 1;
    row.next_run = 1;
    row.next_lane = 1;
    row.next_bulk = 1;
    row.key_generation = 1;
    row.key_oldest = 1;
    row.key_turned_at = e->at;
    (void)row_set_insert(&fold->set, &row.row);
    return true;
}

static bool tenant_changed(struct fold *fold, const struct fold_event *e)
{
    struct tenant_row *row = fold_tenant_row(fold);
    row->weight = (int32_t)fold_int(e, "weight");
    row->max_inflight = (int32_t)fold_int(e, "max_inflight");
    row->max_live = (int32_t)fold_int(e, "max_live");
    row->version = (int32_t)fold_int(e, "version");
    return true;
}

static bool tenant_backlogged(struct fold *fold, const struct fold_event *e)
{
    const struct tenant_row like = {.row = {.table = TABLE_TENANTS},
                                    .shard = fold->shard,
                                    .tenant = (int32_t)fold_int(e, "tenant")};
    struct tenant_row *row = (struct tenant_row *)row_set_find(&fold->set, &like.row);
    if (row != NULL) {
        row->lift = fold_int(e, "lift");
    }
    return row != NULL;
}

static bool tenant_named(struct fold *fold, const struct fold_event *e)
{
    struct tenant_name_row row = {.row = {.table = TABLE_TENANT_NAMES}, .shard = fold->shard};
    row.tenant = fold->tenant;
    row.name = fold_text(e, "name");
    row.named = (int32_t)fold_int(e, "named");
    row.home_shard = (int16_t)fold_int(e, "home_shard");
    row.created_at = e->at;
    (void)row_set_insert(&fold->set, &row.row);
    fold_tenant_row(fold)->next_job++;
    return true;
}

static bool token_added(struct fold *fold, const struct fold_event *e)
{
    struct token_row row = {.row = {.table = TABLE_TOKENS}, .shard = fold->shard};
    row.tenant = fold->tenant;
    row.token = fold_int(e, "token");
    row.name = fold_text(e, "name");
    row.hash = fold_digest(fold, e, "hash");
    row.for_tenant = (int32_t)fold_int(e, "for_tenant");
    row.scopes = (int32_t)fold_int(e, "scopes");
    row.job_types = fold_text(e, "job_types");
    row.created_at = e->at;
    (void)row_set_insert(&fold->set, &row.row);
    fold_tenant_row(fold)->next_run++;
    fold_tenant_row(fold)->config_version++;
    return true;
}

static bool token_revoked(struct fold *fold, const struct fold_event *e)
{
    struct token_row like = {.row = {.table = TABLE_TOKENS}, .shard = fold->shard};
    like.tenant = fold->tenant;
    like.token = fold_int(e, "token");
    struct token_row *row = (struct token_row *)row_set_find(&fold->set, &like.row);
    if (row == NULL) {
        return false;
    }
    row->revoked_at = e->at;
    fold_tenant_row(fold)->config_version++;
    return true;
}

static void config_put(struct fold *fold, const struct fold_event *e, enum config_kind_id kind)
{
    struct config_version_row row = {.row = {.table = TABLE_CONFIG_VERSIONS}, .shard = fold->shard};
    row.tenant = fold->tenant;
    row.kind = (int16_t)kind;
    row.name = fold_text(e, "name");
    row.version = (int32_t)fold_int(e, "version");
    row.body = fold_text(e, "body");
    row.at = e->at;
    row.actor = e->actor;
    row.reason = fold_text(e, "reason");
    (void)row_set_insert(&fold->set, &row.row);
    row.version = (int32_t)fold_int(e, "forgotten");
    struct row *forgotten = row.version == 0 ? NULL : row_set_find(&fold->set, &row.row);
    if (forgotten != NULL) {
        row_set_delete(&fold->set, forgotten);
    }
    fold_tenant_row(fold)->config_version++;
}

static bool job_type_put(struct fold *fold, const struct fold_event *e)
{
    struct job_type_row row = {.row = {.table = TABLE_JOB_TYPES}, .shard = fold->shard};
    row.tenant = fold->tenant;
    row.name = fold_text(e, "name");
    row.version = (int32_t)fold_int(e, "version");
    row.body = fold_text(e, "body");
    fold_put(fold, &row.row);
    config_put(fold, e, CONFIG_JOB_TYPE);
    return true;
}

static bool source_put(struct fold *fold, const struct fold_event *e)
{
    struct source_row row = {.row = {.table = TABLE_SOURCES}, .shard = fold->shard};
    row.tenant = fold->tenant;
    row.name = fold_text(e, "name");
    row.version = (int32_t)fold_int(e, "version");
    row.body = fold_text(e, "body");
    fold_put(fold, &row.row);
    config_put(fold, e, CONFIG_SOURCE);
    return true;
}

/* ---- Workers ---- */

static struct worker_row worker_like(struct fold *fold, const struct fold_event *e)
{
    struct worker_row row = {.row = {.table = TABLE_WORKERS}, .shard = fold->shard};
    row.tenant = fold->tenant;
    row.name = fold_text(e, "name");
    return row;
}

static bool worker_registered(struct fold *fold, const struct fold_event *e)
{
    struct worker_row row = worker_like(fold, e);
    const struct worker_row *old = (const struct worker_row *)row_set_find(&fold->set, &row.row);
    if (old != NULL) {
        row.state = old->state;
        row.reason = old->reason;
        row.changed_at = old->changed_at;
    }
    row.version = fold_text(e, "version");
    row.slots = (int32_t)fold_int(e, "slots");
    row.job_types = fold_text(e, "job_types");
    row.registered_at = e->at;
    fold_put(fold, &row.row);
    return true;
}

static bool worker_set(struct fold *fold, const struct fold_event *e)
{
    const struct worker_row like = worker_like(fold, e);
    const struct worker_row *old = (const struct worker_row *)row_set_find(&fold->set, &like.row);
    if (old == NULL) {
        return false;
    }
    struct worker_row row = *old;
    row.state = (int16_t)fold_int(e, "state");
    row.reason = fold_text(e, "reason");
    row.changed_at = e->at;
    fold_put(fold, &row.row);
    fold_tenant_row(fold)->config_version++;
    return true;
}

static bool worker_forgotten(struct fold *fold, const struct fold_event *e)
{
    const struct worker_row like = worker_like(fold, e);
    struct row *row = row_set_find(&fold->set, &like.row);
    if (row == NULL) {
        return false;
    }
    row_set_delete(&fold->set, row);
    return true;
}

/* ---- Breakers ---- */

static struct breaker_row breaker_as_it_was(struct fold *fold, const struct fold_event *e)
{
    struct breaker_row row = {.row = {.table = TABLE_BREAKERS}, .shard = fold->shard};
    row.tenant = fold->tenant;
    row.service = fold_text(e, "service");
    const struct breaker_row *old = (const struct breaker_row *)row_set_find(&fold->set, &row.row);
    if (old != NULL) {
        row = *old;
    }
    row.revision = fold_int(e, "revision");
    return row;
}

static bool breaker_changed(struct fold *fold, const struct fold_event *e)
{
    struct breaker_row row = breaker_as_it_was(fold, e);
    row.mode = (int16_t)fold_int(e, "mode");
    row.mode_until = fold_int(e, "mode_until");
    row.reason = fold_text(e, "reason");
    row.ticket = fold_text(e, "ticket");
    row.set_by = fold_text(e, "set_by");
    row.state = (int16_t)fold_int(e, "state");
    row.changed_at = fold_int(e, "changed_at");
    row.until = fold_int(e, "until");
    row.opens = (int32_t)fold_int(e, "opens");
    row.in_a_row = (int32_t)fold_int(e, "in_a_row");
    row.probes_well = (int32_t)fold_int(e, "probes_well");
    row.probes_ill = (int32_t)fold_int(e, "probes_ill");
    row.evidence = fold_text(e, "evidence");
    row.workers = fold_text(e, "workers");
    row.probes = fold_text(e, "probes");
    fold_put(fold, &row.row);
    return true;
}

static bool breaker_put(struct fold *fold, const struct fold_event *e)
{
    struct breaker_row row = breaker_as_it_was(fold, e);
    row.body = fold_text(e, "body");
    row.version = (int32_t)fold_int(e, "version");
    fold_put(fold, &row.row);
    return true;
}

/* ---- Lanes, requests ---- */

static bool lane_opened(struct fold *fold, const struct fold_event *e)
{
    struct lane_row row = {.row = {.table = TABLE_LANES}, .shard = fold->shard};
    row.tenant = fold->tenant;
    row.lane = (int32_t)fold_int(e, "lane");
    row.job_type = fold_text(e, "job_type");
    row.source = fold_text(e, "source");
    row.estimate_ms = (int32_t)fold_int(e, "estimate_ms");
    (void)row_set_insert(&fold->set, &row.row);
    fold_tenant_row(fold)->next_lane++;
    return true;
}

static bool lane_held(struct fold *fold, const struct fold_event *e)
{
    static const char *const holds[] = HOLD_NAMES;
    struct lane_row *lane = fold_lane(fold, (int32_t)fold_int(e, "lane"));
    for (int16_t i = 0; i < HOLD_COUNT; i++) {
        if (str_eq(str_from(holds[i]), fold_text(e, "hold"))) {
            lane->hold = i;
            return true;
        }
    }
    return false;
}

static bool request_stored(struct fold *fold, const struct fold_event *e)
{
    struct request_key_row row = {.row = {.table = TABLE_REQUEST_KEYS}, .shard = fold->shard};
    row.tenant = fold->tenant;
    row.key = fold_text(e, "key");
    row.digest = fold_digest(fold, e, "digest");
    row.at = e->at;
    row.status = 201;
    row.location = fold_text(e, "location");
    (void)row_set_insert(&fold->set, &row.row);
    return true;
}

static bool nothing(struct fold *fold, const struct fold_event *e)
{
    (void)fold;
    (void)e;
    return true;
}

/* ---- Runs ---- */

static bool run_submitted(struct fold *fold, const struct fold_event *e)
{
    struct run_row row = {.row = {.table = TABLE_RUNS}, .shard = fold->shard};
    row.tenant = fold->tenant;
    row.run = fold_int(e, "run");
    row.name = fold_text(e, "name");
    row.digest = fold_digest(fold, e, "digest");
    row.submitted_at = e->at;
    row.total = (int32_t)fold_int(e, "total");
    (void)row_set_insert(&fold->set, &row.row);
    const struct run_key_row key = {.row = {.table = TABLE_RUN_KEYS},
                                    .shard = fold->shard,
                                    .tenant = fold->tenant,
                                    .key = fold_text(e, "key"),
                                    .run = row.run};
    if (key.key.len > 0) {
        (void)row_set_insert(&fold->set, &key.row);
    }
    const struct start_deadline_row deadline = {.row = {.table = TABLE_START_DEADLINES},
                                                .shard = fold->shard,
                                                .tenant = fold->tenant,
                                                .due_at = fold_int(e, "assemble_by"),
                                                .job = -row.run};
    if (deadline.due_at > 0) {
        (void)row_set_insert(&fold->set, &deadline.row);
    }
    fold_tenant_row(fold)->next_run++;
    fold_tenant_row(fold)->next_job = fold_int(e, "first_job") + row.total;
    return true;
}

static bool run_edges(struct fold *fold, const struct fold_event *e)
{
    const json_t *edges = json_object_get(e->facts, "edges");
    for (size_t i = 0; i < json_array_size(edges); i++) {
        const json_t *edge = json_array_get(edges, i);
        const struct edge_row row = {
            .row = {.table = TABLE_DAG_EDGES},
            .shard = fold->shard,
            .tenant = fold->tenant,
            .run = fold_int(e, "run"),
            .pred = json_integer_value(json_array_get(edge, 0)),
            .succ = json_integer_value(json_array_get(edge, 1)),
            .kind = (int16_t)json_integer_value(json_array_get(edge, 2)),
        };
        (void)row_set_insert(&fold->set, &row.row);
    }
    return true;
}

static bool run_whole(struct fold *fold, const struct fold_event *e)
{
    fold_settling_begin(fold, -fold_int(e, "run"), SETTLE_OK);
    return true;
}

static bool run_abandoned(struct fold *fold, const struct fold_event *e)
{
    fold_run(fold, fold_int(e, "run"))->total = (int32_t)fold_int(e, "total");
    fold_settling_begin(fold, -fold_int(e, "run"), SETTLE_ABANDON);
    return true;
}

static bool run_state_changed(struct fold *fold, const struct fold_event *e)
{
    struct run_id id;
    enum run_state state = RUN_ACTIVE;
    if (!run_id_parse(fold_text(e, "run"), &id) || !run_state_find(fold_text(e, "state"), &state)) {
        return false;
    }
    struct run_row *run = fold_run(fold, id.v);
    run->state = (int16_t)state;
    run->ended_at = state == RUN_ACTIVE ? 0 : e->at;
    return true;
}

/* ---- The catalogue ---- */

static const struct {
    const char *type;
    bool (*apply)(struct fold *fold, const struct fold_event *e);
} catalogue[] = {
    {"artifact.registered", fold_artifact_registered},
    {"breaker.changed", breaker_changed},
    {"breaker.put", breaker_put},
    {"bulk.dropped", fold_bulk_dropped},
    {"bulk.ended", fold_bulk_ended},
    {"bulk.progressed", fold_bulk_progressed},
    {"bulk.started", fold_bulk_started},
    {"bulk.stored", fold_bulk_stored},
    {"claim.offered", nothing},
    {"control.accepted", nothing},
    {"control.denied", nothing},
    {"installation.paused", fold_installation_paused},
    {"installation.restored", fold_installation_restored},
    {"installation.resumed", fold_installation_resumed},
    {"job.cancel_asked", fold_job_cancel_asked},
    {"job.canceled", fold_job_ended},
    {"job.dead", fold_job_ended},
    {"job.deadline_passed", fold_job_deadline_passed},
    {"job.eligible", fold_job_eligible},
    {"job.leased", fold_job_leased},
    {"job.prioritised", fold_job_prioritised},
    {"job.released", fold_job_released},
    {"job.requests", fold_job_requests},
    {"job.retried", fold_job_retried},
    {"job.retrying", fold_job_put_off},
    {"job.returned", fold_job_put_off},
    {"job.running", fold_job_running},
    {"job.settled", fold_job_settled},
    {"job.submitted", fold_job_submitted},
    {"job.succeeded", fold_job_ended},
    {"job.throttled", fold_job_put_off},
    {"job_type.put", job_type_put},
    {"keys.dropped", fold_keys_dropped},
    {"keys.turned", fold_keys_turned},
    {"lane.held", lane_held},
    {"lane.opened", lane_opened},
    {"node.started", nothing},
    {"payloads.erased", fold_payloads_erased},
    {"quota.group_put", fold_quota_group_put},
    {"quota.set", fold_quota_set},
    {"quota.used", fold_quota_used},
    {"request.stored", request_stored},
    {"requests.dropped", fold_requests_dropped},
    {"run.abandoned", run_abandoned},
    {"run.edges", run_edges},
    {"run.ended", run_state_changed},
    {"run.reopened", run_state_changed},
    {"run.submitted", run_submitted},
    {"run.whole", run_whole},
    {"source.put", source_put},
    {"tenant.backlogged", tenant_backlogged},
    {"tenant.changed", tenant_changed},
    {"tenant.grouped", fold_tenant_grouped},
    {"tenant.named", tenant_named},
    {"tenant.opened", tenant_opened},
    {"throttle.blocked", fold_throttle_blocked},
    {"throttle.changed", fold_throttle_changed},
    {"throttle.cleared", fold_throttle_set},
    {"throttle.expired", fold_throttle_set},
    {"throttle.set", fold_throttle_set},
    {"token.added", token_added},
    {"token.revoked", token_revoked},
    {"worker.forgotten", worker_forgotten},
    {"worker.registered", worker_registered},
    {"worker.set", worker_set},
};

void fold_init(struct fold *fold)
{
    memset(fold, 0, sizeof(*fold));
    row_set_init(&fold->set);
}

void fold_fini(struct fold *fold)
{
    row_set_fini(&fold->set);
}

void fold_tenant(struct fold *fold, int16_t shard, struct tenant_id tenant)
{
    fold->shard = shard;
    fold->tenant = tenant.v;
}

void fold_shard(struct fold *fold, int16_t shard)
{
    const struct shard_row row = {.row = {.table = TABLE_SHARDS}, .shard = shard};
    fold->shard = shard;
    fold->tenant = 0;
    if (row_set_find(&fold->set, &row.row) == NULL) {
        (void)row_set_insert(&fold->set, &row.row);
    }
}

/* Where the number of the last line stands. */
static int64_t *head_seq_of(struct fold *fold)
{
    if (fold->tenant != 0) {
        return &fold_tenant_row(fold)->head_seq;
    }
    const struct shard_row like = {.row = {.table = TABLE_SHARDS}, .shard = fold->shard};
    return &((struct shard_row *)row_set_find(&fold->set, &like.row))->head_seq;
}

static enum err_code apply(struct fold *fold, const struct fold_event *e, struct err *err)
{
    for (size_t i = 0; i < sizeof(catalogue) / sizeof(catalogue[0]); i++) {
        if (!str_eq(str_from(catalogue[i].type), e->type)) {
            continue;
        }
        if (!catalogue[i].apply(fold, e)) {
            return err_set(err, ERR_UNPROCESSABLE, "line %lld (%.*s) does not fit what came before",
                           (long long)e->seq, STR_ARG(e->type));
        }
        *head_seq_of(fold) = e->seq;
        return ERR_OK;
    }
    return err_set(err, ERR_UNPROCESSABLE, "line %lld has the unknown type %.*s", (long long)e->seq,
                   STR_ARG(e->type));
}

enum err_code fold_line(struct fold *fold, struct str line, struct err *err)
{
    json_t *value = NULL;
    TRY(json_read(line, &value, err));
    struct fold_event e = {
        .facts = json_object_get(value, "facts"),
        .type = json_text(json_object_get(value, "type")),
        .actor = json_text(json_object_get(value, "actor")),
        .at = json_integer_value(json_object_get(value, "at")),
        .seq = json_integer_value(json_object_get(value, "seq")),
        .job_seq = (int32_t)json_integer_value(json_object_get(value, "job_seq")),
    };
    const json_t *job = json_object_get(value, "job");
    enum err_code code = ERR_OK;
    if (job != NULL && !job_id_parse(json_text(job), &e.job)) {
        code = err_set(err, ERR_UNPROCESSABLE, "line %lld names no job", (long long)e.seq);
    } else {
        code = apply(fold, &e, err);
    }
    json_decref(value);
    return code;
}
