"""The pairs of a large fleet, by a compiled loop: what `tables.pairs` says, much faster."""
