"""The custom resources: pydantic models, CRD generation, and their way into the core's model."""
