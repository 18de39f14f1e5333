"""Room `fleet`."""
