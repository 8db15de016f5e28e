-- A full ledger for plans_test: what autovacuum would do is left out, so that plans stay as made.

-- name: keep_statistics
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'stella'
    LOOP
        EXECUTE format('ALTER TABLE stella.%I SET (autovacuum_enabled = false)', name);
    END LOOP;
END
$$;

-- name: analyse
VACUUM ANALYZE;

-- name: fill
SET search_path = stella;
INSERT INTO tenants
SELECT 3, 1 + g, 'tenant-' || g, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0
FROM generate_series(1, 1000) AS g;
INSERT INTO lanes SELECT 3, 2, g, 'ingest', 'source-' || g, 1, 1, g % 50, 0, 0, 0, 0, 0
FROM generate_series(1, 1000) AS g;
INSERT INTO jobs
SELECT 3, 2, g, g / 1000, g % 1000, 0, g / 1000, 0, g, 0, '', 'key-' || g, 'd', '', 'payload'
FROM generate_series(1, 200000) AS g;
INSERT INTO job_keys SELECT 3, 2, 1, g * 7919, g FROM generate_series(1, 200000) AS g;
INSERT INTO ready SELECT 3, 2, g, g % 1000, g / 1000, g / 1000, 0, 0, 0, 0, 1, 0, 0
FROM generate_series(1, 200000) AS g;
INSERT INTO leased
SELECT 3, 2, g, g % 1000, 0, 0, 0, 0, 1, 0, 1, 0, false, 'w', g, 0, 0, 30000, 0, 0, 0, 0, g, g, 0, 0,
       ''
FROM generate_series(1, 200000) AS g;
INSERT INTO outcomes
SELECT 3, 2, g, g % 1000, 0, 0, 0, 0, 1, 0, 1, 0, 5, '', 0, 'w', 0, 0, 0, 0, 'd', 'r'
FROM generate_series(1, 200000) AS g;
INSERT INTO delayed SELECT 3, 2, g, g % 1000, 0, 0, 0, 0, 0, 0, 1, 0, g, 1
FROM generate_series(1, 20000) AS g;
INSERT INTO blocked SELECT 3, 2, g, g % 1000, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0
FROM generate_series(1, 20000) AS g;
INSERT INTO start_deadlines SELECT 3, 2, g, g FROM generate_series(1, 20000) AS g;
INSERT INTO dag_edges SELECT 3, 2, g / 10, g, g + 1, 0 FROM generate_series(1, 20000) AS g;
INSERT INTO runs SELECT 3, 2, g, '', 'd', 0, 0, 1, 1, 1, 0, 0, 0, 0, 0
FROM generate_series(1, 20000) AS g;
INSERT INTO attempts SELECT 3, 2, g, 1, 0, '', 'w', 0, 0, 0, 0, 'd', 'm'
FROM generate_series(1, 20000) AS g;
INSERT INTO settling SELECT 3, 2, g, 1, 0, 9223372036854775807 FROM generate_series(1, 20000) AS g;
INSERT INTO request_keys SELECT 3, 2, 'key-' || g, 'd', 0, 201, '', 'a'
FROM generate_series(1, 20000) AS g;

-- name: places
SELECT array_agg(x.ctid) FROM (SELECT ctid FROM leased ORDER BY job LIMIT 100) AS x;
