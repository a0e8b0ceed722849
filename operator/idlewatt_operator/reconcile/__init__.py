"""The cycle: read, decide, write."""
