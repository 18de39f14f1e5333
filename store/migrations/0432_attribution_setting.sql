-- A tenant's figure for flights over a month's end is one of three words: months are billed by it, so another is refused here.
-- Rows that were there before the rule are left for whoever wrote them.
-- (Three plain terms: a comparison of rows is kept nested and would read otherwise after a restore.)
-- depends: 0431_released
ALTER TABLE setting ADD CONSTRAINT setting_attribution CHECK (
    rule <> 'practice' OR name <> 'lease.period_attribution' OR value IN ('"landing"', '"takeoff"', '"split"')
) NOT VALID;
