-- The price of each bucket, dated twice; months that were closed, with what they were closed on; one accrual a month and bucket.
-- depends: 0330_money
CREATE TABLE reserve_rate (
    reserve_rate_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    reserve_account_id uuid NOT NULL,
    terms jsonb NOT NULL,                           -- fleet.maintenance_reserve.RateTerms; money per unit of its driver, as text
    valid daterange NOT NULL CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),  -- months whose first day lies in it
    actor text NOT NULL DEFAULT 'keelwing',
    recorded tstzrange NOT NULL DEFAULT tstzrange(clock_timestamp(), NULL),
    FOREIGN KEY (reserve_account_id, tenant) REFERENCES reserve_account (reserve_account_id, tenant),
    EXCLUDE USING gist (reserve_account_id WITH =, valid WITH &&) WHERE (upper_inf(recorded))
);

COMMENT ON TABLE reserve_rate IS 'How a bucket is priced and from when, dated twice';

CREATE TABLE closed_month (
    tenant text NOT NULL,
    lease_id uuid NOT NULL,
    month date NOT NULL,                            -- its first day, in the lease's billing zone
    revision integer NOT NULL CHECK (revision > 0),
    period tstzrange NOT NULL CHECK (NOT isempty(period)),  -- the part of it under lease, UTC
    basis text NOT NULL CHECK (basis IN ('reported', 'observed')),
    figures jsonb NOT NULL,                         -- the lines it was closed on: rate, quantity, amount, row ids; money as text
    actor text NOT NULL DEFAULT 'keelwing',
    closed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (lease_id, month, revision)
);

COMMENT ON TABLE closed_month IS 'Months that were accrued, every revision: what touches one afterwards is restated, not edited';

ALTER TABLE reserve_entry
    ADD COLUMN claim_id bigint REFERENCES reserve_entry,  -- of a payout: the claim it answers
    ADD CONSTRAINT reserve_entry_sign CHECK (kind = 'adjustment' OR amount = 0 OR (amount > 0) = (reverses IS NULL)),
    ADD CONSTRAINT reserve_entry_reversed_once UNIQUE (reverses),
    ADD CONSTRAINT reserve_entry_reversible CHECK (reverses IS NULL OR kind <> 'accrual'),
    ADD CONSTRAINT reserve_entry_month CHECK (kind <> 'accrual' OR month IS NOT NULL);

-- A month is accrued once a bucket; what changes later is an adjustment.
CREATE UNIQUE INDEX reserve_entry_one_accrual ON reserve_entry (reserve_account_id, month) WHERE kind = 'accrual';

CREATE INDEX reserve_entry_by_month ON reserve_entry (tenant, month) WHERE month IS NOT NULL;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['reserve_rate', 'closed_month'] LOOP
        EXECUTE 'ALTER TABLE ' || quote_ident(name) || ' ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
        EXECUTE 'CREATE POLICY worker ON ' || quote_ident(name) || ' TO keelwing_worker USING (true) WITH CHECK (true)';
        EXECUTE 'CREATE POLICY internal ON ' || quote_ident(name) || ' TO keelwing_api, keelwing_view'
            || ' USING (tenant = scope_tenant() AND scope_internal()) WITH CHECK (tenant = scope_tenant() AND scope_internal())';
        EXECUTE 'GRANT SELECT, INSERT ON ' || quote_ident(name) || ' TO keelwing_api, keelwing_worker';
    END LOOP;
END
$$;

GRANT UPDATE (recorded) ON reserve_rate TO keelwing_api, keelwing_worker;
