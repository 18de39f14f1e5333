"""What readings mean: pure, deterministic, and the only room that imports river. No I/O, no clock, no unseeded random number.

The tour, in reading order:

- `RULES.md`: what each rule opens, updates and closes, with its thresholds and where they come from. Read it first.
- `model`: what goes in and comes out: ticks, contexts, findings, fixes. `state`: what is remembered of one asset.
- `step`: one event through every rule; its tuple `RULES` is the list of rules. `drive`: readings and the ticks due between them.
- `rule`, `episodes`: what a rule is, and how what it says opens, changes and closes. One module per rule: `gap`, `position_jump`,
  `squawk_emergency`, `speed_anomaly`, `holding`, `go_around`, `rapid_descent`, `diversion`, `channel_anomaly`,
  `behaviour_anomaly`.
- `identity_changed`: the one rule that judges all static reports of an asset at once, against the records.
- `traits`, `classes`, and one module per asset class (`vessel`, `aircraft`, `trainset`): what the rules ask of a class. `plane`:
  distances cheap enough for every reading. `tracks`: to which track a position belongs, told before any rule looks.
- `rows`, `baseline`, `joint`: one-minute rows, and the two river models that learn from them. `prior`: the same, fleet-wide.
- `scene`: what compares assets, as context for a tick. `sighting`, `scene_watch`, `encounter`, `gnss_interference`: the same as
  findings, over ten minutes. `checkpoint`: a state as bytes and back. `standing`: the episodes that a state holds open.

Importing this package imports nothing else; `detect.step` imports river.
"""
