-- Facts of a tick. Arguments are members of struct want (core/facts.h), by name; every SELECT
-- list is in the order of core/tables.c. INDEXED BY where the planner, which has no statistics
-- here, would walk the primary key instead; preparing fails when that index is gone.

-- name: load_shard
-- args: shard
SELECT shard, tick, last_at, next_due_at, available_since, lapse_allowance, lapse_refill_at,
       head_seq
FROM shards
WHERE shard = ?1;

-- name: load_tenant
-- args: shard, tenant
SELECT shard, tenant, name, created_at, weight, max_inflight, max_live, version, config_version,
       head_seq, next_job, next_run, next_lane, charged, lift, waiting, inflight, live,
       key_generation, key_oldest, key_turned_at, erased_to, next_bulk, quota_group
FROM tenants
WHERE shard = ?1 AND tenant = ?2;

-- name: load_config_job_types
-- args: shard, tenant
SELECT shard, tenant, name, version, body
FROM job_types
WHERE shard = ?1 AND tenant = ?2
ORDER BY name;

-- name: load_config_sources
-- args: shard, tenant
SELECT shard, tenant, name, version, body
FROM sources
WHERE shard = ?1 AND tenant = ?2
ORDER BY name;

-- name: load_config_workers
-- args: shard, tenant
SELECT shard, tenant, name, state, reason, changed_at, version, slots, job_types, registered_at,
       seen_at, offset_ms
FROM workers
WHERE shard = ?1 AND tenant = ?2 AND state <> 0
ORDER BY name;

-- name: load_config_version
-- args: shard, tenant, a, b, text
SELECT shard, tenant, kind, name, version, body, at, actor, reason
FROM config_versions
WHERE shard = ?1 AND tenant = ?2 AND kind = ?3 AND name = ?5 AND version = ?4;

-- name: load_worker
-- args: shard, tenant, text
SELECT shard, tenant, name, state, reason, changed_at, version, slots, job_types, registered_at,
       seen_at, offset_ms
FROM workers
WHERE shard = ?1 AND tenant = ?2 AND name = ?3;

-- name: load_workers
-- args: shard, tenant, limit
SELECT shard, tenant, name, state, reason, changed_at, version, slots, job_types, registered_at,
       seen_at, offset_ms
FROM workers
WHERE shard = ?1 AND tenant = ?2
ORDER BY name
LIMIT ?3;

-- name: load_installation
-- args: shard, tenant
SELECT shard, tenant, version, grant_floor, restored_at, restored_from, paused_since, pause_reason,
       pause_ticket, paused_by
FROM installation
WHERE shard = ?1 AND tenant = ?2;

-- name: load_tenant_name
-- args: shard, tenant, text
SELECT shard, tenant, name, named, home_shard, created_at
FROM tenant_names
WHERE shard = ?1 AND tenant = ?2 AND name = ?3;

-- name: load_token
-- args: shard, tenant, a
SELECT shard, tenant, token, name, hash, for_tenant, scopes, job_types, created_at, revoked_at
FROM tokens
WHERE shard = ?1 AND tenant = ?2 AND token = ?3;

-- name: load_leased
-- args: shard, tenant, a
SELECT shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq, throttled_ms,
       running, worker, claim, claimed_at, claimed_seq, ttl_ms, charged_ms, requests, run_until,
       cancel_at, until, due_at, progress_at, no_progress_ms, progress
FROM leased
WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: load_outcome
-- args: shard, tenant, a
SELECT shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq, throttled_ms,
       state, class, cause, worker, claimed_at, claimed_seq, ended_at, ended_seq, digest, result
FROM outcomes
WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: load_job
-- args: shard, tenant, a
SELECT shard, tenant, job, run, lane, priority, rank, submitted_at, submit_seq, replay_of, name,
       key, digest, traceparent, payload
FROM jobs
WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: load_waiting_blocked
-- args: shard, tenant, a
SELECT shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq, throttled_ms,
       remaining, delay_us
FROM blocked
WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- A ready row is found by lane and rank; the jobs row knows both.
-- name: load_waiting_ready
-- args: shard, tenant, a
SELECT r.shard, r.tenant, r.job, r.lane, r.rank, r.run, r.flags, r.priority, r.grant, r.spent,
       r.job_seq, r.throttled_ms, r.eligible_at
FROM jobs AS j CROSS JOIN ready AS r
  ON r.shard = j.shard AND r.tenant = j.tenant AND r.lane = j.lane AND r.rank = j.rank
  AND r.job = j.job
WHERE j.shard = ?1 AND j.tenant = ?2 AND j.job = ?3;

-- name: load_waiting_delayed
-- args: shard, tenant, a
SELECT shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq, throttled_ms,
       due_at, reason
FROM delayed
WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: load_job_key
-- args: shard, tenant, a, b
SELECT shard, tenant, generation, hash, job
FROM job_keys
WHERE shard = ?1 AND tenant = ?2 AND generation = ?4 AND hash = ?3
ORDER BY job;

-- name: load_run
-- args: shard, tenant, a
SELECT shard, tenant, run, name, digest, submitted_at, ended_at, state, total, present, blocked,
       leased, succeeded, dead, canceled
FROM runs
WHERE shard = ?1 AND tenant = ?2 AND run = ?3;

-- name: load_run_key
-- args: shard, tenant, text
SELECT shard, tenant, key, run
FROM run_keys
WHERE shard = ?1 AND tenant = ?2 AND key = ?3;

-- name: load_run_jobs
-- args: shard, tenant, a, b, limit
SELECT shard, tenant, job, run, lane, priority, rank, submitted_at, submit_seq, replay_of, name,
       key, digest, traceparent, payload
FROM jobs INDEXED BY jobs_run
WHERE shard = ?1 AND tenant = ?2 AND run = ?3 AND run > 0 AND job > ?4
ORDER BY job
LIMIT ?5;

-- name: load_edges_from
-- args: shard, tenant, a, b, limit
SELECT shard, tenant, run, pred, succ, kind
FROM dag_edges
WHERE shard = ?1 AND tenant = ?2 AND pred = ?3 AND succ > ?4
ORDER BY succ
LIMIT ?5;

-- name: load_edges_to
-- args: shard, tenant, a, b, limit
SELECT shard, tenant, run, pred, succ, kind
FROM dag_edges INDEXED BY dag_edges_succ
WHERE shard = ?1 AND tenant = ?2 AND succ = ?3 AND pred > ?4
ORDER BY pred
LIMIT ?5;

-- name: load_lane
-- args: shard, tenant, a
SELECT shard, tenant, lane, job_type, source, waiting, inflight, rank, open_at, hold, estimate_ms,
       calls, calls_since
FROM lanes
WHERE shard = ?1 AND tenant = ?2 AND lane = ?3;

-- name: load_lane_name
-- args: shard, tenant, text, text2
SELECT shard, tenant, lane, job_type, source, waiting, inflight, rank, open_at, hold, estimate_ms,
       calls, calls_since
FROM lanes INDEXED BY lanes_name
WHERE shard = ?1 AND tenant = ?2 AND job_type = ?3 AND source = ?4;

-- The 64 open lanes of least (rank, lane) of one job type (`text`). Lanes that are not held come
-- straight from the index; those whose hold is just over are few and sorted.
-- name: load_open_lanes
-- args: shard, tenant, text, a
SELECT shard, tenant, lane, job_type, source, waiting, inflight, rank, open_at, hold, estimate_ms,
       calls, calls_since
FROM (SELECT *
      FROM (SELECT * FROM lanes INDEXED BY lanes_open
            WHERE shard = ?1 AND tenant = ?2 AND job_type = ?3 AND waiting > 0 AND open_at = 0
            ORDER BY rank, lane
            LIMIT 64)
      UNION ALL
      SELECT *
      FROM (SELECT * FROM lanes INDEXED BY lanes_open
            WHERE shard = ?1 AND tenant = ?2 AND job_type = ?3 AND waiting > 0
              AND open_at > 0 AND open_at <= ?4
            ORDER BY rank, lane
            LIMIT 64))
ORDER BY rank, lane
LIMIT 64;

-- Here `a` is the lane.
-- name: load_open_heads
-- args: shard, tenant, a, limit
SELECT shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq, throttled_ms,
       eligible_at
FROM ready
WHERE shard = ?1 AND tenant = ?2 AND lane = ?3
ORDER BY rank, job
LIMIT ?4;

-- name: load_lane_heads
-- args: shard, tenant, a, limit
SELECT shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq, throttled_ms,
       eligible_at
FROM ready
WHERE shard = ?1 AND tenant = ?2 AND lane = ?3
ORDER BY rank, job
LIMIT ?4;

-- name: load_source_lanes
-- args: shard, tenant, text
SELECT shard, tenant, lane, job_type, source, waiting, inflight, rank, open_at, hold, estimate_ms,
       calls, calls_since
FROM lanes INDEXED BY lanes_source
WHERE shard = ?1 AND tenant = ?2 AND source = ?3
ORDER BY lane;

-- name: load_attempts
-- args: shard, tenant, a, b, limit
SELECT shard, tenant, job, grant, ending, class, worker, claimed_at, claimed_seq, ended_at,
       ended_seq, digest, message
FROM attempts
WHERE shard = ?1 AND tenant = ?2 AND job = ?3 AND grant > ?4
ORDER BY grant
LIMIT ?5;

-- name: load_busy_lanes
-- args: shard, tenant, text
SELECT shard, tenant, lane, job_type, source, waiting, inflight, rank, open_at, hold, estimate_ms,
       calls, calls_since
FROM lanes INDEXED BY lanes_busy
WHERE shard = ?1 AND tenant = ?2 AND job_type = ?3 AND inflight > 0
ORDER BY lane;

-- name: load_quota_group
-- args: shard, tenant, a
SELECT shard, tenant, quota_group, name, version, policy, capacity, weight, members, nominal,
       floors, in_use, unlent, charged, lift
FROM quota_groups
WHERE shard = ?1 AND tenant = ?2 AND quota_group = ?3;

-- name: load_quota_groups
-- args: shard, tenant, limit
SELECT shard, tenant, quota_group, name, version, policy, capacity, weight, members, nominal,
       floors, in_use, unlent, charged, lift
FROM quota_groups
WHERE shard = ?1 AND tenant = ?2
ORDER BY quota_group
LIMIT ?3;

-- name: load_quota_member
-- args: shard, tenant, a
SELECT shard, tenant, member, quota_group, version, nominal, borrow_limit, lend_limit, hard_max,
       floor, class, burst_s, refill_s, burst_left, burst_at, in_use, charged
FROM quota_members
WHERE shard = ?1 AND tenant = ?2 AND member = ?3;

-- name: load_quota_members
-- args: shard, tenant, a, limit
SELECT shard, tenant, member, quota_group, version, nominal, borrow_limit, lend_limit, hard_max,
       floor, class, burst_s, refill_s, burst_left, burst_at, in_use, charged
FROM quota_members
WHERE shard = ?1 AND tenant = ?2 AND quota_group = ?3
ORDER BY member
LIMIT ?4;

-- name: load_throttle
-- args: shard, tenant, text
SELECT shard, tenant, host, level_micro, rate_milli, burst, refilled_at, blocked_until, penalty_ms,
       base_milli, hint_milli, hint_until, grown_at, used, throttled_at, incidents, origin, version,
       set_until, set_rate_milli, set_burst, set_block_until, set_at, set_by, set_reason
FROM throttles
WHERE shard = ?1 AND tenant = ?2 AND host = ?3;

-- name: load_breaker
-- args: shard, tenant, text
SELECT shard, tenant, service, version, body, revision, mode, mode_until, reason, ticket, set_by,
       state, changed_at, until, opens, in_a_row, probes_well, probes_ill, evidence, workers, probes
FROM breakers
WHERE shard = ?1 AND tenant = ?2 AND service = ?3;

-- name: load_settling
-- args: shard, tenant, a
SELECT shard, tenant, pred, mode, after_succ, until_succ
FROM settling
WHERE shard = ?1 AND tenant = ?2 AND pred = ?3;

-- name: load_bulk
-- args: shard, tenant, a
SELECT
    shard, tenant, bulk, action, state, priority, run, selection, actor, reason, ticket, matched,
    stored, done, changed, already, refused, after_job, started_at, ended_at, due_at
FROM bulk_actions
WHERE shard = ?1 AND tenant = ?2 AND bulk = ?3;

-- name: load_bulk_parts
-- args: shard, tenant, a, b, limit
SELECT
    shard, tenant, bulk, first, jobs, results
FROM bulk_parts
WHERE shard = ?1 AND tenant = ?2 AND bulk = ?3 AND first > ?4
ORDER BY first
LIMIT ?5;

-- name: load_bulks_active
-- args: shard, tenant, limit
SELECT
    shard, tenant, bulk, action, state, priority, run, selection, actor, reason, ticket, matched,
    stored, done, changed, already, refused, after_job, started_at, ended_at, due_at
FROM bulk_actions
WHERE shard = ?1 AND tenant = ?2 AND due_at > 0
ORDER BY bulk
LIMIT ?3;

-- name: load_old_bulks
-- args: shard, tenant, limit
SELECT
    shard, tenant, bulk, action, state, priority, run, selection, actor, reason, ticket, matched,
    stored, done, changed, already, refused, after_job, started_at, ended_at, due_at
FROM bulk_actions
WHERE shard = ?1 AND tenant = ?2
ORDER BY bulk
LIMIT ?3;

-- name: load_request_key
-- args: shard, tenant, text
SELECT shard, tenant, key, digest, at, status, location, answer
FROM request_keys
WHERE shard = ?1 AND tenant = ?2 AND key = ?3;

-- name: load_artifacts
-- args: shard, tenant, a
SELECT shard, tenant, job, role, name, grant, run, sha256, size, media_type
FROM artifacts
WHERE shard = ?1 AND tenant = ?2 AND job = ?3
ORDER BY role, name;

-- name: load_log_head
-- args: shard, tenant, a
SELECT shard, tenant, job, grant, lines, bytes, cut, stored
FROM log_heads
WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: load_job_logs
-- args: shard, tenant, a, b, limit
SELECT shard, tenant, job, grant, first, skip, count, at, raw_len, lines
FROM job_logs
WHERE shard = ?1 AND tenant = ?2 AND job = ?3 AND grant > ?4
ORDER BY grant, first
LIMIT ?5;

-- name: load_old_job_keys
-- args: shard, tenant, limit
SELECT shard, tenant, generation, hash, job
FROM job_keys
WHERE shard = ?1 AND tenant = ?2
ORDER BY generation, hash, job
LIMIT ?3;

-- name: load_old_request_keys
-- args: shard, tenant, limit
SELECT shard, tenant, key, digest, at, status, location, answer
FROM request_keys INDEXED BY request_keys_at
WHERE shard = ?1 AND tenant = ?2
ORDER BY at, key
LIMIT ?3;

-- name: load_jobs_after
-- args: shard, tenant, b, limit
SELECT shard, tenant, job, run, lane, priority, rank, submitted_at, submit_seq, replay_of, name, key,
       digest, traceparent, payload
FROM jobs
WHERE shard = ?1 AND tenant = ?2 AND job > ?3
ORDER BY job
LIMIT ?4;

-- name: load_late_outcomes
-- args: shard, tenant, limit
SELECT shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq, throttled_ms,
       state, class, cause, worker, claimed_at, claimed_seq, ended_at, ended_seq, digest, result
FROM outcomes INDEXED BY outcomes_late
WHERE shard = ?1 AND tenant = ?2 AND flags & 32 > 0
ORDER BY ended_at, job
LIMIT ?3;

-- name: load_texts
-- args: shard, tenant, a, limit
SELECT shard, tenant, job, grant, ending, class, worker, claimed_at, claimed_seq, ended_at,
       ended_seq, digest, message
FROM attempts
WHERE shard = ?1 AND tenant = ?2 AND job = ?3 AND length(message) > 0
ORDER BY grant
LIMIT ?4;

-- Of all leases of the shard, which are few: an index would cost every job an entry.
-- name: load_due_leased
-- args: shard, limit
SELECT shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq, throttled_ms,
       running, worker, claim, claimed_at, claimed_seq, ttl_ms, charged_ms, requests, run_until,
       cancel_at, until, due_at, progress_at, no_progress_ms, progress
FROM leased
WHERE shard = ?1
ORDER BY due_at, tenant, job
LIMIT ?2;

-- name: load_due_delayed
-- args: shard, limit
SELECT shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq, throttled_ms,
       due_at, reason
FROM delayed INDEXED BY delayed_due
WHERE shard = ?1
ORDER BY due_at, tenant, job
LIMIT ?2;

-- name: load_due_deadlines
-- args: shard, limit
SELECT shard, tenant, due_at, job
FROM start_deadlines
WHERE shard = ?1
ORDER BY due_at, tenant, job
LIMIT ?2;

-- name: load_due_throttles
-- args: shard, limit
SELECT shard, tenant, host, level_micro, rate_milli, burst, refilled_at, blocked_until, penalty_ms,
       base_milli, hint_milli, hint_until, grown_at, used, throttled_at, incidents, origin, version,
       set_until, set_rate_milli, set_burst, set_block_until, set_at, set_by, set_reason
FROM throttles INDEXED BY throttles_due
WHERE shard = ?1 AND set_until > 0
ORDER BY set_until, tenant, host
LIMIT ?2;

-- name: load_due_bulks
-- args: shard, limit
SELECT
    shard, tenant, bulk, action, state, priority, run, selection, actor, reason, ticket, matched,
    stored, done, changed, already, refused, after_job, started_at, ended_at, due_at
FROM bulk_actions
WHERE shard = ?1 AND due_at > 0
ORDER BY due_at, tenant, bulk
LIMIT ?2;

-- name: load_all_settling
-- args: shard, limit
SELECT shard, tenant, pred, mode, after_succ, until_succ
FROM settling
WHERE shard = ?1
ORDER BY tenant, pred
LIMIT ?2;

