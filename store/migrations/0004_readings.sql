-- Readings, one wide typed table per asset class: the columns between channels and commit_no's neighbours are the class's
-- FIELDS in `fleet`, in their order and with their units. They are the log; everything below them is a cache of it.
-- No foreign key to stream and no range checks but those of the globe: streams are never deleted, the decoder holds the
-- ranges, and a check that fails here would stop the line for all.
CREATE TABLE reading_vessel (
    stream_id bigint NOT NULL,
    time timestamptz NOT NULL,                      -- event time: when it was measured
    source text NOT NULL,                           -- device, ais_terrestrial, ais_satellite …
    seq bigint NOT NULL,                            -- device counter, or 63-bit hash of the element where it gave none
    seq_given boolean NOT NULL,                     -- which of the two seq is
    received_at timestamptz NOT NULL,               -- wall time: when it reached the ingester
    lat_deg double precision CHECK (lat_deg BETWEEN -90 AND 90),
    lon_deg double precision CHECK (lon_deg BETWEEN -180 AND 180),
    sog_kn double precision,
    cog_deg double precision,
    heading_deg double precision,
    rot_deg_min double precision,
    nav_status integer,                             -- ITU-R M.1371-5 table 48
    draught_m double precision,
    channels jsonb,                                 -- sensor name (unit last) to number; NULL when there are none
    commit_no bigint NOT NULL,
    PRIMARY KEY (stream_id, time, source, seq)
);

COMMENT ON TABLE reading_vessel IS 'Readings of ships';

CREATE TABLE reading_aircraft (
    stream_id bigint NOT NULL,
    time timestamptz NOT NULL,
    source text NOT NULL,
    seq bigint NOT NULL,
    seq_given boolean NOT NULL,
    received_at timestamptz NOT NULL,
    lat_deg double precision CHECK (lat_deg BETWEEN -90 AND 90),
    lon_deg double precision CHECK (lon_deg BETWEEN -180 AND 180),
    on_ground boolean,
    gs_kn double precision,
    track_deg double precision,
    alt_baro_ft double precision,                   -- pressure altitude on 1013.25 hPa
    alt_geom_ft double precision,                   -- height above the WGS 84 ellipsoid
    vertical_rate_fpm double precision,
    squawk text,                                    -- four octal digits
    nic integer,
    nac_p integer,
    sil integer,
    callsign text,
    channels jsonb,
    commit_no bigint NOT NULL,
    PRIMARY KEY (stream_id, time, source, seq)
);

COMMENT ON TABLE reading_aircraft IS 'Readings of aircraft';

CREATE TABLE reading_trainset (
    stream_id bigint NOT NULL,
    time timestamptz NOT NULL,
    source text NOT NULL,
    seq bigint NOT NULL,
    seq_given boolean NOT NULL,
    received_at timestamptz NOT NULL,
    lat_deg double precision CHECK (lat_deg BETWEEN -90 AND 90),
    lon_deg double precision CHECK (lon_deg BETWEEN -180 AND 180),
    speed_kmh double precision,
    odometer_km double precision,
    line text,
    station text,
    channels jsonb,
    commit_no bigint NOT NULL,
    PRIMARY KEY (stream_id, time, source, seq)
);

COMMENT ON TABLE reading_trainset IS 'Readings of trainsets';

CREATE TABLE channel (
    name text PRIMARY KEY CHECK (name ~ '^[a-z0-9_]{1,64}$'),
    unit text,                                      -- taken from the end of the name; NULL when the end is no known unit
    first_seen timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE channel IS 'Sensor names seen so far (bounded by the writer) and their units';

-- One row per stream, greatest (time, then value) of each group, so that any order of arrival ends with the same row.
-- Rewritten in place often: room is left in each page so that updates need no index work.
CREATE TABLE stream_latest (
    stream_id bigint PRIMARY KEY,
    time timestamptz NOT NULL,                      -- high-water mark: greatest event time stored
    source text NOT NULL,
    seq bigint NOT NULL,                            -- (source, seq) greatest at that time
    received_at timestamptz NOT NULL,               -- greatest wall time of reception
    position_time timestamptz,                      -- of the last reading with a position
    lat_deg double precision,
    lon_deg double precision,
    alt_baro_ft double precision,                   -- of that same reading
    speed_time timestamptz,
    speed_kn double precision,                      -- over ground, any class
    course_deg double precision,                    -- of that same reading
    status_time timestamptz,                        -- of the last reading with nav_status or on_ground
    nav_status integer,
    on_ground boolean,
    draught_time timestamptz,
    draught_m double precision,
    channels_time timestamptz,
    channels_source text,                           -- channels cannot be compared: the key decides at equal times
    channels_seq bigint,
    channels jsonb                                  -- of the last reading that had any
) WITH (fillfactor = 70);

COMMENT ON TABLE stream_latest IS 'The last word of each stream, by event time';

-- Whether a word of some instant replaces the held one: a later one does; at the same instant the one of greater values, absent
-- ones being least, so that the order of arrival makes no difference.
CREATE FUNCTION replaces(
    new_time timestamptz, new_a double precision, new_b double precision, new_c double precision,
    held_time timestamptz, held_a double precision, held_b double precision, held_c double precision
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN held_time IS NULL
    OR (new_time, coalesce(new_a, '-infinity'), coalesce(new_b, '-infinity'), coalesce(new_c, '-infinity'))
        > (held_time, coalesce(held_a, '-infinity'), coalesce(held_b, '-infinity'), coalesce(held_c, '-infinity'));

CREATE TABLE reading_hour (
    stream_id bigint NOT NULL,
    hour timestamptz NOT NULL,                      -- start of the UTC hour of event time
    count bigint NOT NULL,
    position_count bigint NOT NULL,
    first_time timestamptz NOT NULL,
    last_time timestamptz NOT NULL,
    speed_count bigint NOT NULL,
    speed_min_kn double precision,
    speed_max_kn double precision,
    speed_sum_ukn bigint NOT NULL,                  -- sum of speeds in whole millionths of a knot: exact in any order
    PRIMARY KEY (stream_id, hour)
) WITH (fillfactor = 70);

COMMENT ON TABLE reading_hour IS 'Hourly rollup per stream, additive, written with the commit';

CREATE TABLE reading_day (
    stream_id bigint NOT NULL,
    day timestamptz NOT NULL,                       -- start of the UTC day of event time
    count bigint NOT NULL,
    position_count bigint NOT NULL,
    first_time timestamptz NOT NULL,
    last_time timestamptz NOT NULL,
    speed_count bigint NOT NULL,
    speed_min_kn double precision,
    speed_max_kn double precision,
    speed_sum_ukn bigint NOT NULL,                  -- as in reading_hour
    PRIMARY KEY (stream_id, day)
) WITH (fillfactor = 70);

COMMENT ON TABLE reading_day IS 'Daily rollup per stream, additive, written with the commit';

CREATE TABLE static_report (
    stream_id bigint NOT NULL,
    time timestamptz NOT NULL,
    source text NOT NULL,
    particulars jsonb NOT NULL,                     -- identity and voyage fields as the air said them, unit last
    digest uuid GENERATED ALWAYS AS (md5(particulars::text)::uuid) STORED,  -- two contents at one instant are two rows
    received_at timestamptz NOT NULL,
    commit_no bigint NOT NULL,
    PRIMARY KEY (stream_id, time, source, digest)
);

COMMENT ON TABLE static_report IS 'Identity and voyage reports';

CREATE TABLE status_report (
    status_report_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    origin text NOT NULL,                           -- feed:NAME, or scheme:value of a device
    online boolean NOT NULL,
    received_at timestamptz NOT NULL,
    commit_no bigint NOT NULL
);

COMMENT ON TABLE status_report IS 'Devices and feeds saying online or offline (retained message, last will)';

CREATE INDEX status_report_by_origin ON status_report (tenant, origin, received_at DESC);

CREATE TABLE rejection (
    rejection_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,                           -- as the topic said; may be nobody's
    topic text NOT NULL,
    element integer,                                -- index in the message's array; NULL: the whole message
    reason text NOT NULL,
    detail text NOT NULL,
    payload bytea NOT NULL,                         -- the raw bytes, bounded by the ingester
    received_at timestamptz NOT NULL,
    replayed_at timestamptz,                        -- when it was last given to the broker again
    commit_no bigint NOT NULL
);

COMMENT ON TABLE rejection IS 'Bad input kept as a value; bounded in age and bytes by prune_rejections';

CREATE INDEX rejection_by_reason ON rejection (tenant, reason, rejection_id DESC);

CREATE INDEX rejection_by_time ON rejection (received_at);

-- Deletes rejections older than `keep`, then the oldest ones until at most `size_max_bytes` of them are left.
CREATE FUNCTION prune_rejections(keep interval, size_max_bytes bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    WITH sized AS (
        SELECT rejection_id, received_at,
            sum(octet_length(payload) + octet_length(topic) + octet_length(detail) + 100) OVER (ORDER BY rejection_id DESC) AS bytes
        FROM rejection
    ), gone AS (
        DELETE FROM rejection USING sized
        WHERE rejection.rejection_id = sized.rejection_id AND (sized.received_at < now() - keep OR sized.bytes > size_max_bytes)
        RETURNING 1
    )
    SELECT count(*) FROM gone;
$$;

CREATE TABLE traffic (
    tenant text NOT NULL,
    origin text NOT NULL,
    class text NOT NULL,
    scheme text NOT NULL,
    value text NOT NULL,
    time timestamptz NOT NULL,
    lat_deg double precision NOT NULL,
    lon_deg double precision NOT NULL,
    speed_kn double precision,
    PRIMARY KEY (tenant, origin, class, scheme, value)
) WITH (fillfactor = 70);

COMMENT ON TABLE traffic IS 'Last fix of what a feed hears and nobody owns; bounded by prune_traffic';

-- Deletes the oldest fixes until at most `rows_max` are left.
CREATE FUNCTION prune_traffic(rows_max bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    WITH gone AS (
        DELETE FROM traffic WHERE ctid IN (SELECT ctid FROM traffic ORDER BY time DESC OFFSET rows_max) RETURNING 1
    )
    SELECT count(*) FROM gone;
$$;

CREATE TABLE ingest_count (
    tenant text NOT NULL,
    origin text NOT NULL,                           -- feed:NAME, or scheme:value of a device
    hour timestamptz NOT NULL,                      -- hour of reception, wall time
    received bigint NOT NULL DEFAULT 0,             -- = stored + duplicate + rejected + traffic
    stored bigint NOT NULL DEFAULT 0,
    late bigint NOT NULL DEFAULT 0,                 -- of the stored: at or below the stream's high-water mark
    duplicate bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    traffic bigint NOT NULL DEFAULT 0,
    static_received bigint NOT NULL DEFAULT 0,
    static_duplicate bigint NOT NULL DEFAULT 0,
    unknown_fields bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, origin, hour)
) WITH (fillfactor = 70);

COMMENT ON TABLE ingest_count IS 'What became of everything received, per origin and hour';

CREATE TABLE ingest_nulled (
    tenant text NOT NULL,
    origin text NOT NULL,
    hour timestamptz NOT NULL,
    field text NOT NULL,
    reason text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (tenant, origin, hour, field, reason)
) WITH (fillfactor = 70);

COMMENT ON TABLE ingest_nulled IS 'Optional fields that were made null, and why';
