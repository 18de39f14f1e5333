"""The demo's past: ten years of sixty assets, made from the demo's seed, so that every page has something to tell at once.

`lives` lays out when each asset was built, delivered, laid up and where it went, as arrays; `paper` writes the leases, reports
and money that go with it; `loading` puts both into an empty database. Everything here is made up, and says so (`source` demo).
"""
