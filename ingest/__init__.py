"""MQTT in: receive, decode, route, batch, step, commit, acknowledge; and readers of recordings.

In reading order: `wire` (what the air may say), `decode` (bytes to values, pure and total), `mqtt` (the only client),
`registry` (whose stream is it), `pipeline` (a reading's journey, a table of contents), `rederive` (late readings),
`recordings` (files told by content), `backtest` (the same journey without broker or database).

Neighbours: `detect` judges, `store` keeps, `alerts.lifecycle` opens and closes. This file imports nothing, because
`simulators` may know `ingest.wire` and no more.
"""
