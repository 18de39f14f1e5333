-- name: newest
-- Time of the newest static report of each stream.
SELECT stream_id, max(time) AS time FROM static_report WHERE stream_id = ANY (%(stream_ids)s::bigint[]) GROUP BY stream_id;

-- name: after
-- What assets said of themselves, each after an instant of its own; of each stream the newest.
SELECT wanted.asset_id::text, stream.class, stream.scheme, stream.value, said.time, said.source, said.particulars
FROM unnest(%(asset_ids)s::uuid[], %(after)s::timestamptz[]) AS wanted (asset_id, after)
JOIN attribution ON attribution.asset_id = wanted.asset_id AND upper_inf(attribution.recorded)
JOIN stream USING (stream_id)
CROSS JOIN LATERAL (
    SELECT report.time, report.source, report.particulars, report.digest FROM static_report AS report
    WHERE report.stream_id = stream.stream_id AND report.time > wanted.after AND attribution.valid @> report.time
    ORDER BY report.time DESC, report.source, report.digest LIMIT %(reports_max)s) AS said
ORDER BY wanted.asset_id, said.time, stream.scheme, stream.value, said.source, said.digest;
