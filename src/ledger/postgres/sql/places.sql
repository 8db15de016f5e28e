-- Where rows are that a plan changes and that were not loaded in this transaction: arguments are
-- arrays, the columns of the key in the order of core/tables.c; a result row is the number of the
-- row (from 1) and its ctid.

-- name: place_tenants
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM tenants AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant
    LIMIT 1) AS r;

-- name: place_tenant_names
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS name,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM tenant_names AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.name = k.name
    LIMIT 1) AS r;

-- name: place_job_types
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS name,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM job_types AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.name = k.name
    LIMIT 1) AS r;

-- name: place_sources
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS name,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM sources AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.name = k.name
    LIMIT 1) AS r;

-- name: place_tokens
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS token,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM tokens AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.token = k.token
    LIMIT 1) AS r;

-- name: place_lanes
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int4[]) AS lane,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM lanes AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.lane = k.lane
    LIMIT 1) AS r;

-- name: place_throttles
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS host,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM throttles AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.host = k.host
    LIMIT 1) AS r;

-- name: place_runs
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS run,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM runs AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.run = k.run
    LIMIT 1) AS r;

-- name: place_jobs
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS job,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM jobs AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.job
    LIMIT 1) AS r;

-- name: place_job_keys
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant,
      unnest($3::int4[]) AS generation, unnest($4::int8[]) AS hash, unnest($5::int8[]) AS job,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM job_keys AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.generation = k.generation
      AND x.hash = k.hash AND x.job = k.job
    LIMIT 1) AS r;

-- name: place_run_keys
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS key,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM run_keys AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.key = k.key
    LIMIT 1) AS r;

-- name: place_dag_edges
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS pred,
      unnest($4::int8[]) AS succ, generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM dag_edges AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.pred = k.pred AND x.succ = k.succ
    LIMIT 1) AS r;

-- name: place_blocked
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS job,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM blocked AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.job
    LIMIT 1) AS r;

-- name: place_ready
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS job,
      unnest($4::int4[]) AS lane, unnest($5::int8[]) AS rank,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM ready AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.job AND x.lane = k.lane
      AND x.rank = k.rank
    LIMIT 1) AS r;

-- name: place_delayed
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS job,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM delayed AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.job
    LIMIT 1) AS r;

-- name: place_start_deadlines
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS due_at,
      unnest($4::int8[]) AS job, generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM start_deadlines AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.due_at = k.due_at AND x.job = k.job
    LIMIT 1) AS r;

-- name: place_leased
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS job,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM leased AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.job
    LIMIT 1) AS r;

-- name: place_outcomes
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS job,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM outcomes AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.job
    LIMIT 1) AS r;

-- name: place_attempts
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS job,
      unnest($4::int4[]) AS "grant", generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM attempts AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.job AND x."grant" = k."grant"
    LIMIT 1) AS r;

-- name: place_settling
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS pred,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM settling AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.pred = k.pred
    LIMIT 1) AS r;

-- name: place_artifacts
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::int8[]) AS job,
      unnest($4::int2[]) AS role, unnest($5::text[]) AS name,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM artifacts AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.job = k.job AND x.role = k.role
      AND x.name = k.name
    LIMIT 1) AS r;

-- name: place_request_keys
SELECT k.nr, r.ctid
FROM (SELECT
      unnest($1::int2[]) AS shard, unnest($2::int4[]) AS tenant, unnest($3::text[]) AS key,
      generate_subscripts($1::int2[], 1) AS nr) AS k
CROSS JOIN LATERAL (
    SELECT x.ctid
    FROM request_keys AS x
    WHERE x.shard = k.shard AND x.tenant = k.tenant AND x.key = k.key
    LIMIT 1) AS r;
