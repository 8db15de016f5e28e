-- What must not be in the schema: every query gives the offenders, and must give none.

-- name: tables_without_forced_row_security
SELECT c.relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'stella' AND c.relkind IN ('r', 'p') AND c.relname <> 'ledger'
  AND NOT (c.relrowsecurity AND c.relforcerowsecurity);

-- name: tables_without_a_policy_of_the_engine
SELECT c.relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'stella' AND c.relkind IN ('r', 'p') AND c.relname <> 'ledger'
  AND NOT EXISTS (SELECT FROM pg_policies AS p
                  WHERE p.schemaname = 'stella' AND p.tablename = c.relname
                    AND p.roles = ARRAY['stella_engine'::name]
                    AND p.qual ~ 'stella\.(shards|tenant)');

-- Policies for all come down to: everybody. Only what has no tenant may be read so.
-- name: open_policies
SELECT p.tablename, p.policyname
FROM pg_policies AS p
WHERE p.schemaname = 'stella'
  AND (p.roles = ARRAY['public'::name]
       OR (p.qual = 'true' AND p.tablename NOT IN ('shards', 'ticks'))
       OR p.with_check = 'true');

-- name: views_that_are_not_the_callers
SELECT c.relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'stella' AND c.relkind IN ('v', 'm')
  AND NOT coalesce(c.reloptions::text[] && ARRAY['security_invoker=true', 'security_invoker=on'],
                   false);

-- name: functions_and_triggers
SELECT p.proname AS name
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = 'stella'
UNION ALL
SELECT t.tgname
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'stella';

-- Of others than the owner: more than reading and writing rows, or what was written once.
-- name: grants_that_go_too_far
SELECT g.grantee, g.table_name, g.privilege_type
FROM information_schema.role_table_grants AS g
WHERE g.table_schema = 'stella' AND g.grantee <> 'stella_owner'
  AND (g.grantee NOT IN ('stella_engine', 'stella_reader')
       OR g.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
       OR (g.grantee = 'stella_reader' AND g.privilege_type <> 'SELECT')
       OR (g.table_name = 'history' AND g.privilege_type IN ('UPDATE', 'DELETE')));

-- name: roles_that_go_round_row_security
SELECT r.rolname
FROM pg_roles AS r
WHERE r.rolname IN ('stella_owner', 'stella_engine', 'stella_reader')
  AND (r.rolsuper OR r.rolbypassrls OR r.rolcanlogin OR r.rolcreaterole OR r.rolcreatedb);

-- name: tables_of_another_owner
SELECT c.relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'stella' AND pg_get_userbyid(c.relowner) <> 'stella_owner';

-- A unique index that does not name the tenant tells one tenant of another's keys.
-- name: unique_indexes_without_a_tenant
SELECT i.indexrelid::regclass
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'stella' AND i.indisunique
  AND c.relname NOT IN ('ledger', 'shards', 'ticks')
  AND NOT EXISTS (SELECT FROM pg_attribute AS a
                  WHERE a.attrelid = i.indrelid AND a.attname = 'tenant'
                    AND a.attnum = ANY (i.indkey));

-- Indexes begin with (shard, tenant). The exceptions: timers are of a shard; blobs of a tenant; and
-- what is looked up before the tenant is known.
-- name: indexes_that_begin_otherwise
SELECT x.indexrelid::regclass, x.begins
FROM (SELECT i.indexrelid, c.relname,
             (SELECT string_agg(a.attname, ',' ORDER BY k.at)
              FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, at)
              JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
              WHERE k.at <= 2) AS begins
      FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = 'stella') AS x
WHERE x.begins <> 'shard,tenant'
  AND NOT (x.relname IN ('ledger', 'shards', 'ticks')
           OR (x.relname IN ('delayed', 'start_deadlines') AND x.begins = 'shard,due_at')
           OR (x.relname = 'throttles' AND x.begins = 'shard,set_until')
           OR (x.relname = 'bulk_actions' AND x.begins = 'shard,due_at')
           OR (x.relname IN ('blobs', 'blob_parts') AND x.begins = 'tenant,sha256')
           OR x.indexrelid::regclass::text IN ('stella.tenant_names_name', 'stella.tokens_hash',
                                               'stella.leased_claim'));

-- Not leakproof: row security would keep them out of indexes.
-- name: columns_of_a_type_that_row_security_makes_slow
SELECT c.table_name, c.column_name
FROM information_schema.columns AS c
WHERE c.table_schema = 'stella' AND c.table_name <> 'job_objects'
  AND c.data_type NOT IN ('smallint', 'integer', 'bigint', 'boolean', 'text', 'bytea');

-- Text that compares otherwise than bytewise would be in another order than in SQLite.
-- name: text_that_is_not_bytewise
SELECT c.table_name, c.column_name
FROM information_schema.columns AS c
WHERE c.table_schema = 'stella' AND c.data_type = 'text' AND c.table_name <> 'job_objects'
  AND coalesce(c.collation_name, '') <> 'C';

-- A null would not be a value that both backends compare alike.
-- name: columns_that_may_be_null
SELECT c.table_name, c.column_name
FROM information_schema.columns AS c
WHERE c.table_schema = 'stella' AND c.table_name <> 'job_objects' AND c.is_nullable = 'YES';
