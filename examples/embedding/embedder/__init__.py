"""An embedding model served over HTTP, as a pod that can be moved without losing a request."""
