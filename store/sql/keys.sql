-- name: create
-- A key, by its hash.
INSERT INTO api_key (tenant, role, party_id, key_hash) VALUES (%(tenant)s, %(role)s, %(party_id)s, %(key_hash)s);

-- name: revoke
-- From now on nobody is let in with it.
UPDATE api_key SET revoked_at = now() WHERE key_hash = %(key_hash)s AND revoked_at IS NULL;

-- name: authenticate
-- Who a key belongs to.
SELECT key_id::text, tenant, role, party_id::text FROM authenticate(%(key_hash)s::bytea);
