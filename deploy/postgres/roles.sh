#!/bin/sh
# The two roles that log in, with their passwords from files; before the migrations, which give them their rights. Run again it
# sets the passwords again. The image of PostgreSQL runs it once, when it makes the cluster; elsewhere run it as the owner, with
# PGHOST and its like as psql(1) reads them. In a subshell, for the image may read it into its own shell. psql reads the files
# itself, so that no password stands in a command line.
(
  set -eu
  SECRETS_DIRECTORY="${SECRETS_DIRECTORY:-/run/secrets}"
  export SECRETS_DIRECTORY
  for role in worker api; do
    test -s "$SECRETS_DIRECTORY/database_${role}_password" || { echo "no password for keelwing_$role" >&2; exit 1; }
  done
  psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 \
    --username="${POSTGRES_USER:-keelwing}" --dbname="${POSTGRES_DB:-keelwing}" <<'SQL'
\set worker `cat "$SECRETS_DIRECTORY/database_worker_password"`
\set api `cat "$SECRETS_DIRECTORY/database_api_password"`
SELECT format('CREATE ROLE %I', role)
FROM unnest(ARRAY['keelwing_worker', 'keelwing_api']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
ALTER ROLE keelwing_worker LOGIN PASSWORD :'worker';
ALTER ROLE keelwing_api LOGIN PASSWORD :'api';
SQL
)
