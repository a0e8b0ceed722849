"""The real cluster: credentials, one HTTP session, watches that cannot die silently, writes."""
