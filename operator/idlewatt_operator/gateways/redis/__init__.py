"""Telemetry over Redis: the contract, the folding of reports, and the wish to wake a vehicle."""
