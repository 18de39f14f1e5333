-- The feeds that are silent are looked for every minute among all findings.
CREATE INDEX finding_feed_silent ON finding (tenant, asset)
    WHERE rule = 'feed_silent' AND superseded_by IS NULL AND NOT retracted AND closed_at IS NULL;
