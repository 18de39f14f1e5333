-- Who owns what, and what the air calls it. Every row is dated twice where the contract can change it: `valid` is when it is
-- true in the world, `recorded` is when Keelwing believed it (open upper end: still does). A correction closes `recorded`
-- and adds a row; nothing is overwritten.
CREATE TABLE tenant (
    tenant text PRIMARY KEY CHECK (tenant ~ '^(_|[a-z0-9][a-z0-9_-]{0,62})$'),  -- topic word; `_` is the operator's
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE tenant IS 'One lessor each; all other rows name theirs. The operator is _';

INSERT INTO tenant (tenant, name) VALUES ('_', 'operator');

CREATE TABLE party (
    party_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant text NOT NULL REFERENCES tenant,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant, name),
    UNIQUE (party_id, tenant)
);

COMMENT ON TABLE party IS 'A company a tenant deals with: lessee, financier, insurer';

CREATE TABLE asset (
    asset_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant text NOT NULL REFERENCES tenant,
    class text NOT NULL,                            -- vessel, aircraft, trainset (fleet.asset_class)
    name text NOT NULL,
    type text,                                      -- maker's or trade's type: A320-200, bulk carrier; groups priors
    stage text,                                     -- life-cycle stage as last derived; NULL until it is
    particulars jsonb NOT NULL DEFAULT '{}',        -- length_m, beam_m, mtow_kg … unit last
    shard smallint NOT NULL CHECK (shard BETWEEN 0 AND 63),  -- fleet.shards.shard_of(asset_id)
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (asset_id, tenant)
);

COMMENT ON TABLE asset IS 'A thing a tenant owns. Two tenants may each hold an asset of the same hull';

CREATE INDEX asset_by_tenant ON asset (tenant, class, asset_id);

CREATE TABLE identifier (
    identifier_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asset_id uuid NOT NULL,
    tenant text NOT NULL,
    class text NOT NULL,                            -- the asset's: an identifier is told apart by class too
    scheme text NOT NULL,                           -- fleet.identifiers.SCHEME_FORMS
    value text NOT NULL,
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL) CHECK (NOT isempty(valid)),
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    source text NOT NULL DEFAULT 'registration',    -- who said so: registration, static report, paper
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant),
    -- at one instant an identifier of a tenant names one asset
    EXCLUDE USING gist (tenant WITH =, class WITH =, scheme WITH =, value WITH =, valid WITH &&) WHERE (upper_inf(recorded))
);

COMMENT ON TABLE identifier IS 'What the air or a paper calls an asset, dated twice';

CREATE INDEX identifier_by_asset ON identifier (asset_id);

CREATE INDEX identifier_by_value ON identifier (scheme, value);

CREATE TABLE lease (
    lease_id uuid NOT NULL DEFAULT gen_random_uuid(),
    revision integer NOT NULL DEFAULT 1,
    tenant text NOT NULL,
    asset_id uuid NOT NULL,
    lessee_party_id uuid NOT NULL,
    form text NOT NULL,                             -- bareboat, time, voyage, dry, wet, finance
    head boolean NOT NULL DEFAULT true,             -- the lessor's own contract; false for a sublease
    valid tstzrange NOT NULL CHECK (NOT isempty(valid)),
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    PRIMARY KEY (lease_id, revision),
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant),
    FOREIGN KEY (lessee_party_id, tenant) REFERENCES party (party_id, tenant),
    -- one active head lease per asset at any instant (design 5.12)
    EXCLUDE USING gist (asset_id WITH =, valid WITH &&) WHERE (upper_inf(recorded) AND head)
);

COMMENT ON TABLE lease IS 'Who has an asset when, dated twice; a lessee sees what lies inside valid';

CREATE INDEX lease_by_party ON lease (lessee_party_id, asset_id);

CREATE TABLE feed (
    tenant text NOT NULL REFERENCES tenant,
    feed text NOT NULL CHECK (feed ~ '^[^/+#]{1,64}$'),
    clock text NOT NULL DEFAULT 'live' CHECK (clock IN ('live', 'recording')),  -- design 4.2, Clocks
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, feed)
);

COMMENT ON TABLE feed IS 'A named source of many assets; those of _ are granted to tenants';

CREATE TABLE feed_grant (
    feed_grant_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed_tenant text NOT NULL DEFAULT '_' CHECK (feed_tenant = '_'),
    feed text NOT NULL,
    tenant text NOT NULL REFERENCES tenant,
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL) CHECK (NOT isempty(valid)),
    FOREIGN KEY (feed_tenant, feed) REFERENCES feed (tenant, feed),
    EXCLUDE USING gist (feed WITH =, tenant WITH =, valid WITH &&)
);

COMMENT ON TABLE feed_grant IS 'For which periods a tenant may use a feed of the operator';

CREATE TABLE stream (
    stream_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    origin text NOT NULL CHECK (origin = 'device' OR starts_with(origin, 'feed:')),
    class text NOT NULL,
    scheme text NOT NULL,
    value text NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT now(),  -- wall time of the first reading's commit
    UNIQUE (tenant, origin, class, scheme, value)
);

COMMENT ON TABLE stream IS 'What the air said: who spoke (device or feed:NAME) about which identifier. Readings hang here';

CREATE INDEX stream_by_value ON stream (scheme, value);

CREATE TABLE attribution (
    attribution_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream_id bigint NOT NULL REFERENCES stream,
    asset_id uuid NOT NULL,
    tenant text NOT NULL,
    valid tstzrange NOT NULL CHECK (NOT isempty(valid)),
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant),
    -- within a tenant a stream speaks of one asset at a time
    EXCLUDE USING gist (stream_id WITH =, tenant WITH =, valid WITH &&) WHERE (upper_inf(recorded))
);

COMMENT ON TABLE attribution IS 'Which asset a stream spoke of, dated twice; joined on read, so re-attribution moves no reading';

CREATE INDEX attribution_by_asset ON attribution (asset_id);

CREATE TABLE setting (
    setting_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL REFERENCES tenant,         -- `_`: the default of all tenants
    rule text NOT NULL,
    name text NOT NULL,                             -- threshold's name, unit last: silence_min, jump_kn
    value jsonb NOT NULL,
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL) CHECK (NOT isempty(valid)),
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    EXCLUDE USING gist (tenant WITH =, rule WITH =, name WITH =, valid WITH &&) WHERE (upper_inf(recorded))
);

COMMENT ON TABLE setting IS 'Thresholds and other choices that detection reads, dated twice';

CREATE TABLE registry_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL DEFAULT 1
);

COMMENT ON TABLE registry_version IS 'One counter that grows with every change of the registry, so that copies in memory know';

INSERT INTO registry_version DEFAULT VALUES;

CREATE FUNCTION bump_registry_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE registry_version SET version = version + 1;
    PERFORM pg_notify('keelwing_registry', '');
    RETURN NULL;
END
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tenant', 'asset', 'identifier', 'lease', 'feed', 'feed_grant', 'setting'] LOOP
        EXECUTE 'CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE ON ' || quote_ident(name)
            || ' FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version()';
    END LOOP;
END
$$;

-- Not on insert: a new stream finds its assets by itself, and a fleet's first hour would reload every copy once per ship.
CREATE TRIGGER registry_changed AFTER UPDATE OR DELETE ON attribution
    FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version();
