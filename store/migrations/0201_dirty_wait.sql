-- An asset that is marked again and again must not wait for a quiet that never comes.
ALTER TABLE dirty ADD COLUMN first_marked_at timestamptz NOT NULL DEFAULT clock_timestamp();

COMMENT ON COLUMN dirty.first_marked_at IS 'wall time of the first mark since it was last derived: the longest wait is counted from here';
