-- What compares assets: where each was in every ten minutes, from when on a scene is to be judged, and how far it was.
-- depends: 0370_daily_pass
CREATE TABLE sighting (
    tenant text NOT NULL,
    clock text NOT NULL,                            -- live, or TENANT/FEED of the recording whose clock it is on
    time timestamptz NOT NULL,                      -- of the fix
    key text NOT NULL,                              -- the asset's id, or scheme:value of traffic
    asset_id uuid,                                  -- NULL for traffic
    noted bytea NOT NULL CHECK (octet_length(noted) <= 1024),  -- plain numbers that detect can read
    commit_no bigint,                               -- NULL for traffic, which is looked at and not received
    PRIMARY KEY (tenant, clock, time, key)
);

COMMENT ON TABLE sighting IS 'One fix an asset and ten minutes, for the scene; kept over the horizon';

CREATE INDEX sighting_by_asset ON sighting (asset_id, time);

CREATE TABLE scene_mark (
    scene_mark_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    clock text NOT NULL,
    from_time timestamptz NOT NULL,                 -- the earliest sighting that was written or taken away
    commit_no bigint NOT NULL
);

COMMENT ON TABLE scene_mark IS 'From when on the scene of a tenant is to be judged (again); taken away when it was';

CREATE INDEX scene_mark_by_scene ON scene_mark (tenant, clock, from_time);

CREATE TABLE scene_cut (
    tenant text NOT NULL,
    clock text NOT NULL,
    at timestamptz NOT NULL,                        -- everything before this instant is in the state
    state bytea NOT NULL,                           -- plain numbers with a schema version, deflated
    PRIMARY KEY (tenant, clock, at)
);

COMMENT ON TABLE scene_cut IS 'What the scene remembers: the newest of each, and one an hour over the horizon';

ALTER TABLE traffic ADD COLUMN kind text;           -- its type in words, once it said so

GRANT SELECT, INSERT, UPDATE, DELETE ON sighting, scene_mark, scene_cut TO keelwing_worker;
