"""The routes, one module a resource.

assets, history (track, telemetry), findings, alerts, webhooks, feeds, rejections,
stream, service (health, metrics, documentation, the page).

A route reads its parameters, asks the store, shapes the answer.
"""
