"""A simulated cluster, fleet, telemetry and clock behind the same gateways."""
