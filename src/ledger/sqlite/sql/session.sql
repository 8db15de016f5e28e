-- What only this backend has: transactions, settings of a connection, the meta row.

-- name: begin
BEGIN IMMEDIATE;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: begin_read
BEGIN;

-- name: has_schema
SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'ledger';

-- name: meta
SELECT schema_version, seed FROM ledger;

-- name: insert_meta
-- args: schema_version, seed, created_at
INSERT INTO ledger (one, schema_version, seed, created_at) VALUES (1, ?1, ?2, ?3);

-- name: insert_shard
-- args: shard
INSERT INTO shards (shard, tick, last_at, next_due_at, available_since, lapse_allowance,
        lapse_refill_at, head_seq)
VALUES (?1, 0, 0, 9223372036854775807, 0, 0, 0, 0);

-- name: journal_mode_wal
PRAGMA journal_mode = WAL;

-- name: journal_mode
PRAGMA journal_mode;

-- name: synchronous_full
PRAGMA synchronous = FULL;

-- name: synchronous
PRAGMA synchronous;

-- The writer checkpoints by itself, at a size of its choosing.
-- name: no_autocheckpoint
PRAGMA wal_autocheckpoint = 0;

-- name: temp_in_memory
PRAGMA temp_store = MEMORY;

-- name: query_only
PRAGMA query_only = ON;

-- In KiB when negative.
-- name: cache_size
PRAGMA cache_size = -%d;

-- name: reader_cache
PRAGMA cache_size = -8192;

-- The log keeps its blocks between checkpoints (overwriting is faster than growing), but no more
-- than this after a reader let it grow.
-- name: journal_size_limit
PRAGMA journal_size_limit = 100663296;

-- name: page_size
PRAGMA page_size;

-- name: begin_snapshot
BEGIN;

-- name: integrity_faults
SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok';
