"""The embedded stack: a database and a broker out of wheels, and the supervisor that holds everything together.

In reading order: `leash` (the program between us and a child, so that no child outlives us), `process` (start, stop, find,
log, lock), `account` (who a server runs as when we are root), `place` (where its files live then), `postgres`, `nats`,
`supervise`.

Neighbours: `keelwing.settings` says when embedded servers are wanted (no URL given), `keelwing up` composes them. This
room imports neither a database driver nor an MQTT client: it knows servers, not what is said to them.
"""
