-- An episode derived again may begin at another instant and so come out under another id; where it overlaps the stored one it
-- goes on under the stored id. These rows remember which derived id that was.
CREATE TABLE finding_alias (
    asset_id uuid NOT NULL REFERENCES asset,
    derived_id text NOT NULL,                       -- as `detect` names the episode
    finding_id text NOT NULL,                       -- as it is stored
    PRIMARY KEY (asset_id, derived_id)
);

COMMENT ON TABLE finding_alias IS 'Derived ids of episodes that are stored under an older id';

GRANT SELECT, INSERT, UPDATE, DELETE ON finding_alias TO keelwing_worker;

CREATE INDEX scene_context_by_tenant ON scene_context (tenant, at DESC);
