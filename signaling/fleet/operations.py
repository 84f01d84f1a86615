"""Every REST operation of the fleet. Each part of it lists its own in a file of its own."""

from typing import Final

from signaling.fleet.operation import Operation

OPERATIONS: Final[tuple[Operation, ...]] = ()
