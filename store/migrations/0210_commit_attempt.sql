-- A commit number that was rolled back is given again: to the next attempt, to a successor, to a person's change of the same
-- shard. So a number alone does not say whose transaction was committed; this mark, drawn anew for every attempt, does.
ALTER TABLE commits ADD COLUMN attempt bigint;

COMMENT ON COLUMN commits.attempt IS 'mark of the attempt that took the number; NULL for a change made by a person';
