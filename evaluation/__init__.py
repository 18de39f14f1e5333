"""What detection does on real tracks, on faults put into them by seeded code, and on labelled cases, beside simple baselines.

`make evaluate` runs all of it (`python -m evaluation`, `--quick` for a smoke run without recordings) and writes
`results/evaluation.json` and the tables of docs/evaluation.md.

In reading order: `tracks` (which recordings there are and which are clean), `judge` (records through the same run as
`keelwing backtest`), `poisson` (what a count can carry), `explanations` and `clean` (real tracks untouched).

Neighbours: it may know `ingest` and `detect`; no room of the product knows it. `evaluation.inject`, which makes the faults, knows
nothing but the words of a reading: if injection and detection shared code, its bugs would cancel out.
"""
