-- The reading side: pages by key, never an offset. Names, arguments and columns are the same in
-- both backends. A page of job objects first takes its keys, then looks each object up (LATERAL,
-- LIMIT 1), whatever the planner thinks of the tables' sizes. A job object (job_objects in the
-- schema) has the columns:
--   job, run, lane, job_type, source, name, key, submitted_at, submit_seq, replay_of, rank,
--   state, priority, grant_no, spent, flags, job_seq, throttled_ms, remaining, eligible_at,
--   delayed_until, delayed_reason, lane_hold, lane_open_at, worker, claimed_at, claimed_seq,
--   leased_until, cancel_at, progress_at, progress, class, cause, ended_at, ended_seq, result
-- remaining, eligible_at, delayed_*, leased_until, class … are null when another state holds the
-- job. Times are microseconds, 0 for never.

-- name: ledger_meta
SELECT schema_version, seed, created_at
FROM ledger;

-- What a doctor looks at: names and values, as texts.
-- name: examine
SELECT name, setting AS value
FROM pg_settings
WHERE name IN ('autovacuum', 'fsync', 'full_page_writes', 'max_connections', 'server_version_num',
               'synchronous_commit')
UNION ALL
SELECT 'now', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text
UNION ALL
SELECT 'last_at', max(last_at)::text FROM shards;

-- Columns of tenants, in the order of core/tables.c, as in all that give whole rows.
-- name: quota_members_page
-- args: group, after, limit
SELECT m.member, m.quota_group, m.version, m.nominal, m.borrow_limit, m.lend_limit, m.hard_max,
       m.floor, m.class, m.burst_s, m.refill_s, m.burst_left, m.burst_at, m.in_use, t.name,
       t.weight, t.waiting
FROM quota_members AS m
JOIN tenant_names AS n ON n.shard = m.shard AND n.tenant = m.tenant AND n.named = m.member
JOIN tenants AS t ON t.shard = n.home_shard AND t.tenant = m.member
WHERE m.shard = 63 AND m.tenant = 1 AND (m.quota_group = $1 OR ($1 = 0)) AND m.member > $2
ORDER BY m.member
LIMIT $3;

-- name: tenants_page
-- args: after_name, limit
SELECT t.shard, t.tenant, t.name, t.created_at, t.weight, t.max_inflight, t.max_live, t.version,
       t.config_version, t.head_seq, t.next_job, t.next_run, t.next_lane, t.charged, t.lift,
       t.waiting, t.inflight, t.live, t.key_generation, t.key_oldest, t.key_turned_at, t.erased_to,
       t.next_bulk, t.quota_group
FROM tenant_names AS n JOIN tenants AS t ON t.shard = n.home_shard AND t.tenant = n.named
WHERE n.name > $1
ORDER BY n.name
LIMIT $2;

-- name: tenant_by_name
-- args: name
SELECT t.shard, t.tenant, t.name, t.created_at, t.weight, t.max_inflight, t.max_live, t.version,
       t.config_version, t.head_seq, t.next_job, t.next_run, t.next_lane, t.charged, t.lift,
       t.waiting, t.inflight, t.live, t.key_generation, t.key_oldest, t.key_turned_at, t.erased_to,
       t.next_bulk, t.quota_group
FROM tenant_names AS n JOIN tenants AS t ON t.shard = n.home_shard AND t.tenant = n.named
WHERE n.name = $1;

-- name: tenant_by_id
-- args: shard, tenant
SELECT shard, tenant, name, created_at, weight, max_inflight, max_live, version, config_version,
       head_seq, next_job, next_run, next_lane, charged, lift, waiting, inflight, live,
       key_generation, key_oldest, key_turned_at, erased_to, next_bulk, quota_group
FROM tenants
WHERE shard = $1 AND tenant = $2;

-- name: tenants_of_shard
-- args: shard
SELECT shard, tenant, name, created_at, weight, max_inflight, max_live, version, config_version,
       head_seq, next_job, next_run, next_lane, charged, lift, waiting, inflight, live,
       key_generation, key_oldest, key_turned_at, erased_to, next_bulk, quota_group
FROM tenants
WHERE shard = $1
ORDER BY tenant;

-- name: tokens_all
SELECT shard, tenant, token, name, hash, for_tenant, scopes, job_types, created_at, revoked_at
FROM tokens
ORDER BY shard, tenant, token;

-- name: token_by_hash
-- args: hash
SELECT shard, tenant, token, name, hash, for_tenant, scopes, job_types, created_at, revoked_at
FROM tokens
WHERE hash = $1
ORDER BY shard, tenant, token;

-- name: job_types_of
-- args: shard, tenant
SELECT shard, tenant, name, version, body
FROM job_types
WHERE shard = $1 AND tenant = $2
ORDER BY name;

-- name: sources_of
-- args: shard, tenant
SELECT shard, tenant, name, version, body
FROM sources
WHERE shard = $1 AND tenant = $2
ORDER BY name;

-- The newest first, below `before`.
-- name: config_versions_of
-- args: shard, tenant, kind, name, before, limit
SELECT shard, tenant, kind, name, version, body, at, actor, reason
FROM config_versions
WHERE shard = $1 AND tenant = $2 AND kind = $3 AND name = $4 AND version < $5
ORDER BY version DESC
LIMIT $6;

-- name: config_version
-- args: shard, tenant, kind, name, version
SELECT shard, tenant, kind, name, version, body, at, actor, reason
FROM config_versions
WHERE shard = $1 AND tenant = $2 AND kind = $3 AND name = $4 AND version = $5;

-- name: installation
SELECT shard, tenant, version, grant_floor, restored_at, restored_from, paused_since, pause_reason,
       pause_ticket, paused_by
FROM installation
WHERE shard = 63 AND tenant = 1;

-- name: workers_page
-- args: shard, tenant, after, limit
SELECT shard, tenant, name, state, reason, changed_at, version, slots, job_types, registered_at,
       seen_at, offset_ms
FROM workers
WHERE shard = $1 AND tenant = $2 AND name > $3
ORDER BY name
LIMIT $4;

-- name: worker
-- args: shard, tenant, name
SELECT shard, tenant, name, state, reason, changed_at, version, slots, job_types, registered_at,
       seen_at, offset_ms
FROM workers
WHERE shard = $1 AND tenant = $2 AND name = $3;

-- name: breaker_states
-- args: now, hold, hold
SELECT coalesce(sum(CASE WHEN (mode = 0 OR (mode_until > 0 AND mode_until <= $1)) AND state = 0 THEN 1 ELSE 0 END), 0) AS closed,
       coalesce(sum(CASE WHEN (mode = 0 OR (mode_until > 0 AND mode_until <= $1)) AND state = 1 THEN 1 ELSE 0 END), 0) AS open,
       coalesce(sum(CASE WHEN (mode = 0 OR (mode_until > 0 AND mode_until <= $1)) AND state = 2 THEN 1 ELSE 0 END), 0) AS half_open,
       coalesce(sum(CASE WHEN (mode = 0 OR (mode_until > 0 AND mode_until <= $1)) THEN 0 ELSE 1 END), 0) AS forced,
       (SELECT coalesce(sum(l.waiting), 0)::int8 FROM lanes AS l
        WHERE l.waiting > 0 AND (l.hold = $2 OR l.hold = $3)) AS held
FROM breakers;

-- name: breakers_of
-- args: shard, tenant
SELECT shard, tenant, service, version, body, revision, mode, mode_until, reason, ticket, set_by,
       state, changed_at, until, opens, in_a_row, probes_well, probes_ill, evidence, workers, probes
FROM breakers
WHERE shard = $1 AND tenant = $2
ORDER BY service;

-- Leases by worker: of one tenant, or of all.
-- name: worker_leases_of
-- args: shard, tenant
SELECT worker, count(*) AS leases
FROM leased
WHERE shard = $1 AND tenant = $2
GROUP BY worker
ORDER BY worker;

-- name: worker_leases
SELECT worker, count(*) AS leases
FROM leased
GROUP BY worker
ORDER BY worker;

-- name: job
-- args: shard, tenant, job
SELECT shard, tenant, job, run, lane, priority, rank, submitted_at, submit_seq, replay_of, name,
       key, digest, traceparent, payload
FROM jobs
WHERE shard = $1 AND tenant = $2 AND job = $3;

-- name: job_payload
-- args: shard, tenant, job
SELECT payload
FROM jobs
WHERE shard = $1 AND tenant = $2 AND job = $3;

-- A job object.
-- name: job_state
-- args: shard, tenant, job
SELECT o.job, o.run, o.lane, o.job_type, o.source, o.name, o.key, o.submitted_at, o.submit_seq,
       o.replay_of, o.rank, o.state, o.priority, o.grant_no, o.spent, o.flags, o.job_seq,
       o.throttled_ms, o.remaining, o.eligible_at, o.delayed_until, o.delayed_reason, o.lane_hold,
       o.lane_open_at, o.worker, o.claimed_at, o.claimed_seq, o.leased_until, o.cancel_at,
       o.progress_at, o.progress, o.class, o.cause, o.ended_at, o.ended_seq, o.result
FROM job_objects AS o
WHERE o.shard = $1 AND o.tenant = $2 AND o.job = $3;

-- Job objects, as all jobs_… pages.
-- name: jobs_page
-- args: shard, tenant, after_job, limit
SELECT o.job, o.run, o.lane, o.job_type, o.source, o.name, o.key, o.submitted_at, o.submit_seq,
       o.replay_of, o.rank, o.state, o.priority, o.grant_no, o.spent, o.flags, o.job_seq,
       o.throttled_ms, o.remaining, o.eligible_at, o.delayed_until, o.delayed_reason, o.lane_hold,
       o.lane_open_at, o.worker, o.claimed_at, o.claimed_seq, o.leased_until, o.cancel_at,
       o.progress_at, o.progress, o.class, o.cause, o.ended_at, o.ended_seq, o.result
FROM (SELECT x.shard, x.tenant, x.job
      FROM jobs AS x
      WHERE x.shard = $1 AND x.tenant = $2 AND x.job > $3
      ORDER BY x.job
      LIMIT $4) AS x
CROSS JOIN LATERAL (
    SELECT * FROM job_objects AS o
    WHERE o.shard = x.shard AND o.tenant = x.tenant AND o.job = x.job
    LIMIT 1) AS o
ORDER BY x.job;

-- name: jobs_of_run_page
-- args: shard, tenant, run, after_job, limit
SELECT o.job, o.run, o.lane, o.job_type, o.source, o.name, o.key, o.submitted_at, o.submit_seq,
       o.replay_of, o.rank, o.state, o.priority, o.grant_no, o.spent, o.flags, o.job_seq,
       o.throttled_ms, o.remaining, o.eligible_at, o.delayed_until, o.delayed_reason, o.lane_hold,
       o.lane_open_at, o.worker, o.claimed_at, o.claimed_seq, o.leased_until, o.cancel_at,
       o.progress_at, o.progress, o.class, o.cause, o.ended_at, o.ended_seq, o.result
FROM (SELECT x.shard, x.tenant, x.job
      FROM jobs AS x
      WHERE x.shard = $1 AND x.tenant = $2 AND x.run = $3 AND x.run > 0 AND x.job > $4
      ORDER BY x.job
      LIMIT $5) AS x
CROSS JOIN LATERAL (
    SELECT * FROM job_objects AS o
    WHERE o.shard = x.shard AND o.tenant = x.tenant AND o.job = x.job
    LIMIT 1) AS o
ORDER BY x.job;

-- name: jobs_blocked_page
-- args: shard, tenant, after_job, limit
SELECT o.job, o.run, o.lane, o.job_type, o.source, o.name, o.key, o.submitted_at, o.submit_seq,
       o.replay_of, o.rank, o.state, o.priority, o.grant_no, o.spent, o.flags, o.job_seq,
       o.throttled_ms, o.remaining, o.eligible_at, o.delayed_until, o.delayed_reason, o.lane_hold,
       o.lane_open_at, o.worker, o.claimed_at, o.claimed_seq, o.leased_until, o.cancel_at,
       o.progress_at, o.progress, o.class, o.cause, o.ended_at, o.ended_seq, o.result
FROM (SELECT x.shard, x.tenant, x.job
      FROM blocked AS x
      WHERE x.shard = $1 AND x.tenant = $2 AND x.job > $3
      ORDER BY x.job
      LIMIT $4) AS x
CROSS JOIN LATERAL (
    SELECT * FROM job_objects AS o
    WHERE o.shard = x.shard AND o.tenant = x.tenant AND o.job = x.job
    LIMIT 1) AS o
ORDER BY x.job;

-- In the order of the index: lane, rank, job.
-- name: jobs_ready_page
-- args: shard, tenant, after_lane, after_rank, after_job, limit
SELECT o.job, o.run, o.lane, o.job_type, o.source, o.name, o.key, o.submitted_at, o.submit_seq,
       o.replay_of, o.rank, o.state, o.priority, o.grant_no, o.spent, o.flags, o.job_seq,
       o.throttled_ms, o.remaining, o.eligible_at, o.delayed_until, o.delayed_reason, o.lane_hold,
       o.lane_open_at, o.worker, o.claimed_at, o.claimed_seq, o.leased_until, o.cancel_at,
       o.progress_at, o.progress, o.class, o.cause, o.ended_at, o.ended_seq, o.result
FROM (SELECT x.shard, x.tenant, x.job, x.lane, x.rank
      FROM ready AS x
      WHERE x.shard = $1 AND x.tenant = $2 AND (x.lane, x.rank, x.job) > ($3, $4, $5)
      ORDER BY x.lane, x.rank, x.job
      LIMIT $6) AS x
CROSS JOIN LATERAL (
    SELECT * FROM job_objects AS o
    WHERE o.shard = x.shard AND o.tenant = x.tenant AND o.job = x.job
    LIMIT 1) AS o
ORDER BY x.lane, x.rank, x.job;

-- name: jobs_delayed_page
-- args: shard, tenant, after_job, limit
SELECT o.job, o.run, o.lane, o.job_type, o.source, o.name, o.key, o.submitted_at, o.submit_seq,
       o.replay_of, o.rank, o.state, o.priority, o.grant_no, o.spent, o.flags, o.job_seq,
       o.throttled_ms, o.remaining, o.eligible_at, o.delayed_until, o.delayed_reason, o.lane_hold,
       o.lane_open_at, o.worker, o.claimed_at, o.claimed_seq, o.leased_until, o.cancel_at,
       o.progress_at, o.progress, o.class, o.cause, o.ended_at, o.ended_seq, o.result
FROM (SELECT x.shard, x.tenant, x.job
      FROM delayed AS x
      WHERE x.shard = $1 AND x.tenant = $2 AND x.job > $3
      ORDER BY x.job
      LIMIT $4) AS x
CROSS JOIN LATERAL (
    SELECT * FROM job_objects AS o
    WHERE o.shard = x.shard AND o.tenant = x.tenant AND o.job = x.job
    LIMIT 1) AS o
ORDER BY x.job;

-- Leased and running ones.
-- name: jobs_held_page
-- args: shard, tenant, after_job, limit
SELECT o.job, o.run, o.lane, o.job_type, o.source, o.name, o.key, o.submitted_at, o.submit_seq,
       o.replay_of, o.rank, o.state, o.priority, o.grant_no, o.spent, o.flags, o.job_seq,
       o.throttled_ms, o.remaining, o.eligible_at, o.delayed_until, o.delayed_reason, o.lane_hold,
       o.lane_open_at, o.worker, o.claimed_at, o.claimed_seq, o.leased_until, o.cancel_at,
       o.progress_at, o.progress, o.class, o.cause, o.ended_at, o.ended_seq, o.result
FROM (SELECT x.shard, x.tenant, x.job
      FROM leased AS x
      WHERE x.shard = $1 AND x.tenant = $2 AND x.job > $3
      ORDER BY x.job
      LIMIT $4) AS x
CROSS JOIN LATERAL (
    SELECT * FROM job_objects AS o
    WHERE o.shard = x.shard AND o.tenant = x.tenant AND o.job = x.job
    LIMIT 1) AS o
ORDER BY x.job;

-- When the first job after that number was submitted.
-- name: job_submitted_after
-- args: shard, tenant, after_job
SELECT job, submitted_at
FROM jobs
WHERE shard = $1 AND tenant = $2 AND job > $3
ORDER BY job
LIMIT 1;

-- name: jobs_leased_page
-- args: shard, tenant, after_job, limit, running
SELECT o.job, o.run, o.lane, o.job_type, o.source, o.name, o.key, o.submitted_at, o.submit_seq,
       o.replay_of, o.rank, o.state, o.priority, o.grant_no, o.spent, o.flags, o.job_seq,
       o.throttled_ms, o.remaining, o.eligible_at, o.delayed_until, o.delayed_reason, o.lane_hold,
       o.lane_open_at, o.worker, o.claimed_at, o.claimed_seq, o.leased_until, o.cancel_at,
       o.progress_at, o.progress, o.class, o.cause, o.ended_at, o.ended_seq, o.result
FROM (SELECT x.shard, x.tenant, x.job
      FROM leased AS x
      WHERE x.shard = $1 AND x.tenant = $2 AND x.job > $3 AND x.running = $5
      ORDER BY x.job
      LIMIT $4) AS x
CROSS JOIN LATERAL (
    SELECT * FROM job_objects AS o
    WHERE o.shard = x.shard AND o.tenant = x.tenant AND o.job = x.job
    LIMIT 1) AS o
ORDER BY x.job;

-- Of one ended state. Succeeded ones (5) are found by walking the key, the others by their index.
-- name: jobs_ended_page
-- args: shard, tenant, after_job, limit, state
SELECT o.job, o.run, o.lane, o.job_type, o.source, o.name, o.key, o.submitted_at, o.submit_seq,
       o.replay_of, o.rank, o.state, o.priority, o.grant_no, o.spent, o.flags, o.job_seq,
       o.throttled_ms, o.remaining, o.eligible_at, o.delayed_until, o.delayed_reason, o.lane_hold,
       o.lane_open_at, o.worker, o.claimed_at, o.claimed_seq, o.leased_until, o.cancel_at,
       o.progress_at, o.progress, o.class, o.cause, o.ended_at, o.ended_seq, o.result
FROM (SELECT *
      FROM (SELECT x.shard, x.tenant, x.job
            FROM outcomes AS x
            WHERE x.shard = $1 AND x.tenant = $2 AND x.state = $5::int2 AND x.state <> 5
              AND x.job > $3
            ORDER BY x.job
            LIMIT $4) AS bad
      UNION ALL
      SELECT *
      FROM (SELECT x.shard, x.tenant, x.job
            FROM outcomes AS x
            WHERE x.shard = $1 AND x.tenant = $2 AND $5::int2 = 5 AND x.state = 5 AND x.job > $3
            ORDER BY x.job
            LIMIT $4) AS good) AS x
CROSS JOIN LATERAL (
    SELECT * FROM job_objects AS o
    WHERE o.shard = x.shard AND o.tenant = x.tenant AND o.job = x.job
    LIMIT 1) AS o
ORDER BY o.job;

-- Compare the full key: the hash is an index only.
-- name: job_by_key
-- args: shard, tenant, hash, generation
SELECT o.job, o.run, o.lane, o.job_type, o.source, o.name, o.key, o.submitted_at, o.submit_seq,
       o.replay_of, o.rank, o.state, o.priority, o.grant_no, o.spent, o.flags, o.job_seq,
       o.throttled_ms, o.remaining, o.eligible_at, o.delayed_until, o.delayed_reason, o.lane_hold,
       o.lane_open_at, o.worker, o.claimed_at, o.claimed_seq, o.leased_until, o.cancel_at,
       o.progress_at, o.progress, o.class, o.cause, o.ended_at, o.ended_seq, o.result
FROM (SELECT x.shard, x.tenant, x.job
      FROM job_keys AS x
      WHERE x.shard = $1 AND x.tenant = $2 AND x.generation = $4 AND x.hash = $3
      ORDER BY x.job
      OFFSET 0) AS x
CROSS JOIN LATERAL (
    SELECT * FROM job_objects AS o
    WHERE o.shard = x.shard AND o.tenant = x.tenant AND o.job = x.job
    LIMIT 1) AS o
ORDER BY x.job;

-- name: job_key_generations
-- args: shard, tenant
SELECT DISTINCT generation
FROM job_keys
WHERE shard = $1 AND tenant = $2
ORDER BY generation;

-- name: run
-- args: shard, tenant, run
SELECT shard, tenant, run, name, digest, submitted_at, ended_at, state, total, present, blocked,
       leased, succeeded, dead, canceled
FROM runs
WHERE shard = $1 AND tenant = $2 AND run = $3;

-- Newest first; begin with before_run = 2^63 - 1.
-- name: runs_page
-- args: shard, tenant, before_run, limit
SELECT shard, tenant, run, name, digest, submitted_at, ended_at, state, total, present, blocked,
       leased, succeeded, dead, canceled
FROM runs
WHERE shard = $1 AND tenant = $2 AND run < $3
ORDER BY run DESC
LIMIT $4;

-- name: runs_in_state_page
-- args: shard, tenant, before_run, limit, state
SELECT shard, tenant, run, name, digest, submitted_at, ended_at, state, total, present, blocked,
       leased, succeeded, dead, canceled
FROM runs
WHERE shard = $1 AND tenant = $2 AND state = $5 AND run < $3
ORDER BY run DESC
LIMIT $4;

-- Jobs of a run as far as its graph is concerned.
-- name: run_nodes_page
-- args: shard, tenant, run, after_job, limit
SELECT o.job, o.job_type, o.source, o.name, o.state, x.priority AS asked_priority, o.grant_no,
       o.worker, o.claimed_at, o.ended_at
FROM (SELECT x.shard, x.tenant, x.job, x.priority
      FROM jobs AS x
      WHERE x.shard = $1 AND x.tenant = $2 AND x.run = $3 AND x.run > 0 AND x.job > $4
      ORDER BY x.job
      LIMIT $5) AS x
CROSS JOIN LATERAL (
    SELECT * FROM job_objects AS o
    WHERE o.shard = x.shard AND o.tenant = x.tenant AND o.job = x.job
    LIMIT 1) AS o
ORDER BY x.job;

-- name: run_payloads_page
-- args: shard, tenant, run, after_job, limit
SELECT job, traceparent, payload
FROM jobs
WHERE shard = $1 AND tenant = $2 AND run = $3 AND run > 0 AND job > $4
ORDER BY job
LIMIT $5;

-- Of a run: how many leased jobs are running (a walk over the tenant's leases), and the job that
-- its first one replays; 0 for none.
-- name: run_more
-- args: shard, tenant, run
SELECT (SELECT count(*) FROM leased AS l
        WHERE l.shard = $1 AND l.tenant = $2 AND l.run = $3 AND l.running) AS running,
       (SELECT j.replay_of FROM jobs AS j
        WHERE j.shard = $1 AND j.tenant = $2 AND j.run = $3 AND j.run > 0
        ORDER BY j.job LIMIT 1) AS replay_of;

-- Edges between jobs of the run, by (pred, succ).
-- name: edges_of_run
-- args: shard, tenant, run, after_pred, after_succ, limit
SELECT e.shard, e.tenant, e.run, e.pred, e.succ, e.kind
FROM jobs AS j JOIN dag_edges AS e
  ON e.shard = j.shard AND e.tenant = j.tenant AND e.pred = j.job
WHERE j.shard = $1 AND j.tenant = $2 AND j.run = $3 AND j.run > 0 AND j.job >= $4
  AND (j.job > $4 OR e.succ > $5)
ORDER BY j.job, e.succ
LIMIT $6;

-- name: artifacts_of_job
-- args: shard, tenant, job
SELECT shard, tenant, job, role, name, "grant", run, sha256, size, media_type
FROM artifacts
WHERE shard = $1 AND tenant = $2 AND job = $3
ORDER BY role, name;

-- name: artifacts_of_run
-- args: shard, tenant, run, after_job, after_role, after_name, limit
SELECT shard, tenant, job, role, name, "grant", run, sha256, size, media_type
FROM artifacts
WHERE shard = $1 AND tenant = $2 AND run = $3 AND run > 0 AND (job, role, name) > ($4, $5, $6)
ORDER BY job, role, name
LIMIT $7;

-- name: artifact_uses
-- args: shard, tenant, sha256
SELECT shard, tenant, job, role, name, "grant", run, sha256, size, media_type
FROM artifacts
WHERE shard = $1 AND tenant = $2 AND sha256 = $3
ORDER BY job, role, name;

-- name: artifact_is_known
-- args: shard, tenant, sha256
SELECT job
FROM artifacts
WHERE shard = $1 AND tenant = $2 AND sha256 = $3
LIMIT 1;

-- name: attempts_of_job
-- args: shard, tenant, job
SELECT shard, tenant, job, "grant", ending, class, worker, claimed_at, claimed_seq, ended_at,
       ended_seq, digest, message
FROM attempts
WHERE shard = $1 AND tenant = $2 AND job = $3
ORDER BY "grant";

-- name: attempts_page
-- args: shard, tenant, job, after_grant, limit
SELECT shard, tenant, job, "grant", ending, class, worker, claimed_at, claimed_seq, ended_at,
       ended_seq, digest, message
FROM attempts
WHERE shard = $1 AND tenant = $2 AND job = $3 AND "grant" > $4
ORDER BY "grant"
LIMIT $5;

-- Chunks that hold lines after `seq`; chunk_unpack() them. The first may begin before.
-- name: history_after
-- args: shard, tenant, seq, limit
SELECT seq, count, at, raw_len, lines
FROM history
WHERE shard = $1 AND tenant = $2 AND seq + count > $3 + 1
  AND seq >= coalesce((SELECT max(h.seq) FROM history AS h
                       WHERE h.shard = $1 AND h.tenant = $2 AND h.seq <= $3 + 1), 0)
ORDER BY seq
LIMIT $4;

-- The chunk that holds line `seq`, when there is such a line.
-- name: history_chunk_at
-- args: shard, tenant, seq
SELECT seq, count, at, raw_len, lines
FROM history
WHERE shard = $1 AND tenant = $2 AND seq <= $3
ORDER BY seq DESC
LIMIT 1;

-- Lanes with something waiting or leased.
-- name: lanes_of_shard
-- args: shard
SELECT tenant, lane, job_type, source, waiting, inflight, rank, open_at, hold
FROM lanes
WHERE shard = $1 AND (waiting > 0 OR inflight > 0)
ORDER BY tenant, lane;

-- Depth, leases, lowest rank and the oldest head's eligible time of each job type, all tenants.
-- A rollup of lanes: no row of ready is counted.
-- name: throttles_page
-- args: shard, tenant, after, limit
SELECT shard, tenant, host, level_micro, rate_milli, burst, refilled_at, blocked_until, penalty_ms,
       base_milli, hint_milli, hint_until, grown_at, used, throttled_at, incidents, origin, version,
       set_until, set_rate_milli, set_burst, set_block_until, set_at, set_by, set_reason
FROM throttles
WHERE shard = $1 AND tenant = $2 AND host > $3
ORDER BY host
LIMIT $4;

-- name: throttle
-- args: shard, tenant, host
SELECT shard, tenant, host, level_micro, rate_milli, burst, refilled_at, blocked_until, penalty_ms,
       base_milli, hint_milli, hint_until, grown_at, used, throttled_at, incidents, origin, version,
       set_until, set_rate_milli, set_burst, set_block_until, set_at, set_by, set_reason
FROM throttles
WHERE shard = $1 AND tenant = $2 AND host = $3;

-- name: throttle_states
-- args: now
SELECT count(*) AS hosts,
       coalesce(sum(CASE WHEN blocked_until > $1 OR (set_until > $1 AND set_block_until > $1)
                         THEN 1 ELSE 0 END), 0) AS blocked,
       coalesce(sum(CASE WHEN rate_milli < base_milli THEN 1 ELSE 0 END), 0) AS slowed,
       coalesce(sum(CASE WHEN set_until > $1 THEN 1 ELSE 0 END), 0) AS overridden,
       coalesce(sum(incidents), 0) AS incidents
FROM throttles;

-- name: queue_by_type
SELECT job_type, sum(waiting)::int8 AS waiting, sum(inflight)::int8 AS inflight,
       min(CASE WHEN waiting > 0 THEN rank END) AS rank, min(eligible_at) AS eligible_at
FROM (SELECT l.job_type AS job_type, l.waiting AS waiting, l.inflight AS inflight, l.rank AS rank,
             (SELECT r.eligible_at FROM ready AS r
              WHERE r.shard = l.shard AND r.tenant = l.tenant AND r.lane = l.lane
              ORDER BY r.rank, r.job LIMIT 1) AS eligible_at
      FROM lanes AS l
      WHERE l.waiting > 0 OR l.inflight > 0) AS x
GROUP BY job_type
ORDER BY job_type;

-- name: shards_due
-- args: now
SELECT shard, next_due_at
FROM shards
WHERE next_due_at <= $1
ORDER BY next_due_at, shard;

-- Leases that a claim of that hash was given and still holds.
-- name: claims_of
-- args: claim
SELECT shard, tenant, job, lane, "grant" AS grant_no, worker, until
FROM leased
WHERE claim = $1
ORDER BY shard, tenant, job;

-- Where the log of a job stands.
-- name: log_head
-- args: shard, tenant, job
SELECT shard, tenant, job, "grant", lines, bytes, cut, stored
FROM log_heads
WHERE shard = $1 AND tenant = $2 AND job = $3;

-- Rows of an attempt's log that hold lines from `from` on; the first may begin before.
-- name: job_logs_from
-- args: shard, tenant, job, grant, from, limit
SELECT shard, tenant, job, "grant", first, skip, count, at, raw_len, lines
FROM job_logs
WHERE shard = $1 AND tenant = $2 AND job = $3 AND "grant" = $4
  AND first >= coalesce((SELECT max(x.first) FROM job_logs AS x
                         WHERE x.shard = $1 AND x.tenant = $2 AND x.job = $3
                           AND x."grant" = $4 AND x.first <= $5), 0)
ORDER BY first
LIMIT $6;

-- What a request with this Idempotency-Key led to.
-- name: request_answer
-- args: shard, tenant, key
SELECT answer
FROM request_keys
WHERE shard = $1 AND tenant = $2 AND key = $3;

-- name: bulk
-- args: shard, tenant, bulk
SELECT
    shard, tenant, bulk, action, state, priority, run, selection, actor, reason, ticket, matched,
    stored, done, changed, already, refused, after_job, started_at, ended_at, due_at
FROM bulk_actions
WHERE shard = $1 AND tenant = $2 AND bulk = $3;

-- The newest first.
-- name: bulks_page
-- args: shard, tenant, before_bulk, limit
SELECT
    shard, tenant, bulk, action, state, priority, run, selection, actor, reason, ticket, matched,
    stored, done, changed, already, refused, after_job, started_at, ended_at, due_at
FROM bulk_actions
WHERE shard = $1 AND tenant = $2 AND bulk < $3
ORDER BY bulk DESC
LIMIT $4;

-- name: bulk_parts_page
-- args: shard, tenant, bulk, after_first, limit
SELECT
    shard, tenant, bulk, first, jobs, results
FROM bulk_parts
WHERE shard = $1 AND tenant = $2 AND bulk = $3 AND first > $4
ORDER BY first
LIMIT $5;

-- Whole tables, by primary key, for fold, scrubber and tests.
-- name: dump_shards
SELECT shard, tick, last_at, next_due_at, available_since, lapse_allowance, lapse_refill_at,
       head_seq
FROM shards
ORDER BY shard;

-- name: dump_tenants
SELECT shard, tenant, name, created_at, weight, max_inflight, max_live, version, config_version,
       head_seq, next_job, next_run, next_lane, charged, lift, waiting, inflight, live,
       key_generation, key_oldest, key_turned_at, erased_to, next_bulk, quota_group
FROM tenants
ORDER BY shard, tenant;

-- name: dump_tenant_names
SELECT shard, tenant, name, named, home_shard, created_at
FROM tenant_names
ORDER BY shard, tenant, name;

-- name: dump_job_types
SELECT shard, tenant, name, version, body
FROM job_types
ORDER BY shard, tenant, name;

-- name: dump_sources
SELECT shard, tenant, name, version, body
FROM sources
ORDER BY shard, tenant, name;

-- name: dump_config_versions
SELECT shard, tenant, kind, name, version, body, at, actor, reason
FROM config_versions
ORDER BY shard, tenant, kind, name, version;

-- name: dump_breakers
SELECT shard, tenant, service, version, body, revision, mode, mode_until, reason, ticket, set_by,
       state, changed_at, until, opens, in_a_row, probes_well, probes_ill, evidence, workers, probes
FROM breakers
ORDER BY shard, tenant, service;

-- name: dump_workers
SELECT shard, tenant, name, state, reason, changed_at, version, slots, job_types, registered_at,
       seen_at, offset_ms
FROM workers
ORDER BY shard, tenant, name;

-- name: dump_installation
SELECT shard, tenant, version, grant_floor, restored_at, restored_from, paused_since, pause_reason,
       pause_ticket, paused_by
FROM installation
ORDER BY shard, tenant;

-- name: dump_tokens
SELECT shard, tenant, token, name, hash, for_tenant, scopes, job_types, created_at, revoked_at
FROM tokens
ORDER BY shard, tenant, token;

-- name: dump_quota_groups
SELECT shard, tenant, quota_group, name, version, policy, capacity, weight, members, nominal,
       floors, in_use, unlent, charged, lift
FROM quota_groups
ORDER BY shard, tenant, quota_group;

-- name: dump_quota_members
SELECT shard, tenant, member, quota_group, version, nominal, borrow_limit, lend_limit, hard_max,
       floor, class, burst_s, refill_s, burst_left, burst_at, in_use, charged
FROM quota_members
ORDER BY shard, tenant, member;

-- name: dump_lanes
SELECT shard, tenant, lane, job_type, source, waiting, inflight, rank, open_at, hold, estimate_ms,
       calls, calls_since
FROM lanes
ORDER BY shard, tenant, lane;

-- name: dump_throttles
SELECT shard, tenant, host, level_micro, rate_milli, burst, refilled_at, blocked_until, penalty_ms,
       base_milli, hint_milli, hint_until, grown_at, used, throttled_at, incidents, origin, version,
       set_until, set_rate_milli, set_burst, set_block_until, set_at, set_by, set_reason
FROM throttles
ORDER BY shard, tenant, host;

-- name: dump_runs
SELECT shard, tenant, run, name, digest, submitted_at, ended_at, state, total, present, blocked,
       leased, succeeded, dead, canceled
FROM runs
ORDER BY shard, tenant, run;

-- name: dump_jobs
SELECT shard, tenant, job, run, lane, priority, rank, submitted_at, submit_seq, replay_of, name,
       key, digest, traceparent, payload
FROM jobs
ORDER BY shard, tenant, job;

-- name: dump_job_keys
SELECT shard, tenant, generation, hash, job
FROM job_keys
ORDER BY shard, tenant, generation, hash, job;

-- name: dump_run_keys
SELECT shard, tenant, key, run
FROM run_keys
ORDER BY shard, tenant, key;

-- name: dump_dag_edges
SELECT shard, tenant, run, pred, succ, kind
FROM dag_edges
ORDER BY shard, tenant, pred, succ;

-- name: dump_blocked
SELECT shard, tenant, job, lane, rank, run, flags, priority, "grant", spent, job_seq, throttled_ms,
       remaining, delay_us
FROM blocked
ORDER BY shard, tenant, job;

-- name: dump_ready
SELECT shard, tenant, job, lane, rank, run, flags, priority, "grant", spent, job_seq, throttled_ms,
       eligible_at
FROM ready
ORDER BY shard, tenant, job, lane, rank;

-- name: dump_delayed
SELECT shard, tenant, job, lane, rank, run, flags, priority, "grant", spent, job_seq, throttled_ms,
       due_at, reason
FROM delayed
ORDER BY shard, tenant, job;

-- name: dump_start_deadlines
SELECT shard, tenant, due_at, job
FROM start_deadlines
ORDER BY shard, tenant, due_at, job;

-- name: dump_leased
SELECT shard, tenant, job, lane, rank, run, flags, priority, "grant", spent, job_seq, throttled_ms,
       running, worker, claim, claimed_at, claimed_seq, ttl_ms, charged_ms, requests, run_until,
       cancel_at, until, due_at, progress_at, no_progress_ms, progress
FROM leased
ORDER BY shard, tenant, job;

-- name: dump_outcomes
SELECT shard, tenant, job, lane, rank, run, flags, priority, "grant", spent, job_seq, throttled_ms,
       state, class, cause, worker, claimed_at, claimed_seq, ended_at, ended_seq, digest, result
FROM outcomes
ORDER BY shard, tenant, job;

-- name: dump_attempts
SELECT shard, tenant, job, "grant", ending, class, worker, claimed_at, claimed_seq, ended_at,
       ended_seq, digest, message
FROM attempts
ORDER BY shard, tenant, job, "grant";

-- name: dump_settling
SELECT shard, tenant, pred, mode, after_succ, until_succ
FROM settling
ORDER BY shard, tenant, pred;

-- name: dump_bulk_actions
SELECT
    shard, tenant, bulk, action, state, priority, run, selection, actor, reason, ticket, matched,
    stored, done, changed, already, refused, after_job, started_at, ended_at, due_at
FROM bulk_actions
ORDER BY shard, tenant, bulk;

-- name: dump_bulk_parts
SELECT
    shard, tenant, bulk, first, jobs, results
FROM bulk_parts
ORDER BY shard, tenant, bulk, first;

-- name: dump_artifacts
SELECT shard, tenant, job, role, name, "grant", run, sha256, size, media_type
FROM artifacts
ORDER BY shard, tenant, job, role, name;

-- name: dump_request_keys
SELECT shard, tenant, key, digest, at, status, location, answer
FROM request_keys
ORDER BY shard, tenant, key;

-- name: dump_log_heads
SELECT shard, tenant, job, "grant", lines, bytes, cut, stored
FROM log_heads
ORDER BY shard, tenant, job;

-- name: dump_job_logs
SELECT shard, tenant, job, "grant", first, skip, count, at, raw_len, lines
FROM job_logs
ORDER BY shard, tenant, job, "grant", first;

-- name: dump_history
SELECT shard, tenant, seq, count, at, raw_len, lines
FROM history
ORDER BY shard, tenant, seq;
