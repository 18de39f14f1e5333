-- name: claim
-- Become the owner of shards: a new epoch for all of them, which fences whoever had them before.
WITH claimed AS (SELECT nextval('epoch_number') AS epoch)
UPDATE shard_owner SET epoch = claimed.epoch, owner = %(owner)s, claimed_at = clock_timestamp()
FROM claimed, (SELECT shard FROM shard_owner WHERE shard = ANY (%(shards)s) ORDER BY shard FOR UPDATE) AS wanted
WHERE shard_owner.shard = wanted.shard
RETURNING shard_owner.shard, shard_owner.epoch;

-- name: begin
-- Lock the shards in order, take the next number of each that is still ours, and write the commit rows.
WITH held AS (
    SELECT shard FROM shard_owner WHERE shard = ANY (%(shards)s) AND epoch = %(epoch)s ORDER BY shard FOR UPDATE
), taken AS (
    UPDATE shard_owner SET n = n + 1 FROM held WHERE shard_owner.shard = held.shard
    RETURNING shard_owner.shard, shard_owner.epoch, shard_owner.n
)
INSERT INTO commits (commit_no, shard, epoch, n, attempt)
SELECT n * 64 + shard, shard, epoch, n, %(attempt)s::bigint FROM taken
RETURNING shard, commit_no;

-- name: begin_for
-- The next number of a shard for a change made by a person, under whoever owns the shard.
SELECT next_commit(%(shard)s::smallint) AS commit_no;

-- name: count_committed
-- How many of these numbers were committed by this attempt: all or none, for they belong to one transaction.
SELECT count(*) AS count FROM commits WHERE commit_no = ANY (%(commit_nos)s) AND attempt IS NOT DISTINCT FROM %(attempt)s::bigint;
