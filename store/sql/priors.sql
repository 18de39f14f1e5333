-- name: write
-- What assets add to their type's prior; derived again, the same hour is replaced.
INSERT INTO prior_contribution (asset_id, hour, contribution, commit_no)
SELECT asset_id, hour, contribution, commit_no
FROM unnest(%(asset_id)s::uuid[], %(hour)s::timestamptz[], %(contribution)s::bytea[], %(commit_no)s::bigint[])
    AS given (asset_id, hour, contribution, commit_no)
ORDER BY asset_id, hour
ON CONFLICT (asset_id, hour) DO UPDATE SET contribution = excluded.contribution, commit_no = excluded.commit_no
WHERE prior_contribution.contribution <> excluded.contribution;

-- name: of_group
-- What the assets of a tenant, class and type gave in the last days before the newest they gave, oldest first.
SELECT given.contribution
FROM prior_contribution AS given JOIN asset USING (asset_id)
WHERE asset.tenant = %(tenant)s AND asset.class = %(class)s AND coalesce(asset.type, '') = %(type)s
    AND given.hour >= (
        SELECT max(newest.hour) FROM prior_contribution AS newest JOIN asset AS giver USING (asset_id)
        WHERE giver.tenant = %(tenant)s AND giver.class = %(class)s AND coalesce(giver.type, '') = %(type)s
    ) - %(days)s * interval '1 day'
ORDER BY given.hour, given.asset_id;
