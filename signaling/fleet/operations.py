"""Every REST operation of the fleet. Each part of it lists its own in a file of its own."""

from typing import Final

from signaling.fleet.audit import AUDIT
from signaling.fleet.bulks import BULKS
from signaling.fleet.bundles import BUNDLES
from signaling.fleet.commands import COMMANDS
from signaling.fleet.devices import DEVICES
from signaling.fleet.enrolments import ENROLMENTS
from signaling.fleet.histories import HISTORIES
from signaling.fleet.incidents import INCIDENTS
from signaling.fleet.operation import Operation
from signaling.fleet.roles import ROLES
from signaling.fleet.rollouts import ROLLOUTS
from signaling.fleet.setup import SETUP

OPERATIONS: Final[tuple[Operation, ...]] = (
    *DEVICES,
    *ENROLMENTS,
    *INCIDENTS,
    *HISTORIES,
    *ROLES,
    *SETUP,
    *COMMANDS,
    *BULKS,
    *BUNDLES,
    *ROLLOUTS,
    *AUDIT,
)
