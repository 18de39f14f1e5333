-- Whether others too went out of hearing where an asset did. A scene told before says 0.
ALTER TABLE scene_context ADD COLUMN neighbours_lost integer NOT NULL DEFAULT 0;  -- heard last on passage within 20 km, an hour ago
