"""MQTT in: receive, decode, route, batch, step, commit, acknowledge; and readers of recordings.

In reading order: `wire` (what the air may say), `decode` (bytes to values, pure and total; `well_formed` is its quick way),
`ports` (what is needed of the world: store, mailbox, clock), `mqtt` (the only client, over the socket of `buffered`), `roster`
(whose is it), `routing` (what each part becomes), `pipeline` (a reading's journey, a table of contents), `judging`, `contexts`,
`places` and `use_contexts` (what a step is told), `priors`, `watch`, `loading` (stepping), `alerting`, `rederive` (late
readings; `use_again` beyond the horizon, `use_revisions` what differs), `closing` (hours that are over), `worker` (the process),
`crew` and `step_process` (several of them; `parcels`, `channel` and `elsewhere` are what goes between), `patience` (the
database's absence), `metrics`, `collector`, `recordings` (files told by content), `backtest` (the same journey without broker or
database).

Neighbours: `detect` judges, `store` keeps, `alerts.lifecycle` opens and closes. This file imports nothing, because
`simulators` may know `ingest.wire` and no more.
"""
