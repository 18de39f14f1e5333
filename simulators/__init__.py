"""Room `simulators`."""
