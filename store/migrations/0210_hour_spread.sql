-- A month in hourly buckets must not read a month of readings. When an hour is over, what each of its fields spans is kept
-- once per stream: a cache of the log that knows by its count whether it is still whole.
CREATE TABLE reading_hour_spread (
    stream_id bigint NOT NULL,
    hour timestamptz NOT NULL,                      -- start of the UTC hour of event time
    count bigint NOT NULL,                          -- readings it was made of; believed only while reading_hour counts as many
    fields jsonb NOT NULL,                          -- number: [count, min, max, sum]; text or flag: [last value, its time]
    channels jsonb NOT NULL,                        -- sensor: [count, min, max, sum]
    PRIMARY KEY (stream_id, hour)
);

COMMENT ON TABLE reading_hour_spread IS 'What the fields and sensors of a closed hour span, per stream';

-- Hours whose spread is missing or was overtaken by a reading; written in the commit that brought it.
CREATE TABLE hour_pending (
    stream_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    marked_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- wall time of the first mark since it was last closed
    PRIMARY KEY (stream_id, hour)
);

COMMENT ON TABLE hour_pending IS 'Hours to close: their spread is to be made from their readings';

CREATE INDEX hour_pending_by_hour ON hour_pending (hour, stream_id);

INSERT INTO hour_pending (stream_id, hour) SELECT stream_id, hour FROM reading_hour;

GRANT SELECT, INSERT, UPDATE, DELETE ON reading_hour_spread, hour_pending TO keelwing_worker;

GRANT SELECT ON reading_hour_spread TO keelwing_view;

-- As asset_reading_hour: an hour that crosses the edge of attribution or scope is not here, it is computed from readings.
CREATE VIEW asset_reading_hour_spread WITH (security_barrier) AS
SELECT attribution.tenant, attribution.asset_id, spread.stream_id, spread.hour, spread.count, spread.fields,
    CASE WHEN (SELECT scope_internal()) THEN spread.channels END AS channels
FROM attribution JOIN reading_hour_spread AS spread USING (stream_id)
JOIN reading_hour AS held ON held.stream_id = spread.stream_id AND held.hour = spread.hour AND held.count = spread.count
WHERE upper_inf(attribution.recorded) AND attribution.valid @> tstzrange(spread.hour, spread.hour + interval '1 hour')
    AND ((SELECT scope_internal()) OR EXISTS (
            SELECT FROM lease WHERE lease.asset_id = attribution.asset_id AND lease.lessee_party_id = scope_party()
                AND upper_inf(lease.recorded) AND lease.valid @> tstzrange(spread.hour, spread.hour + interval '1 hour')));

COMMENT ON VIEW asset_reading_hour_spread IS 'Spreads of whole hours inside attribution and scope that no later reading overtook';

-- Where a question may look at all: what is left of an attribution inside the scope. A query that asks for the first or the last
-- reading of a stretch does not walk over what lies outside.
CREATE VIEW asset_stream_span WITH (security_barrier) AS
SELECT attribution.tenant, attribution.asset_id, attribution.stream_id,
    unnest(CASE WHEN (SELECT scope_internal()) THEN tstzmultirange(attribution.valid) ELSE (
        SELECT coalesce(range_agg(lease.valid), '{}') * tstzmultirange(attribution.valid) FROM lease
        WHERE lease.asset_id = attribution.asset_id AND lease.lessee_party_id = scope_party() AND upper_inf(lease.recorded)) END)
        AS span
FROM attribution
WHERE upper_inf(attribution.recorded);

COMMENT ON VIEW asset_stream_span IS 'Stretches of event time in which a stream speaks of an asset and the scope may hear it';

GRANT SELECT ON asset_reading_hour_spread, asset_stream_span TO keelwing_api;

GRANT SELECT ON commits TO keelwing_view;

-- "The next reading after", "the last one before": one step in the key of a reading table. A security_barrier view cannot give
-- that, for the order of the key does not pass through it and everything behind the instant would be read and sorted. These
-- functions ask the tables as the views' owner does, under the same row security and inside the stretches above.
--   heard_CLASS          first and last event time of an asset
--   fixes_after_CLASS    of [since, until) the first fix at or after each instant, and the last fix
--   last_readings_CLASS  of each stream of assets the last reading in [since, at] that has `part`, a column (NULL: any), as
--                        known at `known_then` (NULL: now); sensors are not for a lessee
DO $$
DECLARE
    class text;
    fields text;
    types text;
    parts text;
BEGIN
    FOREACH class IN ARRAY ARRAY['vessel', 'aircraft', 'trainset'] LOOP
        SELECT string_agg('r.' || quote_ident(column_name), ', ' ORDER BY ordinal_position) FILTER (WHERE column_name <> 'channels'),
            string_agg(quote_ident(column_name) || ' ' || data_type, ', ' ORDER BY ordinal_position)
                FILTER (WHERE column_name <> 'channels'),
            string_agg('part = ' || quote_literal(column_name) || ' AND r.' || quote_ident(column_name) || ' IS NOT NULL', ' OR ')
        INTO STRICT fields, types, parts
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'reading_' || class;
        EXECUTE 'CREATE FUNCTION heard_' || class || '(about uuid) RETURNS TABLE (first_time timestamptz, last_time timestamptz)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp BEGIN ATOMIC
            SELECT min(edge.first), max(edge.last)
            FROM asset_stream_span AS said CROSS JOIN LATERAL (
                SELECT (SELECT r.time FROM reading_' || class || ' AS r WHERE r.stream_id = said.stream_id
                        AND r.time >= coalesce(lower(said.span), ''-infinity'') AND r.time <= coalesce(upper(said.span), ''infinity'')
                        AND said.span @> r.time ORDER BY r.time LIMIT 1) AS first,
                    (SELECT r.time FROM reading_' || class || ' AS r WHERE r.stream_id = said.stream_id
                        AND r.time >= coalesce(lower(said.span), ''-infinity'') AND r.time <= coalesce(upper(said.span), ''infinity'')
                        AND said.span @> r.time ORDER BY r.time DESC LIMIT 1) AS last) AS edge
            WHERE said.asset_id = about;
            END';
        EXECUTE 'CREATE FUNCTION fixes_after_' || class || '(
                about uuid, since timestamptz, until timestamptz, instants timestamptz[])
            RETURNS TABLE (stream_id bigint, "time" timestamptz, source text, seq bigint, lon_deg double precision,
                lat_deg double precision)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp BEGIN ATOMIC
            WITH seen AS MATERIALIZED (
                SELECT one.stream_id, lower(one.span) AS low, upper(one.span) AS high FROM (
                    SELECT said.stream_id, said.span * tstzrange(since, until) AS span FROM asset_stream_span AS said
                    WHERE said.asset_id = about AND said.span && tstzrange(since, until)) AS one
            )
            SELECT nearest.* FROM unnest(instants) AS wanted (at) CROSS JOIN LATERAL (
                SELECT fix.* FROM seen CROSS JOIN LATERAL (
                    SELECT r.stream_id, r.time, r.source, r.seq, r.lon_deg, r.lat_deg FROM reading_' || class || ' AS r
                    WHERE r.stream_id = seen.stream_id AND r.time >= greatest(wanted.at, seen.low) AND r.time < seen.high
                        AND r.lat_deg IS NOT NULL
                    ORDER BY r.time, r.source, r.seq LIMIT 1) AS fix
                WHERE seen.high > wanted.at
                ORDER BY fix.time, fix.source, fix.seq, fix.stream_id LIMIT 1) AS nearest
            UNION ALL
            SELECT last.* FROM (
                SELECT fix.* FROM seen CROSS JOIN LATERAL (
                    SELECT r.stream_id, r.time, r.source, r.seq, r.lon_deg, r.lat_deg FROM reading_' || class || ' AS r
                    WHERE r.stream_id = seen.stream_id AND r.time >= seen.low AND r.time < seen.high AND r.lat_deg IS NOT NULL
                    ORDER BY r.time DESC, r.source DESC, r.seq DESC LIMIT 1) AS fix
                ORDER BY fix.time DESC, fix.source DESC, fix.seq DESC, fix.stream_id DESC LIMIT 1) AS last;
            END';
        EXECUTE 'CREATE FUNCTION last_readings_' || class || '(
                about uuid[], since timestamptz, at timestamptz, known_then timestamptz, part text)
            RETURNS TABLE (asset_id uuid, ' || types || ', channels jsonb)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp BEGIN ATOMIC
            SELECT said.asset_id, ' || fields || ', CASE WHEN (SELECT scope_internal()) THEN r.channels END
            FROM asset_stream_span AS said CROSS JOIN LATERAL (
                SELECT * FROM reading_' || class || ' AS r
                WHERE r.stream_id = said.stream_id AND r.time >= greatest(since, lower(said.span))
                    AND r.time <= least(at, upper(said.span)) AND said.span @> r.time
                    AND (part IS NULL OR ' || parts || ')
                    AND (known_then IS NULL OR EXISTS (
                        SELECT FROM commits WHERE commits.commit_no = r.commit_no AND committed_at <= known_then))
                ORDER BY r.time DESC LIMIT 1) AS r
            WHERE said.asset_id = ANY (about) AND (part IS DISTINCT FROM ''channels'' OR (SELECT scope_internal()));
            END';
    END LOOP;
END
$$;

GRANT CREATE ON SCHEMA public TO keelwing_view;

DO $$
DECLARE
    name text;
    class text;
BEGIN
    FOREACH name IN ARRAY ARRAY['asset_reading_hour_spread', 'asset_stream_span'] LOOP
        EXECUTE 'ALTER VIEW ' || quote_ident(name) || ' OWNER TO keelwing_view';
    END LOOP;
    FOREACH class IN ARRAY ARRAY['vessel', 'aircraft', 'trainset'] LOOP
        FOREACH name IN ARRAY ARRAY['heard_' || class || '(uuid)',
                'fixes_after_' || class || '(uuid, timestamptz, timestamptz, timestamptz[])',
                'last_readings_' || class || '(uuid[], timestamptz, timestamptz, timestamptz, text)'] LOOP
            EXECUTE 'REVOKE EXECUTE ON FUNCTION ' || name || ' FROM PUBLIC';
            EXECUTE 'GRANT EXECUTE ON FUNCTION ' || name || ' TO keelwing_api';
            EXECUTE 'ALTER FUNCTION ' || name || ' OWNER TO keelwing_view';
        END LOOP;
    END LOOP;
END
$$;

REVOKE CREATE ON SCHEMA public FROM keelwing_view;

-- The lists of the API in the order in which they are given: a page reads a page.
CREATE INDEX alert_by_opened ON alert (tenant, opened_at DESC, alert_id DESC);

CREATE INDEX asset_by_id ON asset (tenant, asset_id);
