"""The shell of idlewatt: reads a snapshot, asks the core for a plan, writes it."""
