-- name: of_assets
-- Derived ids that are stored under another id.
SELECT asset_id::text AS asset_id, derived_id, finding_id FROM finding_alias WHERE asset_id = ANY (%(asset_ids)s::uuid[]);

-- name: write
-- Remember under which id a derived episode goes on.
INSERT INTO finding_alias (asset_id, derived_id, finding_id)
SELECT %(asset_id)s::uuid, derived_id, finding_id
FROM unnest(%(derived_ids)s::text[], %(finding_ids)s::text[]) AS renamed (derived_id, finding_id)
ON CONFLICT (asset_id, derived_id) DO UPDATE SET finding_id = excluded.finding_id;
