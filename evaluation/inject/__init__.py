"""Faults put into plain readings, and tracks made from nothing: seeded, and built on the words of a reading alone.

A reading here is the mapping that a recording holds: `class`, `scheme`, `value`, `time` in unix milliseconds and the fields with
their unit last. Nothing of detection is imported; distances and bearings are computed here.
"""
