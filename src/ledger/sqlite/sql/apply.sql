-- Writing a plan. Parameters are numbered by the place of the column in core/tables.c.

-- name: update_shards
UPDATE shards
SET tick = ?2, last_at = ?3, next_due_at = ?4, available_since = ?5, lapse_allowance = ?6,
    lapse_refill_at = ?7, head_seq = ?8
WHERE shard = ?1;

-- name: insert_tenants
INSERT INTO tenants (shard, tenant, name, created_at, weight, max_inflight, max_live, version,
        config_version, head_seq, next_job, next_run, next_lane, charged, lift, waiting, inflight,
        live, key_generation, key_oldest, key_turned_at, erased_to,
        next_bulk, quota_group)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
        ?21, ?22, ?23, ?24);

-- name: update_tenants
UPDATE tenants
SET name = ?3, created_at = ?4, weight = ?5, max_inflight = ?6, max_live = ?7, version = ?8,
    config_version = ?9, head_seq = ?10, next_job = ?11, next_run = ?12, next_lane = ?13,
    charged = ?14, lift = ?15, waiting = ?16, inflight = ?17, live = ?18,
    key_generation = ?19, key_oldest = ?20, key_turned_at = ?21, erased_to = ?22,
    next_bulk = ?23, quota_group = ?24
WHERE shard = ?1 AND tenant = ?2;

-- name: delete_tenants
DELETE FROM tenants WHERE shard = ?1 AND tenant = ?2;

-- name: insert_tenant_names
INSERT INTO tenant_names (shard, tenant, name, named, home_shard, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: update_tenant_names
UPDATE tenant_names
SET named = ?4, home_shard = ?5, created_at = ?6
WHERE shard = ?1 AND tenant = ?2 AND name = ?3;

-- name: delete_tenant_names
DELETE FROM tenant_names WHERE shard = ?1 AND tenant = ?2 AND name = ?3;

-- name: insert_job_types
INSERT INTO job_types (shard, tenant, name, version, body)
VALUES (?1, ?2, ?3, ?4, ?5);

-- name: update_job_types
UPDATE job_types
SET version = ?4, body = ?5
WHERE shard = ?1 AND tenant = ?2 AND name = ?3;

-- name: delete_job_types
DELETE FROM job_types WHERE shard = ?1 AND tenant = ?2 AND name = ?3;

-- name: insert_sources
INSERT INTO sources (shard, tenant, name, version, body)
VALUES (?1, ?2, ?3, ?4, ?5);

-- name: update_sources
UPDATE sources
SET version = ?4, body = ?5
WHERE shard = ?1 AND tenant = ?2 AND name = ?3;

-- name: delete_sources
DELETE FROM sources WHERE shard = ?1 AND tenant = ?2 AND name = ?3;

-- name: insert_config_versions
INSERT INTO config_versions (shard, tenant, kind, name, version, body, at, actor, reason)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: update_config_versions
UPDATE config_versions
SET body = ?6, at = ?7, actor = ?8, reason = ?9
WHERE shard = ?1 AND tenant = ?2 AND kind = ?3 AND name = ?4 AND version = ?5;

-- name: delete_config_versions
DELETE FROM config_versions WHERE shard = ?1 AND tenant = ?2 AND kind = ?3 AND name = ?4 AND version = ?5;

-- name: insert_workers
INSERT INTO workers (shard, tenant, name, state, reason, changed_at, version, slots, job_types,
        registered_at, seen_at, offset_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12);

-- name: update_workers
UPDATE workers
SET state = ?4, reason = ?5, changed_at = ?6, version = ?7, slots = ?8, job_types = ?9,
    registered_at = ?10, seen_at = ?11, offset_ms = ?12
WHERE shard = ?1 AND tenant = ?2 AND name = ?3;

-- name: delete_workers
DELETE FROM workers WHERE shard = ?1 AND tenant = ?2 AND name = ?3;

-- name: insert_installation
INSERT INTO installation (shard, tenant, version, grant_floor, restored_at, restored_from,
        paused_since, pause_reason, pause_ticket, paused_by)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- name: update_installation
UPDATE installation
SET version = ?3, grant_floor = ?4, restored_at = ?5, restored_from = ?6, paused_since = ?7,
    pause_reason = ?8, pause_ticket = ?9, paused_by = ?10
WHERE shard = ?1 AND tenant = ?2;

-- name: delete_installation
DELETE FROM installation WHERE shard = ?1 AND tenant = ?2;

-- name: insert_tokens
INSERT INTO tokens (shard, tenant, token, name, hash, for_tenant, scopes, job_types, created_at,
        revoked_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- name: update_tokens
UPDATE tokens
SET name = ?4, hash = ?5, for_tenant = ?6, scopes = ?7, job_types = ?8, created_at = ?9,
    revoked_at = ?10
WHERE shard = ?1 AND tenant = ?2 AND token = ?3;

-- name: delete_tokens
DELETE FROM tokens WHERE shard = ?1 AND tenant = ?2 AND token = ?3;

-- name: insert_breakers
INSERT INTO breakers (shard, tenant, service, version, body, revision, mode, mode_until, reason,
        ticket, set_by, state, changed_at, until, opens, in_a_row, probes_well, probes_ill,
        evidence, workers, probes)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
        ?21);

-- name: update_breakers
UPDATE breakers
SET version = ?4, body = ?5, revision = ?6, mode = ?7, mode_until = ?8, reason = ?9, ticket = ?10,
    set_by = ?11, state = ?12, changed_at = ?13, until = ?14, opens = ?15, in_a_row = ?16,
    probes_well = ?17, probes_ill = ?18, evidence = ?19, workers = ?20, probes = ?21
WHERE shard = ?1 AND tenant = ?2 AND service = ?3;

-- name: delete_breakers
DELETE FROM breakers WHERE shard = ?1 AND tenant = ?2 AND service = ?3;

-- name: insert_quota_groups
INSERT INTO quota_groups (
        shard, tenant, quota_group, name, version, policy, capacity, weight, members, nominal,
        floors, in_use, unlent, charged, lift)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15);

-- name: update_quota_groups
UPDATE quota_groups
SET
    name = ?4, version = ?5, policy = ?6, capacity = ?7, weight = ?8, members = ?9, nominal = ?10,
    floors = ?11, in_use = ?12, unlent = ?13, charged = ?14, lift = ?15
WHERE shard = ?1 AND tenant = ?2 AND quota_group = ?3;

-- name: delete_quota_groups
DELETE FROM quota_groups WHERE shard = ?1 AND tenant = ?2 AND quota_group = ?3;

-- name: insert_quota_members
INSERT INTO quota_members (
        shard, tenant, member, quota_group, version, nominal, borrow_limit, lend_limit, hard_max,
        floor, class, burst_s, refill_s, burst_left, burst_at, in_use, charged)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17);

-- name: update_quota_members
UPDATE quota_members
SET
    quota_group = ?4, version = ?5, nominal = ?6, borrow_limit = ?7, lend_limit = ?8,
    hard_max = ?9, floor = ?10, class = ?11, burst_s = ?12, refill_s = ?13, burst_left = ?14,
    burst_at = ?15, in_use = ?16, charged = ?17
WHERE shard = ?1 AND tenant = ?2 AND member = ?3;

-- name: delete_quota_members
DELETE FROM quota_members WHERE shard = ?1 AND tenant = ?2 AND member = ?3;

-- name: insert_lanes
INSERT INTO lanes (shard, tenant, lane, job_type, source, waiting, inflight, rank, open_at, hold,
        estimate_ms, calls, calls_since)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13);

-- Columns that are fixed (?4, ?5) are left out: an index is written anew when one of its columns is
-- set, be it to what it was.
-- name: update_lanes
UPDATE lanes
SET waiting = ?6, inflight = ?7, rank = ?8, open_at = ?9, hold = ?10,
    estimate_ms = ?11, calls = ?12, calls_since = ?13
WHERE shard = ?1 AND tenant = ?2 AND lane = ?3;

-- name: delete_lanes
DELETE FROM lanes WHERE shard = ?1 AND tenant = ?2 AND lane = ?3;

-- name: insert_throttles
INSERT INTO throttles (
    shard, tenant, host, level_micro, rate_milli, burst, refilled_at, blocked_until, penalty_ms,
    base_milli, hint_milli, hint_until, grown_at, used, throttled_at, incidents, origin, version,
    set_until, set_rate_milli, set_burst, set_block_until, set_at, set_by, set_reason)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
        ?21, ?22, ?23, ?24, ?25);

-- name: update_throttles
UPDATE throttles
SET level_micro = ?4, rate_milli = ?5, burst = ?6, refilled_at = ?7, blocked_until = ?8, penalty_ms
    = ?9, base_milli = ?10, hint_milli = ?11, hint_until = ?12, grown_at = ?13, used = ?14,
    throttled_at = ?15, incidents = ?16, origin = ?17, version = ?18, set_until = ?19,
    set_rate_milli = ?20, set_burst = ?21, set_block_until = ?22, set_at = ?23, set_by = ?24,
    set_reason = ?25
WHERE shard = ?1 AND tenant = ?2 AND host = ?3;

-- name: delete_throttles
DELETE FROM throttles WHERE shard = ?1 AND tenant = ?2 AND host = ?3;

-- name: insert_runs
INSERT INTO runs (shard, tenant, run, name, digest, submitted_at, ended_at, state, total, present,
        blocked, leased, succeeded, dead, canceled)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15);

-- name: update_runs
UPDATE runs
SET name = ?4, digest = ?5, submitted_at = ?6, ended_at = ?7, state = ?8, total = ?9,
    present = ?10, blocked = ?11, leased = ?12, succeeded = ?13, dead = ?14, canceled = ?15
WHERE shard = ?1 AND tenant = ?2 AND run = ?3;

-- name: delete_runs
DELETE FROM runs WHERE shard = ?1 AND tenant = ?2 AND run = ?3;

-- name: insert_jobs
INSERT INTO jobs (shard, tenant, job, run, lane, priority, rank, submitted_at, submit_seq,
        replay_of, name, key, digest, traceparent, payload)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15);

-- name: update_jobs
UPDATE jobs
SET run = ?4, lane = ?5, priority = ?6, rank = ?7, submitted_at = ?8, submit_seq = ?9,
    replay_of = ?10, name = ?11, key = ?12, digest = ?13, traceparent = ?14, payload = ?15
WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: delete_jobs
DELETE FROM jobs WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: insert_job_keys
INSERT INTO job_keys (shard, tenant, generation, hash, job)
VALUES (?1, ?2, ?3, ?4, ?5);

-- name: delete_job_keys
DELETE FROM job_keys WHERE shard = ?1 AND tenant = ?2 AND generation = ?3 AND hash = ?4 AND job = ?5;

-- name: insert_run_keys
INSERT INTO run_keys (shard, tenant, key, run)
VALUES (?1, ?2, ?3, ?4);

-- name: update_run_keys
UPDATE run_keys
SET run = ?4
WHERE shard = ?1 AND tenant = ?2 AND key = ?3;

-- name: delete_run_keys
DELETE FROM run_keys WHERE shard = ?1 AND tenant = ?2 AND key = ?3;

-- name: insert_dag_edges
INSERT INTO dag_edges (shard, tenant, run, pred, succ, kind)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: update_dag_edges
UPDATE dag_edges
SET run = ?3, kind = ?6
WHERE shard = ?1 AND tenant = ?2 AND pred = ?4 AND succ = ?5;

-- name: delete_dag_edges
DELETE FROM dag_edges WHERE shard = ?1 AND tenant = ?2 AND pred = ?4 AND succ = ?5;

-- name: insert_blocked
INSERT INTO blocked (shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq,
        throttled_ms, remaining, delay_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14);

-- name: update_blocked
UPDATE blocked
SET lane = ?4, rank = ?5, run = ?6, flags = ?7, priority = ?8, grant = ?9, spent = ?10,
    job_seq = ?11, throttled_ms = ?12, remaining = ?13, delay_us = ?14
WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: delete_blocked
DELETE FROM blocked WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: insert_ready
INSERT INTO ready (shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq,
        throttled_ms, eligible_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13);

-- name: update_ready
UPDATE ready
SET run = ?6, flags = ?7, priority = ?8, grant = ?9, spent = ?10, job_seq = ?11,
    throttled_ms = ?12, eligible_at = ?13
WHERE shard = ?1 AND tenant = ?2 AND job = ?3 AND lane = ?4 AND rank = ?5;

-- name: delete_ready
DELETE FROM ready WHERE shard = ?1 AND tenant = ?2 AND job = ?3 AND lane = ?4 AND rank = ?5;

-- name: insert_delayed
INSERT INTO delayed (shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq,
        throttled_ms, due_at, reason)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14);

-- name: update_delayed
UPDATE delayed
SET lane = ?4, rank = ?5, run = ?6, flags = ?7, priority = ?8, grant = ?9, spent = ?10,
    job_seq = ?11, throttled_ms = ?12, due_at = ?13, reason = ?14
WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: delete_delayed
DELETE FROM delayed WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: insert_start_deadlines
INSERT INTO start_deadlines (shard, tenant, due_at, job)
VALUES (?1, ?2, ?3, ?4);

-- name: delete_start_deadlines
DELETE FROM start_deadlines WHERE shard = ?1 AND tenant = ?2 AND due_at = ?3 AND job = ?4;

-- name: insert_leased
INSERT INTO leased (shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq,
        throttled_ms, running, worker, claim, claimed_at, claimed_seq, ttl_ms, charged_ms,
        requests, run_until, cancel_at, until, due_at, progress_at, no_progress_ms, progress)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
        ?22, ?23, ?24, ?25, ?26, ?27);

-- name: update_leased
UPDATE leased
SET lane = ?4, rank = ?5, run = ?6, flags = ?7, priority = ?8, grant = ?9, spent = ?10,
    job_seq = ?11, throttled_ms = ?12, running = ?13, worker = ?14, claim = ?15, claimed_at = ?16,
    claimed_seq = ?17, ttl_ms = ?18, charged_ms = ?19, requests = ?20, run_until = ?21,
    cancel_at = ?22, until = ?23, due_at = ?24, progress_at = ?25, no_progress_ms = ?26,
    progress = ?27
WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: delete_leased
DELETE FROM leased WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: insert_outcomes
INSERT INTO outcomes (shard, tenant, job, lane, rank, run, flags, priority, grant, spent, job_seq,
        throttled_ms, state, class, cause, worker, claimed_at, claimed_seq, ended_at, ended_seq,
        digest, result)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
        ?22);

-- name: update_outcomes
UPDATE outcomes
SET lane = ?4, rank = ?5, run = ?6, flags = ?7, priority = ?8, grant = ?9, spent = ?10,
    job_seq = ?11, throttled_ms = ?12, state = ?13, class = ?14, cause = ?15, worker = ?16,
    claimed_at = ?17, claimed_seq = ?18, ended_at = ?19, ended_seq = ?20, digest = ?21,
    result = ?22
WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: delete_outcomes
DELETE FROM outcomes WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: insert_attempts
INSERT INTO attempts (shard, tenant, job, grant, ending, class, worker, claimed_at, claimed_seq,
        ended_at, ended_seq, digest, message)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13);

-- name: update_attempts
UPDATE attempts
SET ending = ?5, class = ?6, worker = ?7, claimed_at = ?8, claimed_seq = ?9, ended_at = ?10,
    ended_seq = ?11, digest = ?12, message = ?13
WHERE shard = ?1 AND tenant = ?2 AND job = ?3 AND grant = ?4;

-- name: delete_attempts
DELETE FROM attempts WHERE shard = ?1 AND tenant = ?2 AND job = ?3 AND grant = ?4;

-- name: insert_settling
INSERT INTO settling (shard, tenant, pred, mode, after_succ, until_succ)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: update_settling
UPDATE settling
SET mode = ?4, after_succ = ?5, until_succ = ?6
WHERE shard = ?1 AND tenant = ?2 AND pred = ?3;

-- name: delete_settling
DELETE FROM settling WHERE shard = ?1 AND tenant = ?2 AND pred = ?3;

-- name: insert_bulk_actions
INSERT INTO bulk_actions (
        shard, tenant, bulk, action, state, priority, run, selection, actor, reason, ticket,
        matched, stored, done, changed, already, refused, after_job, started_at, ended_at, due_at)
VALUES (
        ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
        ?21);

-- name: update_bulk_actions
UPDATE bulk_actions
SET
    action = ?4, state = ?5, priority = ?6, run = ?7, selection = ?8, actor = ?9, reason = ?10,
    ticket = ?11, matched = ?12, stored = ?13, done = ?14, changed = ?15, already = ?16,
    refused = ?17, after_job = ?18, started_at = ?19, ended_at = ?20, due_at = ?21
WHERE shard = ?1 AND tenant = ?2 AND bulk = ?3;

-- name: delete_bulk_actions
DELETE FROM bulk_actions WHERE shard = ?1 AND tenant = ?2 AND bulk = ?3;

-- name: insert_bulk_parts
INSERT INTO bulk_parts (
        shard, tenant, bulk, first, jobs, results)
VALUES (
        ?1, ?2, ?3, ?4, ?5, ?6);

-- name: update_bulk_parts
UPDATE bulk_parts
SET
    jobs = ?5, results = ?6
WHERE shard = ?1 AND tenant = ?2 AND bulk = ?3 AND first = ?4;

-- name: delete_bulk_parts
DELETE FROM bulk_parts WHERE shard = ?1 AND tenant = ?2 AND bulk = ?3 AND first = ?4;

-- name: insert_artifacts
INSERT INTO artifacts (shard, tenant, job, role, name, grant, run, sha256, size, media_type)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- name: update_artifacts
UPDATE artifacts
SET grant = ?6, run = ?7, sha256 = ?8, size = ?9, media_type = ?10
WHERE shard = ?1 AND tenant = ?2 AND job = ?3 AND role = ?4 AND name = ?5;

-- name: delete_artifacts
DELETE FROM artifacts WHERE shard = ?1 AND tenant = ?2 AND job = ?3 AND role = ?4 AND name = ?5;

-- name: insert_request_keys
INSERT INTO request_keys (shard, tenant, key, digest, at, status, location, answer)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: update_request_keys
UPDATE request_keys
SET digest = ?4, at = ?5, status = ?6, location = ?7, answer = ?8
WHERE shard = ?1 AND tenant = ?2 AND key = ?3;

-- name: delete_request_keys
DELETE FROM request_keys WHERE shard = ?1 AND tenant = ?2 AND key = ?3;

-- name: insert_log_heads
INSERT INTO log_heads (shard, tenant, job, grant, lines, bytes, cut, stored)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: update_log_heads
UPDATE log_heads
SET grant = ?4, lines = ?5, bytes = ?6, cut = ?7, stored = ?8
WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: delete_log_heads
DELETE FROM log_heads WHERE shard = ?1 AND tenant = ?2 AND job = ?3;

-- name: insert_job_logs
INSERT INTO job_logs (shard, tenant, job, grant, first, skip, count, at, raw_len, lines)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- name: update_job_logs
UPDATE job_logs
SET skip = ?6, count = ?7, at = ?8, raw_len = ?9, lines = ?10
WHERE shard = ?1 AND tenant = ?2 AND job = ?3 AND grant = ?4 AND first = ?5;

-- name: delete_job_logs
DELETE FROM job_logs
WHERE shard = ?1 AND tenant = ?2 AND job = ?3 AND grant = ?4 AND first = ?5;


-- name: insert_history
-- args: shard, tenant, seq, count, at, raw_len, lines
INSERT INTO history (shard, tenant, seq, count, at, raw_len, lines)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- One row a group, in the first of its shards.
-- name: insert_tick
-- args: shard, at, group_id
INSERT INTO ticks (shard, at, group_id)
VALUES (?1, ?2, ?3);

-- name: delete_old_ticks
-- args: shard, before
DELETE FROM ticks WHERE shard = ?1 AND at < ?2;

-- One row when the group committed; the shard is its first.
-- name: find_tick
-- args: shard, group_id
SELECT 1
FROM ticks
WHERE shard = ?1 AND group_id = ?2
LIMIT 1;
