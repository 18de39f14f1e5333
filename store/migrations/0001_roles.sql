-- The database's roles (design 5.8) and the small functions that read the scope of a transaction.
-- Written for yoyo: one statement after another, no percent sign anywhere (the driver would take it for a placeholder).
-- Roles belong to the whole server: they may exist already, and another database may be creating them this moment.
--   keelwing_worker  writes everything: worker, notifier, command line
--   keelwing_api     owns nothing, no right on reading tables; sees one tenant (and one lessee) a transaction
--   keelwing_view    cannot log in; owns the security_barrier views and no table; row security applies to it
--   keelwing_gate    cannot log in; owns the few SECURITY DEFINER functions (key check, outbox fan-out, commit number)
CREATE EXTENSION IF NOT EXISTS btree_gist;

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['keelwing_worker', 'keelwing_api', 'keelwing_view', 'keelwing_gate'] LOOP
        BEGIN
            EXECUTE 'CREATE ROLE ' || quote_ident(role_name) || ' NOLOGIN';
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            EXECUTE 'GRANT ' || quote_ident(role_name) || ' TO CURRENT_USER WITH SET TRUE, INHERIT FALSE';
        END IF;
    END LOOP;
END
$$;

-- Whose rows this transaction may see. NULL when nothing was set: comparisons with NULL let no row through.
CREATE FUNCTION scope_tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('keelwing.tenant', true), '');

-- The lessee or financier this transaction is narrowed to; NULL for an internal scope and for no scope at all.
CREATE FUNCTION scope_party() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(nullif(current_setting('keelwing.party', true), ''), '*')::uuid;

-- True only when the tenant's own people were named explicitly (party '*'): a forgotten setting never widens a lessee's view.
CREATE FUNCTION scope_internal() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(current_setting('keelwing.party', true), '') = '*' AND scope_tenant() IS NOT NULL;

-- Order of severities, so that "at least warning" can be asked: info 1, warning 2, critical 3.
CREATE FUNCTION severity_rank(severity text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE severity WHEN 'info' THEN 1 WHEN 'warning' THEN 2 WHEN 'critical' THEN 3 END;
