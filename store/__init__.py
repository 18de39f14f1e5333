"""The database: schema, migrations, named queries, pools. The only room that knows psycopg.

Rules of the room. SQL lives in `sql/NOUN.sql`, one named block per query, for the module `NOUN.py` that runs it; only
statements whose tables depend on the asset class are built in code. Every function takes a connection from `pool` inside a
transaction (`async with pool.connection() as conn:` is one). Instants are microseconds UTC, in and out: the pool's connections
read each `timestamptz` so. Ids of assets, alerts, parties, leases and keys are uuids; functions take and give them as text.
A lost connection or a deadlock raises `psycopg.OperationalError` and is retried where the transaction is (not here).

In reading order, with what each gives:

`schema.md`, `migrations/`, `migrate`, `timescale`: the schema and how a database gets it.
    migrate(url) -> list[str]                                               sync
    set_role_password(url, role, password) -> None                          sync
`pool`: bounded pools that reconnect, and the scope of an API transaction.
    open_pool(url, role, size_max, *, wait_s=30) -> Pool                    role 'keelwing_worker' | 'keelwing_api'
    scope(conn, tenant, party) -> None                                      party None: the tenant's own people
    Connection, Pool                                                        for annotations elsewhere
`moments`: instants as the driver takes them.
`rows`: what a commit writes, as plain rows.
`commits`: numbered, fenced transactions.
    claim(conn, shards, owner) -> Ownership(epoch, shards)
    begin(conn, ownership, shards, attempt) -> dict[shard, commit_no]       raises Fenced
    begin_for(conn, key) -> commit_no                                       a person's change, from the API
    is_committed(conn, commit_nos, attempt) -> bool                         a number alone may have been given twice
`registry`: tenants, assets, identifiers, feeds, streams, attributions, leases, settings.
    version(conn) -> int; load(conn) -> Registry
    resolve_streams(conn, wanted) -> dict[(tenant, origin, class, scheme, value), stream_id]
    attributions(conn, stream_ids) -> dict[stream_id, list[AttributionEntry]]
    attribute(conn, stream_id, asset_id, from_us, to_us) -> None
    create_tenant(conn, tenant, name) -> None; create_party(conn, tenant, name) -> party_id
    register_asset(conn, tenant, asset_class, name, asset_type, identifiers, particulars) -> asset_id
    set_feed(conn, tenant, feed, clock) -> None; grant_feed(conn, feed, tenant, from_us, to_us) -> None
    create_lease(conn, tenant, asset_id, party_id, form, from_us, to_us) -> lease_id
    change_setting(conn, tenant, rule, name, value, from_us) -> None
`identities`: who an asset is over time, and what sits on what.
    bear(conn, asset_id, scheme, value, from_us, to_us, *, source) -> None  names and flags too
    end(conn, asset_id, scheme, value, at_us) -> bool
    install(conn, asset_id, parent_asset_id, position, from_us, to_us, *, source) -> None; remove(conn, asset_id, at_us) -> bool
`parties`, `clauses`, `leases`, `milestones`, `restated`: the paper, its events and what they come to; see `fleet.stage`.
    leases.draft(conn, NewLease) -> lease_id; leases.revise(conn, lease_id, Revision, actor, at_us) -> Entered | Refusal
    leases.record(conn, Told, at_us) -> Entered | Refusal                   an event of a lease, alone or as a correction
    leases.record_milestone(conn, tenant, NewMilestone, at_us) -> Entered | Refusal
    leases.withdraw(conn, tenant, asset_id, event_id, actor, at_us) -> Entered | Refusal
    leases.find(conn, LeaseFilter, after, limit) -> rows; leases.shown(conn, rows, at_us, known_us) -> list[ShownLease]
    restated.closed_months(conn, lease_id, from_us, to_us) -> list[ClosedMonth]; restated.tell(conn, restatements, at_us) -> None
`areas`: lines on the map, imported and dated.
    import_areas(conn, tenant, entries, *, source) -> Imported; areas(conn, which, after, limit) -> list[Row]
`columns`, `staging`, `arrays`, `rollups`, `readings`: the log, by COPY, and what it adds up to, by arrays.
    readings.insert(conn, rows, commit_nos) -> list[ReadingRow]             those that were not there yet: `append`, `rollups.add`
    readings.duplicates(conn, keys) -> set[key]                             key = (class, stream_id, time_us, source, seq)
    readings.high_water(conn, stream_ids) -> dict[stream_id, time_us]
    readings.feed_clock(conn, tenant, origin) -> time_us | None
    readings.of_asset(conn, asset_id, asset_class, from_us, to_us, *, after=None, limit) -> list[StoredReading]
    readings.fixes_at(conn, tenant, at_us, window_us) -> list[Fix]
`identity_runs`: stretches of static reports that say the same of who it is.
    last(conn, stream_ids) -> dict[stream_id, IdentityRunRow]; extend(conn, rows, commit_nos) -> None
    reports_of(conn, asset_ids) -> dict[asset_id, list[StaticReport]]       thinned
`batches`: everything of one commit.
    write(conn, batch, commit_nos) -> Written(readings, findings)
`findings`: append-only revisions.
    write(conn, rows, commit_nos) -> list[FindingRevision]                  only what changed
    current(conn, asset_id, from_us) -> list[FindingRevision]
`alerts`: as they stand and their history.
    open_for(conn, findings) -> list[AlertRow]                              locked; active of the key, or holding the finding
    write(conn, changes, commit_nos) -> None                                raises StaleAlert
    get(conn, alert_id, *, lock=False) -> AlertRow | None
`outbox`, `live`, `deliveries`, `dispatch`: events in commit order for endpoints and pages, and where each stands with whom.
    outbox.insert(conn, rows) -> None; live.insert(conn, rows) -> None
    dispatch.claim(conn, limit, lease_s, per_endpoint_max) -> Turn          claims come back by themselves after lease_s
    deliveries.record(conn, attempt, outcome) -> None
`checkpoints`, `dirty`, `priors`, `scenes`, `listening`, `clocks`, `statics`, `statuses`, `leases`, `traffic`, `aliases`:
the cache over the log and the dated facts that `step` reads.
    checkpoints.latest_before(conn, asset_id, at_us) -> Checkpoint | None; checkpoints.newest(conn, asset_ids) -> dict
    checkpoints.due(conn, shards, until_us, limit) -> list[(asset_id, wake_at_us)]
    checkpoints.drop_from(conn, asset_id, from_us) -> None
    dirty.due(conn, shards, quiet_us, limit) -> list[Dirty]; dirty.next_due(conn, shards, quiet_us) -> time_us | None
    dirty.clear(conn, dirty) -> bool                                        False: marked again meanwhile
    dirty.begin(conn, dirty) -> bool; dirty.narrow(conn, asset_id) -> None  what is marked between the two stays marked
    priors.of_group(conn, tenant, asset_class, asset_type) -> list[bytes]
    scenes.write(conn, rows, commit_nos) -> None; scenes.at(conn, asset_id, from_us, to_us) -> list[SceneRow]
    listening.extend(conn, tenant, origin, from_us, to_us, gap_max_us) -> None
    listening.during(conn, tenant, origin, from_us, to_us) -> list[(from_us, to_us)]
`counts`: what became of what was received.
    add(conn, rows) -> None; reconcile(conn) -> list[Balance]
`keys`: who asks.
    create(conn, tenant, role, party_id=None) -> key; revoke(conn, key) -> bool; authenticate(conn, key) -> Caller | None
`walled`, `reads`, `desk`: the API's transactions, its questions, and what a person changes there.
`transaction`: these functions as one transaction's words, the way the ingester asks.
    PostgresStore(pool).transaction() -> context of PostgresTransaction
`faults`: which errors are worth a retry. `figures`: totals for a line on a terminal.
`pruning`: what may be forgotten.
    prune(conn, limits) -> dict[table, rows]

Notifications: `keelwing_registry` (the registry changed), `keelwing_commit` (a batch was committed), `keelwing_outbox` (there is
something to deliver), `keelwing_live` (there is something for open pages).
"""
