-- Writing a plan, each statement for all rows of a table at once. Arguments are arrays: of an
-- insert the columns in the order of core/tables.c; of an update the place (shard, tenant, ctid),
-- then the columns that may change; of a delete the place. A shard's place is its
-- number.
--
-- Places (ctids) are those of the rows as loaded in this transaction, after the shard was locked:
-- nobody else can have moved them. shard and tenant are named beside the place, with casts: no
-- index fits them then, so that the place is the way in even when the plan was made while the table
-- was empty. unnest stands in the select list, where it streams; in FROM it would first fill one
-- tuplestore per array.

-- name: update_shards
UPDATE shards AS x SET
    tick = k.tick, last_at = k.last_at, next_due_at = k.next_due_at,
    available_since = k.available_since, lapse_allowance = k.lapse_allowance,
    lapse_refill_at = k.lapse_refill_at, head_seq = k.head_seq
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int8[]) AS tick, unnest($3::int8[]) AS last_at,
    unnest($4::int8[]) AS next_due_at, unnest($5::int8[]) AS available_since,
    unnest($6::int8[]) AS lapse_allowance, unnest($7::int8[]) AS lapse_refill_at,
    unnest($8::int8[]) AS head_seq) AS k
WHERE x.shard = k.shard;

-- name: insert_tenants
INSERT INTO tenants (
    shard, tenant, name, created_at, weight, max_inflight, max_live, version, config_version,
    head_seq, next_job, next_run, next_lane, charged, lift, waiting, inflight, live,
    key_generation, key_oldest, key_turned_at, erased_to, next_bulk,
    quota_group)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::text[]), unnest($4::int8[]),
    unnest($5::int4[]), unnest($6::int4[]), unnest($7::int4[]), unnest($8::int4[]),
    unnest($9::int4[]), unnest($10::int8[]), unnest($11::int8[]), unnest($12::int8[]),
    unnest($13::int4[]), unnest($14::int8[]), unnest($15::int8[]), unnest($16::int8[]),
    unnest($17::int8[]), unnest($18::int8[]), unnest($19::int4[]), unnest($20::int4[]),
    unnest($21::int8[]), unnest($22::int8[]), unnest($23::int8[]), unnest($24::int4[]);

-- name: update_tenants
UPDATE tenants AS x SET
    name = k.name, created_at = k.created_at, weight = k.weight, max_inflight = k.max_inflight,
    max_live = k.max_live, version = k.version, config_version = k.config_version,
    head_seq = k.head_seq, next_job = k.next_job, next_run = k.next_run,
    next_lane = k.next_lane, charged = k.charged, lift = k.lift, waiting = k.waiting,
    inflight = k.inflight, live = k.live, key_generation = k.key_generation,
    key_oldest = k.key_oldest, key_turned_at = k.key_turned_at, erased_to = k.erased_to,
    next_bulk = k.next_bulk,
    quota_group = k.quota_group
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::text[]) AS name, unnest($5::int8[]) AS created_at, unnest($6::int4[]) AS weight,
    unnest($7::int4[]) AS max_inflight, unnest($8::int4[]) AS max_live,
    unnest($9::int4[]) AS version, unnest($10::int4[]) AS config_version,
    unnest($11::int8[]) AS head_seq, unnest($12::int8[]) AS next_job,
    unnest($13::int8[]) AS next_run, unnest($14::int4[]) AS next_lane,
    unnest($15::int8[]) AS charged, unnest($16::int8[]) AS lift,
    unnest($17::int8[]) AS waiting, unnest($18::int8[]) AS inflight,
    unnest($19::int8[]) AS live, unnest($20::int4[]) AS key_generation,
    unnest($21::int4[]) AS key_oldest, unnest($22::int8[]) AS key_turned_at,
    unnest($23::int8[]) AS erased_to, unnest($24::int8[]) AS next_bulk,
    unnest($25::int4[]) AS quota_group) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_tenants
DELETE FROM tenants AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_tenant_names
INSERT INTO tenant_names (
    shard, tenant, name, named, home_shard, created_at)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::text[]), unnest($4::int4[]),
    unnest($5::int2[]), unnest($6::int8[]);

-- name: update_tenant_names
UPDATE tenant_names AS x SET
    named = k.named, home_shard = k.home_shard, created_at = k.created_at
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int4[]) AS named, unnest($5::int2[]) AS home_shard,
    unnest($6::int8[]) AS created_at) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_tenant_names
DELETE FROM tenant_names AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_job_types
INSERT INTO job_types (
    shard, tenant, name, version, body)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::text[]), unnest($4::int4[]),
    unnest($5::text[]);

-- name: update_job_types
UPDATE job_types AS x SET
    version = k.version, body = k.body
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int4[]) AS version, unnest($5::text[]) AS body) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_job_types
DELETE FROM job_types AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_sources
INSERT INTO sources (
    shard, tenant, name, version, body)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::text[]), unnest($4::int4[]),
    unnest($5::text[]);

-- name: update_sources
UPDATE sources AS x SET
    version = k.version, body = k.body
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int4[]) AS version, unnest($5::text[]) AS body) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_sources
DELETE FROM sources AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_config_versions
INSERT INTO config_versions (
    shard, tenant, kind, name, version, body, at, actor, reason)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int2[]), unnest($4::text[]),
    unnest($5::int4[]), unnest($6::text[]), unnest($7::int8[]), unnest($8::text[]),
    unnest($9::text[]);

-- name: update_config_versions
UPDATE config_versions AS x SET
    body = k.body, at = k.at, actor = k.actor, reason = k.reason
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::text[]) AS body, unnest($5::int8[]) AS at, unnest($6::text[]) AS actor,
    unnest($7::text[]) AS reason) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_config_versions
DELETE FROM config_versions AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_workers
INSERT INTO workers (
    shard, tenant, name, state, reason, changed_at, version, slots, job_types, registered_at,
    seen_at, offset_ms)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::text[]), unnest($4::int2[]),
    unnest($5::text[]), unnest($6::int8[]), unnest($7::text[]), unnest($8::int4[]),
    unnest($9::text[]), unnest($10::int8[]), unnest($11::int8[]), unnest($12::int8[]);

-- name: update_workers
UPDATE workers AS x SET
    state = k.state, reason = k.reason, changed_at = k.changed_at, version = k.version, slots =
    k.slots, job_types = k.job_types, registered_at = k.registered_at, seen_at = k.seen_at,
    offset_ms = k.offset_ms
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int2[]) AS state, unnest($5::text[]) AS reason, unnest($6::int8[]) AS changed_at,
    unnest($7::text[]) AS version, unnest($8::int4[]) AS slots, unnest($9::text[]) AS job_types,
    unnest($10::int8[]) AS registered_at, unnest($11::int8[]) AS seen_at, unnest($12::int8[]) AS
    offset_ms) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_workers
DELETE FROM workers AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_installation
INSERT INTO installation (
    shard, tenant, version, grant_floor, restored_at, restored_from, paused_since, pause_reason,
    pause_ticket, paused_by)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int4[]), unnest($4::int8[]),
    unnest($5::int8[]), unnest($6::text[]), unnest($7::int8[]), unnest($8::text[]),
    unnest($9::text[]), unnest($10::text[]);

-- name: update_installation
UPDATE installation AS x SET
    version = k.version, grant_floor = k.grant_floor, restored_at = k.restored_at,
    restored_from = k.restored_from, paused_since = k.paused_since,
    pause_reason = k.pause_reason, pause_ticket = k.pause_ticket, paused_by = k.paused_by
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int4[]) AS version, unnest($5::int8[]) AS grant_floor,
    unnest($6::int8[]) AS restored_at, unnest($7::text[]) AS restored_from,
    unnest($8::int8[]) AS paused_since, unnest($9::text[]) AS pause_reason,
    unnest($10::text[]) AS pause_ticket, unnest($11::text[]) AS paused_by) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_installation
DELETE FROM installation AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_tokens
INSERT INTO tokens (
    shard, tenant, token, name, hash, for_tenant, scopes, job_types, created_at, revoked_at)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::text[]),
    unnest($5::bytea[]), unnest($6::int4[]), unnest($7::int4[]), unnest($8::text[]),
    unnest($9::int8[]), unnest($10::int8[]);

-- name: update_tokens
UPDATE tokens AS x SET
    name = k.name, hash = k.hash, for_tenant = k.for_tenant, scopes = k.scopes,
    job_types = k.job_types, created_at = k.created_at, revoked_at = k.revoked_at
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::text[]) AS name, unnest($5::bytea[]) AS hash, unnest($6::int4[]) AS for_tenant,
    unnest($7::int4[]) AS scopes, unnest($8::text[]) AS job_types,
    unnest($9::int8[]) AS created_at, unnest($10::int8[]) AS revoked_at) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_tokens
DELETE FROM tokens AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_breakers
INSERT INTO breakers (
    shard, tenant, service, version, body, revision, mode, mode_until, reason, ticket, set_by,
    state, changed_at, until, opens, in_a_row, probes_well, probes_ill, evidence, workers, probes)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::text[]), unnest($4::int4[]),
    unnest($5::text[]), unnest($6::int8[]), unnest($7::int2[]), unnest($8::int8[]),
    unnest($9::text[]), unnest($10::text[]), unnest($11::text[]), unnest($12::int2[]),
    unnest($13::int8[]), unnest($14::int8[]), unnest($15::int4[]), unnest($16::int4[]),
    unnest($17::int4[]), unnest($18::int4[]), unnest($19::text[]), unnest($20::text[]),
    unnest($21::text[]);

-- name: update_breakers
UPDATE breakers AS x SET
    version = k.version, body = k.body, revision = k.revision, mode = k.mode,
    mode_until = k.mode_until, reason = k.reason, ticket = k.ticket, set_by = k.set_by,
    state = k.state, changed_at = k.changed_at, until = k.until, opens = k.opens,
    in_a_row = k.in_a_row, probes_well = k.probes_well, probes_ill = k.probes_ill,
    evidence = k.evidence, workers = k.workers, probes = k.probes
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int4[]) AS version, unnest($5::text[]) AS body, unnest($6::int8[]) AS revision,
    unnest($7::int2[]) AS mode, unnest($8::int8[]) AS mode_until, unnest($9::text[]) AS reason,
    unnest($10::text[]) AS ticket, unnest($11::text[]) AS set_by, unnest($12::int2[]) AS state,
    unnest($13::int8[]) AS changed_at, unnest($14::int8[]) AS until, unnest($15::int4[]) AS opens,
    unnest($16::int4[]) AS in_a_row, unnest($17::int4[]) AS probes_well,
    unnest($18::int4[]) AS probes_ill, unnest($19::text[]) AS evidence,
    unnest($20::text[]) AS workers, unnest($21::text[]) AS probes) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_breakers
DELETE FROM breakers AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_quota_groups
INSERT INTO quota_groups (
    shard, tenant, quota_group, name, version, policy, capacity, weight, members, nominal, floors,
    in_use, unlent, charged, lift)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int4[]), unnest($4::text[]),
    unnest($5::int4[]), unnest($6::int2[]), unnest($7::int4[]), unnest($8::int4[]),
    unnest($9::int8[]), unnest($10::int8[]), unnest($11::int8[]), unnest($12::int8[]),
    unnest($13::int8[]), unnest($14::int8[]), unnest($15::int8[]);

-- name: update_quota_groups
UPDATE quota_groups AS x SET
    name = k.name, version = k.version, policy = k.policy, capacity = k.capacity,
    weight = k.weight, members = k.members, nominal = k.nominal, floors = k.floors,
    in_use = k.in_use, unlent = k.unlent, charged = k.charged, lift = k.lift
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::text[]) AS name, unnest($5::int4[]) AS version, unnest($6::int2[]) AS policy,
    unnest($7::int4[]) AS capacity, unnest($8::int4[]) AS weight, unnest($9::int8[]) AS members,
    unnest($10::int8[]) AS nominal, unnest($11::int8[]) AS floors, unnest($12::int8[]) AS in_use,
    unnest($13::int8[]) AS unlent, unnest($14::int8[]) AS charged, unnest($15::int8[]) AS lift) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_quota_groups
DELETE FROM quota_groups AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_quota_members
INSERT INTO quota_members (
    shard, tenant, member, quota_group, version, nominal, borrow_limit, lend_limit, hard_max,
    floor, class, burst_s, refill_s, burst_left, burst_at, in_use, charged)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int4[]), unnest($4::int4[]),
    unnest($5::int4[]), unnest($6::int4[]), unnest($7::int4[]), unnest($8::int4[]),
    unnest($9::int4[]), unnest($10::int4[]), unnest($11::int2[]), unnest($12::int8[]),
    unnest($13::int8[]), unnest($14::int8[]), unnest($15::int8[]), unnest($16::int8[]),
    unnest($17::int8[]);

-- name: update_quota_members
UPDATE quota_members AS x SET
    quota_group = k.quota_group, version = k.version, nominal = k.nominal,
    borrow_limit = k.borrow_limit, lend_limit = k.lend_limit, hard_max = k.hard_max,
    floor = k.floor, class = k.class, burst_s = k.burst_s, refill_s = k.refill_s,
    burst_left = k.burst_left, burst_at = k.burst_at, in_use = k.in_use, charged = k.charged
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int4[]) AS quota_group, unnest($5::int4[]) AS version,
    unnest($6::int4[]) AS nominal, unnest($7::int4[]) AS borrow_limit,
    unnest($8::int4[]) AS lend_limit, unnest($9::int4[]) AS hard_max, unnest($10::int4[]) AS floor,
    unnest($11::int2[]) AS class, unnest($12::int8[]) AS burst_s, unnest($13::int8[]) AS refill_s,
    unnest($14::int8[]) AS burst_left, unnest($15::int8[]) AS burst_at,
    unnest($16::int8[]) AS in_use, unnest($17::int8[]) AS charged) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_quota_members
DELETE FROM quota_members AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_lanes
INSERT INTO lanes (
    shard, tenant, lane, job_type, source, waiting, inflight, rank, open_at, hold,
    estimate_ms, calls, calls_since)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int4[]), unnest($4::text[]),
    unnest($5::text[]), unnest($6::int8[]), unnest($7::int8[]), unnest($8::int8[]),
    unnest($9::int8[]), unnest($10::int2[]), unnest($11::int4[]), unnest($12::int8[]),
    unnest($13::int8[]);

-- name: update_lanes
UPDATE lanes AS x SET
    waiting = k.waiting, inflight = k.inflight, rank = k.rank, open_at = k.open_at, hold = k.hold,
    estimate_ms = k.estimate_ms, calls = k.calls, calls_since = k.calls_since
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int8[]) AS waiting, unnest($5::int8[]) AS inflight, unnest($6::int8[]) AS rank,
    unnest($7::int8[]) AS open_at, unnest($8::int2[]) AS hold,
    unnest($9::int4[]) AS estimate_ms, unnest($10::int8[]) AS calls,
    unnest($11::int8[]) AS calls_since) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_lanes
DELETE FROM lanes AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_throttles
INSERT INTO throttles (
    shard, tenant, host, level_micro, rate_milli, burst, refilled_at, blocked_until, penalty_ms,
    base_milli, hint_milli, hint_until, grown_at, used, throttled_at, incidents, origin, version,
    set_until, set_rate_milli, set_burst, set_block_until, set_at, set_by, set_reason)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::text[]), unnest($4::int8[]),
    unnest($5::int8[]), unnest($6::int8[]), unnest($7::int8[]), unnest($8::int8[]),
    unnest($9::int8[]), unnest($10::int8[]), unnest($11::int8[]), unnest($12::int8[]),
    unnest($13::int8[]), unnest($14::int8[]), unnest($15::int8[]), unnest($16::int4[]),
    unnest($17::int2[]), unnest($18::int4[]), unnest($19::int8[]), unnest($20::int8[]),
    unnest($21::int8[]), unnest($22::int8[]), unnest($23::int8[]), unnest($24::text[]),
    unnest($25::text[]);

-- name: update_throttles
UPDATE throttles AS x SET
    level_micro = k.level_micro, rate_milli = k.rate_milli, burst = k.burst, refilled_at =
    k.refilled_at, blocked_until = k.blocked_until, penalty_ms = k.penalty_ms, base_milli =
    k.base_milli, hint_milli = k.hint_milli, hint_until = k.hint_until, grown_at = k.grown_at, used
    = k.used, throttled_at = k.throttled_at, incidents = k.incidents, origin = k.origin, version =
    k.version, set_until = k.set_until, set_rate_milli = k.set_rate_milli, set_burst = k.set_burst,
    set_block_until = k.set_block_until, set_at = k.set_at, set_by = k.set_by, set_reason =
    k.set_reason
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int8[]) AS level_micro, unnest($5::int8[]) AS rate_milli,
    unnest($6::int8[]) AS burst, unnest($7::int8[]) AS refilled_at,
    unnest($8::int8[]) AS blocked_until, unnest($9::int8[]) AS penalty_ms,
    unnest($10::int8[]) AS base_milli, unnest($11::int8[]) AS hint_milli,
    unnest($12::int8[]) AS hint_until, unnest($13::int8[]) AS grown_at, unnest($14::int8[]) AS used,
    unnest($15::int8[]) AS throttled_at, unnest($16::int4[]) AS incidents,
    unnest($17::int2[]) AS origin, unnest($18::int4[]) AS version, unnest($19::int8[]) AS set_until,
    unnest($20::int8[]) AS set_rate_milli, unnest($21::int8[]) AS set_burst,
    unnest($22::int8[]) AS set_block_until, unnest($23::int8[]) AS set_at,
    unnest($24::text[]) AS set_by, unnest($25::text[]) AS set_reason) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_throttles
DELETE FROM throttles AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_runs
INSERT INTO runs (
    shard, tenant, run, name, digest, submitted_at, ended_at, state, total, present, blocked,
    leased, succeeded, dead, canceled)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::text[]),
    unnest($5::bytea[]), unnest($6::int8[]), unnest($7::int8[]), unnest($8::int2[]),
    unnest($9::int4[]), unnest($10::int4[]), unnest($11::int4[]), unnest($12::int4[]),
    unnest($13::int4[]), unnest($14::int4[]), unnest($15::int4[]);

-- name: update_runs
UPDATE runs AS x SET
    name = k.name, digest = k.digest, submitted_at = k.submitted_at, ended_at = k.ended_at,
    state = k.state, total = k.total, present = k.present, blocked = k.blocked,
    leased = k.leased, succeeded = k.succeeded, dead = k.dead, canceled = k.canceled
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::text[]) AS name, unnest($5::bytea[]) AS digest,
    unnest($6::int8[]) AS submitted_at, unnest($7::int8[]) AS ended_at,
    unnest($8::int2[]) AS state, unnest($9::int4[]) AS total, unnest($10::int4[]) AS present,
    unnest($11::int4[]) AS blocked, unnest($12::int4[]) AS leased,
    unnest($13::int4[]) AS succeeded, unnest($14::int4[]) AS dead,
    unnest($15::int4[]) AS canceled) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_runs
DELETE FROM runs AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_jobs
INSERT INTO jobs (
    shard, tenant, job, run, lane, priority, rank, submitted_at, submit_seq, replay_of, name,
    key, digest, traceparent, payload)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int8[]),
    unnest($5::int4[]), unnest($6::int2[]), unnest($7::int8[]), unnest($8::int8[]),
    unnest($9::int8[]), unnest($10::int8[]), unnest($11::text[]), unnest($12::text[]),
    unnest($13::bytea[]), unnest($14::text[]), unnest($15::bytea[]);

-- name: update_jobs
UPDATE jobs AS x SET
    run = k.run, lane = k.lane, priority = k.priority, rank = k.rank,
    submitted_at = k.submitted_at, submit_seq = k.submit_seq, replay_of = k.replay_of,
    name = k.name, key = k.key, digest = k.digest, traceparent = k.traceparent,
    payload = k.payload
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int8[]) AS run, unnest($5::int4[]) AS lane, unnest($6::int2[]) AS priority,
    unnest($7::int8[]) AS rank, unnest($8::int8[]) AS submitted_at,
    unnest($9::int8[]) AS submit_seq, unnest($10::int8[]) AS replay_of,
    unnest($11::text[]) AS name, unnest($12::text[]) AS key, unnest($13::bytea[]) AS digest,
    unnest($14::text[]) AS traceparent, unnest($15::bytea[]) AS payload) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_jobs
DELETE FROM jobs AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_job_keys
INSERT INTO job_keys (
    shard, tenant, generation, hash, job)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int4[]), unnest($4::int8[]),
    unnest($5::int8[]);

-- name: delete_job_keys
DELETE FROM job_keys AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_run_keys
INSERT INTO run_keys (
    shard, tenant, key, run)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::text[]), unnest($4::int8[]);

-- name: update_run_keys
UPDATE run_keys AS x SET
    run = k.run
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int8[]) AS run) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_run_keys
DELETE FROM run_keys AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_dag_edges
INSERT INTO dag_edges (
    shard, tenant, run, pred, succ, kind)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int8[]),
    unnest($5::int8[]), unnest($6::int2[]);

-- name: update_dag_edges
UPDATE dag_edges AS x SET
    run = k.run, kind = k.kind
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int8[]) AS run, unnest($5::int2[]) AS kind) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_dag_edges
DELETE FROM dag_edges AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_blocked
INSERT INTO blocked (
    shard, tenant, job, lane, rank, run, flags, priority, "grant", spent, job_seq,
    throttled_ms, remaining, delay_us)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int4[]),
    unnest($5::int8[]), unnest($6::int8[]), unnest($7::int2[]), unnest($8::int2[]),
    unnest($9::int8[]), unnest($10::int4[]), unnest($11::int4[]), unnest($12::int8[]),
    unnest($13::int4[]), unnest($14::int8[]);

-- name: update_blocked
UPDATE blocked AS x SET
    lane = k.lane, rank = k.rank, run = k.run, flags = k.flags, priority = k.priority,
    "grant" = k."grant", spent = k.spent, job_seq = k.job_seq, throttled_ms = k.throttled_ms,
    remaining = k.remaining, delay_us = k.delay_us
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int4[]) AS lane, unnest($5::int8[]) AS rank, unnest($6::int8[]) AS run,
    unnest($7::int2[]) AS flags, unnest($8::int2[]) AS priority, unnest($9::int8[]) AS "grant",
    unnest($10::int4[]) AS spent, unnest($11::int4[]) AS job_seq,
    unnest($12::int8[]) AS throttled_ms, unnest($13::int4[]) AS remaining,
    unnest($14::int8[]) AS delay_us) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_blocked
DELETE FROM blocked AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_ready
INSERT INTO ready (
    shard, tenant, job, lane, rank, run, flags, priority, "grant", spent, job_seq,
    throttled_ms, eligible_at)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int4[]),
    unnest($5::int8[]), unnest($6::int8[]), unnest($7::int2[]), unnest($8::int2[]),
    unnest($9::int8[]), unnest($10::int4[]), unnest($11::int4[]), unnest($12::int8[]),
    unnest($13::int8[]);

-- name: update_ready
UPDATE ready AS x SET
    run = k.run, flags = k.flags, priority = k.priority, "grant" = k."grant", spent = k.spent,
    job_seq = k.job_seq, throttled_ms = k.throttled_ms, eligible_at = k.eligible_at
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int8[]) AS run, unnest($5::int2[]) AS flags, unnest($6::int2[]) AS priority,
    unnest($7::int8[]) AS "grant", unnest($8::int4[]) AS spent, unnest($9::int4[]) AS job_seq,
    unnest($10::int8[]) AS throttled_ms, unnest($11::int8[]) AS eligible_at) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_ready
DELETE FROM ready AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_delayed
INSERT INTO delayed (
    shard, tenant, job, lane, rank, run, flags, priority, "grant", spent, job_seq,
    throttled_ms, due_at, reason)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int4[]),
    unnest($5::int8[]), unnest($6::int8[]), unnest($7::int2[]), unnest($8::int2[]),
    unnest($9::int8[]), unnest($10::int4[]), unnest($11::int4[]), unnest($12::int8[]),
    unnest($13::int8[]), unnest($14::int2[]);

-- name: update_delayed
UPDATE delayed AS x SET
    lane = k.lane, rank = k.rank, run = k.run, flags = k.flags, priority = k.priority,
    "grant" = k."grant", spent = k.spent, job_seq = k.job_seq, throttled_ms = k.throttled_ms,
    due_at = k.due_at, reason = k.reason
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int4[]) AS lane, unnest($5::int8[]) AS rank, unnest($6::int8[]) AS run,
    unnest($7::int2[]) AS flags, unnest($8::int2[]) AS priority, unnest($9::int8[]) AS "grant",
    unnest($10::int4[]) AS spent, unnest($11::int4[]) AS job_seq,
    unnest($12::int8[]) AS throttled_ms, unnest($13::int8[]) AS due_at,
    unnest($14::int2[]) AS reason) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_delayed
DELETE FROM delayed AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_start_deadlines
INSERT INTO start_deadlines (
    shard, tenant, due_at, job)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int8[]);

-- name: delete_start_deadlines
DELETE FROM start_deadlines AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_leased
INSERT INTO leased (
    shard, tenant, job, lane, rank, run, flags, priority, "grant", spent, job_seq,
    throttled_ms, running, worker, claim, claimed_at, claimed_seq, ttl_ms, charged_ms,
    requests, run_until, cancel_at, until, due_at, progress_at, no_progress_ms, progress)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int4[]),
    unnest($5::int8[]), unnest($6::int8[]), unnest($7::int2[]), unnest($8::int2[]),
    unnest($9::int8[]), unnest($10::int4[]), unnest($11::int4[]), unnest($12::int8[]),
    unnest($13::bool[]), unnest($14::text[]), unnest($15::int8[]), unnest($16::int8[]),
    unnest($17::int8[]), unnest($18::int4[]), unnest($19::int4[]), unnest($20::int8[]),
    unnest($21::int8[]), unnest($22::int8[]), unnest($23::int8[]), unnest($24::int8[]),
    unnest($25::int8[]), unnest($26::int4[]), unnest($27::text[]);

-- name: update_leased
UPDATE leased AS x SET
    lane = k.lane, rank = k.rank, run = k.run, flags = k.flags, priority = k.priority,
    "grant" = k."grant", spent = k.spent, job_seq = k.job_seq, throttled_ms = k.throttled_ms,
    running = k.running, worker = k.worker, claim = k.claim, claimed_at = k.claimed_at,
    claimed_seq = k.claimed_seq, ttl_ms = k.ttl_ms, charged_ms = k.charged_ms,
    requests = k.requests, run_until = k.run_until, cancel_at = k.cancel_at, until = k.until,
    due_at = k.due_at, progress_at = k.progress_at, no_progress_ms = k.no_progress_ms,
    progress = k.progress
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int4[]) AS lane, unnest($5::int8[]) AS rank, unnest($6::int8[]) AS run,
    unnest($7::int2[]) AS flags, unnest($8::int2[]) AS priority, unnest($9::int8[]) AS "grant",
    unnest($10::int4[]) AS spent, unnest($11::int4[]) AS job_seq,
    unnest($12::int8[]) AS throttled_ms, unnest($13::bool[]) AS running,
    unnest($14::text[]) AS worker, unnest($15::int8[]) AS claim,
    unnest($16::int8[]) AS claimed_at, unnest($17::int8[]) AS claimed_seq,
    unnest($18::int4[]) AS ttl_ms, unnest($19::int4[]) AS charged_ms,
    unnest($20::int8[]) AS requests, unnest($21::int8[]) AS run_until,
    unnest($22::int8[]) AS cancel_at, unnest($23::int8[]) AS until,
    unnest($24::int8[]) AS due_at, unnest($25::int8[]) AS progress_at,
    unnest($26::int4[]) AS no_progress_ms, unnest($27::text[]) AS progress) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_leased
DELETE FROM leased AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_outcomes
INSERT INTO outcomes (
    shard, tenant, job, lane, rank, run, flags, priority, "grant", spent, job_seq,
    throttled_ms, state, class, cause, worker, claimed_at, claimed_seq, ended_at, ended_seq,
    digest, result)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int4[]),
    unnest($5::int8[]), unnest($6::int8[]), unnest($7::int2[]), unnest($8::int2[]),
    unnest($9::int8[]), unnest($10::int4[]), unnest($11::int4[]), unnest($12::int8[]),
    unnest($13::int2[]), unnest($14::text[]), unnest($15::int8[]), unnest($16::text[]),
    unnest($17::int8[]), unnest($18::int8[]), unnest($19::int8[]), unnest($20::int8[]),
    unnest($21::bytea[]), unnest($22::bytea[]);

-- name: update_outcomes
UPDATE outcomes AS x SET
    lane = k.lane, rank = k.rank, run = k.run, flags = k.flags, priority = k.priority,
    "grant" = k."grant", spent = k.spent, job_seq = k.job_seq, throttled_ms = k.throttled_ms,
    state = k.state, class = k.class, cause = k.cause, worker = k.worker,
    claimed_at = k.claimed_at, claimed_seq = k.claimed_seq, ended_at = k.ended_at,
    ended_seq = k.ended_seq, digest = k.digest, result = k.result
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int4[]) AS lane, unnest($5::int8[]) AS rank, unnest($6::int8[]) AS run,
    unnest($7::int2[]) AS flags, unnest($8::int2[]) AS priority, unnest($9::int8[]) AS "grant",
    unnest($10::int4[]) AS spent, unnest($11::int4[]) AS job_seq,
    unnest($12::int8[]) AS throttled_ms, unnest($13::int2[]) AS state,
    unnest($14::text[]) AS class, unnest($15::int8[]) AS cause, unnest($16::text[]) AS worker,
    unnest($17::int8[]) AS claimed_at, unnest($18::int8[]) AS claimed_seq,
    unnest($19::int8[]) AS ended_at, unnest($20::int8[]) AS ended_seq,
    unnest($21::bytea[]) AS digest, unnest($22::bytea[]) AS result) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_outcomes
DELETE FROM outcomes AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_attempts
INSERT INTO attempts (
    shard, tenant, job, "grant", ending, class, worker, claimed_at, claimed_seq, ended_at,
    ended_seq, digest, message)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int8[]),
    unnest($5::int2[]), unnest($6::text[]), unnest($7::text[]), unnest($8::int8[]),
    unnest($9::int8[]), unnest($10::int8[]), unnest($11::int8[]), unnest($12::bytea[]),
    unnest($13::bytea[]);

-- name: update_attempts
UPDATE attempts AS x SET
    ending = k.ending, class = k.class, worker = k.worker, claimed_at = k.claimed_at,
    claimed_seq = k.claimed_seq, ended_at = k.ended_at, ended_seq = k.ended_seq,
    digest = k.digest, message = k.message
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int2[]) AS ending, unnest($5::text[]) AS class, unnest($6::text[]) AS worker,
    unnest($7::int8[]) AS claimed_at, unnest($8::int8[]) AS claimed_seq,
    unnest($9::int8[]) AS ended_at, unnest($10::int8[]) AS ended_seq,
    unnest($11::bytea[]) AS digest, unnest($12::bytea[]) AS message) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_attempts
DELETE FROM attempts AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_settling
INSERT INTO settling (
    shard, tenant, pred, mode, after_succ, until_succ)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int2[]),
    unnest($5::int8[]), unnest($6::int8[]);

-- name: update_settling
UPDATE settling AS x SET
    mode = k.mode, after_succ = k.after_succ, until_succ = k.until_succ
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int2[]) AS mode, unnest($5::int8[]) AS after_succ,
    unnest($6::int8[]) AS until_succ) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_settling
DELETE FROM settling AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_bulk_actions
INSERT INTO bulk_actions (
    shard, tenant, bulk, action, state, priority, run, selection, actor, reason, ticket, matched,
    stored, done, changed, already, refused, after_job, started_at, ended_at, due_at)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int2[]),
    unnest($5::int2[]), unnest($6::int2[]), unnest($7::int8[]), unnest($8::text[]),
    unnest($9::text[]), unnest($10::text[]), unnest($11::text[]), unnest($12::int8[]),
    unnest($13::int8[]), unnest($14::int8[]), unnest($15::int8[]), unnest($16::int8[]),
    unnest($17::int8[]), unnest($18::int8[]), unnest($19::int8[]), unnest($20::int8[]),
    unnest($21::int8[]);

-- name: update_bulk_actions
UPDATE bulk_actions AS x SET
    action = k.action, state = k.state, priority = k.priority, run = k.run, selection = k.selection,
    actor = k.actor, reason = k.reason, ticket = k.ticket, matched = k.matched, stored = k.stored,
    done = k.done, changed = k.changed, already = k.already, refused = k.refused,
    after_job = k.after_job, started_at = k.started_at, ended_at = k.ended_at, due_at = k.due_at
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int2[]) AS action, unnest($5::int2[]) AS state, unnest($6::int2[]) AS priority,
    unnest($7::int8[]) AS run, unnest($8::text[]) AS selection, unnest($9::text[]) AS actor,
    unnest($10::text[]) AS reason, unnest($11::text[]) AS ticket, unnest($12::int8[]) AS matched,
    unnest($13::int8[]) AS stored, unnest($14::int8[]) AS done, unnest($15::int8[]) AS changed,
    unnest($16::int8[]) AS already, unnest($17::int8[]) AS refused,
    unnest($18::int8[]) AS after_job, unnest($19::int8[]) AS started_at,
    unnest($20::int8[]) AS ended_at, unnest($21::int8[]) AS due_at) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_bulk_actions
DELETE FROM bulk_actions AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_bulk_parts
INSERT INTO bulk_parts (
    shard, tenant, bulk, first, jobs, results)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int8[]),
    unnest($5::text[]), unnest($6::text[]);

-- name: update_bulk_parts
UPDATE bulk_parts AS x SET
    jobs = k.jobs, results = k.results
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::text[]) AS jobs, unnest($5::text[]) AS results) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_bulk_parts
DELETE FROM bulk_parts AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_artifacts
INSERT INTO artifacts (
    shard, tenant, job, role, name, "grant", run, sha256, size, media_type)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int2[]),
    unnest($5::text[]), unnest($6::int8[]), unnest($7::int8[]), unnest($8::bytea[]),
    unnest($9::int8[]), unnest($10::text[]);

-- name: update_artifacts
UPDATE artifacts AS x SET
    "grant" = k."grant", run = k.run, sha256 = k.sha256, size = k.size,
    media_type = k.media_type
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int8[]) AS "grant", unnest($5::int8[]) AS run, unnest($6::bytea[]) AS sha256,
    unnest($7::int8[]) AS size, unnest($8::text[]) AS media_type) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_artifacts
DELETE FROM artifacts AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_request_keys
INSERT INTO request_keys (
    shard, tenant, key, digest, at, status, location, answer)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::text[]), unnest($4::bytea[]),
    unnest($5::int8[]), unnest($6::int2[]), unnest($7::text[]), unnest($8::bytea[]);

-- name: update_request_keys
UPDATE request_keys AS x SET
    digest = k.digest, at = k.at, status = k.status, location = k.location, answer = k.answer
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::bytea[]) AS digest, unnest($5::int8[]) AS at, unnest($6::int2[]) AS status,
    unnest($7::text[]) AS location, unnest($8::bytea[]) AS answer) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_request_keys
DELETE FROM request_keys AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_log_heads
INSERT INTO log_heads (
    shard, tenant, job, "grant", lines, bytes, cut, stored)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int8[]),
    unnest($5::int8[]), unnest($6::int8[]), unnest($7::bool[]), unnest($8::int8[]);

-- name: update_log_heads
UPDATE log_heads AS x SET
    "grant" = k."grant", lines = k.lines, bytes = k.bytes, cut = k.cut, stored = k.stored
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int8[]) AS "grant", unnest($5::int8[]) AS lines, unnest($6::int8[]) AS bytes,
    unnest($7::bool[]) AS cut, unnest($8::int8[]) AS stored) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_log_heads
DELETE FROM log_heads AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: insert_job_logs
INSERT INTO job_logs (
    shard, tenant, job, "grant", first, skip, count, at, raw_len, lines)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int8[]),
    unnest($5::int8[]), unnest($6::int4[]), unnest($7::int4[]), unnest($8::int8[]),
    unnest($9::int8[]), unnest($10::bytea[]);

-- name: update_job_logs
UPDATE job_logs AS x SET
    skip = k.skip, count = k.count, at = k.at, raw_len = k.raw_len, lines = k.lines
FROM (SELECT
    unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::tid[]) AS place,
    unnest($4::int4[]) AS skip, unnest($5::int4[]) AS count, unnest($6::int8[]) AS at,
    unnest($7::int8[]) AS raw_len, unnest($8::bytea[]) AS lines) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- name: delete_job_logs
DELETE FROM job_logs AS x
USING (SELECT unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
    unnest($3::tid[]) AS place) AS k
WHERE x.ctid = k.place AND x.shard::int4 = k.shard AND x.tenant::int8 = k.tenant;

-- History: one packed chunk per tenant and tick; raw_len is the length of the lines.
-- name: insert_history
INSERT INTO history (
    shard, tenant, seq, count, at, raw_len, lines)
SELECT
    unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int4[]),
    unnest($5::int8[]), unnest($6::int8[]), unnest($7::bytea[]);

-- One row a group, in the first of its shards, by which a lost COMMIT is found again.
-- name: insert_tick
INSERT INTO ticks (shard, at, group_id) VALUES ($1::int8::int2, $2::int8, $3::int8);

-- name: delete_old_ticks
DELETE FROM ticks WHERE shard = ANY ($1::int2[]) AND at < $2::int8;

-- name: find_tick
SELECT count(*) FROM ticks WHERE shard = $1::int8 AND group_id = $2::int8;

-- The barrier before an answer that was found: a write, so that its COMMIT waits for the disk and
-- the standby, and with it for all that was committed earlier.
-- name: touch_shards
UPDATE shards SET tick = tick WHERE shard = ANY ($1::int2[]);
