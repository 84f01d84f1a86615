"""The schema, step by step. Each step is frozen once it has been released."""
