"""Benchmarks: each prints a table and writes JSON, each figure beside a reference measured in the same run.

In reading order: `report` (figures, ratios, targets, table and JSON), `world` (what simulated assets say, as bytes), `load`
(MQTT packets made ready before the clock runs), `publisher` (sends them, cheaply), `gauge` and `processes` (what others may read
of a running process: its count, its CPU seconds, its memory), `servers` and `prepare` (broker, database, registered assets with
warm detectors), `obvious` and `bare` (the references), `contenders` (they and Keelwing behind one protocol), then the benches:
`throughput`, `latency`, `memory`, and those beside them. `python -m bench` runs all, `python -m bench.NAME` one.
"""
