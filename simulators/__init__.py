"""The outside world: ships, aircraft, trains, what goes wrong with them, and the air between them and the broker.

In reading order: `scenario` (which fleets, which faults, in TOML under `scenarios/`), `motion` (ways, timetables, noise),
`lanes` (sea lanes; `survey` leads them around land), `identity` (numbers with right check digits), `vessel` with
`vessel_engine`, `aircraft` and `trainset` (what a device reads at an instant), `faults` (what bends it) and `labels` (the
truth about that), `world` (all of it as a function of time), `publish` (over MQTT, as a device that buffers), `record` (into a
file), `run` (a world in real time until told to stop).

Neighbours: it speaks `ingest.wire` and knows nothing else of ours: if simulator and detector shared one geodesy, its bugs
would cancel out.
"""
