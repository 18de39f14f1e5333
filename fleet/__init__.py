"""The vocabulary, pure: what a reading, an identifier, a place is. No I/O, no clock, no other room.

In reading order: `instants` (microseconds and RFC 3339), `months`, `identifiers` (schemes and check digits), `reading` (what all
classes share), `vessel`, `aircraft`, `trainset` (one module per asset class), `asset_class` (the three in one table),
`component` (what sits on them), `geodesy` (WGS 84), `area` (inside, outside, entered, left), `registration` (whose number it
is; its facts in `registration_tables`), `shards` (where an asset is stepped), `use` (what assets do: activities, journeys,
days), `use_machines` (the machine of each class), `places` (ports and other areas beside a position), `flight`, `airport` and
`flight_machine` (of aircraft), `port_call`, `operating_state` and `voyage` (what a ship's looks come to), `vessel_use` (her
machine), `train_use` (of trains), `displacement` (what she weighs), `noon_report` (what her master writes), `fuel`, `cii`,
`eeoi` and `trajectory` (what she burns and how that is judged), `carbon` (over a window), `hull_performance`, `hull_reports`,
`survey` (what falls due), `off_hire` (time not paid for).

Then money: `money` (Decimal, currencies), `utilization` (use as a lease counts it), `maintenance_reserve`,
`return_condition`, `forecast` (the next event).
"""
