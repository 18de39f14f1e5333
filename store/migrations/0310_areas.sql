-- Lines on the map, dated and versioned; components on their parents.
-- depends: 0300_leases
CREATE TABLE area (
    area_row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL REFERENCES tenant,         -- `_`: everybody's
    area_id text NOT NULL CHECK (length(area_id) BETWEEN 1 AND 64),
    area_set text,                                  -- the list it belongs to: a notice of JWC, an insurer's limits
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('port', 'anchorage', 'berth', 'yard', 'prohibited', 'notify', 'watch')),
    applies_to text[] NOT NULL DEFAULT '{}',        -- asset classes; empty: all
    issuer text NOT NULL,
    version text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    geometry jsonb NOT NULL,                        -- GeoJSON Polygon or MultiPolygon, WGS 84, cut at 180 degrees; a Point with radius_m
    radius_m double precision,                      -- of a Point
    west_deg double precision NOT NULL,             -- bounding box; west > east crosses 180 degrees
    south_deg double precision NOT NULL,
    east_deg double precision NOT NULL,
    north_deg double precision NOT NULL,
    source text NOT NULL DEFAULT 'import',
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL) CHECK (NOT isempty(valid)),
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    EXCLUDE USING gist (tenant WITH =, area_id WITH =, valid WITH &&) WHERE (upper_inf(recorded))
);

COMMENT ON TABLE area IS 'Ports, anchorages, berths, yards and the areas that leases and insurers name; dated twice';

CREATE INDEX area_by_set ON area (tenant, area_set);

CREATE TABLE installation (
    installation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    asset_id uuid NOT NULL,                         -- the component: engine, apu, landing_gear, car
    parent_asset_id uuid NOT NULL CHECK (parent_asset_id <> asset_id),
    position text NOT NULL,                         -- 1, 2, left_main, car 3 …
    valid tstzrange NOT NULL CHECK (NOT isempty(valid)),
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    source text NOT NULL DEFAULT 'registration',
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant),
    FOREIGN KEY (parent_asset_id, tenant) REFERENCES asset (asset_id, tenant),
    EXCLUDE USING gist (asset_id WITH =, valid WITH &&) WHERE (upper_inf(recorded)),
    EXCLUDE USING gist (parent_asset_id WITH =, position WITH =, valid WITH &&) WHERE (upper_inf(recorded))
);

COMMENT ON TABLE installation IS 'Which component sat on which asset in which position, dated twice';

CREATE INDEX installation_by_parent ON installation (parent_asset_id);

CREATE TABLE life_limit (
    life_limit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    asset_id uuid NOT NULL,                         -- the asset or component it is in
    item text NOT NULL,                             -- airframe_6y, performance_restoration, or the part number of a life-limited part
    serial_no text,                                 -- of a part
    kind text NOT NULL CHECK (kind IN ('interval', 'life')),  -- comes again after its event, or ends the part
    driver text NOT NULL CHECK (driver IN ('fh', 'fc', 'apuh', 'month', 'car_km', 'door_cycle')),
    limit_value numeric NOT NULL CHECK (limit_value > 0),  -- in the driver's unit
    used_value numeric NOT NULL CHECK (used_value >= 0),  -- at `counted_at`
    counted_at timestamptz NOT NULL,
    cost_amount numeric(18, 2),                     -- of the event, or the list price of the part
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant),
    CHECK ((cost_amount IS NULL) = (currency IS NULL))
);

COMMENT ON TABLE life_limit IS 'Intervals and lives of an asset, a component or a part, and how much of each was used when it was last counted';

CREATE INDEX life_limit_by_asset ON life_limit (asset_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['area', 'installation', 'life_limit'] LOOP
        EXECUTE 'ALTER TABLE ' || quote_ident(name) || ' ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
        EXECUTE 'CREATE POLICY worker ON ' || quote_ident(name) || ' TO keelwing_worker USING (true) WITH CHECK (true)';
        EXECUTE 'CREATE POLICY internal ON ' || quote_ident(name) || ' TO keelwing_api, keelwing_view'
            || ' USING (tenant = scope_tenant() AND scope_internal()) WITH CHECK (tenant = scope_tenant() AND scope_internal())';
        EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || quote_ident(name) || ' TO keelwing_worker';
        EXECUTE 'GRANT SELECT, INSERT, UPDATE (recorded) ON ' || quote_ident(name) || ' TO keelwing_api';
    END LOOP;
END
$$;

CREATE POLICY everybodys ON area FOR SELECT TO keelwing_api, keelwing_view USING (tenant = '_');
