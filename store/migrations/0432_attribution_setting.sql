-- A tenant's figure for flights over a month's end is one of three words: months are billed by it, so another is refused here.
-- Rows that were there before the rule are left for whoever wrote them.
-- depends: 0431_released
ALTER TABLE setting ADD CONSTRAINT setting_attribution CHECK (
    (rule, name) <> ('practice', 'lease.period_attribution') OR value IN ('"landing"', '"takeoff"', '"split"')
) NOT VALID;
