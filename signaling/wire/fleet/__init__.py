"""What crosses between the fleet's pages and the city. ``web/shared/fleet-wire.ts`` is generated from here.

Each file names its own types in ``TYPES``; :mod:`signaling.wire.fleet.types` gathers them.
"""
