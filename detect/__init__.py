"""Room `detect`."""
