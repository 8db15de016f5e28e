#include "core/tables.h"

#include "base/check.h"
#include "core/quota_columns.h"

static const struct column shard_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct shard_row, shard)},
    {"tick", COLUMN_I8, COLUMN_SOFT, offsetof(struct shard_row, tick)},
    {"last_at", COLUMN_I8, COLUMN_SOFT, offsetof(struct shard_row, last_at)},
    {"next_due_at", COLUMN_I8, COLUMN_SOFT, offsetof(struct shard_row, next_due_at)},
    {"available_since", COLUMN_I8, COLUMN_SOFT, offsetof(struct shard_row, available_since)},
    {"lapse_allowance", COLUMN_I8, COLUMN_SOFT, offsetof(struct shard_row, lapse_allowance)},
    {"lapse_refill_at", COLUMN_I8, COLUMN_SOFT, offsetof(struct shard_row, lapse_refill_at)},
    {"head_seq", COLUMN_I8, COLUMN_PLAIN, offsetof(struct shard_row, head_seq)},
};

static const struct column tenant_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct tenant_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct tenant_row, tenant)},
    {"name", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct tenant_row, name)},
    {"created_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_row, created_at)},
    {"weight", COLUMN_I4, COLUMN_PLAIN, offsetof(struct tenant_row, weight)},
    {"max_inflight", COLUMN_I4, COLUMN_PLAIN, offsetof(struct tenant_row, max_inflight)},
    {"max_live", COLUMN_I4, COLUMN_PLAIN, offsetof(struct tenant_row, max_live)},
    {"version", COLUMN_I4, COLUMN_PLAIN, offsetof(struct tenant_row, version)},
    {"config_version", COLUMN_I4, COLUMN_PLAIN, offsetof(struct tenant_row, config_version)},
    {"head_seq", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_row, head_seq)},
    {"next_job", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_row, next_job)},
    {"next_run", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_row, next_run)},
    {"next_lane", COLUMN_I4, COLUMN_PLAIN, offsetof(struct tenant_row, next_lane)},
    {"charged", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_row, charged)},
    {"lift", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_row, lift)},
    {"waiting", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_row, waiting)},
    {"inflight", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_row, inflight)},
    {"live", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_row, live)},
    {"key_generation", COLUMN_I4, COLUMN_PLAIN, offsetof(struct tenant_row, key_generation)},
    {"key_oldest", COLUMN_I4, COLUMN_PLAIN, offsetof(struct tenant_row, key_oldest)},
    {"key_turned_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_row, key_turned_at)},
    {"erased_to", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_row, erased_to)},
    {"next_bulk", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_row, next_bulk)},
    {"quota_group", COLUMN_I4, COLUMN_PLAIN, offsetof(struct tenant_row, quota_group)},
};

static const struct column tenant_name_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct tenant_name_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct tenant_name_row, tenant)},
    {"name", COLUMN_TEXT, COLUMN_KEY, offsetof(struct tenant_name_row, name)},
    {"named", COLUMN_I4, COLUMN_PLAIN, offsetof(struct tenant_name_row, named)},
    {"home_shard", COLUMN_I2, COLUMN_PLAIN, offsetof(struct tenant_name_row, home_shard)},
    {"created_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct tenant_name_row, created_at)},
};

static const struct column job_type_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct job_type_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct job_type_row, tenant)},
    {"name", COLUMN_TEXT, COLUMN_KEY, offsetof(struct job_type_row, name)},
    {"version", COLUMN_I4, COLUMN_PLAIN, offsetof(struct job_type_row, version)},
    {"body", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct job_type_row, body)},
};

static const struct column source_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct source_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct source_row, tenant)},
    {"name", COLUMN_TEXT, COLUMN_KEY, offsetof(struct source_row, name)},
    {"version", COLUMN_I4, COLUMN_PLAIN, offsetof(struct source_row, version)},
    {"body", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct source_row, body)},
};

static const struct column config_version_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct config_version_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct config_version_row, tenant)},
    {"kind", COLUMN_I2, COLUMN_KEY, offsetof(struct config_version_row, kind)},
    {"name", COLUMN_TEXT, COLUMN_KEY, offsetof(struct config_version_row, name)},
    {"version", COLUMN_I4, COLUMN_KEY, offsetof(struct config_version_row, version)},
    {"body", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct config_version_row, body)},
    {"at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct config_version_row, at)},
    {"actor", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct config_version_row, actor)},
    {"reason", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct config_version_row, reason)},
};

static const struct column worker_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct worker_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct worker_row, tenant)},
    {"name", COLUMN_TEXT, COLUMN_KEY, offsetof(struct worker_row, name)},
    {"state", COLUMN_I2, COLUMN_PLAIN, offsetof(struct worker_row, state)},
    {"reason", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct worker_row, reason)},
    {"changed_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct worker_row, changed_at)},
    {"version", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct worker_row, version)},
    {"slots", COLUMN_I4, COLUMN_PLAIN, offsetof(struct worker_row, slots)},
    {"job_types", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct worker_row, job_types)},
    {"registered_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct worker_row, registered_at)},
    {"seen_at", COLUMN_I8, COLUMN_SOFT, offsetof(struct worker_row, seen_at)},
    {"offset_ms", COLUMN_I8, COLUMN_SOFT, offsetof(struct worker_row, offset_ms)},
};

static const struct column installation_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct installation_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct installation_row, tenant)},
    {"version", COLUMN_I4, COLUMN_PLAIN, offsetof(struct installation_row, version)},
    {"grant_floor", COLUMN_I8, COLUMN_PLAIN, offsetof(struct installation_row, grant_floor)},
    {"restored_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct installation_row, restored_at)},
    {"restored_from", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct installation_row, restored_from)},
    {"paused_since", COLUMN_I8, COLUMN_PLAIN, offsetof(struct installation_row, pause.since)},
    {"pause_reason", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct installation_row, pause.reason)},
    {"pause_ticket", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct installation_row, pause.ticket)},
    {"paused_by", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct installation_row, pause.by)},
};

static const struct column token_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct token_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct token_row, tenant)},
    {"token", COLUMN_I8, COLUMN_KEY, offsetof(struct token_row, token)},
    {"name", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct token_row, name)},
    {"hash", COLUMN_BYTES, COLUMN_PLAIN, offsetof(struct token_row, hash)},
    {"for_tenant", COLUMN_I4, COLUMN_PLAIN, offsetof(struct token_row, for_tenant)},
    {"scopes", COLUMN_I4, COLUMN_PLAIN, offsetof(struct token_row, scopes)},
    {"job_types", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct token_row, job_types)},
    {"created_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct token_row, created_at)},
    {"revoked_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct token_row, revoked_at)},
};

static const struct column breaker_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct breaker_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct breaker_row, tenant)},
    {"service", COLUMN_TEXT, COLUMN_KEY, offsetof(struct breaker_row, service)},
    {"version", COLUMN_I4, COLUMN_PLAIN, offsetof(struct breaker_row, version)},
    {"body", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct breaker_row, body)},
    {"revision", COLUMN_I8, COLUMN_PLAIN, offsetof(struct breaker_row, revision)},
    {"mode", COLUMN_I2, COLUMN_PLAIN, offsetof(struct breaker_row, mode)},
    {"mode_until", COLUMN_I8, COLUMN_PLAIN, offsetof(struct breaker_row, mode_until)},
    {"reason", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct breaker_row, reason)},
    {"ticket", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct breaker_row, ticket)},
    {"set_by", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct breaker_row, set_by)},
    {"state", COLUMN_I2, COLUMN_PLAIN, offsetof(struct breaker_row, state)},
    {"changed_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct breaker_row, changed_at)},
    {"until", COLUMN_I8, COLUMN_PLAIN, offsetof(struct breaker_row, until)},
    {"opens", COLUMN_I4, COLUMN_PLAIN, offsetof(struct breaker_row, opens)},
    {"in_a_row", COLUMN_I4, COLUMN_PLAIN, offsetof(struct breaker_row, in_a_row)},
    {"probes_well", COLUMN_I4, COLUMN_PLAIN, offsetof(struct breaker_row, probes_well)},
    {"probes_ill", COLUMN_I4, COLUMN_PLAIN, offsetof(struct breaker_row, probes_ill)},
    {"evidence", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct breaker_row, evidence)},
    {"workers", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct breaker_row, workers)},
    {"probes", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct breaker_row, probes)},
};

static const struct column lane_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct lane_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct lane_row, tenant)},
    {"lane", COLUMN_I4, COLUMN_KEY, offsetof(struct lane_row, lane)},
    {"job_type", COLUMN_TEXT, COLUMN_FIXED, offsetof(struct lane_row, job_type)},
    {"source", COLUMN_TEXT, COLUMN_FIXED, offsetof(struct lane_row, source)},
    {"waiting", COLUMN_I8, COLUMN_PLAIN, offsetof(struct lane_row, waiting)},
    {"inflight", COLUMN_I8, COLUMN_PLAIN, offsetof(struct lane_row, inflight)},
    {"rank", COLUMN_I8, COLUMN_SOFT, offsetof(struct lane_row, rank)},
    {"open_at", COLUMN_I8, COLUMN_SOFT, offsetof(struct lane_row, open_at)},
    {"hold", COLUMN_I2, COLUMN_PLAIN, offsetof(struct lane_row, hold)},
    {"estimate_ms", COLUMN_I4, COLUMN_PLAIN, offsetof(struct lane_row, estimate_ms)},
    {"calls", COLUMN_I8, COLUMN_SOFT, offsetof(struct lane_row, calls)},
    {"calls_since", COLUMN_I8, COLUMN_SOFT, offsetof(struct lane_row, calls_since)},
};

static const struct column throttle_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct throttle_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct throttle_row, tenant)},
    {"host", COLUMN_TEXT, COLUMN_KEY, offsetof(struct throttle_row, host)},
    {"level_micro", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, level_micro)},
    {"rate_milli", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, rate_milli)},
    {"burst", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, burst)},
    {"refilled_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, refilled_at)},
    {"blocked_until", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, blocked_until)},
    {"penalty_ms", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, penalty_ms)},
    {"base_milli", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, base_milli)},
    {"hint_milli", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, hint_milli)},
    {"hint_until", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, hint_until)},
    {"grown_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, grown_at)},
    {"used", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, used)},
    {"throttled_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, throttled_at)},
    {"incidents", COLUMN_I4, COLUMN_PLAIN, offsetof(struct throttle_row, incidents)},
    {"origin", COLUMN_I2, COLUMN_PLAIN, offsetof(struct throttle_row, origin)},
    {"version", COLUMN_I4, COLUMN_PLAIN, offsetof(struct throttle_row, version)},
    {"set_until", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, set_until)},
    {"set_rate_milli", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, set_rate_milli)},
    {"set_burst", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, set_burst)},
    {"set_block_until", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, set_block_until)},
    {"set_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct throttle_row, set_at)},
    {"set_by", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct throttle_row, set_by)},
    {"set_reason", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct throttle_row, set_reason)},
};

static const struct column run_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct run_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct run_row, tenant)},
    {"run", COLUMN_I8, COLUMN_KEY, offsetof(struct run_row, run)},
    {"name", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct run_row, name)},
    {"digest", COLUMN_BYTES, COLUMN_PLAIN, offsetof(struct run_row, digest)},
    {"submitted_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct run_row, submitted_at)},
    {"ended_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct run_row, ended_at)},
    {"state", COLUMN_I2, COLUMN_PLAIN, offsetof(struct run_row, state)},
    {"total", COLUMN_I4, COLUMN_PLAIN, offsetof(struct run_row, total)},
    {"present", COLUMN_I4, COLUMN_PLAIN, offsetof(struct run_row, present)},
    {"blocked", COLUMN_I4, COLUMN_PLAIN, offsetof(struct run_row, blocked)},
    {"leased", COLUMN_I4, COLUMN_PLAIN, offsetof(struct run_row, leased)},
    {"succeeded", COLUMN_I4, COLUMN_PLAIN, offsetof(struct run_row, succeeded)},
    {"dead", COLUMN_I4, COLUMN_PLAIN, offsetof(struct run_row, dead)},
    {"canceled", COLUMN_I4, COLUMN_PLAIN, offsetof(struct run_row, canceled)},
};

static const struct column job_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct job_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct job_row, tenant)},
    {"job", COLUMN_I8, COLUMN_KEY, offsetof(struct job_row, job)},
    {"run", COLUMN_I8, COLUMN_PLAIN, offsetof(struct job_row, run)},
    {"lane", COLUMN_I4, COLUMN_PLAIN, offsetof(struct job_row, lane)},
    {"priority", COLUMN_I2, COLUMN_PLAIN, offsetof(struct job_row, priority)},
    {"rank", COLUMN_I8, COLUMN_PLAIN, offsetof(struct job_row, rank)},
    {"submitted_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct job_row, submitted_at)},
    {"submit_seq", COLUMN_I8, COLUMN_PLAIN, offsetof(struct job_row, submit_seq)},
    {"replay_of", COLUMN_I8, COLUMN_PLAIN, offsetof(struct job_row, replay_of)},
    {"name", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct job_row, name)},
    {"key", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct job_row, key)},
    {"digest", COLUMN_BYTES, COLUMN_PLAIN, offsetof(struct job_row, digest)},
    {"traceparent", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct job_row, traceparent)},
    {"payload", COLUMN_BYTES, COLUMN_BESIDE, offsetof(struct job_row, payload)},
};

static const struct column job_key_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct job_key_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct job_key_row, tenant)},
    {"generation", COLUMN_I4, COLUMN_KEY, offsetof(struct job_key_row, generation)},
    {"hash", COLUMN_I8, COLUMN_KEY, offsetof(struct job_key_row, hash)},
    {"job", COLUMN_I8, COLUMN_KEY, offsetof(struct job_key_row, job)},
};

static const struct column run_key_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct run_key_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct run_key_row, tenant)},
    {"key", COLUMN_TEXT, COLUMN_KEY, offsetof(struct run_key_row, key)},
    {"run", COLUMN_I8, COLUMN_PLAIN, offsetof(struct run_key_row, run)},
};

static const struct column edge_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct edge_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct edge_row, tenant)},
    {"run", COLUMN_I8, COLUMN_PLAIN, offsetof(struct edge_row, run)},
    {"pred", COLUMN_I8, COLUMN_KEY, offsetof(struct edge_row, pred)},
    {"succ", COLUMN_I8, COLUMN_KEY, offsetof(struct edge_row, succ)},
    {"kind", COLUMN_I2, COLUMN_PLAIN, offsetof(struct edge_row, kind)},
};

static const struct column blocked_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct blocked_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct blocked_row, tenant)},
    {"job", COLUMN_I8, COLUMN_KEY, offsetof(struct blocked_row, job)},
    {"lane", COLUMN_I4, COLUMN_PLAIN, offsetof(struct blocked_row, carry.lane)},
    {"rank", COLUMN_I8, COLUMN_PLAIN, offsetof(struct blocked_row, carry.rank)},
    {"run", COLUMN_I8, COLUMN_PLAIN, offsetof(struct blocked_row, carry.run)},
    {"flags", COLUMN_I2, COLUMN_PLAIN, offsetof(struct blocked_row, carry.flags)},
    {"priority", COLUMN_I2, COLUMN_PLAIN, offsetof(struct blocked_row, carry.priority)},
    {"grant", COLUMN_I8, COLUMN_PLAIN, offsetof(struct blocked_row, carry.grant)},
    {"spent", COLUMN_I4, COLUMN_PLAIN, offsetof(struct blocked_row, carry.spent)},
    {"job_seq", COLUMN_I4, COLUMN_PLAIN, offsetof(struct blocked_row, carry.job_seq)},
    {"throttled_ms", COLUMN_I8, COLUMN_PLAIN, offsetof(struct blocked_row, carry.throttled_ms)},
    {"remaining", COLUMN_I4, COLUMN_PLAIN, offsetof(struct blocked_row, remaining)},
    {"delay_us", COLUMN_I8, COLUMN_PLAIN, offsetof(struct blocked_row, delay_us)},
};

static const struct column ready_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct ready_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct ready_row, tenant)},
    {"job", COLUMN_I8, COLUMN_KEY, offsetof(struct ready_row, job)},
    {"lane", COLUMN_I4, COLUMN_KEY, offsetof(struct ready_row, carry.lane)},
    {"rank", COLUMN_I8, COLUMN_KEY, offsetof(struct ready_row, carry.rank)},
    {"run", COLUMN_I8, COLUMN_PLAIN, offsetof(struct ready_row, carry.run)},
    {"flags", COLUMN_I2, COLUMN_PLAIN, offsetof(struct ready_row, carry.flags)},
    {"priority", COLUMN_I2, COLUMN_PLAIN, offsetof(struct ready_row, carry.priority)},
    {"grant", COLUMN_I8, COLUMN_PLAIN, offsetof(struct ready_row, carry.grant)},
    {"spent", COLUMN_I4, COLUMN_PLAIN, offsetof(struct ready_row, carry.spent)},
    {"job_seq", COLUMN_I4, COLUMN_PLAIN, offsetof(struct ready_row, carry.job_seq)},
    {"throttled_ms", COLUMN_I8, COLUMN_PLAIN, offsetof(struct ready_row, carry.throttled_ms)},
    {"eligible_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct ready_row, eligible_at)},
};

static const struct column delayed_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct delayed_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct delayed_row, tenant)},
    {"job", COLUMN_I8, COLUMN_KEY, offsetof(struct delayed_row, job)},
    {"lane", COLUMN_I4, COLUMN_PLAIN, offsetof(struct delayed_row, carry.lane)},
    {"rank", COLUMN_I8, COLUMN_PLAIN, offsetof(struct delayed_row, carry.rank)},
    {"run", COLUMN_I8, COLUMN_PLAIN, offsetof(struct delayed_row, carry.run)},
    {"flags", COLUMN_I2, COLUMN_PLAIN, offsetof(struct delayed_row, carry.flags)},
    {"priority", COLUMN_I2, COLUMN_PLAIN, offsetof(struct delayed_row, carry.priority)},
    {"grant", COLUMN_I8, COLUMN_PLAIN, offsetof(struct delayed_row, carry.grant)},
    {"spent", COLUMN_I4, COLUMN_PLAIN, offsetof(struct delayed_row, carry.spent)},
    {"job_seq", COLUMN_I4, COLUMN_PLAIN, offsetof(struct delayed_row, carry.job_seq)},
    {"throttled_ms", COLUMN_I8, COLUMN_PLAIN, offsetof(struct delayed_row, carry.throttled_ms)},
    {"due_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct delayed_row, due_at)},
    {"reason", COLUMN_I2, COLUMN_PLAIN, offsetof(struct delayed_row, reason)},
};

static const struct column start_deadline_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct start_deadline_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct start_deadline_row, tenant)},
    {"due_at", COLUMN_I8, COLUMN_KEY, offsetof(struct start_deadline_row, due_at)},
    {"job", COLUMN_I8, COLUMN_KEY, offsetof(struct start_deadline_row, job)},
};

static const struct column leased_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct leased_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct leased_row, tenant)},
    {"job", COLUMN_I8, COLUMN_KEY, offsetof(struct leased_row, job)},
    {"lane", COLUMN_I4, COLUMN_PLAIN, offsetof(struct leased_row, carry.lane)},
    {"rank", COLUMN_I8, COLUMN_PLAIN, offsetof(struct leased_row, carry.rank)},
    {"run", COLUMN_I8, COLUMN_PLAIN, offsetof(struct leased_row, carry.run)},
    {"flags", COLUMN_I2, COLUMN_PLAIN, offsetof(struct leased_row, carry.flags)},
    {"priority", COLUMN_I2, COLUMN_PLAIN, offsetof(struct leased_row, carry.priority)},
    {"grant", COLUMN_I8, COLUMN_PLAIN, offsetof(struct leased_row, carry.grant)},
    {"spent", COLUMN_I4, COLUMN_PLAIN, offsetof(struct leased_row, carry.spent)},
    {"job_seq", COLUMN_I4, COLUMN_PLAIN, offsetof(struct leased_row, carry.job_seq)},
    {"throttled_ms", COLUMN_I8, COLUMN_PLAIN, offsetof(struct leased_row, carry.throttled_ms)},
    {"running", COLUMN_BOOL, COLUMN_PLAIN, offsetof(struct leased_row, running)},
    {"worker", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct leased_row, worker)},
    {"claim", COLUMN_I8, COLUMN_PLAIN, offsetof(struct leased_row, claim)},
    {"claimed_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct leased_row, claimed_at)},
    {"claimed_seq", COLUMN_I8, COLUMN_PLAIN, offsetof(struct leased_row, claimed_seq)},
    {"ttl_ms", COLUMN_I4, COLUMN_PLAIN, offsetof(struct leased_row, ttl_ms)},
    {"charged_ms", COLUMN_I4, COLUMN_PLAIN, offsetof(struct leased_row, charged_ms)},
    {"requests", COLUMN_I8, COLUMN_PLAIN, offsetof(struct leased_row, requests)},
    {"run_until", COLUMN_I8, COLUMN_PLAIN, offsetof(struct leased_row, run_until)},
    {"cancel_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct leased_row, cancel_at)},
    {"until", COLUMN_I8, COLUMN_SOFT, offsetof(struct leased_row, until)},
    {"due_at", COLUMN_I8, COLUMN_SOFT, offsetof(struct leased_row, due_at)},
    {"progress_at", COLUMN_I8, COLUMN_SOFT, offsetof(struct leased_row, progress_at)},
    {"no_progress_ms", COLUMN_I4, COLUMN_PLAIN, offsetof(struct leased_row, no_progress_ms)},
    {"progress", COLUMN_TEXT, COLUMN_SOFT, offsetof(struct leased_row, progress)},
};

static const struct column outcome_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct outcome_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct outcome_row, tenant)},
    {"job", COLUMN_I8, COLUMN_KEY, offsetof(struct outcome_row, job)},
    {"lane", COLUMN_I4, COLUMN_PLAIN, offsetof(struct outcome_row, carry.lane)},
    {"rank", COLUMN_I8, COLUMN_PLAIN, offsetof(struct outcome_row, carry.rank)},
    {"run", COLUMN_I8, COLUMN_PLAIN, offsetof(struct outcome_row, carry.run)},
    {"flags", COLUMN_I2, COLUMN_PLAIN, offsetof(struct outcome_row, carry.flags)},
    {"priority", COLUMN_I2, COLUMN_PLAIN, offsetof(struct outcome_row, carry.priority)},
    {"grant", COLUMN_I8, COLUMN_PLAIN, offsetof(struct outcome_row, carry.grant)},
    {"spent", COLUMN_I4, COLUMN_PLAIN, offsetof(struct outcome_row, carry.spent)},
    {"job_seq", COLUMN_I4, COLUMN_PLAIN, offsetof(struct outcome_row, carry.job_seq)},
    {"throttled_ms", COLUMN_I8, COLUMN_PLAIN, offsetof(struct outcome_row, carry.throttled_ms)},
    {"state", COLUMN_I2, COLUMN_PLAIN, offsetof(struct outcome_row, state)},
    {"class", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct outcome_row, class)},
    {"cause", COLUMN_I8, COLUMN_PLAIN, offsetof(struct outcome_row, cause)},
    {"worker", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct outcome_row, worker)},
    {"claimed_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct outcome_row, claimed_at)},
    {"claimed_seq", COLUMN_I8, COLUMN_PLAIN, offsetof(struct outcome_row, claimed_seq)},
    {"ended_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct outcome_row, ended_at)},
    {"ended_seq", COLUMN_I8, COLUMN_PLAIN, offsetof(struct outcome_row, ended_seq)},
    {"digest", COLUMN_BYTES, COLUMN_PLAIN, offsetof(struct outcome_row, digest)},
    {"result", COLUMN_BYTES, COLUMN_BESIDE, offsetof(struct outcome_row, result)},
};

static const struct column attempt_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct attempt_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct attempt_row, tenant)},
    {"job", COLUMN_I8, COLUMN_KEY, offsetof(struct attempt_row, job)},
    {"grant", COLUMN_I8, COLUMN_KEY, offsetof(struct attempt_row, grant)},
    {"ending", COLUMN_I2, COLUMN_PLAIN, offsetof(struct attempt_row, ending)},
    {"class", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct attempt_row, class)},
    {"worker", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct attempt_row, worker)},
    {"claimed_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct attempt_row, claimed_at)},
    {"claimed_seq", COLUMN_I8, COLUMN_PLAIN, offsetof(struct attempt_row, claimed_seq)},
    {"ended_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct attempt_row, ended_at)},
    {"ended_seq", COLUMN_I8, COLUMN_PLAIN, offsetof(struct attempt_row, ended_seq)},
    {"digest", COLUMN_BYTES, COLUMN_PLAIN, offsetof(struct attempt_row, digest)},
    {"message", COLUMN_BYTES, COLUMN_BESIDE, offsetof(struct attempt_row, message)},
};

static const struct column settling_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct settling_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct settling_row, tenant)},
    {"pred", COLUMN_I8, COLUMN_KEY, offsetof(struct settling_row, pred)},
    {"mode", COLUMN_I2, COLUMN_PLAIN, offsetof(struct settling_row, mode)},
    {"after_succ", COLUMN_I8, COLUMN_PLAIN, offsetof(struct settling_row, after_succ)},
    {"until_succ", COLUMN_I8, COLUMN_PLAIN, offsetof(struct settling_row, until_succ)},
};

static const struct column bulk_action_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct bulk_action_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct bulk_action_row, tenant)},
    {"bulk", COLUMN_I8, COLUMN_KEY, offsetof(struct bulk_action_row, bulk)},
    {"action", COLUMN_I2, COLUMN_PLAIN, offsetof(struct bulk_action_row, action)},
    {"state", COLUMN_I2, COLUMN_PLAIN, offsetof(struct bulk_action_row, state)},
    {"priority", COLUMN_I2, COLUMN_PLAIN, offsetof(struct bulk_action_row, priority)},
    {"run", COLUMN_I8, COLUMN_PLAIN, offsetof(struct bulk_action_row, run)},
    {"selection", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct bulk_action_row, selection)},
    {"actor", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct bulk_action_row, actor)},
    {"reason", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct bulk_action_row, reason)},
    {"ticket", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct bulk_action_row, ticket)},
    {"matched", COLUMN_I8, COLUMN_PLAIN, offsetof(struct bulk_action_row, matched)},
    {"stored", COLUMN_I8, COLUMN_PLAIN, offsetof(struct bulk_action_row, stored)},
    {"done", COLUMN_I8, COLUMN_PLAIN, offsetof(struct bulk_action_row, done)},
    {"changed", COLUMN_I8, COLUMN_PLAIN, offsetof(struct bulk_action_row, changed)},
    {"already", COLUMN_I8, COLUMN_PLAIN, offsetof(struct bulk_action_row, already)},
    {"refused", COLUMN_I8, COLUMN_PLAIN, offsetof(struct bulk_action_row, refused)},
    {"after_job", COLUMN_I8, COLUMN_PLAIN, offsetof(struct bulk_action_row, after_job)},
    {"started_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct bulk_action_row, started_at)},
    {"ended_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct bulk_action_row, ended_at)},
    {"due_at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct bulk_action_row, due_at)},
};

static const struct column bulk_part_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct bulk_part_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct bulk_part_row, tenant)},
    {"bulk", COLUMN_I8, COLUMN_KEY, offsetof(struct bulk_part_row, bulk)},
    {"first", COLUMN_I8, COLUMN_KEY, offsetof(struct bulk_part_row, first)},
    {"jobs", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct bulk_part_row, jobs)},
    {"results", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct bulk_part_row, results)},
};

static const struct column artifact_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct artifact_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct artifact_row, tenant)},
    {"job", COLUMN_I8, COLUMN_KEY, offsetof(struct artifact_row, job)},
    {"role", COLUMN_I2, COLUMN_KEY, offsetof(struct artifact_row, role)},
    {"name", COLUMN_TEXT, COLUMN_KEY, offsetof(struct artifact_row, name)},
    {"grant", COLUMN_I8, COLUMN_PLAIN, offsetof(struct artifact_row, grant)},
    {"run", COLUMN_I8, COLUMN_PLAIN, offsetof(struct artifact_row, run)},
    {"sha256", COLUMN_BYTES, COLUMN_PLAIN, offsetof(struct artifact_row, sha256)},
    {"size", COLUMN_I8, COLUMN_PLAIN, offsetof(struct artifact_row, size)},
    {"media_type", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct artifact_row, media_type)},
};

static const struct column request_key_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct request_key_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct request_key_row, tenant)},
    {"key", COLUMN_TEXT, COLUMN_KEY, offsetof(struct request_key_row, key)},
    {"digest", COLUMN_BYTES, COLUMN_PLAIN, offsetof(struct request_key_row, digest)},
    {"at", COLUMN_I8, COLUMN_PLAIN, offsetof(struct request_key_row, at)},
    {"status", COLUMN_I2, COLUMN_PLAIN, offsetof(struct request_key_row, status)},
    {"location", COLUMN_TEXT, COLUMN_PLAIN, offsetof(struct request_key_row, location)},
    {"answer", COLUMN_BYTES, COLUMN_BESIDE, offsetof(struct request_key_row, answer)},
};

static const struct column log_head_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct log_head_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct log_head_row, tenant)},
    {"job", COLUMN_I8, COLUMN_KEY, offsetof(struct log_head_row, job)},
    {"grant", COLUMN_I8, COLUMN_SOFT, offsetof(struct log_head_row, grant)},
    {"lines", COLUMN_I8, COLUMN_SOFT, offsetof(struct log_head_row, lines)},
    {"bytes", COLUMN_I8, COLUMN_SOFT, offsetof(struct log_head_row, bytes)},
    {"cut", COLUMN_BOOL, COLUMN_SOFT, offsetof(struct log_head_row, cut)},
    {"stored", COLUMN_I8, COLUMN_SOFT, offsetof(struct log_head_row, stored)},
};

static const struct column job_log_columns[] = {
    {"shard", COLUMN_I2, COLUMN_KEY, offsetof(struct job_log_row, shard)},
    {"tenant", COLUMN_I4, COLUMN_KEY, offsetof(struct job_log_row, tenant)},
    {"job", COLUMN_I8, COLUMN_KEY, offsetof(struct job_log_row, job)},
    {"grant", COLUMN_I8, COLUMN_KEY, offsetof(struct job_log_row, grant)},
    {"first", COLUMN_I8, COLUMN_KEY, offsetof(struct job_log_row, first)},
    {"skip", COLUMN_I4, COLUMN_SOFT, offsetof(struct job_log_row, skip)},
    {"count", COLUMN_I4, COLUMN_SOFT, offsetof(struct job_log_row, count)},
    {"at", COLUMN_I8, COLUMN_SOFT, offsetof(struct job_log_row, at)},
    {"raw_len", COLUMN_I8, COLUMN_SOFT, offsetof(struct job_log_row, raw_len)},
    {"lines", COLUMN_BYTES, COLUMN_BESIDE, offsetof(struct job_log_row, lines)},
};

#define TABLE(name, row)                                         \
    {                                                            \
        name, sizeof(struct row##_row), row##_columns,           \
            sizeof(row##_columns) / sizeof(struct column), false \
    }

#define TABLE_OUTSIDE(name, row)                                \
    {                                                           \
        name, sizeof(struct row##_row), row##_columns,          \
            sizeof(row##_columns) / sizeof(struct column), true \
    }

static const struct table tables[TABLE_COUNT] = {
    [TABLE_SHARDS] = TABLE("shards", shard),
    [TABLE_TENANTS] = TABLE("tenants", tenant),
    [TABLE_TENANT_NAMES] = TABLE("tenant_names", tenant_name),
    [TABLE_JOB_TYPES] = TABLE("job_types", job_type),
    [TABLE_SOURCES] = TABLE("sources", source),
    [TABLE_CONFIG_VERSIONS] = TABLE("config_versions", config_version),
    [TABLE_WORKERS] = TABLE("workers", worker),
    [TABLE_INSTALLATION] = TABLE("installation", installation),
    [TABLE_TOKENS] = TABLE("tokens", token),
    [TABLE_BREAKERS] = TABLE("breakers", breaker),
    [TABLE_QUOTA_GROUPS] = {"quota_groups", sizeof(struct quota_group_row), quota_group_columns,
                            QUOTA_GROUP_COLUMNS, false},
    [TABLE_QUOTA_MEMBERS] = {"quota_members", sizeof(struct quota_member_row), quota_member_columns,
                             QUOTA_MEMBER_COLUMNS, false},
    [TABLE_LANES] = TABLE("lanes", lane),
    [TABLE_THROTTLES] = TABLE("throttles", throttle),
    [TABLE_RUNS] = TABLE("runs", run),
    [TABLE_JOBS] = TABLE("jobs", job),
    [TABLE_JOB_KEYS] = TABLE("job_keys", job_key),
    [TABLE_RUN_KEYS] = TABLE("run_keys", run_key),
    [TABLE_DAG_EDGES] = TABLE("dag_edges", edge),
    [TABLE_BLOCKED] = TABLE("blocked", blocked),
    [TABLE_READY] = TABLE("ready", ready),
    [TABLE_DELAYED] = TABLE("delayed", delayed),
    [TABLE_START_DEADLINES] = TABLE("start_deadlines", start_deadline),
    [TABLE_LEASED] = TABLE("leased", leased),
    [TABLE_OUTCOMES] = TABLE("outcomes", outcome),
    [TABLE_ATTEMPTS] = TABLE("attempts", attempt),
    [TABLE_SETTLING] = TABLE("settling", settling),
    [TABLE_BULK_ACTIONS] = TABLE("bulk_actions", bulk_action),
    [TABLE_BULK_PARTS] = TABLE("bulk_parts", bulk_part),
    [TABLE_ARTIFACTS] = TABLE("artifacts", artifact),
    [TABLE_REQUEST_KEYS] = TABLE("request_keys", request_key),
    [TABLE_LOG_HEADS] = TABLE_OUTSIDE("log_heads", log_head),
    [TABLE_JOB_LOGS] = TABLE_OUTSIDE("job_logs", job_log),
};

const struct table *table_get(enum table_id id)
{
    CHECK(id >= 0 && id < TABLE_COUNT);
    return &tables[id];
}

int64_t column_int(const struct column *column, const struct row *row)
{
    const char *at = (const char *)row + column->offset;
    int64_t value = 0;
    switch (column->kind) {
    case COLUMN_BOOL: value = *(const bool *)at; break;
    case COLUMN_I2: value = *(const int16_t *)(const void *)at; break;
    case COLUMN_I4: value = *(const int32_t *)(const void *)at; break;
    case COLUMN_I8: value = *(const int64_t *)(const void *)at; break;
    case COLUMN_TEXT:
    case COLUMN_BYTES: UNREACHABLE();
    }
    return value;
}

void column_set_int(const struct column *column, struct row *row, int64_t value)
{
    char *at = (char *)row + column->offset;
    switch (column->kind) {
    case COLUMN_BOOL: *(bool *)at = value != 0; break;
    case COLUMN_I2: *(int16_t *)(void *)at = (int16_t)value; break;
    case COLUMN_I4: *(int32_t *)(void *)at = (int32_t)value; break;
    case COLUMN_I8: *(int64_t *)(void *)at = value; break;
    case COLUMN_TEXT:
    case COLUMN_BYTES: UNREACHABLE();
    }
}

struct str column_str(const struct column *column, const struct row *row)
{
    CHECK(column->kind == COLUMN_TEXT || column->kind == COLUMN_BYTES);
    return *(const struct str *)(const void *)((const char *)row + column->offset);
}

void column_set_str(const struct column *column, struct row *row, struct str value)
{
    CHECK(column->kind == COLUMN_TEXT || column->kind == COLUMN_BYTES);
    *(struct str *)(void *)((char *)row + column->offset) = value;
}
