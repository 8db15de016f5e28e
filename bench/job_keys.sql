-- What a random key costs in an index with 1,000,000 rows in it: batches of 500 lookups and inserts
-- into (a) 8-byte hashes in generations, of which only the newest grows, and (b) one wide index of
-- 24-byte keys. Batches of both alternate, so that what else the machine does hits both alike.
--
-- usage: psql -X -q -f bench/job_keys.sql URL-of-a-scratch-database

SET client_min_messages = warning;
SET jit = off;
SET enable_seqscan = off;
SET plan_cache_mode = force_generic_plan;
DROP SCHEMA IF EXISTS job_keys_bench CASCADE;
CREATE SCHEMA job_keys_bench;
SET search_path = job_keys_bench;

CREATE TABLE narrow (
    shard int2, tenant int4, generation int4, hash int8, job int8,
    PRIMARY KEY (shard, tenant, generation, hash, job));
CREATE TABLE wide (shard int2, tenant int4, key bytea, job int8, PRIMARY KEY (shard, tenant, key));
CREATE TABLE result (kind text, retained int8, batches int, insert_us float8, find_us float8,
                     wal_bytes float8);

-- A random 64-bit number.
CREATE FUNCTION number() RETURNS int8 LANGUAGE sql VOLATILE AS
    $$ SELECT ('x' || substr(md5(random()::text), 1, 16))::bit(64)::int8 $$;
CREATE FUNCTION wide_key() RETURNS bytea LANGUAGE sql VOLATILE AS
    $$ SELECT decode(substr(md5(random()::text) || md5(random()::text), 1, 48), 'hex') $$;

CREATE PROCEDURE batches(kind text, retained int8, count int) LANGUAGE plpgsql AS $$
DECLARE
    shards int2[] := array_fill(3::int2, ARRAY[500]);
    tenants int4[] := array_fill(2, ARRAY[500]);
    hashes int8[];
    keys bytea[];
    jobs int8[] := ARRAY(SELECT g FROM generate_series(1, 500) AS g);
    began timestamptz;
    inserting float8 := 0;
    finding float8 := 0;
    wal pg_lsn := pg_current_wal_insert_lsn();
BEGIN
    FOR i IN 1..count LOOP
        IF kind = 'narrow' THEN
            hashes := ARRAY(SELECT number() FROM generate_series(1, 500));
            began := clock_timestamp();
            PERFORM k.h FROM (SELECT unnest(hashes) AS h) AS k CROSS JOIN LATERAL (
                SELECT x.job FROM narrow AS x WHERE x.shard = 3 AND x.tenant = 2
                  AND x.generation = 4 AND x.hash = k.h LIMIT 1) AS r;
            finding := finding + extract(epoch FROM clock_timestamp() - began) * 1e6;
            began := clock_timestamp();
            INSERT INTO narrow SELECT unnest(shards), unnest(tenants), 4, unnest(hashes), unnest(jobs);
        ELSE
            keys := ARRAY(SELECT wide_key() FROM generate_series(1, 500));
            began := clock_timestamp();
            PERFORM k.h FROM (SELECT unnest(keys) AS h) AS k CROSS JOIN LATERAL (
                SELECT x.job FROM wide AS x WHERE x.shard = 3 AND x.tenant = 2 AND x.key = k.h
                LIMIT 1) AS r;
            finding := finding + extract(epoch FROM clock_timestamp() - began) * 1e6;
            began := clock_timestamp();
            INSERT INTO wide SELECT unnest(shards), unnest(tenants), unnest(keys), unnest(jobs);
        END IF;
        inserting := inserting + extract(epoch FROM clock_timestamp() - began) * 1e6;
        COMMIT;
    END LOOP;
    INSERT INTO result VALUES (kind, retained, count, inserting / count / 500,
                               finding / count / 500,
                               (pg_current_wal_insert_lsn() - wal) / count / 500);
END
$$;

CALL batches('narrow', 0, 10);
CALL batches('wide', 0, 10);
-- Rounds on the empty ledger, then a million rows (narrow: 250,000 in each generation), then again.
\set empty 'CALL batches(\'narrow\', 0, 40); CALL batches(\'wide\', 0, 40);'
TRUNCATE result;
:empty
:empty
:empty
INSERT INTO narrow SELECT 3, 2, 1 + g % 4, number(), g FROM generate_series(1, 1000000) AS g;
INSERT INTO wide SELECT 3, 2, wide_key(), g FROM generate_series(1, 1000000) AS g;
VACUUM ANALYZE narrow, wide;
CHECKPOINT;
\set full 'CALL batches(\'narrow\', 1000000, 40); CALL batches(\'wide\', 1000000, 40);'
:full
:full
:full
:full
:full

SELECT kind, retained, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY insert_us)::numeric, 2) AS
       insert_us, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY find_us)::numeric, 2) AS find_us,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY wal_bytes)::numeric) AS wal_bytes
FROM result GROUP BY kind, retained ORDER BY retained, kind;
SELECT pg_size_pretty(pg_relation_size('narrow_pkey')) AS narrow_index,
       pg_size_pretty(pg_relation_size('wide_pkey')) AS wide_index,
       pg_size_pretty(pg_relation_size('narrow')) AS narrow_table,
       pg_size_pretty(pg_relation_size('wide')) AS wide_table;
DROP SCHEMA job_keys_bench CASCADE;
