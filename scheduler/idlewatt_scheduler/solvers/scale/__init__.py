"""Planning large fleets: on tables instead of a board, first greedily, then by prices."""
