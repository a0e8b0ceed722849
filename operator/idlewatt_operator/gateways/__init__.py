"""The ports to the outside world, and the only network code."""
