"""Faults put into plain readings, and tracks made from nothing: seeded, and built on the words of a reading alone.

A reading here is the mapping that a recording holds: `class`, `scheme`, `value`, `time` in unix milliseconds and the fields with
their unit last. Nothing of detection is imported; distances and bearings are computed here.

In reading order: `sphere` (distances), `passages` and `flights` (tracks made from nothing), `engines` (sensor channels for
any of them), then the faults: `silences`, `positions`, `movements`, `air`, `sensors`, `places`. A fault is a function from a
track, a seed's random numbers and an instant to the track with the fault in it.
"""
