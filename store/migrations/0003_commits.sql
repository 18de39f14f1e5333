-- Numbered transactions (design 5.4). A shard's row is locked by every commit that touches it, which makes the row both the
-- fence (epoch) and the counter (n): an old owner finds another epoch there and writes nothing.
CREATE TABLE shard_owner (
    shard smallint PRIMARY KEY CHECK (shard BETWEEN 0 AND 63),
    epoch bigint NOT NULL DEFAULT 0,                -- grows with every claim
    owner text,                                     -- who claimed: host and process, for people
    n bigint NOT NULL DEFAULT 0,                    -- last number given in this shard
    claimed_at timestamptz
);

COMMENT ON TABLE shard_owner IS 'Which worker may commit to which of the 64 virtual shards';

INSERT INTO shard_owner (shard) SELECT generate_series(0, 63);

CREATE SEQUENCE epoch_number;

COMMENT ON SEQUENCE epoch_number IS 'One number per claim, over all shards';

CREATE TABLE commits (
    commit_no bigint PRIMARY KEY,                   -- n * 64 + shard (fleet.shards.commit_no); carried by every row written
    shard smallint NOT NULL CHECK (shard BETWEEN 0 AND 63),
    epoch bigint NOT NULL,                          -- of the owner that wrote it; 0 before the first claim
    n bigint NOT NULL CHECK (n > 0),
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- wall time, just before COMMIT
    CHECK (commit_no = n * 64 + shard)
);

COMMENT ON TABLE commits IS 'Every transaction that wrote facts, once per shard in it; known_at resolves to these';

CREATE INDEX commits_by_time ON commits USING brin (committed_at);
