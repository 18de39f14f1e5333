-- Questions over long times, on tables that are cut into chunks of time: a statement that is planned without knowing the instants
-- opens every chunk there is, once for each probe. Here the instants are known when it is planned, so that it opens the chunks it
-- needs. The answers are those of 0210, on plain tables too; owners and rights stay.
GRANT CREATE ON SCHEMA public TO keelwing_view;

SET ROLE keelwing_view;

DO $$
DECLARE
    class text;
    fields text;
    types text;
    parts text;
BEGIN
    FOREACH class IN ARRAY ARRAY['vessel', 'aircraft', 'trainset'] LOOP
        SELECT string_agg('r.' || quote_ident(attname), ', ' ORDER BY attnum) FILTER (WHERE attname <> 'channels'),
            string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
                FILTER (WHERE attname <> 'channels'),
            string_agg('part = ' || quote_literal(attname) || ' AND r.' || quote_ident(attname) || ' IS NOT NULL', ' OR ')
        INTO STRICT fields, types, parts
        FROM pg_attribute WHERE attrelid = ('public.reading_' || class)::regclass AND attnum > 0 AND NOT attisdropped;
        -- The probes go in twelve blocks of time, each planned by itself; a fix counts for the instant it follows next.
        EXECUTE 'CREATE OR REPLACE FUNCTION fixes_after_' || class || '(
                about uuid, since timestamptz, until timestamptz, instants timestamptz[])
            RETURNS TABLE (stream_id bigint, "time" timestamptz, source text, seq bigint, lon_deg double precision,
                lat_deg double precision)
            LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS
            $body$
            #variable_conflict use_column
            DECLARE
                streams bigint[];
                lows timestamptz[];
                highs timestamptz[];
                wanted timestamptz[];
                first integer;
                beyond integer;
                block_from timestamptz;
                block_to timestamptz;
            BEGIN
                SELECT array_agg(said.stream_id), array_agg(greatest(lower(said.span), since)),
                    array_agg(least(upper(said.span), until))
                INTO streams, lows, highs
                FROM asset_stream_span AS said WHERE said.asset_id = about AND said.span && tstzrange(since, until);
                SELECT array_agg(DISTINCT at ORDER BY at) INTO wanted FROM unnest(instants) AS at WHERE at < until;
                FOR block IN 0..11 LOOP
                    first := block * cardinality(wanted) / 12 + 1;
                    beyond := (block + 1) * cardinality(wanted) / 12 + 1;
                    CONTINUE WHEN first >= beyond;
                    block_from := wanted[first];
                    block_to := coalesce(wanted[beyond], until);
                    RETURN QUERY
                    SELECT nearest.* FROM unnest(wanted[first : beyond - 1], wanted[first + 1 : beyond]) AS probe (at, next)
                    CROSS JOIN LATERAL (
                        SELECT fix.* FROM unnest(streams, lows, highs) AS seen (stream_id, low, high) CROSS JOIN LATERAL (
                            SELECT r.stream_id, r.time, r.source, r.seq, r.lon_deg, r.lat_deg FROM reading_' || class || ' AS r
                            WHERE r.stream_id = seen.stream_id AND r.time >= block_from AND r.time < block_to
                                AND r.time >= greatest(probe.at, seen.low) AND r.time < least(coalesce(probe.next, until), seen.high)
                                AND r.lat_deg IS NOT NULL
                            ORDER BY r.time, r.source, r.seq LIMIT 1) AS fix
                        ORDER BY fix.time, fix.source, fix.seq, fix.stream_id LIMIT 1) AS nearest;
                END LOOP;
                -- The last fix: on the last day that had one; where that lies outside what may be seen, wherever it is.
                SELECT max(day) INTO block_from FROM reading_day
                WHERE reading_day.stream_id = ANY (streams) AND position_count > 0 AND day < until;
                FOR turn IN 1..2 LOOP
                    RETURN QUERY
                    SELECT fix.* FROM unnest(streams, lows, highs) AS seen (stream_id, low, high) CROSS JOIN LATERAL (
                        SELECT r.stream_id, r.time, r.source, r.seq, r.lon_deg, r.lat_deg FROM reading_' || class || ' AS r
                        WHERE r.stream_id = seen.stream_id AND r.time >= block_from AND r.time < until
                            AND r.time >= seen.low AND r.time < seen.high AND r.lat_deg IS NOT NULL
                        ORDER BY r.time DESC, r.source DESC, r.seq DESC LIMIT 1) AS fix
                    ORDER BY fix.time DESC, fix.source DESC, fix.seq DESC, fix.stream_id DESC LIMIT 1;
                    EXIT WHEN FOUND;
                    block_from := since;
                END LOOP;
            END
            $body$';
        EXECUTE 'CREATE OR REPLACE FUNCTION last_readings_' || class || '(
                about uuid[], since timestamptz, at timestamptz, known_then timestamptz, part text)
            RETURNS TABLE (asset_id uuid, ' || types || ', channels jsonb)
            LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS
            $body$
            #variable_conflict use_column
            BEGIN
                RETURN QUERY
                SELECT said.asset_id, ' || fields || ', CASE WHEN (SELECT scope_internal()) THEN r.channels END
                FROM asset_stream_span AS said CROSS JOIN LATERAL (
                    SELECT * FROM reading_' || class || ' AS r
                    WHERE r.stream_id = said.stream_id AND r.time >= since AND r.time <= at
                        AND r.time >= coalesce(lower(said.span), since) AND r.time <= coalesce(upper(said.span), at)
                        AND said.span @> r.time
                        AND (part IS NULL OR ' || parts || ')
                        AND (known_then IS NULL OR EXISTS (
                            SELECT FROM commits WHERE commits.commit_no = r.commit_no AND committed_at <= known_then))
                    ORDER BY r.time DESC LIMIT 1) AS r
                WHERE said.asset_id = ANY (about) AND (part IS DISTINCT FROM ''channels'' OR (SELECT scope_internal()));
            END
            $body$';
        -- The days know first and last; readings are looked at where a day crosses the edge of what may be seen.
        EXECUTE 'CREATE OR REPLACE FUNCTION heard_' || class || '(about uuid)
            RETURNS TABLE (first_time timestamptz, last_time timestamptz)
            LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS
            $body$
            #variable_conflict use_column
            DECLARE
                said record;
                low timestamptz;
                high timestamptz;
                held record;
                edge timestamptz;
            BEGIN
                FOR said IN SELECT stream_id, span FROM asset_stream_span WHERE asset_id = about LOOP
                    low := coalesce(lower(said.span), ''-infinity'');
                    high := coalesce(upper(said.span), ''infinity'');
                    SELECT * INTO held FROM reading_day AS of_day
                    WHERE of_day.stream_id = said.stream_id AND of_day.last_time >= low ORDER BY of_day.day LIMIT 1;
                    edge := held.first_time;
                    IF edge < low THEN
                        SELECT min(r.time) INTO edge FROM reading_' || class || ' AS r
                        WHERE r.stream_id = said.stream_id AND r.time >= low AND r.time < held.day + interval ''1 day'';
                    END IF;
                    IF said.span @> edge THEN
                        first_time := least(first_time, edge);
                    END IF;
                    SELECT * INTO held FROM reading_day AS of_day
                    WHERE of_day.stream_id = said.stream_id AND of_day.first_time < high ORDER BY of_day.day DESC LIMIT 1;
                    edge := held.last_time;
                    IF edge >= high THEN
                        SELECT max(r.time) INTO edge FROM reading_' || class || ' AS r
                        WHERE r.stream_id = said.stream_id AND r.time >= held.day AND r.time < high;
                    END IF;
                    IF said.span @> edge THEN
                        last_time := greatest(last_time, edge);
                    END IF;
                END LOOP;
                RETURN NEXT;
            END
            $body$';
    END LOOP;
END
$$;

RESET ROLE;

REVOKE CREATE ON SCHEMA public FROM keelwing_view;
