"""The fleet's pages at the wire: REST described by OpenAPI, and the live feed. No rules of its own."""
