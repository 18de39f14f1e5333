-- name: login
-- Who we are here, and whether we may act as a role (NULL: none asked for).
SELECT session_user::text AS user, concat_ws(':', host(inet_server_addr()), inet_server_port()) AS server,
    current_database()::text AS database,
    (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user) AS passes_wall,
    CASE WHEN %(role)s::text IS NOT NULL THEN
        coalesce((SELECT pg_has_role(session_user, oid, 'SET') FROM pg_roles WHERE rolname = %(role)s::text), false)
    END AS may_act,
    (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = session_user) AS may_create_roles;

-- name: clock
-- The server's clock.
SELECT extract(epoch FROM clock_timestamp())::double precision AS unix_s;

-- name: server
-- What the server is, how much of it is taken, and what its commits promise.
SELECT current_setting('server_version_num')::integer AS version, current_setting('server_version') AS version_text,
    CASE WHEN extension.extversion IS NOT NULL THEN current_setting('timescaledb.license', true) END AS edition,
    extension.extversion AS edition_version,
    extension.extversion IS NULL AND current_setting('timescaledb.disable_load', true) IS NOT NULL AS available,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
        - current_setting('reserved_connections')::integer AS connections_max,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::integer AS connections_now,
    current_setting('fsync')::boolean AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('full_page_writes')::boolean AS full_page_writes,
    pg_database_size(current_database()) AS database_bytes
FROM (SELECT (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS extversion) AS extension;

-- name: roles
-- Our roles as this server has them, with how many tables of this database each owns.
SELECT rolname::text AS name, rolsuper OR rolbypassrls AS passes_wall, rolcanlogin AS can_log_in,
    (SELECT count(*) FROM pg_class WHERE relowner = pg_roles.oid AND relkind IN ('r', 'p'))::integer AS owns
FROM pg_roles WHERE rolname = ANY (%(names)s) ORDER BY rolname;

-- name: unwalled
-- Tables of ours with a tenant in them that the API may read although row security does not hold there.
SELECT relname::text AS name
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)
    AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'keelwing_api')
    AND has_table_privilege((SELECT oid FROM pg_roles WHERE rolname = 'keelwing_api'), oid, 'SELECT')
    AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant' AND NOT attisdropped)
ORDER BY relname;

-- name: has_list
-- Whether there is a list of migrations that we may read.
SELECT to_regclass('_yoyo_migration') IS NOT NULL AND has_table_privilege(to_regclass('_yoyo_migration'), 'SELECT') AS readable;

-- name: applied
-- Migrations this database has.
SELECT migration_id FROM _yoyo_migration;

-- name: write
-- A commit that writes next to nothing, to see how long the disk takes.
SELECT pg_logical_emit_message(true, 'keelwing.doctor', '');
