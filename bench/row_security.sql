-- What row security costs per row: batches of 500 inserts, lookups and deletes of ready, as the
-- engine (policies hold) and as a superuser (they do not), in turns, so that what else the machine
-- does hits both alike. The lower quartile is the least disturbed figure.
--
-- usage: psql -X -q -f bench/row_security.sql URL   (superuser; a migrated ledger that nobody uses)

SET client_min_messages = warning;
SET jit = off;
SET search_path = stella;
SET plan_cache_mode = force_generic_plan;
CREATE TEMP TABLE result (security text, what text, us float8);
GRANT INSERT ON result TO PUBLIC;

CREATE PROCEDURE pg_temp.batches(security text, count int) LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz;
    shards int2[] := array_fill(3::int2, ARRAY[500]);
    tenants int4[] := array_fill(2, ARRAY[500]);
    lanes int4[] := array_fill(1, ARRAY[500]);
    shorts int2[] := array_fill(0::int2, ARRAY[500]);
    zeros int8[] := array_fill(0::int8, ARRAY[500]);
    jobs int8[];
BEGIN
    FOR i IN 1..count LOOP
        PERFORM set_config('stella.shards', '{1,2,3,4,5,6,7,8}', true);
        jobs := ARRAY(SELECT (random() * 1e15)::int8 FROM generate_series(1, 500));
        began := clock_timestamp();
        INSERT INTO ready (shard, tenant, job, lane, rank, run, flags, priority, "grant", spent,
                           job_seq, throttled_ms, eligible_at)
        SELECT unnest(shards), unnest(tenants), unnest(jobs), unnest(lanes), unnest(jobs),
               unnest(zeros), unnest(shorts), unnest(shorts), unnest(lanes), unnest(lanes),
               unnest(lanes), unnest(zeros), unnest(zeros);
        INSERT INTO result VALUES (security, 'insert',
                                   extract(epoch FROM clock_timestamp() - began) * 1e6 / 500);
        began := clock_timestamp();
        PERFORM r.job
        FROM (SELECT unnest(shards) AS s, unnest(tenants) AS t, unnest(jobs) AS j) AS k
        CROSS JOIN LATERAL (
            SELECT x.job FROM ready AS x
            WHERE x.shard = k.s AND x.tenant = k.t AND x.lane = 1 AND x.rank = k.j AND x.job = k.j
            LIMIT 1) AS r;
        INSERT INTO result VALUES (security, 'find',
                                   extract(epoch FROM clock_timestamp() - began) * 1e6 / 500);
        began := clock_timestamp();
        DELETE FROM ready AS d USING (
            SELECT r.place
            FROM (SELECT unnest(shards) AS s, unnest(tenants) AS t, unnest(jobs) AS j) AS k
            CROSS JOIN LATERAL (
                SELECT x.ctid AS place FROM ready AS x
                WHERE x.shard = k.s AND x.tenant = k.t AND x.lane = 1 AND x.rank = k.j
                  AND x.job = k.j
                LIMIT 1) AS r) AS p
        WHERE d.ctid = p.place;
        INSERT INTO result VALUES (security, 'find and delete',
                                   extract(epoch FROM clock_timestamp() - began) * 1e6 / 500);
        COMMIT;
    END LOOP;
END
$$;

\set pair 'SET ROLE stella_engine; CALL pg_temp.batches(\'on\', 20); RESET ROLE; CALL pg_temp.batches(\'off\', 20);'
:pair :pair :pair :pair :pair :pair :pair :pair :pair :pair :pair :pair

SELECT what, security, round(percentile_cont(0.25) WITHIN GROUP (ORDER BY us)::numeric, 2) AS q1_us,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY us)::numeric, 2) AS median_us
FROM result GROUP BY what, security ORDER BY what, security;
