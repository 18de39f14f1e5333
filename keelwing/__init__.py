"""Room `keelwing`."""
