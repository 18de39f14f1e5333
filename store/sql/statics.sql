-- name: newest
-- Time of the newest static report of each stream.
SELECT stream_id, max(time) AS time FROM static_report WHERE stream_id = ANY (%(stream_ids)s::bigint[]) GROUP BY stream_id;
