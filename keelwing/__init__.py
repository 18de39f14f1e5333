"""The composition root: it alone knows every room, and no room knows it.

In reading order: `settings` (every name, unit and default), `cli` (the commands), `journal` (how a log line looks),
`stack` (what `keelwing up` holds together), `demo` (the demo's tenants, assets and keys), `replay` (a recording over MQTT),
`embedded` (database and broker out of wheels).
"""
