-- A derivation of a long log works in slices, and its asset may be marked between them. Without telling the two marks apart the
-- whole way would have to be gone again for the later one, and for a feed that is always a little late without end.
ALTER TABLE dirty ADD COLUMN begun_time timestamptz;

COMMENT ON COLUMN dirty.begun_time IS
    'from when on it is being derived; from_time is then the earliest mark set since, infinity while there is none';
