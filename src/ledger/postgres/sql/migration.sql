-- Making and updating the schema; see migrate.c for the order.

-- name: settings
SET lock_timeout = 15000;
SET statement_timeout = 0;
SET client_min_messages = warning;

-- name: missing_roles
SELECT count(*) FROM (VALUES ('stella_owner'), ('stella_engine'), ('stella_reader')) AS r (name)
WHERE NOT EXISTS (SELECT FROM pg_roles AS p WHERE p.rolname = r.name);

-- CREATE ROLE has no IF NOT EXISTS, and another database of the cluster may be migrated just now.
-- name: make_roles
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['stella_owner', 'stella_engine', 'stella_reader']
    LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
END
$$;

-- name: missing_grants
SELECT count(*) FROM (VALUES ('stella_owner'), ('stella_engine'), ('stella_reader')) AS r (name)
WHERE NOT pg_has_role(session_user, r.name, 'MEMBER');

-- What another one that migrates just now was faster with is no failure.
-- name: grant_roles
DO $$
BEGIN
    GRANT stella_owner, stella_engine, stella_reader TO SESSION_USER;
EXCEPTION
    WHEN unique_violation OR internal_error THEN NULL;
END
$$;

-- name: schema_exists
SELECT count(*) FROM pg_namespace WHERE nspname = 'stella';

-- name: make_schema
DO $$
BEGIN
    CREATE SCHEMA stella AUTHORIZATION stella_owner;
EXCEPTION
    WHEN duplicate_schema OR unique_violation THEN NULL;
END
$$;

-- name: role_owner
SET ROLE stella_owner;
SET search_path = stella;

-- A comment locks the schema's own entry till the end of the transaction: two that migrate at the
-- same time come one after the other.
-- name: lock_schema
COMMENT ON SCHEMA stella IS 'Job ledger of stella.';

-- name: has_ledger
SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'stella' AND c.relname = 'ledger';

-- name: version
SELECT schema_version FROM ledger;

-- name: begin
BEGIN;

-- name: commit
COMMIT;
