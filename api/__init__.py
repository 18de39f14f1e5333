"""The HTTP API and the page's server. It decides who may ask and how an answer looks; rows come from `store`.

In reading order: `settings` (what the process is told), `app` (how the parts are put together), `keys` (who asks, with what
scope), `parameters` (what a query may hold), `problem` (every error), `listing` (pages, cursors, CSV), `once` (writes asked for
twice), `shapes` (what is said), `states` and `tracks` (pure: rows to shapes), `routes/` (one module a resource), `live` (the
stream's hub), `documents`, `examples` and `manual` (OpenAPI and its page), `middleware`, `metrics`, `site` (the web page's
files), `serve` (the process). `page/` is what web/ builds.

It imports `store`, `fleet` and `alerts.lifecycle`, which alone decides what a person may do with an alert.
"""
