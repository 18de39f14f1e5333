-- name: of_assets
-- The recording's feed that spoke last (by event time) of each asset, where it was one.
SELECT latest.asset_id::text AS asset_id, latest.tenant, feed.feed
FROM (
    SELECT DISTINCT ON (attribution.asset_id) attribution.asset_id, stream.tenant, stream.origin
    FROM attribution
    JOIN stream USING (stream_id)
    JOIN stream_latest USING (stream_id)
    WHERE attribution.asset_id = ANY (%(asset_ids)s::uuid[]) AND upper_inf(attribution.recorded)
    ORDER BY attribution.asset_id, stream_latest.time DESC, stream.stream_id
) AS latest
JOIN feed ON feed.tenant = latest.tenant AND latest.origin = 'feed:' || feed.feed AND feed.clock = 'recording';

-- name: recordings
-- Where each recording's clock stands: the greatest event time stored of its feed.
SELECT feed.tenant, feed.feed, max(stream_latest.time) AS time
FROM feed
JOIN stream ON stream.tenant = feed.tenant AND stream.origin = 'feed:' || feed.feed
JOIN stream_latest USING (stream_id)
WHERE feed.clock = 'recording'
GROUP BY feed.tenant, feed.feed;

-- name: behind
-- Assets whose readings go beyond their newest checkpoint.
SELECT asset.asset_id::text AS asset_id
FROM asset
JOIN attribution ON attribution.asset_id = asset.asset_id AND upper_inf(attribution.recorded)
JOIN stream_latest USING (stream_id)
LEFT JOIN LATERAL (
    SELECT max(checkpoint.time) AS time FROM checkpoint WHERE checkpoint.asset_id = asset.asset_id
) AS newest ON true
WHERE asset.shard = ANY (%(shards)s::smallint[])
GROUP BY asset.asset_id, newest.time
HAVING max(stream_latest.time) > coalesce(newest.time, '-infinity')
ORDER BY max(stream_latest.time)
LIMIT %(limit)s;
