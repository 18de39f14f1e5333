-- The cache over the log (design 5.5): detector state, what must be derived again, and the dated context `step` reads.
CREATE TABLE checkpoint (
    asset_id uuid NOT NULL,
    time timestamptz NOT NULL,                      -- everything up to and including this instant is in the state
    shard smallint NOT NULL,
    wake_at timestamptz,                            -- next tick asked for; only the newest checkpoint keeps it
    state bytea NOT NULL CHECK (octet_length(state) <= 65536),  -- plain numbers with a schema version
    commit_no bigint NOT NULL,
    PRIMARY KEY (asset_id, time)
);

COMMENT ON TABLE checkpoint IS 'Detector state: the newest per asset, and the last of each 6 h before it';

CREATE INDEX checkpoint_due ON checkpoint (shard, wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE dirty (
    asset_id uuid PRIMARY KEY,
    shard smallint NOT NULL,
    from_time timestamptz NOT NULL,                 -- earliest event time that came late
    marked_at timestamptz NOT NULL,                 -- wall time of the last mark: quiet is counted from here
    commit_no bigint NOT NULL
);

COMMENT ON TABLE dirty IS 'Assets to derive again because a reading came late';

CREATE TABLE prior_contribution (
    asset_id uuid NOT NULL REFERENCES asset,
    hour timestamptz NOT NULL,                      -- start of a closed hour of event time
    contribution bytea NOT NULL CHECK (octet_length(contribution) <= 65536),
    commit_no bigint NOT NULL,
    PRIMARY KEY (asset_id, hour)
);

COMMENT ON TABLE prior_contribution IS 'What one asset adds to its type''s prior in one hour';

CREATE INDEX prior_contribution_by_hour ON prior_contribution (hour);

CREATE TABLE scene_context (
    tenant text NOT NULL,
    asset_id uuid NOT NULL,
    at timestamptz NOT NULL,                        -- start of the bucket of event time it speaks of
    neighbours_heard integer NOT NULL,              -- others heard within 50 km in the hour before
    neighbours_known integer NOT NULL,              -- others last known within 50 km
    feed_down boolean NOT NULL,
    commit_no bigint NOT NULL,
    PRIMARY KEY (asset_id, at)
);

COMMENT ON TABLE scene_context IS 'What the scene told an asset''s step, dated so that deriving again reads the same';

CREATE TABLE listening (
    tenant text NOT NULL,
    origin text NOT NULL,                           -- feed:NAME or device
    during tstzrange NOT NULL CHECK (NOT isempty(during)),
    PRIMARY KEY (tenant, origin, during),
    EXCLUDE USING gist (tenant WITH =, origin WITH =, during WITH &&)
);

COMMENT ON TABLE listening IS 'When the worker listened to what; time outside is unknown, not silence';

CREATE TABLE api_key (
    key_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant text NOT NULL REFERENCES tenant,
    role text NOT NULL CHECK (role IN ('admin', 'manager', 'viewer', 'lessee')),
    party_id uuid,
    key_hash bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),  -- SHA-256 of a key of ≥ 190 random bits
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    last_used_at timestamptz,                       -- to the minute
    FOREIGN KEY (party_id, tenant) REFERENCES party (party_id, tenant),
    CHECK ((role = 'lessee') = (party_id IS NOT NULL))
);

COMMENT ON TABLE api_key IS 'Keys of the API; the key itself is never stored';

CREATE TABLE idempotency_key (
    tenant text NOT NULL REFERENCES tenant,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea NOT NULL,                    -- SHA-256 over method, path and body: another request may not reuse a key
    response jsonb,                                 -- status and body; NULL while the first request is under way
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, key)
);

COMMENT ON TABLE idempotency_key IS 'Answers to writes that may be repeated; pruned by age';

CREATE INDEX idempotency_key_by_time ON idempotency_key (created_at);
