-- Facts of a tick. Arguments are arrays of members of struct want (core/facts.h), by name; a
-- result row is the number of the want (from 1), the ctid, and the columns in the order of
-- core/tables.c.
--
-- Plans are kept, and one made while a table was empty must be good when it is full:
-- Every keyed fact is a CROSS JOIN LATERAL with a LIMIT (or OFFSET 0), so that it cannot be turned
-- into a plain join. Where a table has several indexes the last column of the right one is asked
-- for as a range and ordered by: of an empty table all indexes cost the same, but only the right
-- one gives that order. No condition casts a number to a narrower one: that can fail, so it is not
-- leakproof, and row security would keep it out of the index.

-- The shard rows, locked in ascending order. The clock and all facts are read by later statements:
-- this one's snapshot is older than the wait for the locks.
-- name: load_shard
-- args: shard
SELECT
    array_position($1::int2[], x.shard) AS nr, x.ctid, x.shard, x.tick, x.last_at, x.next_due_at,
    x.available_since, x.lapse_allowance, x.lapse_refill_at, x.head_seq
FROM shards AS x
WHERE x.shard = ANY ($1::int2[])
ORDER BY x.shard
FOR NO KEY UPDATE;

-- name: load_tenant
-- args: shard, tenant
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.name, x.created_at, x.weight, x.max_inflight, x.max_live,
        x.version, x.config_version, x.head_seq, x.next_job, x.next_run, x.next_lane,
        x.charged, x.lift, x.waiting, x.inflight, x.live, x.key_generation,
        x.key_oldest, x.key_turned_at, x.erased_to, x.next_bulk, x.quota_group
    FROM tenants AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant
    LIMIT 1) AS r;

-- name: load_config_job_types
-- args: shard, tenant
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.name, x.version, x.body
    FROM job_types AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant
    ORDER BY x.name OFFSET 0) AS r;

-- name: load_config_sources
-- args: shard, tenant
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.name, x.version, x.body
    FROM sources AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant
    ORDER BY x.name OFFSET 0) AS r;

-- name: load_config_workers
-- args: shard, tenant
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.name, x.state, x.reason, x.changed_at, x.version, x.slots,
        x.job_types, x.registered_at, x.seen_at, x.offset_ms
    FROM workers AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.state <> 0
    ORDER BY x.name OFFSET 0) AS r;

-- name: load_config_version
-- args: shard, tenant, a, b, text
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
      unnest($3::int8[]) AS a, unnest($4::int8[]) AS b, unnest($5::text[]) AS label,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.kind, x.name, x.version, x.body, x.at, x.actor, x.reason
    FROM config_versions AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant
      AND x.kind = k.a AND x.name = k.label AND x.version = k.b
    LIMIT 1) AS r;

-- name: load_worker
-- args: shard, tenant, text
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS label,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.name, x.state, x.reason, x.changed_at, x.version, x.slots,
        x.job_types, x.registered_at, x.seen_at, x.offset_ms
    FROM workers AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.name = k.label
    LIMIT 1) AS r;

-- name: load_workers
-- args: shard, tenant, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.name, x.state, x.reason, x.changed_at, x.version, x.slots,
        x.job_types, x.registered_at, x.seen_at, x.offset_ms
    FROM workers AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant
    ORDER BY x.name LIMIT k.most) AS r;

-- name: load_installation
-- args: shard, tenant
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.version, x.grant_floor, x.restored_at, x.restored_from,
        x.paused_since, x.pause_reason, x.pause_ticket, x.paused_by
    FROM installation AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant
    LIMIT 1) AS r;

-- name: load_tenant_name
-- args: shard, tenant, text
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS label,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.name, x.named, x.home_shard, x.created_at
    FROM tenant_names AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.name = k.label
    LIMIT 1) AS r;

-- name: load_token
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.token, x.name, x.hash, x.for_tenant, x.scopes,
        x.job_types, x.created_at, x.revoked_at
    FROM tokens AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.token = k.a
    LIMIT 1) AS r;

-- name: load_leased
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.lane, x.rank, x.run, x.flags, x.priority,
        x."grant", x.spent, x.job_seq, x.throttled_ms, x.running, x.worker, x.claim,
        x.claimed_at, x.claimed_seq, x.ttl_ms, x.charged_ms, x.requests, x.run_until,
        x.cancel_at, x.until, x.due_at, x.progress_at, x.no_progress_ms, x.progress
    FROM leased AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.a
    LIMIT 1) AS r;

-- name: load_outcome
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.lane, x.rank, x.run, x.flags, x.priority,
        x."grant", x.spent, x.job_seq, x.throttled_ms, x.state, x.class, x.cause, x.worker,
        x.claimed_at, x.claimed_seq, x.ended_at, x.ended_seq, x.digest, x.result
    FROM outcomes AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.a
    LIMIT 1) AS r;

-- name: load_job
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.run, x.lane, x.priority, x.rank, x.submitted_at,
        x.submit_seq, x.replay_of, x.name, x.key, x.digest, x.traceparent, x.payload
    FROM jobs AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.a
    LIMIT 1) AS r;

-- name: load_waiting_blocked
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.lane, x.rank, x.run, x.flags, x.priority,
        x."grant", x.spent, x.job_seq, x.throttled_ms, x.remaining, x.delay_us
    FROM blocked AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.a
    LIMIT 1) AS r;

-- A ready row is found by lane and rank; the jobs row knows both.
-- name: load_waiting_ready
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.lane, x.rank
    FROM jobs AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.a
    LIMIT 1) AS j
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.lane, x.rank, x.run, x.flags, x.priority,
        x."grant", x.spent, x.job_seq, x.throttled_ms, x.eligible_at
    FROM ready AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.lane = j.lane AND x.rank = j.rank
      AND x.job = k.a
    LIMIT 1) AS r;

-- name: load_waiting_delayed
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.lane, x.rank, x.run, x.flags, x.priority,
        x."grant", x.spent, x.job_seq, x.throttled_ms, x.due_at, x.reason
    FROM delayed AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job BETWEEN k.a AND k.a
    ORDER BY x.job LIMIT 1) AS r;

-- name: load_job_key
-- args: shard, tenant, a, b
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      unnest($4::int8[]) AS b, generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.generation, x.hash, x.job
    FROM job_keys AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.generation = k.b AND x.hash = k.a
    ORDER BY x.job OFFSET 0) AS r;

-- name: load_run
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.run, x.name, x.digest, x.submitted_at, x.ended_at,
        x.state, x.total, x.present, x.blocked, x.leased, x.succeeded, x.dead, x.canceled
    FROM runs AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.run BETWEEN k.a AND k.a
    ORDER BY x.run LIMIT 1) AS r;

-- name: load_run_key
-- args: shard, tenant, text
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS label,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.key, x.run
    FROM run_keys AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.key = k.label
    LIMIT 1) AS r;

-- name: load_run_jobs
-- args: shard, tenant, a, b, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      unnest($4::int8[]) AS b, unnest($5::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.run, x.lane, x.priority, x.rank, x.submitted_at,
        x.submit_seq, x.replay_of, x.name, x.key, x.digest, x.traceparent, x.payload
    FROM jobs AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.run > 0
      AND (x.run, x.job) > (k.a, k.b) AND x.run <= k.a
    ORDER BY x.run, x.job LIMIT k.most) AS r;

-- name: load_edges_from
-- args: shard, tenant, a, b, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      unnest($4::int8[]) AS b, unnest($5::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.run, x.pred, x.succ, x.kind
    FROM dag_edges AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND (x.pred, x.succ) > (k.a, k.b)
      AND x.pred <= k.a
    ORDER BY x.pred, x.succ LIMIT k.most) AS r;

-- name: load_edges_to
-- args: shard, tenant, a, b, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      unnest($4::int8[]) AS b, unnest($5::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.run, x.pred, x.succ, x.kind
    FROM dag_edges AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND (x.succ, x.pred) > (k.a, k.b)
      AND x.succ <= k.a
    ORDER BY x.succ, x.pred LIMIT k.most) AS r;

-- name: load_lane
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.lane, x.job_type, x.source, x.waiting, x.inflight, x.rank,
        x.open_at, x.hold, x.estimate_ms, x.calls, x.calls_since
    FROM lanes AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.lane BETWEEN k.a AND k.a
    ORDER BY x.lane LIMIT 1) AS r;

-- name: load_lane_name
-- args: shard, tenant, text, text2
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS label,
      unnest($4::text[]) AS label2, generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.lane, x.job_type, x.source, x.waiting, x.inflight, x.rank,
        x.open_at, x.hold, x.estimate_ms, x.calls, x.calls_since
    FROM lanes AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job_type = k.label
      AND x.source BETWEEN k.label2 AND k.label2
    ORDER BY x.source, x.lane OFFSET 0) AS r;

-- The 64 open lanes of least (rank, lane).
-- name: load_open_lanes
-- args: shard, tenant, text, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($4::int8[]) AS a,
      string_to_array(unnest($3::text[]), E'\n') AS types,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT *
    FROM (
        SELECT
            x.ctid, x.shard, x.tenant, x.lane, x.job_type, x.source, x.waiting, x.inflight,
            x.rank, x.open_at, x.hold, x.estimate_ms, x.calls, x.calls_since
        FROM lanes AS x
        WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.open_at <= k.a
          AND x.waiting > 0 AND x.job_type = ANY (k.types)
        ORDER BY x.open_at OFFSET 0) AS x
    ORDER BY x.rank, x.lane LIMIT 64) AS r;

-- The same lanes again, and of each the first `limit` of ready: one round trip for both. The
-- nested loops give the heads of a lane in the order of the inner query. The lane's rank, a lower
-- bound of those in ready, leads past what was claimed before and is not vacuumed yet.
-- name: load_open_heads
-- args: shard, tenant, text, a, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($4::int8[]) AS a,
      string_to_array(unnest($3::text[]), E'\n') AS types, unnest($5::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.lane, x.rank
    FROM (
        SELECT x.lane, x.rank
        FROM lanes AS x
        WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.open_at <= k.a
          AND x.waiting > 0 AND x.job_type = ANY (k.types)
        ORDER BY x.open_at OFFSET 0) AS x
    ORDER BY x.rank, x.lane LIMIT 64) AS l
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.lane, x.rank, x.run, x.flags, x.priority,
        x."grant", x.spent, x.job_seq, x.throttled_ms, x.eligible_at
    FROM ready AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.lane = l.lane
      AND x.rank >= l.rank
    ORDER BY x.rank, x.job LIMIT k.most) AS r;

-- name: load_lane_heads
-- args: shard, tenant, a, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      unnest($4::int4[]) AS most, generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.lane, x.rank, x.run, x.flags, x.priority,
        x."grant", x.spent, x.job_seq, x.throttled_ms, x.eligible_at
    FROM ready AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.lane = k.a
    ORDER BY x.rank, x.job LIMIT k.most) AS r;

-- name: load_source_lanes
-- args: shard, tenant, text
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS label,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.lane, x.job_type, x.source, x.waiting, x.inflight, x.rank,
        x.open_at, x.hold, x.estimate_ms, x.calls, x.calls_since
    FROM lanes AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.source = k.label
    ORDER BY x.lane OFFSET 0) AS r;

-- name: load_busy_lanes
-- args: shard, tenant, text
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS label,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT *
    FROM (
        SELECT
            x.ctid, x.shard, x.tenant, x.lane, x.job_type, x.source, x.waiting, x.inflight, x.rank,
            x.open_at, x.hold, x.estimate_ms, x.calls, x.calls_since
        FROM lanes AS x
        WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job_type = k.label AND x.inflight > 0
        ORDER BY x.source, x.lane OFFSET 0) AS x
    ORDER BY x.lane OFFSET 0) AS r;

-- name: load_quota_group
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.quota_group, x.name, x.version, x.policy, x.capacity,
        x.weight, x.members, x.nominal, x.floors, x.in_use, x.unlent, x.charged, x.lift
    FROM quota_groups AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.quota_group = k.a
    LIMIT 1) AS r;

-- name: load_quota_groups
-- args: shard, tenant, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.quota_group, x.name, x.version, x.policy, x.capacity,
        x.weight, x.members, x.nominal, x.floors, x.in_use, x.unlent, x.charged, x.lift
    FROM quota_groups AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant
    ORDER BY x.quota_group LIMIT k.most) AS r;

-- name: load_quota_member
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.member, x.quota_group, x.version, x.nominal, x.borrow_limit,
        x.lend_limit, x.hard_max, x.floor, x.class, x.burst_s, x.refill_s, x.burst_left,
        x.burst_at, x.in_use, x.charged
    FROM quota_members AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.member = k.a
    LIMIT 1) AS r;

-- name: load_quota_members
-- args: shard, tenant, a, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      unnest($4::int4[]) AS most, generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.member, x.quota_group, x.version, x.nominal, x.borrow_limit,
        x.lend_limit, x.hard_max, x.floor, x.class, x.burst_s, x.refill_s, x.burst_left,
        x.burst_at, x.in_use, x.charged
    FROM quota_members AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.quota_group = k.a
    ORDER BY x.member LIMIT k.most) AS r;

-- name: load_throttle
-- args: shard, tenant, text
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS label,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.host, x.level_micro, x.rate_milli, x.burst, x.refilled_at,
        x.blocked_until, x.penalty_ms, x.base_milli, x.hint_milli, x.hint_until, x.grown_at, x.used,
        x.throttled_at, x.incidents, x.origin, x.version, x.set_until, x.set_rate_milli,
        x.set_burst, x.set_block_until, x.set_at, x.set_by, x.set_reason
    FROM throttles AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.host = k.label
    LIMIT 1) AS r;

-- name: load_breaker
-- args: shard, tenant, text
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS label,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.service, x.version, x.body, x.revision, x.mode, x.mode_until,
        x.reason, x.ticket, x.set_by, x.state, x.changed_at, x.until, x.opens, x.in_a_row,
        x.probes_well, x.probes_ill, x.evidence, x.workers, x.probes
    FROM breakers AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.service = k.label
    LIMIT 1) AS r;

-- name: load_settling
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.pred, x.mode, x.after_succ, x.until_succ
    FROM settling AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.pred = k.a
    LIMIT 1) AS r;

-- name: load_bulk
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.bulk, x.action, x.state, x.priority, x.run, x.selection,
        x.actor, x.reason, x.ticket, x.matched, x.stored, x.done, x.changed, x.already, x.refused,
        x.after_job, x.started_at, x.ended_at, x.due_at
    FROM bulk_actions AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.bulk = k.a
    LIMIT 1) AS r;

-- name: load_bulk_parts
-- args: shard, tenant, a, b, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      unnest($4::int8[]) AS b, unnest($5::int4[]) AS most, generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.bulk, x.first, x.jobs, x.results
    FROM bulk_parts AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.bulk = k.a AND x.first > k.b
    ORDER BY x.first LIMIT k.most) AS r;

-- name: load_bulks_active
-- args: shard, tenant, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.bulk, x.action, x.state, x.priority, x.run, x.selection,
        x.actor, x.reason, x.ticket, x.matched, x.stored, x.done, x.changed, x.already, x.refused,
        x.after_job, x.started_at, x.ended_at, x.due_at
    FROM bulk_actions AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.due_at > 0
    ORDER BY x.bulk LIMIT k.most) AS r;

-- name: load_old_bulks
-- args: shard, tenant, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.bulk, x.action, x.state, x.priority, x.run, x.selection,
        x.actor, x.reason, x.ticket, x.matched, x.stored, x.done, x.changed, x.already, x.refused,
        x.after_job, x.started_at, x.ended_at, x.due_at
    FROM bulk_actions AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant
    ORDER BY x.bulk LIMIT k.most) AS r;

-- name: load_request_key
-- args: shard, tenant, text
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS label,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.key, x.digest, x.at, x.status, x.location, x.answer
    FROM request_keys AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.key = k.label
    LIMIT 1) AS r;

-- name: load_attempts
-- args: shard, tenant, a, b, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      unnest($4::int8[]) AS b, unnest($5::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x."grant", x.ending, x.class, x.worker, x.claimed_at,
        x.claimed_seq, x.ended_at, x.ended_seq, x.digest, x.message
    FROM attempts AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.a AND x."grant" > k.b
    ORDER BY x."grant" LIMIT k.most) AS r;

-- name: load_log_head
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x."grant", x.lines, x.bytes, x.cut, x.stored
    FROM log_heads AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.a
    LIMIT 1) AS r;

-- name: load_job_logs
-- args: shard, tenant, a, b, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      unnest($4::int8[]) AS b, unnest($5::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x."grant", x.first, x.skip, x.count, x.at, x.raw_len,
        x.lines
    FROM job_logs AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.a AND x."grant" > k.b
    ORDER BY x."grant", x.first LIMIT k.most) AS r;

-- name: load_artifacts
-- args: shard, tenant, a
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.role, x.name, x."grant", x.run, x.sha256, x.size,
        x.media_type
    FROM artifacts AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.a
    ORDER BY x.role, x.name OFFSET 0) AS r;

-- name: load_old_job_keys
-- args: shard, tenant, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.generation, x.hash, x.job
    FROM job_keys AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant
    ORDER BY x.generation, x.hash, x.job LIMIT k.most) AS r;

-- name: load_old_request_keys
-- args: shard, tenant, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.key, x.digest, x.at, x.status, x.location, x.answer
    FROM request_keys AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND (x.at, x.key) >= (0, '')
    ORDER BY x.at, x.key LIMIT k.most) AS r;

-- name: load_jobs_after
-- args: shard, tenant, b, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS b,
      unnest($4::int4[]) AS most, generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.run, x.lane, x.priority, x.rank, x.submitted_at,
        x.submit_seq, x.replay_of, x.name, x.key, x.digest, x.traceparent, x.payload
    FROM jobs AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job > k.b
    ORDER BY x.job LIMIT k.most) AS r;

-- name: load_late_outcomes
-- args: shard, tenant, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.lane, x.rank, x.run, x.flags, x.priority,
        x."grant", x.spent, x.job_seq, x.throttled_ms, x.state, x.class, x.cause, x.worker,
        x.claimed_at, x.claimed_seq, x.ended_at, x.ended_seq, x.digest, x.result
    FROM outcomes AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.flags & 32 > 0
      AND (x.ended_at, x.job) >= (0, 0)
    ORDER BY x.ended_at, x.job LIMIT k.most) AS r;

-- name: load_texts
-- args: shard, tenant, a, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS a,
      unnest($4::int4[]) AS most, generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x."grant", x.ending, x.class, x.worker, x.claimed_at,
        x.claimed_seq, x.ended_at, x.ended_seq, x.digest, x.message
    FROM attempts AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.a AND x."grant" > 0
      AND length(x.message) > 0
    ORDER BY x."grant" LIMIT k.most) AS r;

-- name: load_due_leased
-- args: shard, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.lane, x.rank, x.run, x.flags, x.priority,
        x."grant", x.spent, x.job_seq, x.throttled_ms, x.running, x.worker, x.claim,
        x.claimed_at, x.claimed_seq, x.ttl_ms, x.charged_ms, x.requests, x.run_until,
        x.cancel_at, x.until, x.due_at, x.progress_at, x.no_progress_ms, x.progress
    FROM leased AS x
    WHERE x.shard = k.shard
    ORDER BY x.due_at, x.tenant, x.job LIMIT k.most) AS r;

-- name: load_due_delayed
-- args: shard, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.job, x.lane, x.rank, x.run, x.flags, x.priority,
        x."grant", x.spent, x.job_seq, x.throttled_ms, x.due_at, x.reason
    FROM delayed AS x
    WHERE x.shard = k.shard
    ORDER BY x.due_at, x.tenant, x.job LIMIT k.most) AS r;

-- name: load_due_deadlines
-- args: shard, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.due_at, x.job
    FROM start_deadlines AS x
    WHERE x.shard = k.shard
    ORDER BY x.due_at, x.tenant, x.job LIMIT k.most) AS r;

-- name: load_due_throttles
-- args: shard, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.host, x.level_micro, x.rate_milli, x.burst, x.refilled_at,
        x.blocked_until, x.penalty_ms, x.base_milli, x.hint_milli, x.hint_until, x.grown_at, x.used,
        x.throttled_at, x.incidents, x.origin, x.version, x.set_until, x.set_rate_milli,
        x.set_burst, x.set_block_until, x.set_at, x.set_by, x.set_reason
    FROM throttles AS x
    WHERE x.shard = k.shard AND x.set_until > 0
    ORDER BY x.set_until, x.tenant, x.host LIMIT k.most) AS r;

-- name: load_due_bulks
-- args: shard, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.bulk, x.action, x.state, x.priority, x.run, x.selection,
        x.actor, x.reason, x.ticket, x.matched, x.stored, x.done, x.changed, x.already, x.refused,
        x.after_job, x.started_at, x.ended_at, x.due_at
    FROM bulk_actions AS x
    WHERE x.shard = k.shard AND x.due_at > 0
    ORDER BY x.due_at, x.tenant, x.bulk LIMIT k.most) AS r;

-- name: load_all_settling
-- args: shard, limit
SELECT k.nr, r.*
FROM (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS most,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT
        x.ctid, x.shard, x.tenant, x.pred, x.mode, x.after_succ, x.until_succ
    FROM settling AS x
    WHERE x.shard = k.shard
    ORDER BY x.tenant, x.pred LIMIT k.most) AS r;
