-- What lessees report, what they owe and what was paid: reports, reserve accounts and their ledger, off-hire, return conditions.
-- depends: 0320_use
CREATE TABLE utilization_report (
    utilization_report_id uuid NOT NULL DEFAULT gen_random_uuid(),
    revision integer NOT NULL DEFAULT 1 CHECK (revision > 0),
    tenant text NOT NULL,
    lease_id uuid NOT NULL,
    asset_id uuid NOT NULL,                         -- the airframe, engine, APU, ship … it speaks of
    kind text NOT NULL CHECK (kind IN ('monthly', 'noon', 'departure', 'arrival', 'in_port')),
    period tstzrange NOT NULL CHECK (NOT isempty(period)),  -- a month in the lease's billing zone, or a noon report's UTC span
    figures jsonb NOT NULL,                         -- flight_h, cycles …; a noon report's fields; unit last
    signed_by text,
    received_at timestamptz NOT NULL,
    actor text NOT NULL DEFAULT 'keelwing',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    PRIMARY KEY (utilization_report_id, revision),
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant),
    EXCLUDE USING gist (lease_id WITH =, asset_id WITH =, kind WITH =, period WITH &&) WHERE (upper_inf(recorded))
);

COMMENT ON TABLE utilization_report IS 'Use as the lessee or the master reports it, every revision';

CREATE INDEX utilization_report_by_lease ON utilization_report (lease_id);

CREATE TABLE reserve_account (
    reserve_account_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant text NOT NULL,
    lease_id uuid NOT NULL,
    asset_id uuid NOT NULL,                         -- airframe, engine, APU or gear that it saves for
    bucket text NOT NULL CHECK (bucket ~ '^[a-z0-9][a-z0-9_]{0,39}$'),  -- airframe_6y, landing_gear, apu, performance_restoration, llp
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    opened_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant),
    UNIQUE (lease_id, asset_id, bucket),
    UNIQUE (reserve_account_id, tenant)
);

COMMENT ON TABLE reserve_account IS 'One bucket of maintenance reserves of a lease; buckets cannot fund each other';

CREATE TABLE reserve_entry (
    reserve_entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    reserve_account_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('accrual', 'payment', 'claim', 'payout', 'adjustment', 'retained_at_end')),
    month date,                                     -- first day of the month that an accrual or adjustment is for
    amount numeric(18, 2) NOT NULL,                 -- of the account's currency; sign: fleet.maintenance_reserve
    workings jsonb NOT NULL DEFAULT '{}',           -- rate, quantity, factors, invoice, exclusions
    reverses bigint REFERENCES reserve_entry,
    actor text NOT NULL DEFAULT 'keelwing',
    at timestamptz NOT NULL,                        -- when it takes effect
    entered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (reserve_account_id, tenant) REFERENCES reserve_account (reserve_account_id, tenant)
);

COMMENT ON TABLE reserve_entry IS 'The ledger of reserves; append-only';

CREATE INDEX reserve_entry_by_account ON reserve_entry (reserve_account_id, at, reserve_entry_id);

CREATE TABLE return_condition (
    return_condition_id text NOT NULL,
    revision integer NOT NULL DEFAULT 1,
    tenant text NOT NULL,
    lease_id uuid NOT NULL,
    requirement text NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'met', 'waived', 'failed')),
    evidence jsonb NOT NULL DEFAULT '{}',
    due_on date,
    actor text NOT NULL DEFAULT 'keelwing',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    PRIMARY KEY (lease_id, return_condition_id, revision)
);

COMMENT ON TABLE return_condition IS 'What must be so at redelivery, and whether it is';

CREATE TABLE off_hire (
    off_hire_id uuid NOT NULL DEFAULT gen_random_uuid(),
    revision integer NOT NULL DEFAULT 1,
    tenant text NOT NULL,
    lease_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    period tstzrange NOT NULL CHECK (NOT isempty(period)),
    status text NOT NULL CHECK (status IN ('candidate', 'confirmed', 'rejected')),
    reason text NOT NULL,
    evidence jsonb NOT NULL DEFAULT '{}',
    actor text NOT NULL DEFAULT 'keelwing',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    PRIMARY KEY (off_hire_id, revision),
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant)
);

COMMENT ON TABLE off_hire IS 'Time lost to the charterer: proposed by what was heard, confirmed by a person';

CREATE INDEX off_hire_by_lease ON off_hire (lease_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['utilization_report', 'reserve_account', 'reserve_entry', 'return_condition', 'off_hire'] LOOP
        EXECUTE 'ALTER TABLE ' || quote_ident(name) || ' ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
        EXECUTE 'CREATE POLICY worker ON ' || quote_ident(name) || ' TO keelwing_worker USING (true) WITH CHECK (true)';
        EXECUTE 'CREATE POLICY internal ON ' || quote_ident(name) || ' TO keelwing_api, keelwing_view'
            || ' USING (tenant = scope_tenant() AND scope_internal()) WITH CHECK (tenant = scope_tenant() AND scope_internal())';
        EXECUTE 'GRANT SELECT, INSERT ON ' || quote_ident(name) || ' TO keelwing_api, keelwing_worker';
    END LOOP;
    FOREACH name IN ARRAY ARRAY['utilization_report', 'return_condition', 'off_hire'] LOOP
        EXECUTE 'GRANT UPDATE (recorded) ON ' || quote_ident(name) || ' TO keelwing_api, keelwing_worker';
    END LOOP;
END
$$;
