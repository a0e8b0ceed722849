"""kopf handlers, one module per kind; a handler requests a cycle, it does not work."""
