-- Questions about the last words of a whole fleet. Through asset_latest each row of tens of thousands is put together part by part
-- before anything is compared; these compare first. They run as the views' owner, under the same row security.
--   assets_in_box  assets of which some stream's last fix lies in a box (west > east: over 180 degrees), `wanted` at most, in no
--                  order, one a stream; whether it is the asset's newest fix is for the caller to see
--   assets_heard   assets heard since an instant of reception: greatest event time and reception of their streams
CREATE FUNCTION assets_in_box(
    west double precision, south double precision, east double precision, north double precision, wanted integer
) RETURNS TABLE (asset_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp BEGIN ATOMIC
    SELECT attribution.asset_id
    FROM stream_latest AS latest JOIN attribution USING (stream_id)
    WHERE latest.lat_deg BETWEEN south AND north AND CASE WHEN west <= east
            THEN latest.lon_deg BETWEEN west AND east ELSE latest.lon_deg >= west OR latest.lon_deg <= east END
        AND upper_inf(attribution.recorded) AND attribution.valid @> latest.position_time
        AND ((SELECT scope_internal()) OR EXISTS (
            SELECT FROM lease WHERE lease.asset_id = attribution.asset_id AND lease.lessee_party_id = scope_party()
                AND upper_inf(lease.recorded) AND lease.valid @> latest.position_time))
    LIMIT wanted;
END;

CREATE FUNCTION assets_heard(since timestamptz)
RETURNS TABLE (asset_id uuid, last_time timestamptz, last_received_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp BEGIN ATOMIC
    SELECT attribution.asset_id, max(latest.time), max(latest.received_at)
    FROM stream_latest AS latest JOIN attribution USING (stream_id)
    WHERE latest.received_at > since AND upper_inf(attribution.recorded) AND attribution.valid @> latest.time
        AND ((SELECT scope_internal()) OR EXISTS (
            SELECT FROM lease WHERE lease.asset_id = attribution.asset_id AND lease.lessee_party_id = scope_party()
                AND upper_inf(lease.recorded) AND lease.valid @> latest.time))
    GROUP BY attribution.asset_id;
END;

REVOKE EXECUTE ON FUNCTION assets_heard(timestamptz),
    assets_in_box(double precision, double precision, double precision, double precision, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION assets_heard(timestamptz),
    assets_in_box(double precision, double precision, double precision, double precision, integer) TO keelwing_api;

GRANT CREATE ON SCHEMA public TO keelwing_view;

ALTER FUNCTION assets_heard(timestamptz) OWNER TO keelwing_view;

ALTER FUNCTION assets_in_box(double precision, double precision, double precision, double precision, integer)
    OWNER TO keelwing_view;

REVOKE CREATE ON SCHEMA public FROM keelwing_view;
