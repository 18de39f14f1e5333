-- What else a scene says of those around a silent asset: who lies still beside it, and who of those heard lies behind.
-- A scene told before says 0 of both.
ALTER TABLE scene_context ADD COLUMN neighbours_still integer NOT NULL DEFAULT 0;  -- others lying still within 1 km
ALTER TABLE scene_context ADD COLUMN neighbours_behind integer NOT NULL DEFAULT 0;  -- others heard that lie behind where it was going
