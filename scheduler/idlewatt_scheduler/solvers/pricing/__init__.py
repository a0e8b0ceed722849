"""Prices of what is scarce: how they are found, what they prove, and the best use of a vehicle."""
