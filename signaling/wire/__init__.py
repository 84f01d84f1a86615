"""What crosses the wire, and nothing else: pure message types and their codec.

``web/shared/wire.ts`` is generated from here.
"""
