"""Room `alerts`."""
