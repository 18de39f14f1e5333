-- What a month of a lease is billed from: the paper, the tenure, what was installed, what was observed.

-- name: leases
-- Leases as the paper has them, or as tenure alone where there is no paper, with their asset; in order of id.
SELECT lease_id, coalesce(contract.asset_id, tenure.asset_id) AS asset_id, asset.class, asset.name AS asset_name,
    coalesce(contract.form, tenure.form) AS form, contract.reference, coalesce(contract.terms, '{}'::jsonb) AS terms,
    lower(contract.term) AS term_from, upper(contract.term) AS term_to,
    lower(tenure.held) AS held_from, upper(tenure.held) AS held_to, tenure.held IS NOT NULL AS delivered,
    tenure.lessee_party_id, party.name AS lessee_name
FROM (
    SELECT lease_id, (array_agg(asset_id))[1] AS asset_id, (array_agg(form))[1] AS form, range_merge(range_agg(valid)) AS held,
        (array_agg(lessee_party_id ORDER BY lower(valid) DESC))[1] AS lessee_party_id
    FROM lease
    WHERE (%(leases)s::uuid[] IS NULL OR lease_id = ANY (%(leases)s))
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
        AND (%(from)s::timestamptz IS NULL OR valid && tstzrange(%(from)s, %(to)s))
    GROUP BY lease_id
) AS tenure
FULL JOIN (
    SELECT lease_id, asset_id, form, reference, terms, term
    FROM lease_contract
    WHERE (%(leases)s::uuid[] IS NULL OR lease_id = ANY (%(leases)s)) AND NOT void
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
) AS contract USING (lease_id)
JOIN asset ON asset.asset_id = coalesce(contract.asset_id, tenure.asset_id)
LEFT JOIN party ON party.party_id = tenure.lessee_party_id
WHERE (%(from)s::timestamptz IS NULL OR tenure.held IS NOT NULL) AND (%(after)s::uuid IS NULL OR lease_id > %(after)s)
ORDER BY lease_id
LIMIT %(limit)s;

-- name: installed
-- Components that sat on these assets at some time in [from, to), each stretch cut to it.
SELECT installation.asset_id, installation.parent_asset_id, installation.position, asset.class, asset.name,
    lower(installation.valid * tstzrange(%(from)s, %(to)s)) AS from_time,
    upper(installation.valid * tstzrange(%(from)s, %(to)s)) AS to_time
FROM installation
JOIN asset ON asset.asset_id = installation.asset_id
WHERE (installation.parent_asset_id = ANY (%(assets)s::uuid[]) OR installation.asset_id = ANY (%(assets)s::uuid[]))
    AND installation.valid && tstzrange(%(from)s, %(to)s)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(installation.recorded)
        ELSE installation.recorded @> %(known)s::timestamptz END
ORDER BY installation.parent_asset_id, installation.position, lower(installation.valid)
LIMIT %(limit)s;

-- name: flights
-- Flights that touch [from, to): off and on, with their cycles.
SELECT asset_id, started_at, ended_at, cycles, method
FROM journey
WHERE asset_id = ANY (%(assets)s::uuid[]) AND kind = 'flight' AND NOT retracted
    AND started_at < %(to)s AND ended_at >= %(from)s
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
        EXISTS (SELECT FROM commits WHERE commits.commit_no = journey.commit_no AND committed_at <= %(known)s)
        AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
ORDER BY asset_id, started_at;

-- name: days
-- Sums of whole UTC days inside [from, to), of those that are cut too: another asset's lease may cut them, not this one's.
SELECT asset_id, day, state_s, state_m, observed_s, sources, figures, method
FROM use_day
WHERE asset_id = ANY (%(assets)s::uuid[]) AND day >= %(from_day)s AND day < %(to_day)s
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
        EXISTS (SELECT FROM commits WHERE commits.commit_no = use_day.commit_no AND committed_at <= %(known)s)
        AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
ORDER BY asset_id, day;

-- name: edges
-- What assets did on the days that are cut, and what they are doing: the day under way has no sum yet.
SELECT asset_id, state, started_at, ended_at, distance_m, observed_s, loading, place, method, figures, sources
FROM activity
WHERE asset_id = ANY (%(assets)s::uuid[]) AND ended_at IS NOT NULL
    AND (started_at AT TIME ZONE 'UTC')::date = ANY (%(edge_days)s::date[])
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
        EXISTS (SELECT FROM commits WHERE commits.commit_no = activity.commit_no AND committed_at <= %(known)s)
        AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
UNION ALL
SELECT asset_id, state, started_at, ended_at, distance_m, observed_s, loading, place, method, figures, sources
FROM activity AS today
WHERE asset_id = ANY (%(assets)s::uuid[]) AND ended_at IS NOT NULL AND superseded_by IS NULL
    AND started_at >= date_trunc('day', (SELECT max(ended_at) FROM use_tail WHERE use_tail.asset_id = today.asset_id), 'UTC')
    AND %(known)s::timestamptz IS NULL AND NOT (started_at AT TIME ZONE 'UTC')::date = ANY (%(edge_days)s::date[])
    AND started_at < %(to)s AND ended_at > %(from)s
UNION ALL
SELECT asset_id, state, started_at, ended_at, distance_m, observed_s, loading, place, method, figures, sources
FROM use_tail
WHERE asset_id = ANY (%(assets)s::uuid[]) AND %(known)s::timestamptz IS NULL AND started_at < %(to)s AND ended_at > %(from)s
ORDER BY asset_id, started_at;

-- name: classes
-- What these assets are, and what they are called.
SELECT asset_id, class, name FROM asset WHERE asset_id = ANY (%(assets)s::uuid[]);
