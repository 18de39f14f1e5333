-- Who signed a contract, what it promised before options and an early end, and who wrote the clauses beside it.
-- depends: 0330_money
ALTER TABLE lease_contract
    ADD COLUMN lessee_party_id uuid,                -- who signs; a novation brings others (lease_party, lease)
    ADD COLUMN promise tstzrange CHECK (NOT isempty(promise)),  -- the term as signed; NULL: `term` is
    ADD FOREIGN KEY (lessee_party_id, tenant) REFERENCES party (party_id, tenant);

ALTER TABLE party_group ADD COLUMN actor text NOT NULL DEFAULT 'keelwing';

ALTER TABLE lease_party ADD COLUMN actor text NOT NULL DEFAULT 'keelwing';

ALTER TABLE insurance ADD COLUMN actor text NOT NULL DEFAULT 'keelwing';

ALTER TABLE territory_rule ADD COLUMN actor text NOT NULL DEFAULT 'keelwing';

ALTER TABLE covenant ADD COLUMN actor text NOT NULL DEFAULT 'keelwing';

CREATE UNIQUE INDEX insurance_current ON insurance (insurance_id) WHERE upper_inf(recorded);

CREATE UNIQUE INDEX territory_rule_current ON territory_rule (lease_id, territory_rule_id) WHERE upper_inf(recorded);

CREATE UNIQUE INDEX covenant_current ON covenant (lease_id, covenant_id) WHERE upper_inf(recorded);
