-- The paper and what became of it: parties, contracts, tenure, milestones, cover, covenants. All of it dated twice: `valid` is when
-- it is true in the world, `recorded` when Keelwing believed it. A correction closes `recorded` and adds a row.
-- depends: 0221_dirty_begun
ALTER TABLE party
    ADD COLUMN country text CHECK (country ~ '^[A-Z]{2}$'),  -- ISO 3166-1 alpha-2 of its seat
    ADD COLUMN lei text CHECK (lei ~ '^[A-Z0-9]{18}[0-9]{2}$'),  -- ISO 17442
    ADD COLUMN particulars jsonb NOT NULL DEFAULT '{}';  -- address, screening status, contacts

CREATE TABLE party_group (
    party_group_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    party_id uuid NOT NULL,
    parent_party_id uuid NOT NULL CHECK (parent_party_id <> party_id),  -- the company that controls it
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL) CHECK (NOT isempty(valid)),
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    source text NOT NULL DEFAULT 'registration',
    FOREIGN KEY (party_id, tenant) REFERENCES party (party_id, tenant),
    FOREIGN KEY (parent_party_id, tenant) REFERENCES party (party_id, tenant),
    EXCLUDE USING gist (party_id WITH =, valid WITH &&) WHERE (upper_inf(recorded))
);

COMMENT ON TABLE party_group IS 'Which company controls which, and when';

CREATE INDEX party_group_by_parent ON party_group (parent_party_id);

CREATE TABLE lease_contract (
    lease_id uuid NOT NULL DEFAULT gen_random_uuid(),
    revision integer NOT NULL DEFAULT 1 CHECK (revision > 0),
    tenant text NOT NULL,
    asset_id uuid NOT NULL,
    reference text,                                 -- the contract's own number
    form text NOT NULL,                             -- fleet.lease.FORMS
    head boolean NOT NULL DEFAULT true,             -- the lessor's own contract; false for a sublease
    parent_lease_id uuid,                           -- of a sublease; the parent's tenure must hold it
    signed_on date,                                 -- NULL while a draft
    term tstzrange NOT NULL CHECK (NOT isempty(term)),  -- what the paper promises; cut when the lease ends early
    void boolean NOT NULL DEFAULT false,            -- cancelled before delivery
    terms jsonb NOT NULL DEFAULT '{}',              -- fleet.lease.Terms: rent, options, notices, reserves, CII …
    actor text NOT NULL DEFAULT 'keelwing',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    PRIMARY KEY (lease_id, revision),
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant),
    CHECK (head = (parent_lease_id IS NULL)),
    -- two signed head leases of an asset never promise the same instant
    EXCLUDE USING gist (asset_id WITH =, term WITH &&) WHERE (upper_inf(recorded) AND head AND NOT void AND signed_on IS NOT NULL)
);

COMMENT ON TABLE lease_contract IS 'A lease as the paper has it, every revision; the tenure it led to is in lease';

CREATE UNIQUE INDEX lease_contract_current ON lease_contract (lease_id) WHERE upper_inf(recorded);

CREATE INDEX lease_contract_by_asset ON lease_contract (asset_id) WHERE upper_inf(recorded);

CREATE INDEX lease_contract_by_parent ON lease_contract (parent_lease_id) WHERE upper_inf(recorded);

-- A lease's tenure may change hands (novation), never overlap itself.
ALTER TABLE lease ADD CONSTRAINT lease_tenure_once
    EXCLUDE USING gist (lease_id WITH =, valid WITH &&) WHERE (upper_inf(recorded));

COMMENT ON TABLE lease IS 'Tenure: who has an asset when, under which lease, dated twice; a lessee sees what lies inside valid';

CREATE TABLE lease_party (
    lease_party_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    lease_id uuid NOT NULL,
    party_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('lessor', 'lessee', 'operator', 'sub_lessee', 'manager', 'insurer', 'mortgagee', 'guarantor')),
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL) CHECK (NOT isempty(valid)),
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    source text NOT NULL DEFAULT 'contract',
    FOREIGN KEY (party_id, tenant) REFERENCES party (party_id, tenant),
    EXCLUDE USING gist (lease_id WITH =, party_id WITH =, role WITH =, valid WITH &&) WHERE (upper_inf(recorded))
);

COMMENT ON TABLE lease_party IS 'Who stands behind a lease in which role, and when';

CREATE INDEX lease_party_by_lease ON lease_party (lease_id);

CREATE INDEX lease_party_by_party ON lease_party (party_id);

CREATE TABLE lease_event (
    lease_event_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant text NOT NULL,
    lease_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{0,39}$'),  -- fleet.lease_phase
    at timestamptz NOT NULL,                        -- when it happened in the world
    evidence jsonb NOT NULL DEFAULT '{}',           -- documents, place, remarks
    actor text NOT NULL DEFAULT 'keelwing',
    corrects uuid REFERENCES lease_event,           -- the event this one replaces
    recorded tstzrange NOT NULL DEFAULT tstzrange(clock_timestamp(), NULL),
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant)
);

COMMENT ON TABLE lease_event IS 'What happened to a lease: signature, delivery, notices, novation, redelivery, default';

CREATE INDEX lease_event_by_lease ON lease_event (lease_id, at);

CREATE INDEX lease_event_by_asset ON lease_event (asset_id, at);

CREATE TABLE asset_event (
    asset_event_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant text NOT NULL,
    asset_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{0,39}$'),  -- fleet.stage: order_placed … total_loss
    basis text NOT NULL CHECK (basis IN ('contract', 'reported', 'observed')),  -- promised, told, or seen in readings
    at timestamptz NOT NULL,
    evidence jsonb NOT NULL DEFAULT '{}',
    actor text NOT NULL DEFAULT 'keelwing',
    corrects uuid REFERENCES asset_event,
    recorded tstzrange NOT NULL DEFAULT tstzrange(clock_timestamp(), NULL),
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant)
);

COMMENT ON TABLE asset_event IS 'Milestones of an asset from order to disposal, as promised, as reported and as observed';

CREATE INDEX asset_event_by_asset ON asset_event (asset_id, at);

CREATE TABLE maintenance_event (
    maintenance_event_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant text NOT NULL,
    asset_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind ~ '^[a-z0-9][a-z0-9_]{0,39}$'),  -- drydock, airframe_6y, shop_visit …
    planned tstzrange,
    actual tstzrange,                               -- open end while it lasts
    place text,                                     -- shop, yard or port
    use_at jsonb NOT NULL DEFAULT '{}',             -- flight_h, cycles, car_km … at the event
    cost_amount numeric(18, 2),
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    evidence jsonb NOT NULL DEFAULT '{}',
    actor text NOT NULL DEFAULT 'keelwing',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant),
    CHECK (planned IS NOT NULL OR actual IS NOT NULL),
    CHECK ((cost_amount IS NULL) = (currency IS NULL))
);

COMMENT ON TABLE maintenance_event IS 'Checks, shop visits, dry-dockings and surveys, planned and done';

CREATE INDEX maintenance_event_by_asset ON maintenance_event (asset_id);

CREATE TABLE insurance (
    insurance_id uuid NOT NULL DEFAULT gen_random_uuid(),
    revision integer NOT NULL DEFAULT 1,
    tenant text NOT NULL,
    lease_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('hull', 'war', 'p_and_i', 'liability', 'spares')),
    insurer text NOT NULL,
    agreed_value_amount numeric(18, 2),
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    cover tstzrange NOT NULL CHECK (NOT isempty(cover)),
    area_set text,                                  -- geographic limits: area.area_set
    cancellation_notice_days integer,
    loss_payee text,
    certificates jsonb NOT NULL DEFAULT '[]',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    PRIMARY KEY (insurance_id, revision)
);

COMMENT ON TABLE insurance IS 'Cover that a lease asks for';

CREATE INDEX insurance_by_lease ON insurance (lease_id);

CREATE TABLE territory_rule (
    territory_rule_id text NOT NULL,
    revision integer NOT NULL DEFAULT 1,
    tenant text NOT NULL,
    lease_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('permitted', 'prohibited', 'notify', 'insured_excluded')),
    event_scope text NOT NULL CHECK (event_scope IN ('any_presence', 'port_call', 'landing', 'overflight', 'flag', 'ownership')),
    area_set text NOT NULL,
    area_set_version text,                          -- NULL: whatever version holds at the time
    prior_notice_h double precision,
    carve_outs text[] NOT NULL DEFAULT '{}',        -- force_majeure, overflight
    severity text CHECK (severity IN ('info', 'warning', 'critical')),
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL) CHECK (NOT isempty(valid)),
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    PRIMARY KEY (lease_id, territory_rule_id, revision)
);

COMMENT ON TABLE territory_rule IS 'Where a lease lets its asset go, over versioned sets of areas';

CREATE TABLE covenant (
    covenant_id text NOT NULL,
    revision integer NOT NULL DEFAULT 1,
    tenant text NOT NULL,
    lease_id uuid NOT NULL,
    clause text NOT NULL,                           -- the paper's own reference
    predicate jsonb NOT NULL,                       -- of a closed set, no language of its own
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL) CHECK (NOT isempty(valid)),
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    PRIMARY KEY (lease_id, covenant_id, revision)
);

COMMENT ON TABLE covenant IS 'Clauses of a lease that can be judged by what is heard';

-- A sublease lives inside its parent's tenure: judged at the end of the transaction, so that both may move together.
CREATE FUNCTION sublease_within_parent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    child record;
BEGIN
    FOR child IN
        SELECT DISTINCT contract.lease_id, contract.parent_lease_id FROM lease_contract AS contract
        WHERE upper_inf(contract.recorded) AND contract.parent_lease_id IS NOT NULL
            AND (contract.lease_id = NEW.lease_id OR contract.parent_lease_id = NEW.lease_id)
    LOOP
        IF EXISTS (
            SELECT FROM lease WHERE lease.lease_id = child.lease_id AND upper_inf(lease.recorded)
                AND NOT lease.valid <@ coalesce((
                    SELECT range_agg(parent.valid) FROM lease AS parent
                    WHERE parent.lease_id = child.parent_lease_id AND upper_inf(parent.recorded)), '{}'::tstzmultirange))
        THEN
            RAISE EXCEPTION USING MESSAGE = 'sublease ' || child.lease_id || ' reaches beyond its parent ' || child.parent_lease_id,
                ERRCODE = 'check_violation', CONSTRAINT = 'sublease_within_parent';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER sublease_within_parent AFTER INSERT OR UPDATE ON lease
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sublease_within_parent();

CREATE CONSTRAINT TRIGGER sublease_within_parent AFTER INSERT OR UPDATE ON lease_contract
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sublease_within_parent();

-- Walls. Contracts, parties to them, money and clauses are the lessor's own; of its leases a lessee sees the tenure (0007_wall.sql).
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['party_group', 'lease_contract', 'lease_party', 'lease_event', 'asset_event', 'maintenance_event',
            'insurance', 'territory_rule', 'covenant'] LOOP
        EXECUTE 'ALTER TABLE ' || quote_ident(name) || ' ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
        EXECUTE 'CREATE POLICY worker ON ' || quote_ident(name) || ' TO keelwing_worker USING (true) WITH CHECK (true)';
        EXECUTE 'CREATE POLICY internal ON ' || quote_ident(name) || ' TO keelwing_api, keelwing_view'
            || ' USING (tenant = scope_tenant() AND scope_internal()) WITH CHECK (tenant = scope_tenant() AND scope_internal())';
        EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || quote_ident(name) || ' TO keelwing_worker';
        EXECUTE 'GRANT SELECT, INSERT, UPDATE (recorded) ON ' || quote_ident(name) || ' TO keelwing_api';
    END LOOP;
END
$$;

GRANT INSERT, UPDATE (recorded) ON lease TO keelwing_api;

GRANT UPDATE (country, lei, particulars) ON party TO keelwing_api;
