"""Learning when cars leave from sessions of the past, and checking what was learned on others."""
