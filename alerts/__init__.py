"""Alerts and webhooks: from a finding to somebody who must look, and to the machines that want to know.

In reading order: `lifecycle` (pure: what opens, updates, resolves, retracts; the event that tells of it), `incident`, `hold`,
`budget` and `telling` (pure: which of it is told), `verdict` (pure: what a dismissal does to a threshold), `policy` (pure: what
an answer means, when to try again), `guard` (which addresses may be called), `delivery` (one signed request), `notifier` (the
process: claim, send, record, wait). The rows are `store.alerts`, `store.outbox`, `store.deliveries` and `store.dispatch`.

`ingest` and `api` import the pure ones alone and write their changes in their own transaction; nobody but `keelwing` starts the
notifier. Who fails here fails alone: any answer, URL or secret of an endpoint is a value, and a dead process loses nothing.
"""
