-- A connection of this backend: who it is, how it plans, its transactions, the meta row, blobs.

-- Plans are made once, without looking at values or at how full a table happens to be: whatever
-- would read a whole table or join by it is out of question; so is sorting what another index gives
-- where the right one gives the order.
-- name: settings
SET search_path = stella;
SET statement_timeout = 30000;
SET lock_timeout = 15000;
SET plan_cache_mode = force_generic_plan;
SET jit = off;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_sort = off;

-- A node that stops between two round trips must not keep its shards locked.
-- name: settings_of_engine
SET idle_in_transaction_session_timeout = 10000;

-- name: role_engine
SET ROLE stella_engine;

-- name: role_reader
SET ROLE stella_reader;

-- Only to measure what row security costs: fails for a login that it holds for.
-- name: role_none
SET row_security = off;

-- name: meta
SELECT schema_version, seed FROM ledger;

-- name: row_security
SELECT row_security_active('jobs');

-- name: begin
BEGIN ISOLATION LEVEL READ COMMITTED;

-- name: begin_read
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;

-- Several statements that see the same state.
-- name: begin_snapshot
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- Row security: the shards of this transaction, as an array.
-- name: set_shards
SELECT set_config('stella.shards', $1, true);

-- name: set_tenant
SELECT set_config('stella.tenant', $1, true);

-- A recount reads whole tables and joins them: for its transaction that is right.
-- name: allow_joins
SELECT set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true);

-- name: clock
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8;

-- name: blob_size
SELECT size, used_at FROM blobs WHERE tenant = $1::int4 AND sha256 = $2::bytea;

-- name: blob_part
SELECT bytes FROM blob_parts WHERE tenant = $1::int4 AND sha256 = $2::bytea AND part = $3::int4;

-- The blob's row comes first: it is what writers of the same bytes and the sweep wait for.
-- name: insert_blob_part
INSERT INTO blob_parts (tenant, sha256, part, bytes)
VALUES ($1::int4, $2::bytea, $3::int4, $4::bytea)
ON CONFLICT DO NOTHING;

-- name: insert_blob
INSERT INTO blobs (tenant, sha256, size, used_at)
VALUES ($1::int4, $2::bytea, $3::int8, $4::int8)
ON CONFLICT (tenant, sha256) DO UPDATE SET used_at = excluded.used_at;

-- Who is told that a blob is there may use it: it is young again.
-- name: touch_blob
UPDATE blobs SET used_at = greatest(used_at, $3::int8)
WHERE tenant = $1::int4 AND sha256 = $2::bytea
RETURNING size;

-- name: old_blobs
SELECT sha256 FROM blobs
WHERE tenant = $1::int4 AND sha256 > $2::bytea AND used_at < $3::int8
ORDER BY sha256 LIMIT 256;

-- name: remove_old_blob
WITH gone AS (
    DELETE FROM blobs WHERE tenant = $1::int4 AND sha256 = $2::bytea AND used_at < $3::int8
    RETURNING tenant, sha256),
parts AS (
    DELETE FROM blob_parts AS p USING gone AS g WHERE p.tenant = g.tenant AND p.sha256 = g.sha256)
SELECT count(*)::int8 FROM gone;
