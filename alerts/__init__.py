"""Alerts and webhooks: from a finding to somebody who must look, and to the machines that want to know.

In reading order: `lifecycle` (pure: what opens, updates, resolves, retracts; the event that tells of it), `policy` (pure: when
to try again, what an answer means), `guard` (which addresses may be called), `delivery` (one signed request), `notifier`
(the process: claim, send, record, wait).
"""
